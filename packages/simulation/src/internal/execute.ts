import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Outcome from "../Outcome.ts"
import { Crash, Deadlock, Livelock } from "../SimulationError.ts"
import * as ProgramRandom from "./programRandom.ts"
import type { Settings } from "./settings.ts"
import * as Strategy from "./strategy.ts"
import * as VirtualClock from "./virtualClock.ts"
import * as World from "./world.ts"

/** Runs an effect to its outcome, on this stack, before it returns. */
export const execute = <A, E, R>(
  context: Context.Context<R>,
  effect: Effect.Effect<A, E, R>,
  options: Settings
): Outcome.Outcome<A, E> => {
  const world = new World.World(options.seed, options.startAt, options.traceLimit, options.faults)
  const main = Effect.runForkWith(contextOf(world, context))(effect)
  const ending = drive(world, main, options.maxSteps)
  const exit = main.pollUnsafe() ?? Exit.die(defectOf(world, ending, options.maxSteps))
  const leftover = ending === "crash" ? [] : alive(world).filter(({ fiber }) => fiber !== world.numberOf(main))
  const { now, steps, strategy } = world
  const trace = world.recorder.toTrace()
  release(world, options.maxSteps)
  return {
    seed: options.seed,
    ending,
    exit,
    crashedAt: world.crashedAt,
    leftover,
    steps,
    elapsed: Duration.millis(now),
    strategy: strategy.name,
    trace
  }
}

const contextOf = <R>(world: World.World, outer: Context.Context<R>): Context.Context<R> =>
  Context.merge(
    outer,
    Context.makeUnsafe<never>(
      new Map<string, unknown>([
        [Scheduler.Scheduler.key, world],
        [Clock.Clock.key, VirtualClock.make(world)],
        [Random.Random.key, ProgramRandom.make(world.seed)],
        [World.Current.key, world]
      ])
    )
  )

const drive = (world: World.World, main: World.AnyFiber, maxSteps: number): Outcome.Ending => {
  while (main.pollUnsafe() === undefined) {
    if (world.closed) return "crash"
    if (world.steps >= maxSteps) return "livelock"
    if (!world.step() && !world.advance()) return "deadlock"
  }
  // What is ready may still end by itself, an interrupted fiber in its finalizers for one: only what then still waits or
  // sleeps has been left behind. No fault strikes a program that has ended.
  world.injector = undefined
  while (world.steps < maxSteps && world.step());
  return "completed"
}

const defectOf = (world: World.World, ending: Outcome.Ending, maxSteps: number): unknown => {
  const elapsedMillis = world.now
  switch (ending) {
    case "crash":
      return new Crash({ point: world.crashedAt ?? "", step: world.steps, elapsedMillis })
    case "livelock":
      return new Livelock({ maxSteps, elapsedMillis })
    default:
      return new Deadlock({ step: world.steps, elapsedMillis, waiting: alive(world).map(Outcome.formatLeftover) })
  }
}

const alive = (world: World.World): ReadonlyArray<Outcome.Leftover> => {
  if (world.live.size === 0) return []
  const wakes = new Map(world.timers.all().map((timer) => [timer.fiber, timer.at]))
  return Array.from(world.live, ([fiber, number]) => {
    const { span, stackFrame } = fiber.cache
    return {
      fiber: number,
      span: span?._tag === "Span" ? span.name : stackFrame?.name,
      wakesAt: wakes.get(number),
      stack: () => stackFrame?.stack()
    }
  })
}

// Interrupts what the run has left, so that nothing of it is alive in the next. Finalizers run, and may sleep; as
// many steps are granted as to the run, and what is alive even then can do nothing more once the world is closed.
const release = (world: World.World, maxSteps: number): void => {
  if (world.live.size > 0 && !world.closed) {
    world.recording = false
    world.injector = undefined
    world.strategy = Strategy.inOrder
    const limit = world.steps + maxSteps
    // The main fiber comes first, if it is alive: it takes its children down in the order the program asked for. Fibers
    // begun meanwhile are added to the map, and so are met here too.
    for (const fiber of world.live.keys()) {
      fiber.interruptUnsafe()
      while (fiber.pollUnsafe() === undefined && world.steps < limit && (world.step() || world.advance()));
    }
  }
  world.close()
}
