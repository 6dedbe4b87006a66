import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"
import { TestClock } from "effect/testing"
import * as LiveTerminal from "../src/LiveTerminal.ts"
import * as ProgressDisplay from "../src/ProgressDisplay.ts"
import { FakeTerminal } from "./internal/display/fakeTerminal.ts"

class Leaf extends CrawlItem.Class<Leaf>()("Leaf", { seconds: Schema.Finite }, { trackOverall: true }) {}
class Root extends CrawlItem.Class<Root>()("Root", { leaves: Schema.Finite }) {}

const layers = CrawlItem.layers(
  Root.toLayer({
    process: ({ leaves }, crawl) =>
      crawl.enqueue(...Array.from({ length: leaves }, (_, index) => new Leaf({ seconds: index + 1 })))
  }),
  Leaf.toLayer({
    process: ({ seconds }, crawl) =>
      Effect.andThen(crawl.describe(`sleeping ${seconds} seconds`), Effect.sleep(`${seconds} seconds`))
  })
)
const crawling = (leaves: number, options?: Crawler.Options) =>
  Effect.provide(Crawler.make([new Root({ leaves })], options), layers)

const on = (fake: FakeTerminal) => Effect.provideService(LiveTerminal.LiveTerminal, LiveTerminal.make(fake.port))

describe("ProgressDisplay", () => {
  it.effect("shows a crawl until it ends, and gives its report", () =>
    Effect.gen(function*() {
      const fake = new FakeTerminal()
      const crawl = yield* crawling(4, { concurrency: 2 })
      const fiber = yield* Effect.forkChild(on(fake)(ProgressDisplay.awaitEnd(crawl, { title: "leaves" })))
      yield* TestClock.adjust("2500 millis")
      assert.deepStrictEqual(
        fake.seen(),
        [
          "leaves",
          "overall  ━━━━━─────  2/4  50%  ETA 2s  0.8/s  2s",
          "items    5 enqueued, 2 succeeded, 0 failed, 0 skipped",
          "waiting  in all  0  ──────────  most 2",
          "         Leaf    0  ──────────  most 2",
          "workers  2 of 2 at work",
          "  #1       1s  sleeping 3 seconds",
          "  #2       0s  sleeping 4 seconds"
        ]
      )
      yield* TestClock.adjust("1 minute")
      const report = yield* Fiber.join(fiber)
      assert.deepStrictEqual(report, yield* crawl.awaitEnd)
      assert.strictEqual(fake.seen()[1], "overall  ━━━━━━━━━━  4/4  100%  ended after 6s  0.67/s")
      assert.isTrue(fake.screen.isCursorShown)
    }))

  it.effect("leaves the crawl alone when it is interrupted", () =>
    Effect.gen(function*() {
      const fake = new FakeTerminal()
      const crawl = yield* crawling(2)
      const fiber = yield* Effect.forkChild(on(fake)(ProgressDisplay.awaitEnd(crawl)))
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.interrupt(fiber)
      assert.include(fake.seen()[0], "interrupted after 1s")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* crawl.awaitEnd).succeeded, 3)
    }))

  it.effect("fails as the crawl does, after the last frame", () =>
    Effect.gen(function*() {
      const fake = new FakeTerminal()
      const { stats } = yield* crawling(1)
      const awaitEnd = Effect.andThen(Effect.sleep("1 second"), Effect.fail("the store is gone" as const))
      const fiber = yield* Effect.forkChild(Effect.exit(on(fake)(ProgressDisplay.awaitEnd({ stats, awaitEnd }))))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("the store is gone" as const))
      assert.include(fake.seen()[0], "interrupted after 1s")
    }))

  it.effect("looks at a crawl ten times a second, whatever happens in it", () =>
    Effect.gen(function*() {
      const crawl = yield* crawling(1000, { concurrency: 200 })
      let looks = 0
      const stats = Effect.tap(crawl.stats, () => Effect.sync(() => looks++))
      const fake = new FakeTerminal()
      yield* Effect.forkChild(on(fake)(ProgressDisplay.awaitEnd({ ...crawl, stats })))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(looks, 102)
      assert.isAtMost(fake.writes.length, 101)
      assert.isAtMost(fake.screen.visible().length, 12)
    }))

  it.effect("prints a line now and then where nothing can be drawn, and one at the end", () =>
    Effect.gen(function*() {
      const fake = new FakeTerminal({ isLive: false, columns: 1000 })
      const crawl = yield* crawling(25, { concurrency: 100 })
      const fiber = yield* Effect.forkChild(on(fake)(ProgressDisplay.awaitEnd(crawl, { title: "leaves" })))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(fake.seen(), [
        "leaves: 10/25 40%, 1/s, 10s, ETA 15s, 15 at work, 0 waiting, 26 enqueued, 10 succeeded, 0 failed, 0 skipped",
        "leaves: 20/25 80%, 1/s, 20s, ETA 5s, 5 at work, 0 waiting, 26 enqueued, 20 succeeded, 0 failed, 0 skipped",
        "leaves: ended after 25s, 25/25 100%, 1/s, 0 waiting, 26 enqueued, 26 succeeded, 0 failed, 0 skipped"
      ])
      assert.notInclude(fake.writes.join(""), "\u001B")
    }))

  it.effect("prints lines as often as it is told", () =>
    Effect.gen(function*() {
      const fake = new FakeTerminal({ isLive: false })
      const crawl = yield* crawling(5)
      yield* Effect.forkChild(on(fake)(ProgressDisplay.awaitEnd(crawl, { lineInterval: "1 second" })))
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual(fake.writes.length, 3)
    }))

  it.effect("refuses lines without end", () =>
    Effect.gen(function*() {
      const crawl = yield* crawling(1)
      const exit = yield* Effect.exit(
        on(new FakeTerminal())(ProgressDisplay.awaitEnd(crawl, { lineInterval: 0 }))
      )
      assert.deepStrictEqual(
        exit,
        Exit.die(new RangeError("ProgressDisplay.awaitEnd: lineInterval must be > 0, got 0"))
      )
    }))
})
