import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Schema, Stream } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"
import { TestClock } from "effect/testing"

const orders = ["fifo", "lifo", "priority"] as const

class Node extends CrawlItem.Class<Node>()("Node", { name: Schema.String }) {}
class Counted extends CrawlItem.Class<Counted>()("Counted", { n: Schema.Finite }, { trackOverall: true }) {}

/** A binary tree of depth 2, and what is seen of it. */
const traversal = (log: Array<string>, hook: Effect.Effect<void>) =>
  Node.toLayer({
    process: ({ name }, crawl) =>
      Effect.suspend(() => {
        log.push(`p:${name}`)
        const below = name === "r" ? ["0", "1"] : name.length === 1 ? [`${name}0`, `${name}1`] : []
        return crawl.enqueue(...below.map((child) => new Node({ name: child })))
      }),
    afterChildren: ({ name }) => {
      log.push(`a:${name}`)
      return hook
    }
  })

describe("Crawler", () => {
  describe("order", () => {
    it.effect.each(
      [
        ["fifo", "p:r p:0 p:1 p:00 a:00 p:01 a:01 a:0 p:10 a:10 p:11 a:11 a:1 a:r"],
        ["lifo", "p:r p:1 p:11 a:11 p:10 a:10 a:1 p:0 p:01 a:01 p:00 a:00 a:0 a:r"],
        ["priority", "p:r p:0 p:1 p:00 a:00 p:01 a:01 a:0 p:10 a:10 p:11 a:11 a:1 a:r"]
      ] as const
    )("one worker traverses a tree with hooks (%s)", ([order, expected]) =>
      Effect.gen(function*() {
        for (const hook of [Effect.void, Effect.yieldNow, Effect.sync(() => {})]) {
          const log: Array<string> = []
          const report = yield* Crawler.run([new Node({ name: "r" })], { order, concurrency: 1 }).pipe(
            Effect.provide(traversal(log, hook))
          )
          assert.strictEqual(log.join(" "), expected)
          assert.strictEqual(report.succeeded, 7)
        }
      }))

    it.effect("takes the lowest priority first, and equals in the order they came", () =>
      Effect.gen(function*() {
        class Fixed extends CrawlItem.Class<Fixed>()("Fixed", { n: Schema.Finite }, { priority: 1 }) {}
        class Own extends CrawlItem.Class<Own>()("Own", { n: Schema.Finite }, { priority: ({ n }) => n % 3 }) {}
        const begun: Array<string> = []
        const see = (name: string) => ({
          process: ({ n }: { readonly n: number }) => Effect.sync(() => void begun.push(`${name}${n}`))
        })
        yield* Crawler.run(
          [new Own({ n: 5 }), new Fixed({ n: 1 }), new Own({ n: 1 }), new Own({ n: 3 }), new Fixed({ n: 2 })],
          { order: "priority", concurrency: 1 }
        ).pipe(Effect.provide(CrawlItem.layers(Fixed.toLayer(see("f")), Own.toLayer(see("o")))))
        assert.deepStrictEqual(begun, ["o3", "f1", "o1", "f2", "o5"])
      }))

    it.effect.each(orders)("finishes a chain 100 000 deep (%s)", (order) =>
      Effect.gen(function*() {
        let hooks = 0
        const layer = Counted.toLayer({
          process: ({ n }, crawl) => n === 0 ? Exit.void : Effect.asVoid(crawl.enqueue(new Counted({ n: n - 1 }))),
          afterChildren: ({ n }) => {
            hooks++
            return n % 2 === 0 ? Exit.void : Effect.sync(() => {})
          }
        })
        const report = yield* Crawler.run([new Counted({ n: 99_999 })], { order }).pipe(Effect.provide(layer))
        assert.strictEqual(report.succeeded, 100_000)
        assert.strictEqual(hooks, 100_000)
      }))

    it.effect.each(orders)("finishes a level 100 000 wide (%s)", (order) =>
      Effect.gen(function*() {
        let children = 0
        const layer = Counted.toLayer({
          process: ({ n }, crawl) =>
            n > 0 ? Exit.void : Effect.forEach(
              Array.from({ length: 10 }),
              () => crawl.enqueue(...Array.from({ length: 10_000 }, () => new Counted({ n: 1 }))),
              { discard: true }
            ),
          afterChildren: ({ n }, outcomes) => {
            if (n === 0) children = outcomes.children.length
            return Exit.void
          }
        })
        const report = yield* Crawler.run([new Counted({ n: 0 })], { order }).pipe(Effect.provide(layer))
        assert.strictEqual(report.succeeded, 100_001)
        assert.strictEqual(children, 100_000)
      }))
  })

  describe("while it runs", () => {
    it.effect("shows what is done and since when, what waits by class, and the overall progress", () =>
      Effect.gen(function*() {
        const nodes = Node.toLayer({
          process: (_, crawl) =>
            Effect.andThen(
              Effect.sleep("1 second"),
              Effect.andThen(
                crawl.describe("enqueuing"),
                Effect.andThen(crawl.enqueue(new Counted({ n: 1 }), new Counted({ n: 2 })), Effect.sleep("1 second"))
              )
            )
        })
        const counted = Counted.toLayer({ process: () => Effect.sleep("1 second") })
        yield* Effect.scoped(Effect.gen(function*() {
          const root = new Node({ name: "r" })
          const crawl = yield* Crawler.make([root, new Node({ name: "s" })], { concurrency: 1 })
          yield* TestClock.adjust("0 seconds")
          assert.deepStrictEqual((yield* crawl.stats).processing, [{
            id: 1,
            item: root,
            description: "",
            startedAt: 0
          }])
          yield* TestClock.adjust("1 second")
          const stats = yield* crawl.stats
          assert.deepStrictEqual(stats, {
            enqueued: 4,
            succeeded: 0,
            failed: 0,
            interrupted: 0,
            skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
            waiting: new Map([["Node", 1], ["Counted", 2]]),
            processing: [{ id: 1, item: root, description: "enqueuing", startedAt: 0 }],
            overall: { settled: 0, known: 2 }
          })
          yield* TestClock.adjust("4 seconds")
          assert.deepStrictEqual((yield* crawl.stats).overall, { settled: 1, known: 4 })
          // Those that were processed are not shown any more, also while what they enqueued is not done.
          assert.deepStrictEqual((yield* crawl.stats).processing.map(({ id }) => id), [4])
          yield* crawl.kill
          const ended = yield* crawl.stats
          assert.deepStrictEqual(ended.processing, [])
          assert.deepStrictEqual(ended.waiting, new Map())
          assert.strictEqual(ended.succeeded + ended.failed + ended.interrupted, ended.enqueued)
        })).pipe(Effect.provide(CrawlItem.layers(nodes, counted)))
      }))

    it.effect("tells events in order, ends the stream after Ended, and gives none to who comes later", () =>
      Effect.gen(function*() {
        const layer = Node.toLayer({
          process: ({ name }, crawl) =>
            name === "r"
              ? Effect.andThen(
                Effect.sleep("1 second"),
                Effect.andThen(crawl.describe("going down"), Effect.asVoid(crawl.enqueue(new Node({ name: "0" }))))
              )
              : Exit.void
        })
        yield* Effect.scoped(Effect.gen(function*() {
          const crawl = yield* Crawler.make([new Node({ name: "r" })])
          const watching = yield* Effect.forkChild(Stream.runCollect(crawl.events), { startImmediately: true })
          yield* TestClock.adjust("1 minute")
          const events = yield* Fiber.join(watching)
          assert.deepStrictEqual(
            events.map((event) => `${event._tag}${"about" in event ? ` ${event.about.id}` : ""}`),
            [
              "Started 1",
              "Described 1",
              "Enqueued 2",
              "Processed 1",
              "Started 2",
              "Processed 2",
              "Settled 2",
              "Settled 1",
              "Ended"
            ]
          )
          assert.deepStrictEqual(events.at(-1), { _tag: "Ended", report: yield* crawl.awaitEnd })
          assert.deepStrictEqual(yield* Stream.runCollect(crawl.events), [])
        })).pipe(Effect.provide(layer))
      }))

    it.effect("lets who is more than 1024 events behind miss the oldest, and never Ended", () =>
      Effect.gen(function*() {
        const layer = Counted.toLayer({ process: () => Effect.yieldNow })
        yield* Effect.scoped(Effect.gen(function*() {
          const crawl = yield* Crawler.make(Array.from({ length: 2000 }, (_, n) => new Counted({ n })))
          const gate = yield* Deferred.make<void>()
          const seen: Array<string> = []
          const watching = yield* Effect.forkChild(
            Stream.runForEach(
              crawl.events,
              ({ _tag }) => Effect.andThen(Effect.sync(() => seen.push(_tag)), Deferred.await(gate))
            ),
            { startImmediately: true }
          )
          yield* crawl.awaitEnd
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(watching)
          assert.strictEqual(seen.at(-1), "Ended")
          assert.isBelow(seen.length, 6001)
          assert.isAtLeast(seen.length, 1024)
        })).pipe(Effect.provide(layer))
      }))

    it.effect("schedules no timers of its own while one worker sleeps and others wait", () =>
      Effect.gen(function*() {
        let sleeps = 0
        const clock = yield* Clock.Clock
        const counting: Clock.Clock = {
          ...clock,
          currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
          currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
          sleep: (duration) => {
            sleeps++
            return clock.sleep(duration)
          }
        }
        const fiber = yield* Effect.forkChild(
          Crawler.run([new Node({ name: "r" })], { concurrency: 4 }).pipe(
            Effect.provide(Node.toLayer({ process: () => Effect.sleep("1 hour") })),
            Effect.provideService(Clock.Clock, counting)
          )
        )
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual(sleeps, 1)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Fiber.join(fiber)).succeeded, 1)
        assert.strictEqual(sleeps, 1)
      }))
  })

  describe("roots", () => {
    it.effect("may be none at all", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Crawler.run([]), {
          enqueued: 0,
          succeeded: 0,
          failed: 0,
          interrupted: 0,
          left: 0,
          skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
          roots: []
        })
      }))

    it.effect("may be of several classes, of any iterable, and do not fail the crawl", () =>
      Effect.gen(function*() {
        const report = yield* Crawler.run(new Set([new Node({ name: "r" }), new Counted({ n: 1 })])).pipe(
          Effect.provide(CrawlItem.layers(
            Node.toLayer({ process: () => Effect.die("broken") }),
            Counted.toLayer({ process: () => Effect.void })
          ))
        )
        assert.deepStrictEqual(
          report.roots.map(({ exit, item }) => [item[CrawlItem.TypeId], exit]),
          [["Node", Exit.die("broken")], ["Counted", Exit.void]]
        )
      }))
  })
})
