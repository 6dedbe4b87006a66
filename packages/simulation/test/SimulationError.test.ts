import { assert, describe, it } from "@effect/vitest"
import { SimulationError } from "effect-simulation"

describe("SimulationError", () => {
  it("messages hold the facts", () => {
    const deadlock = new SimulationError.Deadlock({ step: 3, elapsedMillis: 4, waiting: ["#1 (waiting)"] })
    assert.match(deadlock.message, /after 3 steps and 4 virtual ms.*real input or output.*waiting: #1 \(waiting\)$/)
    const livelock = new SimulationError.Livelock({ maxSteps: 5, elapsedMillis: 6 })
    assert.match(livelock.message, /after 5 steps \(maxSteps\) and 6 virtual ms/)
    const crash = new SimulationError.Crash({ point: "commit", step: 7, elapsedMillis: 8 })
    assert.match(crash.message, /crashed at commit in step 7, after 8 virtual ms/)
    assert.strictEqual(new SimulationError.CheckFailed({ seed: 1, run: 0, report: "all of it" }).message, "all of it")
  })
})
