/**
 * Failures, delays, interruptions and crashes, injected where the program names a point and when the seed says so.
 *
 * A test wraps what may go wrong with `Faults.at(point)` and hands a list of faults to the run. Outside a simulation, or in
 * one without faults, a wrapped effect is the effect itself. Which arrivals are hit is drawn from the seed, apart from the
 * order of fibers: adding a fault does not reorder a run before the fault strikes.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as World from "./internal/world.ts"

/**
 * A named place where faults may strike, whatever it may fail with.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface AnyPoint {
  readonly name: string
}

/**
 * A named place where faults may strike. `E` is the error that a fault may make it fail with.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Point<in out E = never> extends AnyPoint {
  readonly "~effect-simulation/Faults/Point": (error: E) => E
}

/**
 * One rule: what strikes, where, how often. Made by the constructors of this module.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Fault =
  | Struck & { readonly _tag: "Fail"; readonly when: "before" | "after"; readonly error: () => unknown }
  | Struck & { readonly _tag: "Die"; readonly when: "before" | "after"; readonly defect: () => unknown }
  | Struck & { readonly _tag: "Delay"; readonly when: "before" | "after"; readonly min: number; readonly max: number }
  | Struck & { readonly _tag: "Interrupt"; readonly when: "before" | "during" | "after"; readonly within: number }
  | Struck & { readonly _tag: "Crash"; readonly when: "before" | "during" | "after"; readonly within: number }
  | { readonly _tag: "CrashAnywhere"; readonly probability: number; readonly within: number }
  | { readonly _tag: "InterruptFibers"; readonly probability: number; readonly times: number }

interface Struck {
  readonly point: string
  readonly probability: number
  readonly skip: number
  readonly times: number
}

/**
 * How often a fault strikes at its point.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface StrikeOptions {
  /** The probability that an arrival is struck. From 0 to 1; at 1 each is. Defaults to 1. */
  readonly probability?: number | undefined
  /** How many arrivals of a run pass before the fault may strike. A whole number from 0. Defaults to 0. */
  readonly skip?: number | undefined
  /** How many arrivals of a run are struck at most. A whole number from 1. Defaults to "unbounded". */
  readonly times?: number | "unbounded" | undefined
}

/**
 * Where, around the wrapped effect, a failure or a delay strikes.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface AroundOptions extends StrikeOptions {
  /**
   * "before": the effect has not begun (a request is lost). "after": it has succeeded, and the caller does not learn of it (a
   * reply is lost). Defaults to "before".
   */
  readonly when?: "before" | "after" | undefined
}

/**
 * Where, around or inside the wrapped effect, an interruption or a crash strikes.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export interface MomentOptions extends StrikeOptions {
  /** As for a failure; "during" strikes at a random step while the effect runs. Defaults to "before". */
  readonly when?: "before" | "during" | "after" | undefined
  /**
   * With "during": the step that is struck is one of so many from the effect's beginning, each as likely; if the effect has
   * ended by then, nothing strikes. A whole number from 1. Defaults to 16.
   */
  readonly within?: number | undefined
}

/**
 * What the options of this module default to.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = {
  probability: 1,
  skip: 0,
  times: "unbounded",
  when: "before",
  within: 16,
  interruptProbability: 0.01,
  crashWithin: 100
} as const

/**
 * Names a point whose faults may make it fail with `E`.
 *
 * **Example** (A store that may lose a write)
 *
 * ```ts
 * const Write = Faults.point<WriteError>("store.write")
 * const write = (row: Row) => store.write(row).pipe(Faults.at(Write))
 *
 * Simulation.run(program, { seed: 1, faults: [Faults.fail(Write, () => new WriteError(), { probability: 0.1 })] })
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const point = <E = never>(name: string): Point<E> => ({
  name,
  "~effect-simulation/Faults/Point": (error) => error
})

/**
 * Lets the faults of the run strike around an effect. Outside a simulation, and in one without faults, it is the effect.
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const at: {
  <E2>(point: Point<E2>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | E2, R>
  <A, E, R, E2>(self: Effect.Effect<A, E, R>, point: Point<E2>): Effect.Effect<A, E | E2, R>
} = dual(
  2,
  <A, E, R, E2>(self: Effect.Effect<A, E, R>, point: Point<E2>): Effect.Effect<A, E | E2, R> =>
    Effect.withFiber((fiber) => {
      const injector = fiber.getRef(World.Current)?.injector
      // The plan may hold only errors of this point's E: the constructors below see to it.
      return injector === undefined ? self : injector.around(point.name, fiber, self) as Effect.Effect<A, E | E2, R>
    })
)

/**
 * Makes a point fail.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fail = <E>(point: Point<E>, error: () => E, options?: AroundOptions): Fault => ({
  _tag: "Fail",
  when: options?.when ?? defaults.when,
  error,
  ...struck("fail", point, options)
})

/**
 * Makes a point die with a defect, as a bug in the wrapped effect would.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const die = (point: AnyPoint, defect: () => unknown, options?: AroundOptions): Fault => ({
  _tag: "Die",
  when: options?.when ?? defaults.when,
  defect,
  ...struck("die", point, options)
})

/**
 * Holds a point up for a random time from `min` to `max`, each as likely.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const delay = (
  point: AnyPoint,
  range: { readonly min?: Duration.Input | undefined; readonly max: Duration.Input },
  options?: AroundOptions
): Fault => {
  const min = range.min === undefined ? 0 : Duration.toMillis(range.min)
  const max = Duration.toMillis(range.max)
  demand("delay", "min", "between 0 and max", min, min >= 0 && min <= max && Number.isFinite(max))
  return { _tag: "Delay", when: options?.when ?? defaults.when, min, max, ...struck("delay", point, options) }
}

/**
 * Interrupts the fiber that arrives at a point. A fiber in an uninterruptible region ends once it leaves it, as always.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const interrupt = (point: AnyPoint, options?: MomentOptions): Fault => ({
  _tag: "Interrupt",
  when: options?.when ?? defaults.when,
  within: within("interrupt", options?.within ?? defaults.within),
  ...struck("interrupt", point, options)
})

/**
 * Ends the run at a point as SIGKILL would end a process: no fiber does anything more and no finalizer runs. What
 * the program has done outside itself stays done, so a test can start it again on what is left.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const crash = (point: AnyPoint, options?: MomentOptions): Fault => ({
  _tag: "Crash",
  when: options?.when ?? defaults.when,
  within: within("crash", options?.within ?? defaults.within),
  ...struck("crash", point, options)
})

/**
 * Crashes at one of the first `within` steps of the run (default 100), each as likely, wherever that is in the program. A run
 * that ends sooner is not struck. `probability` is that of a run being struck at all; it defaults to 1.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const crashAnywhere = (
  options?: { readonly probability?: number | undefined; readonly within?: number | undefined }
): Fault => ({
  _tag: "CrashAnywhere",
  probability: probability("crashAnywhere", options?.probability ?? defaults.probability),
  within: within("crashAnywhere", options?.within ?? defaults.crashWithin)
})

/**
 * Interrupts, before each step with the given probability (default 0.01), one of the fibers alive, whichever it is but the
 * main one, at most `times` in a run (default "unbounded").
 *
 * **Gotchas**
 *
 * Fibers that Effect forks for itself (of `Effect.all`, of a race, of a stream) are hit as well. To strike chosen
 * ones, wrap what they run with {@link at} and use {@link interrupt} with `when: "during"`.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const interruptFibers = (
  options?: { readonly probability?: number | undefined; readonly times?: number | "unbounded" | undefined }
): Fault => ({
  _tag: "InterruptFibers",
  probability: probability("interruptFibers", options?.probability ?? defaults.interruptProbability),
  times: times("interruptFibers", options?.times ?? defaults.times)
})

const struck = (constructor: string, point: AnyPoint, options: StrikeOptions | undefined): Struck => {
  const skip = options?.skip ?? defaults.skip
  demand(constructor, "skip", "a whole number from 0", skip, Number.isInteger(skip) && skip >= 0)
  return {
    point: point.name,
    probability: probability(constructor, options?.probability ?? defaults.probability),
    skip,
    times: times(constructor, options?.times ?? defaults.times)
  }
}

const probability = (constructor: string, value: number): number =>
  demand(constructor, "probability", "between 0 and 1", value, value >= 0 && value <= 1)

const within = (constructor: string, value: number): number =>
  demand(constructor, "within", "a whole number from 1", value, Number.isInteger(value) && value >= 1)

const times = (constructor: string, value: number | "unbounded"): number =>
  value === "unbounded"
    ? Infinity
    : demand(
      constructor,
      "times",
      "a whole number from 1 or \"unbounded\"",
      value,
      Number.isInteger(value) && value >= 1
    )

const demand = (constructor: string, option: string, wanted: string, value: number, holds: boolean): number => {
  if (!holds) throw new RangeError(`Faults.${constructor}: ${option} must be ${wanted}, got ${value}`)
  return value
}
