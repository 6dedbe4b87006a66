import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { see, type Seen, trendOf } from "../../../src/internal/display/trend.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What is seen each `every` milliseconds until an instant, of counts that are functions of the seconds. */
const history = (
  seconds: number,
  counts: (second: number) => { readonly settled: number; readonly known: number; readonly done?: number },
  every = 100
): ReadonlyArray<Seen> => {
  let seen: ReadonlyArray<Seen> = []
  for (let at = 0; at <= seconds * 1000; at += every) {
    const { done, known, settled } = counts(at / 1000)
    seen = see(seen, { at, settled, known, done: done ?? settled })
  }
  return seen
}

describe("trendOf", () => {
  it("knows neither rate nor end in the first second", () => {
    assert.deepStrictEqual(trendOf(history(0.9, (second) => ({ settled: second * 10, known: 100 }))), {
      rate: undefined,
      forecast: { _tag: "Unknown" }
    })
  })

  it("tells the end of a steady crawl", () => {
    assert.deepStrictEqual(trendOf(history(20, (second) => ({ settled: second * 2, known: 100 }))), {
      rate: 2,
      forecast: { _tag: "In", millis: 30_000 }
    })
  })

  it("goes by the last half minute", () => {
    const { rate } = trendOf(history(100, (second) => ({ settled: second < 60 ? 0 : second - 60, known: 100 })))
    assert.strictEqual(rate, 1)
  })

  it("counts what is discovered meanwhile against what is done", () => {
    const { forecast } = trendOf(history(40, (second) => ({ settled: second * 4, known: 100 + second * 3 })))
    assert.deepStrictEqual(forecast, { _tag: "In", millis: 60_000 })
  })

  it("says that it grows when more is discovered than is done", () => {
    for (const speed of [4, 5, 100]) {
      const { forecast } = trendOf(history(40, (second) => ({ settled: second * 4, known: 1 + second * speed })))
      assert.deepStrictEqual(forecast, { _tag: "Growing" })
    }
  })

  it("takes for growth no longer than five seconds what was enqueued at once", () => {
    const burst = (seconds: number) =>
      trendOf(history(seconds, (second) => ({ settled: second, known: second < 1 ? 1 : 100 }))).forecast._tag
    assert.strictEqual(burst(5), "Growing")
    assert.strictEqual(burst(7), "In")
  })

  it("knows no end while nothing settles, nothing is counted, or nothing counted is left", () => {
    const counts = [
      () => ({ settled: 10, known: 50 }),
      (second: number) => ({ settled: 0, known: 0, done: second }),
      (second: number) => ({ settled: Math.min(10, second), known: 10 })
    ]
    for (const count of counts) {
      assert.deepStrictEqual(trendOf(history(20, count)).forecast, { _tag: "Unknown" })
    }
  })

  it("gives the rate of all items while the overall progress counts none", () => {
    assert.strictEqual(trendOf(history(10, (second) => ({ settled: 0, known: 0, done: second * 3 }))).rate, 3)
  })

  it("knows the rate however rarely it is looked at", () => {
    assert.strictEqual(trendOf(history(300, (second) => ({ settled: second * 2, known: 1000 }), 60_000)).rate, 2)
  })

  it("bears a clock that was set back", () => {
    const seen = see(history(20, (second) => ({ settled: second, known: 100 })), {
      at: 0,
      settled: 21,
      known: 100,
      done: 21
    })
    assert.deepStrictEqual(trendOf(seen), { rate: undefined, forecast: { _tag: "Unknown" } })
  })

  it.prop(
    "law: a steady rate is found, however often it is looked at",
    { rate: int(1, 500), seconds: int(31, 300), every: Schema.Literals([10, 100, 250, 1000, 3000, 10_000]) },
    ({ every, rate, seconds }) => {
      const seen = history(seconds, (second) => ({ settled: second * rate, known: 1_000_000 }), every)
      assert.approximately(trendOf(seen).rate!, rate, 1e-6)
      assert.isAtMost(seen.length, 33)
    }
  )
})
