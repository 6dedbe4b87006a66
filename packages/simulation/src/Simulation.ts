/**
 * Runs an Effect program so that one seed decides everything about its course: which ready fiber runs next, where a running
 * fiber is made to yield, in what order equal timers ring, what `Random` gives, and which faults strike. Time is
 * virtual and jumps to the next timer when nothing is ready. The same seed gives the same run, in every process.
 *
 * A run is synchronous from beginning to end, and owns its fibers: none of them does anything after it.
 *
 * @stability stable
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Faults from "./Faults.ts"
import { execute } from "./internal/execute.ts"
import * as Recorder from "./internal/recorder.ts"
import * as Search from "./internal/search.ts"
import * as Settings from "./internal/settings.ts"
import * as World from "./internal/world.ts"
import * as Outcome from "./Outcome.ts"
import type { CheckFailed } from "./SimulationError.ts"

/**
 * Everything about a run but its seed.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface Options {
  /**
   * Steps (tasks run) after which the run is ended as a livelock. A whole number from 1. Defaults to 250 000, about half a
   * second of real time.
   */
  readonly maxSteps?: number | undefined
  /** What the wall clock shows when the run begins. Defaults to 0, 1 January 1970 UTC. */
  readonly startAt?: DateTime.DateTime.Input | undefined
  /** Events kept for the trace; earlier ones are counted and forgotten. A whole number from 1. Defaults to 4096. */
  readonly traceLimit?: number | undefined
  /** What is injected. Defaults to nothing. */
  readonly faults?: ReadonlyArray<Faults.Fault> | undefined
}

/**
 * Everything that decides a run: its seed, any safe integer, and the rest.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface RunOptions extends Options {
  readonly seed: number
}

/**
 * What the options of this module default to.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults: {
  readonly maxSteps: 250_000
  readonly startAt: 0
  readonly traceLimit: 4096
  readonly runs: 300
  readonly seed: 0
} = Settings.defaults

/**
 * Runs an effect under one seed and returns what became of it. The whole run happens before this returns.
 *
 * **Details**
 *
 * Costs about as much as the program itself: some 2 µs a step.
 *
 * **Gotchas**
 *
 * The effect cannot wait for anything real. A promise is still pending when the run has nothing else to do: a deadlock.
 *
 * @category running
 * @stability stable
 * @since 0.1.0
 */
export const runSync = <A, E>(effect: Effect.Effect<A, E>, options: RunOptions): Outcome.Outcome<A, E> =>
  execute(Context.empty(), effect, Settings.fromOptions("runSync", options))

/**
 * Runs an effect under one seed, with the services of the surrounding program but its clock, its scheduler and its
 * random numbers. Never fails: how the run ended is in the outcome.
 *
 * **Gotchas**
 *
 * A `Scope` taken from outside outlives the run, and so do finalizers added to it: give the effect its own with
 * `Effect.scoped`.
 *
 * @category running
 * @stability stable
 * @since 0.1.0
 */
export const run = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: RunOptions
): Effect.Effect<Outcome.Outcome<A, E>, never, R> =>
  Effect.contextWith((context: Context.Context<R>) =>
    Effect.sync(() => {
      const outcome = execute(context, effect, Settings.fromOptions("run", options))
      Context.get(context, Search.Outcomes)?.push(outcome)
      return outcome
    })
  )

/**
 * What a search tries under each seed: an effect, or a function that makes one, for programs whose state must be made anew
 * for each run.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Program<A, E, R> =
  | Effect.Effect<A, E, R>
  | ((context: { readonly seed: number }) => Effect.Effect<A, E, R>)

/**
 * What must hold of every outcome. Returning false, throwing, failing and dying all break it; an effect is run
 * outside the simulation.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Property<A, E, E2 = never, R2 = never> = (
  outcome: Outcome.Outcome<A, E>
) => boolean | void | Effect.Effect<unknown, E2, R2>

/**
 * Which seeds a search tries.
 *
 * **Details**
 *
 * Three settings, read through Effect's `Config` (from the environment unless a `ConfigProvider` says otherwise), overrule
 * what is written, so that one command deepens every search of a repository: `SIMULATION_RUNS` and `SIMULATION_SEED`
 * replace `runs` and `seed`; `SIMULATION_MINUTES` lets each search go on for so long, from a fresh seed unless
 * `SIMULATION_SEED` gives one.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface SearchOptions {
  /** How many seeds are tried. A whole number from 1. Defaults to 300. */
  readonly runs?: number | undefined
  /** The first seed; the others follow it. A safe integer. Defaults to 0. */
  readonly seed?: number | undefined
}

/**
 * Everything about a search.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface CheckOptions extends Options, SearchOptions {}

/**
 * Runs a program under one seed after another and fails with the first under which the property does not hold. Gives the
 * number of seeds tried.
 *
 * **Details**
 *
 * Without a property, `Outcome.succeeds` must hold: the program succeeds and leaves no fiber behind.
 *
 * **Errors**
 *
 * `CheckFailed` · its message holds the seed, the line that replays it, the exit and the trace. `ConfigError` · one of the settings
 * described at {@link SearchOptions} is not a number.
 *
 * **Gotchas**
 *
 * A property of your own replaces the default one: unless it looks at `outcome.exit`, a program that fails still passes.
 *
 * **Example** (A law checked under 1 000 seeds)
 *
 * ```ts
 * it.effect("settles once", () => Simulation.check(program, (outcome) => outcome.leftover.length === 0, { runs: 1000 }))
 * ```
 *
 * @category searching
 * @stability stable
 * @since 0.1.0
 */
export const check = <A, E, R, E2 = never, R2 = never>(
  program: Program<A, E, R>,
  property?: Property<A, E, E2, R2> | undefined,
  options?: CheckOptions | undefined
): Effect.Effect<number, CheckFailed | Config.ConfigError, R | R2> =>
  Effect.flatMap(
    extentOf("check", options),
    (extent) =>
      Search.search(extent, (seed, run) => Effect.asVoid(attempt(program, property, { ...options, seed }, run)))
  )

/**
 * Runs a program under the one seed that a search has printed, and gives its outcome if the property holds this time.
 * No setting from outside changes what it does.
 *
 * @category searching
 * @stability stable
 * @since 0.1.0
 */
export const replay = <A, E, R, E2 = never, R2 = never>(
  program: Program<A, E, R>,
  property: Property<A, E, E2, R2> | undefined,
  options: RunOptions
): Effect.Effect<Outcome.Outcome<A, E>, CheckFailed, R | R2> => attempt(program, property, options, 0)

/**
 * Evaluates an effect for one seed after another and fails with the first for which it fails, dies or gives false. Gives
 * the number of seeds tried.
 *
 * **When to use**
 *
 * Use when one seed takes more than one run: crash a program, start it again on what it has left, and compare. Every
 * {@link run} inside is part of the report.
 *
 * **Errors**
 *
 * As {@link check}.
 *
 * @category searching
 * @stability stable
 * @since 0.1.0
 */
export const forEachSeed = <E, R>(
  body: (seed: number) => Effect.Effect<unknown, E, R>,
  options?: SearchOptions | undefined
): Effect.Effect<number, CheckFailed | Config.ConfigError, R> =>
  Effect.flatMap(extentOf("forEachSeed", options), (extent) =>
    Search.search(extent, (seed, run) => {
      const outcomes: Array<Outcome.Outcome<unknown, unknown>> = []
      return Search.judge(
        Effect.provideService(Effect.suspend(() => body(seed)), Search.Outcomes, outcomes),
        (reason) =>
          Search.report({
            seed,
            run,
            replay: `Simulation.forEachSeed(body, { seed: ${seed}, runs: 1 })`,
            property: "the body gave false",
            reason,
            outcomes
          })
      )
    }))

const attempt = <A, E, R, E2, R2>(
  program: Program<A, E, R>,
  property: Property<A, E, E2, R2> | undefined,
  options: RunOptions,
  run: number
): Effect.Effect<Outcome.Outcome<A, E>, CheckFailed, R | R2> =>
  Effect.contextWith((context: Context.Context<R | R2>) => {
    const { seed } = options
    const effect = Effect.isEffect(program) ? program : Effect.suspend(() => program({ seed }))
    const outcome = execute(context, effect, Settings.fromOptions("check", options))
    const verdict = Effect.suspend((): Effect.Effect<unknown, E2, R2> => {
      const holds = (property ?? Outcome.succeeds)(outcome)
      return Effect.isEffect(holds) ? holds : Effect.succeed(holds)
    })
    return Effect.as(
      Search.judge(verdict, (reason) =>
        Search.report({
          seed,
          run,
          replay: `Simulation.replay(effect, ${property === undefined ? "undefined" : "property"}, { seed: ${seed} })`,
          property: property === undefined ? "not a successful exit without leftover fibers" : "does not hold",
          reason,
          outcomes: [outcome]
        })),
      outcome
    )
  })

const extentOf = (constructor: string, options: SearchOptions | undefined) =>
  Effect.suspend(() =>
    Search.extent({
      runs: Settings.count(constructor, "runs", options?.runs ?? defaults.runs),
      seed: Settings.seed(constructor, options?.seed ?? defaults.seed)
    })
  )

/**
 * The seed of the run that the effect is part of, `undefined` outside a simulation.
 *
 * @category inside a run
 * @stability stable
 * @since 0.1.0
 */
export const currentSeed: Effect.Effect<number | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(fiber.getRef(World.Current)?.seed)
)

/**
 * Sets the wall clock of the run, forwards or backwards, as an operator or NTP would. Monotonic time, and with it every timer
 * that is set, does not move. Dies outside a simulation.
 *
 * @category inside a run
 * @stability stable
 * @since 0.1.0
 */
export const setWallClock = (time: DateTime.DateTime.Input): Effect.Effect<void> =>
  moveWallClock("setWallClock", (world) => DateTime.toEpochMillis(DateTime.makeUnsafe(time)) - world.now)

/**
 * Moves the wall clock of the run by a duration, which may be negative. Monotonic time does not move. Dies outside a
 * simulation.
 *
 * @category inside a run
 * @stability stable
 * @since 0.1.0
 */
export const adjustWallClock = (by: Duration.Input): Effect.Effect<void> =>
  moveWallClock("adjustWallClock", (world) => world.wallOffset + Duration.toMillis(by))

const moveWallClock = (name: string, offset: (world: World.World) => number): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const world = fiber.getRef(World.Current)
    if (world === undefined) return Effect.die(new Error(`Simulation.${name}: must be used inside a simulation`))
    const before = world.wallOffset
    world.wallOffset = offset(world)
    world.record(Recorder.Clock, world.numberOf(fiber), world.wallOffset - before)
    return Effect.void
  })
