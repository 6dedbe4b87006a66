import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Outcome, Simulation } from "effect-simulation"

const left = Effect.gen(function*() {
  yield* Effect.forkDetach(Effect.sleep("1 minute"))
  yield* Effect.forkDetach(Effect.withSpan(Effect.never, "stuck"))
  return "done"
})

describe("Outcome", () => {
  it("succeeds when the exit is a success and nothing is left over", () => {
    assert.isTrue(Outcome.succeeds(Simulation.runSync(Effect.void, { seed: 1 })))
    assert.isFalse(Outcome.succeeds(Simulation.runSync(Effect.die("bug"), { seed: 1 })))
    assert.isFalse(Outcome.succeeds(Simulation.runSync(left, { seed: 1 })))
  })

  it("is written with its seed, its exit and what is left over", () => {
    const text = Outcome.format(Simulation.runSync(left, { seed: 77 }))
    assert.match(text, /^seed 77: completed, \d+ steps/)
    assert.include(text, "exit: success done")
    assert.match(text, /leftover: .*#\d \(asleep until 60000 ms\)/)
    assert.match(text, /#\d in stuck \(waiting\)/)
  })

  it("finds the stack of a leftover fiber in a named function", () => {
    const named = Effect.fn("waitsForEver")(() => Effect.never)
    const { leftover } = Simulation.runSync(Effect.andThen(Effect.forkDetach(named()), Effect.sleep(1)), { seed: 1 })
    assert.strictEqual(leftover[0]?.span, "waitsForEver")
    assert.include(leftover[0]?.stack(), "Outcome.test.ts")
  })
})
