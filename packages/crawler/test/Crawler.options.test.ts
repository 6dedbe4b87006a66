import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Schedule, Schema, Stream } from "effect"
import { Crawler, type CrawlEvent, CrawlItem, type CrawlOutcome } from "effect-crawler"
import { TestClock } from "effect/testing"

const message = (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "succeeded"

class Node extends CrawlItem.Class<Node>()("Node", { name: Schema.String }) {}
class Counted extends CrawlItem.Class<Counted>()("Counted", { n: Schema.Finite }, { trackOverall: true }) {}
class Once
  extends CrawlItem.Class<Once>()("Once", { key: Schema.String, by: Schema.String }, { key: ({ key }) => key })
{}

const throwIf = (where: string, at: string): string => {
  if (where === at) throw new Error(`thrown by ${where}`)
  return at
}
class Throwing extends CrawlItem.Class<Throwing>()("Throwing", { at: Schema.String }, {
  priority: ({ at }) => throwIf("priority", at).length,
  key: ({ at }) => throwIf("key", at)
}) {}

/** A tree whose items have two children each, for two levels. */
const binary = (log: Array<string>) =>
  Node.toLayer({
    process: ({ name }, crawl) =>
      Effect.suspend(() => {
        log.push(name)
        return name.length > 2 ? Effect.void : Effect.asVoid(
          crawl.enqueue(new Node({ name: `${name}0` }), new Node({ name: `${name}1` }))
        )
      })
  })

describe("options of a crawl", () => {
  describe("failFast", () => {
    class Chain extends CrawlItem.Class<Chain>()("Chain", { n: Schema.Finite }, {
      failure: Schema.String,
      onFailure: "failFast"
    }) {}

    it.effect("fails every item of a chain 50 000 deep whose last fails", () =>
      Effect.gen(function*() {
        const report = yield* Crawler.run([new Chain({ n: 49_999 })]).pipe(Effect.provide(Chain.toLayer({
          process: ({ n }, crawl) =>
            n === 0 ? Exit.fail("the last") : Effect.asVoid(crawl.enqueue(new Chain({ n: n - 1 })))
        })))
        assert.strictEqual(report.failed, 50_000)
      }))

    it.effect("interrupts an item that is being processed, and fails it with its child's cause", () =>
      Effect.gen(function*() {
        const report = yield* Crawler.run([new Chain({ n: 1 })]).pipe(Effect.provide(Chain.toLayer({
          process: ({ n }, crawl) =>
            n === 0 ? Exit.fail("soon") : Effect.andThen(crawl.enqueue(new Chain({ n: 0 })), Effect.never)
        })))
        const { exit, item } = report.roots[0]!
        const error = Exit.isFailure(exit) && exit.cause.reasons[0]
        assert.isTrue(error && error._tag === "Fail")
        if (error && error._tag === "Fail") {
          assert.deepInclude(error.error, { _tag: "ChildFailed", item, cause: Cause.fail("soon") })
        }
        assert.deepInclude(report, { failed: 2, interrupted: 0 })
      }))

    it.effect("interrupts items nested deeper when one further out fails", () =>
      Effect.gen(function*() {
        const layer = Chain.toLayer({
          process: ({ n }, crawl) =>
            n === 9
              ? Exit.fail("outside")
              : n === 0
              ? Effect.never
              : Effect.asVoid(crawl.enqueue(new Chain({ n: n - 1 }), ...n === 3 ? [new Chain({ n: 9 })] : []))
        })
        const fiber = yield* Effect.forkChild(
          Crawler.run([new Chain({ n: 3 })], { order: "lifo", concurrency: 1 }).pipe(
            Effect.provide(layer)
          )
        )
        const { failed, interrupted, succeeded } = yield* Fiber.join(fiber)
        assert.deepStrictEqual({ failed, interrupted, succeeded }, { failed: 2, interrupted: 1, succeeded: 0 })
        const deep = yield* Crawler.run([new Chain({ n: 3 })], { order: "fifo", concurrency: 4 }).pipe(
          Effect.provide(Chain.toLayer({
            process: ({ n }, crawl) =>
              n === 9
                ? Effect.andThen(Effect.yieldNow, Effect.fail("outside"))
                : n === 0
                ? Effect.never
                : Effect.asVoid(crawl.enqueue(new Chain({ n: n - 1 }), ...n === 3 ? [new Chain({ n: 9 })] : []))
          }))
        )
        assert.deepInclude(deep, { enqueued: 5, failed: 2 })
      }))
  })

  describe("limits", () => {
    it.effect("skips what is too deep, in enqueue's result, in events and in the report", () =>
      Effect.gen(function*() {
        const results: Array<ReadonlyArray<CrawlOutcome.Skipped>> = []
        const events: Array<CrawlEvent.CrawlEvent> = []
        const watching = yield* Deferred.make<void>()
        const item = new Node({ name: "below" })
        const report = yield* Effect.scoped(Effect.gen(function*() {
          const crawl = yield* Crawler.make([new Node({ name: "r" })], { maxDepth: 1 })
          yield* Effect.forkChild(Stream.runForEach(crawl.events, (event) => Effect.sync(() => events.push(event))), {
            startImmediately: true
          })
          yield* Deferred.succeed(watching, undefined)
          const made = yield* crawl.awaitEnd
          yield* Effect.yieldNow
          return made
        })).pipe(Effect.provide(Node.toLayer({
          process: (_, crawl) =>
            Effect.andThen(
              Deferred.await(watching),
              Effect.map(crawl.enqueue(item), (skipped) => void results.push(skipped))
            )
        })))
        assert.deepStrictEqual(results, [[], [{ item, reason: "maxDepth" }]])
        assert.deepStrictEqual(report.skipped, { duplicate: 0, maxDepth: 1, maxItems: 0 })
        assert.strictEqual(report.enqueued, 2)
        assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "Skipped"), [
          { _tag: "Skipped", skipped: { item, reason: "maxDepth" } }
        ])
      }))

    it.effect("does roots alone with a maxDepth of 0", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const report = yield* Crawler.run([new Node({ name: "r" })], { maxDepth: 0 }).pipe(
          Effect.provide(binary(log))
        )
        assert.deepStrictEqual(log, ["r"])
        assert.strictEqual(report.skipped.maxDepth, 2)
      }))

    it.effect("skips items beyond maxItems, roots too, and still ends", () =>
      Effect.gen(function*() {
        const few = yield* Crawler.run([new Node({ name: "r" })], { maxItems: 4 }).pipe(
          Effect.provide(binary([]))
        )
        assert.deepStrictEqual([few.enqueued, few.succeeded, few.skipped.maxItems], [4, 4, 3])
        const roots = yield* Crawler.run([1, 2, 3].map((n) => new Counted({ n })), { maxItems: 1 }).pipe(
          Effect.provide(Counted.toLayer({ process: () => Effect.void }))
        )
        assert.deepStrictEqual(roots.roots.map(({ item }) => item.n), [1])
        assert.strictEqual(roots.skipped.maxItems, 2)
      }))

    it.effect("does an item of a class and key once, and another class's of that key too", () =>
      Effect.gen(function*() {
        class Other extends CrawlItem.Class<Other>()("Other", { key: Schema.String }, { key: ({ key }) => key }) {}
        const done: Array<string> = []
        const report = yield* Crawler.run([
          new Once({ key: "a", by: "1" }),
          new Other({ key: "a" }),
          new Once({ key: "a", by: "2" }),
          new Once({ key: "b", by: "3" })
        ]).pipe(Effect.provide(CrawlItem.layers(
          Once.toLayer({ process: ({ by }) => Effect.sync(() => void done.push(by)) }),
          Other.toLayer({ process: ({ key }) => Effect.sync(() => void done.push(key)) })
        )))
        assert.deepStrictEqual(done, ["1", "a", "3"])
        assert.deepStrictEqual(report.skipped, { duplicate: 1, maxDepth: 0, maxItems: 0 })
        assert.strictEqual(report.enqueued, 3)
      }))

    it.effect("does later what was skipped because it was too deep there", () =>
      Effect.gen(function*() {
        const done: Array<string> = []
        const layer = Once.toLayer({
          process: ({ by, key }, crawl) => {
            done.push(key)
            if (by === "") return Exit.void
            return Effect.asVoid(
              crawl.enqueue(by === "deep" ? new Once({ key: "c", by: "x" }) : new Once({ key: "x", by: "" }))
            )
          }
        })
        // Depth first, the last root first: d, its child c, which is too deep for x, then e, which is not.
        const report = yield* Crawler.run(
          [new Once({ key: "e", by: "x" }), new Once({ key: "d", by: "deep" })],
          { maxDepth: 1, order: "lifo", concurrency: 1 }
        ).pipe(Effect.provide(layer))
        assert.deepStrictEqual(report.skipped, { duplicate: 0, maxDepth: 1, maxItems: 0 })
        assert.deepStrictEqual(done, ["d", "c", "e", "x"])
      }))

    it.effect.each([[undefined, 1], [2, 2], ["unbounded", 6]] as const)(
      "with keyed.concurrency %s processes at most %s of a key at once",
      ([concurrency, most]) =>
        Effect.gen(function*() {
          const atWork = new Map<number, number>()
          let seen = 0
          const layer = Counted.toLayer({
            process: ({ n }) => {
              const key = n % 2
              return Effect.acquireUseRelease(
                Effect.sync(() => {
                  atWork.set(key, (atWork.get(key) ?? 0) + 1)
                  seen = Math.max(seen, atWork.get(key)!)
                }),
                () => Effect.sleep("1 second"),
                () => Effect.sync(() => atWork.set(key, atWork.get(key)! - 1))
              )
            }
          })
          const fiber = yield* Effect.forkChild(
            Crawler.run(Array.from({ length: 12 }, (_, n) => new Counted({ n })), {
              concurrency: 12,
              keyed: { by: (item) => `${(item as Counted).n % 2}`, concurrency }
            }).pipe(Effect.provide(layer))
          )
          yield* TestClock.adjust("1 minute")
          assert.strictEqual((yield* Fiber.join(fiber)).succeeded, 12)
          assert.strictEqual(seen, most)
        })
    )
  })

  describe("retry", () => {
    class Flaky extends CrawlItem.Class<Flaky>()("Flaky", { n: Schema.Finite }, {
      failure: Schema.String,
      retry: Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(2)])
    }) {}
    const tries = (failing: number, at: Array<number>) =>
      Crawler.run([new Flaky({ n: 0 })]).pipe(Effect.provide(Flaky.toLayer({
        process: ({ n }, crawl) =>
          n > 0 ? Exit.void : Effect.gen(function*() {
            at.push(yield* Clock.currentTimeMillis)
            yield* crawl.enqueue(new Flaky({ n: 1 }))
            if (at.length <= failing) return yield* Effect.fail(`failed ${at.length}`)
          })
      })))

    it.effect("tries an item again on its schedule, until it succeeds, and adds its children once", () =>
      Effect.gen(function*() {
        const at: Array<number> = []
        const fiber = yield* Effect.forkChild(tries(2, at))
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(yield* Fiber.join(fiber), { enqueued: 2, succeeded: 2 })
        assert.deepStrictEqual(at, [0, 1000, 2000])
      }))

    it.effect("fails an item with its last failure when the schedule is over", () =>
      Effect.gen(function*() {
        const at: Array<number> = []
        const fiber = yield* Effect.forkChild(tries(9, at))
        yield* TestClock.adjust("1 minute")
        const report = yield* Fiber.join(fiber)
        assert.deepStrictEqual(report.roots[0]!.exit, Exit.fail("failed 3"))
        assert.deepInclude(report, { enqueued: 1, failed: 1 })
      }))
  })

  describe("misuse", () => {
    it.effect("dies of an enqueue after the item was processed", () =>
      Effect.gen(function*() {
        let kept: CrawlItem.Processing | undefined
        const layer = Node.toLayer({
          process: (_, crawl) => {
            kept = crawl
            return Exit.void
          },
          afterChildren: () => Effect.asVoid(kept!.enqueue(new Node({ name: "late" })))
        })
        const report = yield* Crawler.run([new Node({ name: "r" })]).pipe(
          Effect.provide(layer)
        )
        assert.strictEqual(report.enqueued, 1)
        assert.include(message(report.roots[0]!.exit), "Crawler: item 1 has been processed, and enqueues no more")
      }))

    it.effect("dies of a class without a Layer, naming it, whether of a root or of a child", () =>
      Effect.gen(function*() {
        const expected = "Crawler: there is no Layer for item class Counted; provide it to the crawl"
        const root = yield* Effect.exit(Crawler.run([new Counted({ n: 1 })]) as Effect.Effect<unknown>)
        assert.include(message(root), expected)
        const child = yield* Crawler.run([new Node({ name: "r" })]).pipe(Effect.provide(
          Node.toLayer({
            process: (_, crawl) => Effect.asVoid(crawl.enqueue(new Counted({ n: 1 }))) as Effect.Effect<void>
          })
        ))
        assert.include(message(child.roots[0]!.exit), expected)
      }))

    it.effect.each(
      [
        [{ concurrency: 0 }, "concurrency must be a whole number >= 1, got 0"],
        [{ concurrency: 1.5 }, "concurrency must be a whole number >= 1, got 1.5"],
        [{ concurrency: NaN }, "concurrency must be a whole number >= 1, got NaN"],
        [{ maxDepth: -1 }, "maxDepth must be a whole number >= 0, got -1"],
        [{ maxItems: 0 }, "maxItems must be a whole number >= 1, got 0"],
        [{ keyed: { by: () => "0", concurrency: 0 } }, "keyed.concurrency must be a whole number >= 1, got 0"]
      ] as const
    )("dies of an option out of range: %j", ([options, expected]) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Effect.scoped(Crawler.make([], options)))
        assert.include(message(exit), `Crawler: ${expected}`)
      }))

    it.effect.each([
      ["priority", { order: "priority" }],
      ["key", {}],
      ["by", { keyed: { by: (item) => throwIf("by", (item as unknown as Throwing).at) } }]
    ] as ReadonlyArray<[string, Crawler.Options]>)(
      "dies of a %s that throws in the item that enqueues, and still ends",
      ([where, options]) =>
        Effect.gen(function*() {
          const report = yield* Crawler.run([new Throwing({ at: "" })], options).pipe(
            Effect.provide(Throwing.toLayer({
              process: (_, crawl) => Effect.asVoid(crawl.enqueue(new Throwing({ at: where })))
            }))
          )
          assert.include(message(report.roots[0]!.exit), `thrown by ${where}`)
          assert.deepInclude(report, { enqueued: 1, failed: 1, interrupted: 0 })
        })
    )
  })
})
