/**
 * Pure: when is the next tick due.
 *
 * A cadence is data. It knows which instants are due and never looks at a clock, so the same cadence gives the same instants
 * before and after a restart, on every machine, and in a test. All instants are numbers: milliseconds since the Unix epoch.
 *
 * Three kinds: a **grid** ({@link every}) whose instants are computed from its anchor and never drift, whatever a run takes; a
 * **cron** expression in a time zone ({@link cron}); and any Effect `Schedule` ({@link fromSchedule}), which decides after each run.
 *
 * @since 0.1.0
 */
import * as Cron from "effect/Cron"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { instantsOfCron, nextOfCron, withZone } from "./internal/cronInstants.ts"
import { lastOnGrid, nextOnGrid } from "./internal/grid.ts"

/**
 * Instants a fixed interval apart.
 *
 * @see {@link every}
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface GridCadence {
  readonly _tag: "Grid"
  readonly intervalMillis: number
  readonly offsetMillis: number
  readonly anchor: "clock" | "start"
  readonly jitterMillis: number
}

/**
 * Instants named by a cron expression.
 *
 * @see {@link cron}
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface CronCadence {
  readonly _tag: "Cron"
  readonly cron: Cron.Cron
  readonly jitterMillis: number
}

/**
 * Instants decided by a `Schedule`, one after each run.
 *
 * @see {@link fromSchedule}
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ScheduleCadence {
  readonly _tag: "Schedule"
  readonly schedule: Schedule.Schedule<unknown, void>
  readonly jitterMillis: 0
}

/**
 * A cadence whose instants are known beforehand, and can therefore be missed.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Timetable = GridCadence | CronCadence

/**
 * When ticks are due.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Cadence = Timetable | ScheduleCadence

/**
 * Due instants in a row.
 *
 * **Details** `at(0)` is `first`, `at(count - 1)` is `last`. `hasMore` says that counting stopped at its limit and that later
 * instants of the span are still to be asked for; it is never true for a grid.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Due {
  readonly count: number
  readonly first: number
  readonly last: number
  readonly hasMore: boolean
  readonly at: (index: number) => number
}

/**
 * Options of {@link every}.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface EveryOptions {
  /** Shifts every instant later; 0 ≤ offset < interval. With an interval of 5 minutes, 2 minutes is due at :02, :07, :12. Defaults to 0. */
  readonly offset?: Duration.Input | undefined
  /**
   * What the grid hangs on. `clock`: the Unix epoch, so that 30 seconds means :00 and :30 and a restart keeps the phase. `start`: the
   * instant the conveyor starts, with a first tick at once. Defaults to `clock`.
   */
  readonly anchor?: "clock" | "start" | undefined
  /** Delays each run by a random time from 0 up to this; `dueAt` and the grid stay. Less than the interval. Defaults to 0. */
  readonly jitter?: Duration.Input | undefined
}

/**
 * Options of {@link cron}.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface CronOptions {
  /** Time zone the expression is read in: an IANA name or an offset. Defaults to that of the `Cron` value, else UTC. */
  readonly zone?: string | DateTime.TimeZone | undefined
  /**
   * Which occurrence of a repeated local time is due when clocks are set back. Defaults to `both` for an expression that is due in
   * every hour (`*` as the hour), and to `earlier` for one that names its hours.
   */
  readonly onDstOverlap?: Cron.DstOverlapPolicy | undefined
  /** Delays each run by a random time from 0 up to this, cut short at the next due instant. Defaults to 0. */
  readonly jitter?: Duration.Input | undefined
}

/**
 * What {@link every} and {@link cron} assume where an option is not given.
 *
 * @category defaults
 * @stability stable
 * @since 0.1.0
 */
export const defaults = { offset: 0, anchor: "clock", jitter: 0, zone: "UTC" } as const

/**
 * A cadence was described that cannot be.
 *
 * **Details** Given by {@link parseEvery} and {@link parseCron}, for descriptions from outside.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class InvalidCadence extends Data.TaggedError("InvalidCadence")<{
  readonly option: string
  readonly expected: string
  readonly got: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.expected}, got ${this.got}`
  }
}

/**
 * Makes a cadence of instants a fixed interval apart.
 *
 * **Details**
 *
 * With the default anchor these are the instants `t` with `t ≡ offset (mod interval)`, counted from the Unix epoch; the first tick
 * is due at the next of them. Interval, offset and jitter are whole milliseconds.
 *
 * **Errors** Throws when the interval is not positive, finite and a whole number of milliseconds, when the offset is not within
 * `0 ≤ offset < interval`, or the jitter not within `0 ≤ jitter < interval`.
 *
 * **Gotchas** The epoch began at midnight UTC on a Thursday: a week's interval is due on Thursdays, a day's at 00:00 UTC, which is not
 * midnight elsewhere. Use {@link cron} for local times.
 *
 * **Example** (Prices every five minutes, two minutes past)
 *
 * ```ts
 * import { Cadence } from "effect-conveyor"
 *
 * const prices = Cadence.every("5 minutes", { offset: "2 minutes" })
 * ```
 *
 * **Source** aioconveyor `loop_time`: the grid, its anchor and its strictness. There a negative offset spins and one beyond the interval
 * skips a slot; here both are refused. Anchoring to the start, and jitter, are new.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const every = (interval: Duration.Input, options: EveryOptions = {}): GridCadence =>
  orThrow("Cadence.every", parseEvery(interval, options))

/**
 * Makes a cadence as {@link every} does, from outside input: what is wrong with it is a value.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const parseEvery = (
  interval: Duration.Input,
  options: EveryOptions = {}
): Result.Result<GridCadence, InvalidCadence> =>
  Result.gen(function*() {
    const intervalMillis = yield* millis("interval", interval)
    const offsetMillis = yield* millis("offset", options.offset ?? defaults.offset)
    const jitterMillis = yield* millis("jitter", options.jitter ?? defaults.jitter)
    yield* within(intervalMillis > 0, "interval", "> 0", intervalMillis)
    yield* within(
      offsetMillis >= 0 && offsetMillis < intervalMillis,
      "offset",
      `≥ 0 and < interval (${intervalMillis} millis)`,
      offsetMillis
    )
    yield* within(
      jitterMillis >= 0 && jitterMillis < intervalMillis,
      "jitter",
      `≥ 0 and < interval (${intervalMillis} millis)`,
      jitterMillis
    )
    return { _tag: "Grid", intervalMillis, offsetMillis, anchor: options.anchor ?? defaults.anchor, jitterMillis }
  })

/**
 * Makes a cadence from a cron expression (five fields, or six with seconds first) or a `Cron`.
 *
 * **Details**
 *
 * When clocks are set forward, a local time that does not exist is due once, as much later as the clocks moved: 02:30 in Berlin runs
 * at 03:30 on that day; where that instant is due anyway it is still due once. When clocks are set back, a local time that occurs twice is
 * due at its first occurrence if the expression names its hours (`30 2 * * *` runs once), and at both if it is due in every hour
 * (every quarter of an hour goes on every quarter of an hour); `onDstOverlap` decides otherwise. A `Cron` value keeps its own.
 *
 * **Errors** Throws when the expression or the zone is wrong, or when the expression names no date that exists.
 *
 * @see {@link parseCron} for an expression from outside
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const cron = (expression: string | Cron.Cron, options: CronOptions = {}): CronCadence =>
  orThrow("Cadence.cron", parseCron(expression, options))

/**
 * Makes a cadence as {@link cron} does, from outside input: what is wrong with it is a value.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const parseCron = (
  expression: string | Cron.Cron,
  options: CronOptions = {}
): Result.Result<CronCadence, InvalidCadence> =>
  Result.gen(function*() {
    const zone = yield* parseZone(options.zone)
    const jitterMillis = yield* millis("jitter", options.jitter ?? defaults.jitter)
    yield* within(jitterMillis >= 0, "jitter", "≥ 0", jitterMillis)
    const parsed = typeof expression === "string" ? yield* parseExpression(expression) : expression
    const cron = withZone(
      parsed,
      Option.getOrElse(Option.orElse(zone, () => parsed.tz), () => DateTime.zoneMakeNamedUnsafe(defaults.zone)),
      options.onDstOverlap ?? (typeof expression === "string" && parsed.hours.size === 0 ? "both" : parsed.onDstOverlap)
    )
    if (nextOfCron(cron, 0) === Infinity) {
      return yield* invalid("expression", "due on a date that exists", Cron.format(cron))
    }
    return { _tag: "Cron", cron, jitterMillis }
  })

/**
 * Makes a cadence from any `Schedule`.
 *
 * **Details**
 *
 * As with `Effect.repeat`: the first tick is due at once, and after each run the schedule is asked, at the instant the run ended, for the
 * delay to the next; when it is done the conveyor ends. Since it is asked only then, no tick of it is ever missed or overlapped, and
 * the policy for missed ticks has nothing to do.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromSchedule = (schedule: Schedule.Schedule<unknown, void>): ScheduleCadence => ({
  _tag: "Schedule",
  schedule,
  jitterMillis: 0
})

/**
 * Gives the first due instant of a conveyor that starts at `startedAt`.
 *
 * **Details** For a grid on the clock and a cron this is strictly later than the start; for a grid anchored to the start, and a schedule,
 * it is the start itself (plus the offset).
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const first = (self: Cadence, startedAt: number): number =>
  self._tag === "Schedule"
    ? Math.floor(startedAt)
    : next(self, { startedAt, after: self._tag === "Grid" && self.anchor === "start" ? -Infinity : startedAt })

/**
 * Gives the first due instant that is strictly later than `after`.
 *
 * **Details** O(1) for a grid, 10 ns and nothing allocated; 40 to 120 µs for a cron. `startedAt` matters only to a
 * grid anchored to the start, which has no instant before it.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const next = (
  self: Timetable,
  options: { readonly startedAt: number; readonly after: number }
): number => {
  if (self._tag === "Cron") {
    return nextOfCron(self.cron, options.after)
  }
  const base = baseOf(self, options.startedAt)
  return nextOnGrid(base, self.intervalMillis, self.anchor === "start" ? base : -Infinity, options.after)
}

/**
 * Counts the due instants later than `after` and not later than `until`; `undefined` when there are none.
 *
 * **Details** O(1) for a grid, however long the span. For a cron the instants are enumerated, at most `limit` of them (256 unless given,
 * which takes 10 to 30 ms); `hasMore` then says that the span holds more, to be counted from `last` on.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const countDue = (
  self: Timetable,
  options: {
    readonly startedAt: number
    readonly after: number
    readonly until: number
    readonly limit?: number | undefined
  }
): Due | undefined => {
  if (self._tag === "Cron") {
    const { hasMore, instants } = instantsOfCron(self.cron, options.after, options.until, options.limit ?? 256)
    const count = instants.length
    return count === 0
      ? undefined
      : { count, first: instants[0]!, last: instants[count - 1]!, hasMore, at: (index) => instants[index]! }
  }
  const first = next(self, options)
  if (first > options.until) {
    return undefined
  }
  const interval = self.intervalMillis
  const last = lastOnGrid(baseOf(self, options.startedAt), interval, options.until)
  const count = Math.round((last - first) / interval) + 1
  return { count, first, last, hasMore: false, at: (index) => first + index * interval }
}

/**
 * Gives the time between the two due instants that follow `at`; none for a schedule.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const interval = (self: Cadence, at: number): Option.Option<Duration.Duration> => {
  if (self._tag === "Schedule") {
    return Option.none()
  }
  if (self._tag === "Grid") {
    return Option.some(Duration.millis(self.intervalMillis))
  }
  const due = next(self, { startedAt: at, after: at })
  return Option.some(Duration.millis(next(self, { startedAt: at, after: due }) - due))
}

/**
 * Gives how long after `dueAt` a run begins, for a number drawn uniformly from 0 (inclusive) to 1 (exclusive).
 *
 * **Details** Whole milliseconds, at most the jitter, and always before the next due instant, so that neither order nor grid changes.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const startDelay = (self: Cadence, dueAt: number, drawn: number): number => {
  if (self.jitterMillis === 0) {
    return 0
  }
  const room = self._tag === "Cron"
    ? Math.min(self.jitterMillis, next(self, { startedAt: dueAt, after: dueAt }) - dueAt - 1)
    : self.jitterMillis
  return Math.floor(drawn * (room + 1))
}

/**
 * Starts a schedule: the result, given the instant a run ended, tells when the next tick is due, or `undefined` when there is none.
 *
 * **Details** Each start has a state of its own. Instants are strictly increasing: a schedule without delay is due at the next millisecond.
 *
 * @category destructors
 * @stability stable
 * @since 0.1.0
 */
export const toStepper = (
  self: ScheduleCadence,
  startedAt: number
): Effect.Effect<(endedAt: number) => Effect.Effect<number | undefined>> =>
  Effect.map(Schedule.toStep(self.schedule), (step) => {
    let previous = first(self, startedAt)
    return (endedAt) =>
      step(endedAt, undefined).pipe(
        Effect.map(([, delay]) => {
          const dueAt = Math.ceil(Math.max(endedAt, previous) + Duration.toMillis(delay))
          previous = Math.max(previous + 1, dueAt)
          return Number.isFinite(previous) ? previous : undefined
        }),
        Pull.catchDone(() => Effect.undefined)
      )
  })

// -----------------------------------------------------------------------------

const baseOf = (self: GridCadence, startedAt: number): number =>
  self.anchor === "clock" ? self.offsetMillis : Math.floor(startedAt) + self.offsetMillis

const orThrow = <A>(constructor: string, result: Result.Result<A, InvalidCadence>): A =>
  Result.getOrThrowWith(result, (error) => new Error(`${constructor}: ${error.message}`))

const invalid = (option: string, expected: string, got: string): Result.Result<never, InvalidCadence> =>
  Result.fail(new InvalidCadence({ option, expected, got }))

const within = (holds: boolean, option: string, expected: string, got: number): Result.Result<void, InvalidCadence> =>
  holds ? Result.void : invalid(option, expected, `${got} millis`)

const millis = (option: string, input: Duration.Input): Result.Result<number, InvalidCadence> =>
  Option.match(Duration.fromInput(input), {
    onNone: () => invalid(option, "a duration", String(input)),
    onSome: (duration) => {
      const value = Duration.toMillis(duration)
      return Number.isSafeInteger(value)
        ? Result.succeed(value)
        : invalid(option, "a whole number of milliseconds", `${value} millis`)
    }
  })

const parseZone = (
  zone: string | DateTime.TimeZone | undefined
): Result.Result<Option.Option<DateTime.TimeZone>, InvalidCadence> => {
  if (typeof zone !== "string") {
    return Result.succeed(Option.fromUndefinedOr(zone))
  }
  const parsed = DateTime.zoneFromString(zone)
  return Option.isSome(parsed) ? Result.succeed(parsed) : invalid("zone", "a known time zone", JSON.stringify(zone))
}

const parseExpression = (expression: string): Result.Result<Cron.Cron, InvalidCadence> =>
  Result.mapError(Cron.parse(expression), (error) =>
    new InvalidCadence({
      option: "expression",
      expected: "a cron expression of five or six fields",
      got: `${JSON.stringify(expression)} (${error.message}${error.input === expression ? "" : `: ${error.input}`})`
    }))
