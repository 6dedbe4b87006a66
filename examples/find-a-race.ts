// Three fibers increment a counter and lose an update: Effect's own order never shows it, one of the first seeds does.
// #region race
import { Console, Effect, Exit, Fiber, Ref } from "effect"
import { Simulation } from "effect-simulation"

const program = Effect.gen(function*() {
  const counter = yield* Ref.make(0)
  const increment = Effect.flatMap(Ref.get(counter), (read) => Ref.set(counter, read + 1))
  yield* Fiber.joinAll(yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(increment)))
  return yield* Ref.get(counter)
})

const search = Simulation.check(program, (outcome) => Exit.isSuccess(outcome.exit) && outcome.exit.value === 3)

Effect.gen(function*() {
  yield* Console.log(`in Effect's own order: ${yield* program}`)
  const failure = yield* Effect.flip(search)
  yield* Console.log(failure.message.split("\n").slice(0, 2).join("\n"))
}).pipe(Effect.runPromise)
// #endregion

// Output:
// in Effect's own order: 3
// seed 9 failed, run 10 of the search
// replay it with the same options: Simulation.replay(effect, property, { seed: 9 })
