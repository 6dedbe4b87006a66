import { assert, describe, it } from "@effect/vitest"
import { ExitCode, type Fleet, RunSummary } from "conveyor"
import { Cause, Effect, Exit, Layer } from "effect"
import type { ConveyorEvent } from "effect-conveyor"
import { decode, withKeys } from "./fixtures.ts"

const report = (change: {
  readonly gaveUp?: boolean
  readonly failed?: number
  readonly left?: number
  readonly deadLettered?: number
}): ConveyorEvent.ShutdownReport => ({
  name: "host",
  gaveUp: change.gaveUp ?? false,
  abandoned: 0,
  ticks: { due: 9, run: 6, caughtUp: 1, failed: change.failed ?? 0, skipped: 2, coalesced: 0 },
  lanes: [
    {
      name: "csv",
      accepted: 7,
      depth: 0,
      delivering: 0,
      delivered: 5,
      retried: 0,
      dropped: 2,
      deadLettered: change.deadLettered ?? 0,
      left: change.left ?? 0,
      lastError: undefined
    } as ConveyorEvent.ShutdownReport["lanes"][number]
  ]
})

const planned = Effect.map(
  decode(withKeys("every: 5s").replace("console: {}", "csv: { path: data/host.csv }")),
  ([plan]) => plan!
)
const ended = (change: Parameters<typeof report>[0]) =>
  Effect.map(planned, (plan): Fleet.Outcome => ({ _tag: "Ended", plan, report: report(change) }))
const notStarted = Effect.map(
  planned,
  (plan): Fleet.Outcome => ({ _tag: "NotStarted", plan, cause: Cause.fail("no") })
)

const code = (outcomes: ReadonlyArray<Fleet.Outcome>, once = false, stopped = true) => {
  const fault = RunSummary.verdict(outcomes, { once, stopped })
  return fault === undefined ? ExitCode.codes.ok : ExitCode.of(fault)
}

describe("RunSummary", () => {
  describe("render", () => {
    it.effect("tells ticks, payloads and files", () =>
      Effect.gen(function*() {
        assert.strictEqual(
          RunSummary.render(yield* ended({ failed: 1, left: 3, gaveUp: true })),
          "host: 7 ticks, 2 missed, 1 failed, gave up\n  csv  5 delivered, 2 dropped, 3 left  → data/host.csv"
        )
      }))
  })

  describe("verdict", () => {
    it.effect("is none after an orderly end, whatever was lost on the way", () =>
      Effect.gen(function*() {
        assert.strictEqual(code([yield* ended({ failed: 3, left: 5, deadLettered: 1 })]), 0)
        assert.strictEqual(code([]), 0)
      }))

    it.effect("is failure when one of several gave up or did not start", () =>
      Effect.gen(function*() {
        const fine = yield* ended({})
        assert.strictEqual(code([fine, yield* ended({ gaveUp: true })]), 1)
        assert.strictEqual(code([fine, yield* notStarted]), 1)
        assert.strictEqual(code([{ _tag: "Unsettled", plan: yield* planned }]), 1)
      }))

    it.effect("is unavailability when nothing could start", () =>
      Effect.gen(function*() {
        assert.strictEqual(code([yield* notStarted, yield* notStarted]), 69)
      }))

    it.effect("is failure when starting met a defect", () =>
      Effect.gen(function*() {
        assert.strictEqual(code([{ _tag: "NotStarted", plan: yield* planned, cause: Cause.die("bug") }]), 1)
      }))

    it.effect("is none when it was stopped before it had started", () =>
      Effect.gen(function*() {
        const outcome: Fleet.Outcome = { _tag: "NotStarted", plan: yield* planned, cause: Cause.interrupt(1) }
        assert.strictEqual(code([outcome]), 0)
        assert.strictEqual(code([outcome], false, false), 69)
      }))

    it.effect("judges the one tick of a run once", () =>
      Effect.gen(function*() {
        assert.strictEqual(code([yield* ended({})], true), 0)
        assert.strictEqual(code([yield* ended({ failed: 1, gaveUp: true })], true), 1)
        assert.strictEqual(code([yield* ended({ gaveUp: true })], true), 69)
        assert.strictEqual(code([yield* ended({ left: 1 })], true), 69)
        assert.strictEqual(code([yield* ended({ deadLettered: 1 })], true), 65)
        assert.strictEqual(code([yield* ended({ deadLettered: 1 }), yield* ended({ failed: 1 })], true), 1)
      }))

    it("is failure when a module failed", () => {
      const module = { file: "a.ts", layers: ["default"], layer: Layer.empty }
      assert.strictEqual(code([{ _tag: "ModuleEnded", module, exit: Exit.fail("no") }]), 1)
      assert.strictEqual(code([{ _tag: "ModuleEnded", module, exit: Exit.void }]), 0)
    })
  })
})
