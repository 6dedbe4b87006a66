import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Supervisor } from "effect-conveyor"

const Options = Schema.Struct({
  after: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
  minBackoff: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 })),
  maxRestarts: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 })),
  period: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 120_000 }))
})
const Steps = Schema.Array(Schema.Struct({
  wait: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 })),
  outcome: Schema.Literals(["succeeded", "failed", "restart"])
}))

/** Plays steps into a supervisor and gives every verdict with the instant it was given. */
const play = (options: typeof Options.Type, steps: typeof Steps.Type) => {
  let now = 0
  let self = Supervisor.make(0, options)
  const verdicts: Array<
    { readonly at: number; readonly outcome: string; readonly verdict: Supervisor.Verdict["_tag"] }
  > = []
  for (const { outcome, wait } of steps) {
    now += wait
    if (outcome === "succeeded") {
      self = Supervisor.succeeded(self, now)
      verdicts.push({ at: now, outcome, verdict: "Continue" })
      continue
    }
    const [next, verdict] = Supervisor[outcome](self, now)
    self = next
    verdicts.push({ at: verdict._tag === "Rebuild" ? now + verdict.after : now, outcome, verdict: verdict._tag })
    if (verdict._tag === "GiveUp") break
    if (verdict._tag === "Rebuild") now += verdict.after
  }
  return verdicts
}

describe("Supervisor", () => {
  it.prop("law: never more than maxRestarts rebuilds within any period", [Options, Steps], ([options, steps]) => {
    const rebuilds = play(options, steps).filter(({ verdict }) => verdict === "Rebuild").map(({ at }) => at)
    for (const end of rebuilds) {
      const within = rebuilds.filter((at) => at > end - options.period && at <= end)
      assert.isAtMost(within.length, options.maxRestarts)
    }
  })

  it.prop("law: rebuilds after exactly `after` failures in a row", [Options, Steps], ([options, steps]) => {
    let inRow = 0
    for (const { outcome, verdict } of play(options, steps)) {
      if (outcome === "succeeded") inRow = 0
      if (outcome === "failed") {
        inRow++
        assert.strictEqual(verdict !== "Continue", inRow === options.after)
        if (verdict !== "Continue") inRow = 0
      }
      if (outcome === "restart") {
        assert.notStrictEqual(verdict, "Continue")
        inRow = 0
      }
    }
  })

  it("never gives up on a device that stays off, under the defaults", () => {
    let now = 0
    let self = Supervisor.make(0)
    const pauses: Array<number> = []
    for (let i = 0; i < 1000; i++) {
      const [next, verdict] = Supervisor.restart(self, now)
      if (verdict._tag !== "Rebuild") throw new Error(`gave up after ${i} rebuilds`)
      self = next
      now += verdict.after
      pauses.push(verdict.after)
    }
    assert.deepStrictEqual(pauses.slice(0, 8), [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000])
  })

  it("gives up on a producer whose rebuilds fail at once", () => {
    let self = Supervisor.make(0, { minBackoff: 0 })
    const verdicts: Array<string> = []
    for (let i = 0; i < 6; i++) {
      const [next, verdict] = Supervisor.restart(self, 0)
      self = next
      verdicts.push(verdict._tag)
    }
    assert.deepStrictEqual(verdicts, ["Rebuild", "Rebuild", "Rebuild", "Rebuild", "Rebuild", "GiveUp"])
  })

  it("dies on an option out of range, naming it", () => {
    assert.throws(() => Supervisor.make(0, { after: 0 }), "Supervisor.make: after must be an integer ≥ 1, got 0")
    assert.throws(() => Supervisor.make(0, { maxRestarts: -1 }), "maxRestarts must be an integer ≥ 0, got -1")
    assert.throws(() => Supervisor.make(0, { maxBackoff: "1 milli" }), "maxBackoff must be ≥ minBackoff, got 1")
  })
})
