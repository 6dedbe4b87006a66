import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Schema, Stream } from "effect"
import { Crawler, CrawlItem, CrawlOutcome, CrawlStore } from "effect-crawler"
import { TestClock } from "effect/testing"

const orders = ["fifo", "lifo", "priority"] as const

class Page extends CrawlItem.Class<Page>()("Page", { name: Schema.String }, { success: Schema.String }) {}
class Fast extends CrawlItem.Class<Fast>()("Fast", {}, { onFailure: "failFast" }) {}
class Task extends CrawlItem.Class<Task>()("Task", { n: Schema.Finite }, { failure: Schema.String }) {}

/** A page that enqueues others: "r" has "r0" and "r1", and those have two each. */
const pages = (process: (name: string) => Effect.Effect<void> = () => Effect.void, depth = 2) =>
  Page.toLayer({
    process: ({ name }, crawl) =>
      Effect.gen(function*() {
        yield* process(name)
        if (name.length <= depth) yield* crawl.enqueue(new Page({ name: `${name}0` }), new Page({ name: `${name}1` }))
        return name.toUpperCase()
      })
  })

/** A store with a page that was not done. */
const left = Effect.gen(function*() {
  const store = yield* CrawlStore.memory
  const crawl = yield* Crawler.make([new Page({ name: "r" })], { store })
  yield* crawl.kill
  return store
}).pipe(Effect.scoped, Effect.provide(pages(() => Effect.never)))

describe("Crawler with a store", () => {
  it.effect.each(
    [
      ["fifo", "p:r p:0 p:1 p:00 a:00 p:01 a:01 a:0 p:10 a:10 p:11 a:11 a:1 a:r"],
      ["lifo", "p:r p:1 p:11 a:11 p:10 a:10 a:1 p:0 p:01 a:01 p:00 a:00 a:0 a:r"]
    ] as const
  )(
    "one worker traverses a tree with hooks, those first that are ready (%s)",
    ([order, expected]) =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const layer = Task.toLayer({
          process: ({ n }, crawl) =>
            Effect.suspend(() => {
              log.push(`p:${n}`)
              return n > 3
                ? Effect.void
                : Effect.asVoid(crawl.enqueue(new Task({ n: 2 * n }), new Task({ n: 2 * n + 1 })))
            }),
          afterChildren: ({ n }) => Effect.sync(() => void log.push(`a:${n}`))
        })
        const named = ["", "r", "0", "1", "00", "01", "10", "11"]
        const store = yield* CrawlStore.memory
        yield* Effect.provide(Crawler.run([new Task({ n: 1 })], { order, concurrency: 1, store }), layer)
        // Hooks of leaves run at once only where nothing is claimed ahead.
        const seen = log.map((entry) => entry.replace(/\d+/, (n) => named[Number(n)]!)).join(" ")
        if (order === "lifo") assert.strictEqual(seen, expected)
        else assert.deepStrictEqual(seen.match(/p:\w+/g), expected.match(/p:\w+/g))
      })
  )

  it.effect("goes on where it was stopped, and does what it did not do, and nothing else", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const begun: Array<string> = []
      const layer = pages((name) => Effect.andThen(Effect.sync(() => begun.push(name)), Effect.sleep("1 second")))
      const first = yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Page({ name: "r" })], { store, concurrency: 1 })
        yield* TestClock.adjust("1500 millis")
        const stopping = yield* Effect.forkChild(crawl.stop)
        yield* TestClock.adjust("500 millis")
        return yield* Fiber.join(stopping)
      })).pipe(Effect.provide(layer))
      assert.deepStrictEqual(begun, ["r", "r0"])
      assert.deepStrictEqual({
        enqueued: first.enqueued,
        succeeded: first.succeeded,
        left: first.left,
        roots: first.roots
      }, {
        enqueued: 5,
        succeeded: 0,
        left: 5,
        roots: []
      })
      const second = yield* Crawler.run([new Page({ name: "not again" })], { store }).pipe(
        Effect.provide(pages((name) => Effect.sync(() => void begun.push(name))))
      )
      assert.deepStrictEqual(begun, ["r", "r0", "r1", "r00", "r01", "r10", "r11"])
      assert.deepStrictEqual(second.roots, [{ item: new Page({ name: "r" }), exit: Exit.succeed("R") }])
      assert.isTrue(second.roots[0]!.item instanceof Page)
      assert.deepStrictEqual([second.succeeded, second.left], [7, 0])
      // Once more: it has ended, and nothing is done.
      const third = yield* Crawler.run([], { store }).pipe(Effect.provide(pages(() => Effect.die("done already"))))
      assert.deepStrictEqual(third, second)
    }))

  it.effect("what is killed is left as if it had not begun", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const report = yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Page({ name: "r" })], { store })
        yield* TestClock.adjust("1 second")
        return yield* crawl.kill
      })).pipe(Effect.provide(pages(() => Effect.never)))
      assert.deepStrictEqual([report.enqueued, report.interrupted, report.left], [1, 0, 1])
      const resumed = yield* Effect.provide(Crawler.run([], { store }), pages())
      assert.strictEqual(resumed.succeeded, 7)
    }))

  it.effect("nobody waits for more to write while a worker has nothing to do", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Crawler.make([new Page({ name: "r" })], { store, concurrency: 8 })
        for (let i = 0; i < 3; i++) yield* TestClock.adjust("1 second")
        const items = yield* Stream.runCollect(store.items())
        assert.strictEqual(items.length, 7)
      })).pipe(Effect.provide(pages(() => Effect.sleep("1 second"))))
    }))

  it.effect.each(orders)(
    "an item that fails fast ends what runs and what waits below it (%s)",
    (order) =>
      Effect.gen(function*() {
        const store = yield* CrawlStore.memory
        const begun: Array<number> = []
        const layer = CrawlItem.layers(
          Fast.toLayer({
            process: (_, crawl) =>
              Effect.asVoid(crawl.enqueue(...Array.from({ length: 20 }, (_, n) => new Task({ n }))))
          }),
          Task.toLayer({
            process: ({ n }) =>
              Effect.andThen(
                Effect.sync(() => begun.push(n)),
                begun.length === 1 ? Effect.andThen(Effect.sleep("1 second"), Effect.fail("too bad")) : Effect.never
              )
          })
        )
        yield* Effect.scoped(Effect.gen(function*() {
          const crawl = yield* Crawler.make([new Fast({})], { store, order, concurrency: 3 })
          for (let i = 0; i < 40; i++) yield* TestClock.adjust("100 millis")
          const report = yield* crawl.awaitEnd
          assert.strictEqual(begun.length, 3)
          assert.deepStrictEqual([report.failed, report.interrupted], [2, 19])
          const { exit } = report.roots[0]!
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          assert.isTrue(error instanceof CrawlOutcome.ChildFailed)
          assert.strictEqual(Cause.squash((error as CrawlOutcome.ChildFailed).cause as Cause.Cause<string>), "too bad")
        })).pipe(Effect.provide(layer))
        // What is read again from the store is the same.
        const again = yield* Effect.provide(Crawler.run<Fast>([], { store }), layer)
        const { exit } = again.roots[0]!
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof CrawlOutcome.ChildFailed)
      })
  )

  it.effect("an item that fails fast is over when a child that had failed before has settled", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const layer = CrawlItem.layers(
        Fast.toLayer({ process: (_, crawl) => Effect.asVoid(crawl.enqueue(new Task({ n: 0 }), new Task({ n: 1 }))) }),
        Task.toLayer({
          process: ({ n }, crawl) =>
            n === 0
              ? Effect.andThen(crawl.enqueue(new Task({ n: 2 })), Effect.fail("too bad"))
              : n === 1
              ? Effect.never
              : Effect.sleep("1 second")
        })
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Fast({})], { store, concurrency: 3 })
        for (let i = 0; i < 40; i++) yield* TestClock.adjust("100 millis")
        const { failed, interrupted, succeeded } = yield* crawl.awaitEnd
        assert.deepStrictEqual({ failed, interrupted, succeeded }, { failed: 2, interrupted: 1, succeeded: 1 })
      })).pipe(Effect.provide(layer))
    }))

  it.effect("skips what is too deep, beyond the most items, or known by its key, and counts it over all runs", () =>
    Effect.gen(function*() {
      class Keyed extends CrawlItem.Class<Keyed>()("Keyed", { key: Schema.String }, { key: ({ key }) => key }) {}
      const told: Array<string> = []
      const layer = Keyed.toLayer({
        process: ({ key }, crawl) =>
          Effect.andThen(
            key === "r" ? Effect.sleep("1 second") : Effect.void,
            crawl.enqueue(new Keyed({ key }), new Keyed({ key: `${key}0` }), new Keyed({ key: `${key}1` }))
          )
      })
      const store = yield* CrawlStore.memory
      const report = yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Keyed({ key: "r" })], { store, maxDepth: 2, maxItems: 6 })
        yield* Effect.forkChild(
          Stream.runForEach(crawl.events, (event) =>
            Effect.sync(() => {
              if (event._tag === "Skipped") told.push(event.skipped.reason)
            })),
          { startImmediately: true }
        )
        yield* TestClock.adjust("1 second")
        return yield* crawl.awaitEnd
      })).pipe(Effect.provide(layer))
      assert.deepStrictEqual(report.skipped, { duplicate: 3, maxDepth: 9, maxItems: 1 })
      assert.deepStrictEqual([report.enqueued, report.succeeded], [6, 6])
      assert.deepStrictEqual(told.toSorted(), [
        "duplicate",
        "duplicate",
        "duplicate",
        ...Array.from({ length: 9 }, () => "maxDepth"),
        "maxItems"
      ])
    }))

  it.effect("shows what waits by class, from the store and since", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const layer = pages((name) => name === "r" ? Effect.void : Effect.sleep("1 second"), 1)
      const waiting = (concurrency: number) =>
        Effect.scoped(Effect.gen(function*() {
          const crawl = yield* Crawler.make([new Page({ name: "r" }), new Page({ name: "s0" })], { store, concurrency })
          // What the first has enqueued may be written a moment later.
          yield* TestClock.adjust("250 millis")
          yield* TestClock.adjust("250 millis")
          const { processing, waiting } = yield* crawl.stats
          return [waiting.get("Page") ?? 0, processing.map(({ item }) => (item as Page).name)]
        })).pipe(Effect.provide(layer))
      assert.deepStrictEqual(yield* waiting(1), [2, ["s0"]])
      assert.deepStrictEqual(yield* waiting(2), [1, ["s0", "r0"]])
    }))

  it.effect("says that it cannot go on with a store of items whose class it does not have", () =>
    Effect.gen(function*() {
      const store = yield* left
      const error = yield* Effect.flip(
        Effect.provide(Crawler.run<Task>([], { store }), Task.toLayer({ process: () => Effect.void }))
      )
      assert.strictEqual(error.reason, "Incompatible")
      assert.include(error.message, "class Page, for which there is no Layer")
    }))

  it.effect("says that it cannot go on with items that do not fit their schema any more", () =>
    Effect.gen(function*() {
      class Other extends CrawlItem.Class<Other>()("Page", { title: Schema.String }) {}
      const store = yield* left
      const error = yield* Effect.flip(
        Effect.provide(Crawler.run<Other>([], { store }), Other.toLayer({ process: () => Effect.void }))
      )
      assert.strictEqual(error.reason, "Incompatible")
      assert.include(error.message, `{"name":"r"}`)
    }))

  it.effect("what does not fit the schemas of its class becomes a defect that says so", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const report = yield* Effect.provide(
        Crawler.run([new Page({ name: "r" })], { store }),
        Page.toLayer({ process: () => Effect.succeed(7 as never) })
      )
      const { exit } = report.roots[0]!
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "an item of class Page came to does not fit")
    }))

  it.effect("a priority that no database can compare is a defect of who enqueues it", () =>
    Effect.gen(function*() {
      class Urgent extends CrawlItem.Class<Urgent>()("Urgent", {}, { priority: -Infinity }) {}
      const store = yield* CrawlStore.memory
      const exit = yield* Effect.exit(
        Effect.provide(Crawler.run([new Urgent({})], { store }), Urgent.toLayer({ process: () => Effect.void }))
      )
      assert.include(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        "priority of class Urgent must be finite, got -Infinity"
      )
    }))

  it.effect("ends with a defect of its store, and waits for nothing", () =>
    Effect.gen(function*() {
      const memory = yield* CrawlStore.memory
      const store: CrawlStore.CrawlStore = {
        ...memory,
        open: (options) =>
          Effect.map(memory.open(options), (session) => ({ ...session, commit: () => Effect.die("out of its mind") }))
      }
      const exit = yield* Effect.exit(Effect.provide(Crawler.run([new Page({ name: "r" })], { store }), pages()))
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "out of its mind")
    }))

  it.effect("ends its events, too, when its store is taken over", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Page({ name: "r" })], { store })
        const events = yield* Effect.forkChild(Stream.runCollect(crawl.events), { startImmediately: true })
        yield* Effect.scoped(store.open({ order: "fifo", maxItems: Infinity, roots: [] }))
        for (let i = 0; i < 4; i++) yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Effect.flip(crawl.awaitEnd)).reason, "TakenOver")
        const last = (yield* Fiber.join(events)).at(-1)
        assert.strictEqual(last?._tag, "Ended")
        if (last?._tag === "Ended") assert.deepStrictEqual([last.report.left, last.report.roots], [1, []])
      })).pipe(Effect.provide(pages(() => Effect.sleep("1 second"))))
    }))

  it.effect("takes no time of its own", () =>
    Effect.gen(function*() {
      const store = yield* CrawlStore.memory
      const chain = Task.toLayer({
        process: ({ n }, crawl) =>
          Effect.andThen(Effect.sleep("10 millis"), n === 1 ? Effect.void : crawl.enqueue(new Task({ n: n - 1 })))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make([new Task({ n: 10 })], { store, concurrency: 2 })
        for (let i = 0; i < 10; i++) yield* TestClock.adjust("10 millis")
        assert.strictEqual((yield* crawl.awaitEnd).succeeded, 10)
        assert.strictEqual(yield* Clock.currentTimeMillis, 100)
      })).pipe(Effect.provide(chain))
    }))
})
