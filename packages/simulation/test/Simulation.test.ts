import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Ref } from "effect"
import { Simulation, SimulationError } from "effect-simulation"

// Three fibers read a counter and write back one more than they have read.
const lostUpdate = Effect.gen(function*() {
  const counter = yield* Ref.make(0)
  const increment = Effect.flatMap(Ref.get(counter), (read) => Ref.set(counter, read + 1))
  const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(increment))
  yield* Fiber.joinAll(fibers)
  return yield* Ref.get(counter)
})

describe("Simulation", () => {
  describe("check", () => {
    it.effect("finds a lost update, and prints the seed and the line that replays it", () =>
      Effect.gen(function*() {
        const failed = yield* Effect.flip(
          Simulation.check(lostUpdate, (outcome) => outcome.exit._tag === "Success" && outcome.exit.value === 3)
        )
        assert.instanceOf(failed, SimulationError.CheckFailed)
        assert.include(failed.message, `seed ${failed.seed} failed`)
        assert.include(failed.message, `Simulation.replay(effect, property, { seed: ${failed.seed} })`)
        assert.include(failed.message, "trace")
      }))

    it.effect("takes the number of runs and the first seed from outside", () =>
      Effect.gen(function*() {
        const seeds: Array<number> = []
        const tried = yield* Simulation.check(({ seed }) => Effect.sync(() => seeds.push(seed)), undefined, { runs: 9 })
        assert.strictEqual(tried, 3)
        assert.deepStrictEqual(seeds, [70, 71, 72])
      }).pipe(
        Effect.provideService(
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env: { SIMULATION_RUNS: "3", SIMULATION_SEED: "70" } })
        )
      ))
  })
})
