import { assert, describe, it } from "@effect/vitest"
import { CollectSummary, ExitCode } from "conveyor"
import { Effect } from "effect"
import { decodeCollectors } from "./fixtures.ts"

const planned = Effect.map(
  decodeCollectors("collectors: { shop: { consumers: { console: {}, csv: { path: data/shop.csv } } } }"),
  ([plan]) => plan!
)
const ended = Effect.map(planned, (plan): CollectSummary.Outcome => ({
  _tag: "Ended",
  plan,
  accepted: 12,
  consumers: [{ name: "console", delivered: 9, failed: 0 }, { name: "csv", delivered: 5, failed: 1 }],
  report: { queue: "shop", settled: 6, interrupted: 2, left: 1, abandoned: 0 }
}))

describe("CollectSummary", () => {
  it.effect("tells what was accepted and dropped, and what each consumer has and has not", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        CollectSummary.render(yield* ended),
        "shop: 12 events accepted, 3 dropped\n  console  9 delivered, 0 failed, 0 left\n" +
          "  csv      5 delivered, 1 failed, 3 left  → data/shop.csv"
      )
      assert.strictEqual(
        CollectSummary.render({ _tag: "Unsettled", plan: yield* planned }),
        "shop: did not end in time"
      )
    }))

  it.effect("gives the same as data", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(CollectSummary.toJson(yield* ended), {
        file: "c.yaml",
        collector: "shop",
        outcome: "ended",
        accepted: 12,
        dropped: 3,
        consumers: [
          { name: "console", delivered: 9, failed: 0, left: 0 },
          { name: "csv", delivered: 5, failed: 1, left: 3 }
        ]
      })
      assert.deepStrictEqual(CollectSummary.toJson({ _tag: "Unsettled", plan: yield* planned }), {
        file: "c.yaml",
        collector: "shop",
        outcome: "unsettled"
      })
    }))

  it.effect("finds fault only with what did not end", () =>
    Effect.gen(function*() {
      const fine = yield* ended
      assert.isUndefined(CollectSummary.verdict([fine]))
      const fault = CollectSummary.verdict([fine, { _tag: "Unsettled", plan: yield* planned }])
      assert.strictEqual(fault && ExitCode.of(fault), 1)
    }))
})
