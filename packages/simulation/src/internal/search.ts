import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Outcome from "../Outcome.ts"
import { CheckFailed } from "../SimulationError.ts"

/** What the surroundings ask of every search, whatever the search was written to do. */
const Asked = Config.all({
  // No runs at all would let every law pass.
  runs: Config.option(Config.schema(Schema.Int.check(Schema.isGreaterThan(0)), "SIMULATION_RUNS")),
  seed: Config.option(Config.Int("SIMULATION_SEED")),
  minutes: Config.option(Config.schema(Schema.Finite.check(Schema.isGreaterThan(0)), "SIMULATION_MINUTES"))
})

/** How far one search goes: `runs` seeds from `seed` on, and then more until `until`, in monotonic nanoseconds. */
export interface Extent {
  readonly seed: number
  readonly runs: number
  readonly until: bigint | undefined
}

// The test that a search stands in usually has a clock of its own, which does not move by itself.
const realNanos = (): bigint => Clock.Clock.defaultValue().monotonicTimeNanosUnsafe()

const nanosPerMinute = 60_000_000_000

// 2^48 starting points, so that a search of any length stays within the safe integers.
const freshSeed = (): number => Math.floor(Random.Random.defaultValue().nextDoubleUnsafe() * 2 ** 48)

export const extent = (written: { readonly seed: number; readonly runs: number }) =>
  Effect.map(Asked, ({ minutes, runs, seed }): Extent => ({
    runs: Option.getOrElse(runs, () => written.runs),
    seed: Option.getOrElse(seed, () => Option.isSome(minutes) ? freshSeed() : written.seed),
    until: Option.getOrUndefined(
      Option.map(minutes, (minutes) => realNanos() + BigInt(Math.round(minutes * nanosPerMinute)))
    )
  }))

// The event loop gets its turn every so many runs, a few milliseconds apart: a test runner can still time the test out.
const runsBetweenYields = 64

/** Tries one seed after another until one fails or the extent is reached; gives the number of seeds tried. */
export const search = <E, R>(
  extent: Extent,
  attempt: (seed: number, run: number) => Effect.Effect<void, E, R>
): Effect.Effect<number, E, R> =>
  Effect.suspend(() => {
    let run = 0
    return Effect.map(
      Effect.whileLoop({
        while: () => run < extent.runs || (extent.until !== undefined && realNanos() < extent.until),
        body: () => {
          const tried = attempt(extent.seed + run, run)
          return run % runsBetweenYields === runsBetweenYields - 1 ? Effect.andThen(tried, Effect.yieldNow) : tried
        },
        step: () => {
          run++
        }
      }),
      () => run
    )
  })

/** Turns a verdict into the failure of a search: false, a failure or a defect, but not an interruption from outside. */
export const judge = <E, R>(
  verdict: Effect.Effect<unknown, E, R>,
  failed: (reason: unknown) => CheckFailed
): Effect.Effect<void, CheckFailed, R> =>
  Effect.matchCauseEffect(verdict, {
    onSuccess: (value) => value === false ? Effect.fail(failed(undefined)) : Effect.void,
    onFailure: (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.fail(failed(Cause.squash(cause)))
  })

export const report = (options: {
  readonly seed: number
  readonly run: number
  readonly replay: string
  /** What to say of the property when it gave false, and so no reason. */
  readonly property: string
  readonly reason: unknown
  readonly outcomes: ReadonlyArray<Outcome.Outcome<unknown, unknown>>
}): CheckFailed =>
  new CheckFailed({
    seed: options.seed,
    run: options.run,
    reason: options.reason,
    report: [
      `seed ${options.seed} failed, run ${options.run + 1} of the search`,
      `replay it with the same options: ${options.replay}`,
      `property: ${options.reason === undefined ? options.property : describe(options.reason)}`,
      ...options.outcomes.map((outcome) => Outcome.format(outcome))
    ].join("\n")
  })

const describe = (reason: unknown): string => reason instanceof Error ? reason.stack ?? reason.message : String(reason)

/** Where the runs inside a search by hand leave their outcomes, for its report. */
export const Outcomes = Context.Reference<Array<Outcome.Outcome<unknown, unknown>> | undefined>(
  "effect-simulation/Outcomes",
  { defaultValue: () => undefined }
)
