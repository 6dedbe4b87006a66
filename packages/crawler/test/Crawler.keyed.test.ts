import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Schema } from "effect"
import { Crawler, CrawlItem, CrawlStore } from "effect-crawler"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"
import { between, chance } from "./randomTree.ts"

class Visit extends CrawlItem.Class<Visit>()("Visit", { host: Schema.String, n: Schema.Finite }) {}

const hostOf = (item: CrawlItem.Item) => (item as Visit).host
const visits = (host: string, count: number) => Array.from({ length: count }, (_, n) => new Visit({ host, n }))

interface Began {
  readonly host: string
  readonly at: number
}

/** Visits that take some time, and when each began. */
const watched = (began: Array<Began>, millis: (visit: Visit) => number, after: (visit: Visit) => void = () => {}) =>
  Visit.toLayer({
    process: Effect.fnUntraced(function*(visit) {
      began.push({ host: visit.host, at: yield* Clock.currentTimeMillis })
      yield* Effect.sleep(millis(visit))
      after(visit)
    })
  })

const startsOf = (began: ReadonlyArray<Began>, host: string) =>
  began.filter((each) => each.host === host).map(({ at }) => at)

const stores = [["in memory", Effect.succeed(undefined)], ["with a store", CrawlStore.memory]] as const

describe("Crawler with limits by key", () => {
  for (const [where, makeStore] of stores) {
    const run = (
      roots: ReadonlyArray<Visit>,
      options: Crawler.Options,
      layer: ReturnType<typeof watched>,
      seconds: number
    ) =>
      Effect.scoped(Effect.gen(function*() {
        const crawl = yield* Crawler.make(roots, { ...options, store: yield* makeStore })
        for (let i = 0; i < seconds * 10; i++) yield* TestClock.adjust("100 millis")
        return yield* crawl.awaitEnd
      })).pipe(Effect.provide(layer))

    it.effect(`leaves a delay between the beginnings of a key, and none between keys (${where})`, () =>
      Effect.gen(function*() {
        const began: Array<Began> = []
        yield* run(
          [...visits("a", 4), ...visits("b", 2)],
          { keyed: { by: hostOf, delay: "1 second" }, concurrency: 8 },
          watched(began, () => 100),
          4
        )
        assert.deepStrictEqual(startsOf(began, "a"), [0, 1000, 2000, 3000])
        assert.deepStrictEqual(startsOf(began, "b"), [0, 1000])
      }))

    it.effect(`waits for an item that takes longer than the delay, if the concurrency is 1 (${where})`, () =>
      Effect.gen(function*() {
        const began: Array<Began> = []
        yield* run(
          visits("a", 3),
          { keyed: { by: hostOf, delay: "1 second" } },
          watched(began, ({ n }) => n === 0 ? 1500 : 100),
          4
        )
        assert.deepStrictEqual(startsOf(began, "a"), [0, 1500, 2500])
      }))

    it.effect(`leaves the delay between several at once too (${where})`, () =>
      Effect.gen(function*() {
        const began: Array<Began> = []
        yield* run(
          visits("a", 4),
          { keyed: { by: hostOf, delay: "1 second", concurrency: 2 } },
          watched(began, () => 2500),
          8
        )
        assert.deepStrictEqual(startsOf(began, "a"), [0, 1000, 2500, 3500])
      }))

    it.effect(`lets no more begin in any interval than the rate says (${where})`, () =>
      Effect.gen(function*() {
        const began: Array<Began> = []
        yield* run(
          visits("a", 7),
          { keyed: { by: hostOf, rate: { limit: 3, interval: "1 second" } } },
          watched(began, () => 100),
          4
        )
        assert.deepStrictEqual(startsOf(began, "a"), [0, 100, 200, 1000, 1100, 1200, 2000])
      }))

    it.effect(`asks again how long to wait when an item has settled (${where})`, () =>
      Effect.gen(function*() {
        const began: Array<Began> = []
        let delay = 0
        yield* run(
          visits("a", 4),
          { keyed: { by: hostOf, delay: () => delay } },
          watched(began, () => 100, ({ n }) => {
            delay = n === 1 ? 3000 : n === 2 ? 0 : delay
          }),
          5
        )
        assert.deepStrictEqual(startsOf(began, "a"), [0, 100, 3100, 3200])
      }))
  }

  it.effect("refuses a rate of nothing", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.provide(
          Crawler.run(visits("a", 1), { keyed: { by: hostOf, rate: { limit: 0, interval: "1 second" } } }),
          watched([], () => 0)
        )
      )
      assert.include(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        "keyed.rate.limit must be a whole number >= 1, got 0"
      )
    }))

  it.effect("law: whatever runs, no key begins too soon or too often, and everything is done", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          const began: Array<Began> = []
          const [delay, limit, interval] = [yield* between(0, 5), yield* between(1, 4), yield* between(1, 20)]
          const hosts = ["a", "b", "c"]
          const roots: Array<Visit> = []
          for (const host of hosts) roots.push(...visits(host, yield* between(0, 12)))
          const store = (yield* chance(0.5)) ? yield* CrawlStore.memory : undefined
          const report = yield* Crawler.run(roots, {
            store,
            concurrency: yield* between(1, 6),
            keyed: { by: hostOf, concurrency: yield* between(1, 3), delay, rate: { limit, interval } }
          }).pipe(Effect.provide(watched(began, ({ n }) => n % 4)))
          assert.strictEqual(report.succeeded, roots.length)
          for (const host of hosts) {
            const starts = startsOf(began, host)
            for (const [i, at] of starts.entries()) {
              if (i > 0) assert.isAtLeast(at - starts[i - 1]!, delay)
              if (i >= limit) assert.isAtLeast(at - starts[i - limit]!, interval)
            }
          }
        }),
      (outcome) => {
        if (outcome.exit._tag === "Failure") assert.fail(`${outcome.exit.cause}`)
        assert.strictEqual(outcome.leftover.length, 0)
      },
      { runs: 100 }
    ))
})
