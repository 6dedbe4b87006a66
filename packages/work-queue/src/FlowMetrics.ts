/**
 * What flows through a queue and its crew: arrivals and departures, waiting and service times, how busy the crew is, and
 * the residual of Little's law as a self-check. Cheap enough to be always on. Times are milliseconds with a fraction on
 * the monotonic clock, rates are per second, and averages are over a sliding window of the clock.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { CountingFlow, FlowCore } from "./internal/flowCore.ts"
import type { Samples } from "./internal/flowCore.ts"
import { monotonicMillis } from "./internal/monotonicMillis.ts"

const TypeId = "~effect-work-queue/FlowMetrics"

/**
 * A running measurement.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface FlowMetrics {
  readonly [TypeId]: typeof TypeId
}

/**
 * How an item left: its work succeeded, failed (also by a defect), or was interrupted (also before it began); or it
 * was dropped because the queue was full.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Outcome = "succeeded" | "failed" | "interrupted" | "dropped"

/**
 * A distribution of times in milliseconds. The mean is over the window; percentiles and the maximum are over the latest
 * `samples` measurements. All are 0 when there is no measurement.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TimeStats {
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/**
 * A snapshot of what flows through. Averages and rates are 0 during the warm-up.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface FlowStats {
  /** Items accepted since the start. */
  readonly arrivals: number
  /** Items that left since the start: settled, or taken out before they began. */
  readonly departures: number
  /** Items accepted per second. */
  readonly arrivalRate: number
  /** Items that left per second. */
  readonly departureRate: number
  /** Items waiting now. */
  readonly depth: number
  /** How long the item waiting longest has waited, in milliseconds; 0 when nothing waits. */
  readonly oldestAge: number
  /** From arrival to the beginning of the work. */
  readonly waitTime: TimeStats
  /** From the beginning of the work to its end. */
  readonly serviceTime: TimeStats
  /** Items being worked on now. */
  readonly busy: number
  /** How many may be worked on at once now. */
  readonly size: number
  /** Average share of the crew that was busy, 0 to 1; more than 1 only while a shrunken crew finishes what it had begun. */
  readonly utilization: number
  /** Average number of items in the system, waiting or being worked on: the L of Little's law, an integral over the clock. */
  readonly wip: number
  /** L − λW. Near 0 if the measurement is sound and the flow is steady; growing with a growing backlog. */
  readonly littleResidual: number
  /** Milliseconds until all that is in the system has left, at the present departure rate; `Infinity` if nothing leaves. */
  readonly drainEstimate: number
  /** Items by how they left, since the start. */
  readonly outcomes: Readonly<Record<Outcome, number>>
}

/**
 * What has flowed through since the start, and what is in the system now: the raw numbers, of which whoever looks again
 * and again takes differences over spans of its own. Not held back during the warm-up.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface FlowTotals {
  /** When this was read, in milliseconds on the monotonic clock. */
  readonly now: number
  readonly arrivals: number
  readonly departures: number
  readonly depth: number
  readonly busy: number
  readonly size: number
  /** Milliseconds of work done, that in progress included: the integral of `busy` over the clock. */
  readonly busyTime: number
  /** Milliseconds of work in the services that are over. */
  readonly serviceTime: number
}

/**
 * The options of `make`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface FlowMetricsOptions {
  /** The span that averages and rates cover; it moves in steps of a sixtieth. Defaults to 60 seconds. */
  readonly window?: Duration.Input | undefined
  /** How many of the latest measurements percentiles are taken of, a whole number of at least 1. Defaults to 500. */
  readonly samples?: number | undefined
  /** How long after the start averages and rates read 0, since few measurements say little. Defaults to 0. */
  readonly warmup?: Duration.Input | undefined
  /** `false` counts what arrives and leaves, and reads 0 for all times, rates and averages. Defaults to `true`. */
  readonly measured?: boolean | undefined
}

/**
 * The defaults of the options of `make`.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  window: "60 seconds",
  samples: 500,
  warmup: 0,
  measured: true
} as const

const core = (self: FlowMetrics): FlowCore => self as unknown as FlowCore

/**
 * Starts a measurement on the clock of the calling fiber.
 *
 * **Errors**
 *
 * Dies if an option is out of range.
 *
 * **Source** event_collector's metrics: the window, the sample count and the warm-up are kept; the averages are
 * integrals over the clock here, and Little's law checks them.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: FlowMetricsOptions = {}): Effect.Effect<FlowMetrics> =>
  Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => makeUnsafe(options, context)))

/**
 * Starts a measurement without an Effect. The clock comes from `context`, and is the live one if it has none.
 *
 * **Errors**
 *
 * Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const makeUnsafe = (
  options: FlowMetricsOptions = {},
  context: Context.Context<never> = Context.empty()
): FlowMetrics => {
  const { samples = defaults.samples } = options
  const window = Duration.toMillis(options.window ?? defaults.window)
  const warmup = Duration.toMillis(options.warmup ?? defaults.warmup)
  if (!(window > 0 && Number.isFinite(window))) {
    throw new RangeError(`FlowMetrics.make: window must be > 0 and finite, got ${window} millis`)
  }
  if (!(Number.isSafeInteger(samples) && samples >= 1)) {
    throw new RangeError(`FlowMetrics.make: samples must be a whole number >= 1, got ${samples}`)
  }
  if (options.measured === false) return new CountingFlow() as unknown as FlowMetrics
  return new FlowCore(
    monotonicMillis(Context.get(context, Clock.Clock)),
    window,
    samples,
    warmup
  ) as unknown as FlowMetrics
}

/**
 * The present time of this measurement, in milliseconds: what the other functions take as `now`.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const nowUnsafe = (self: FlowMetrics): number => core(self).now()

/**
 * Notes that an item was accepted, and waits.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const arrivedUnsafe = (self: FlowMetrics, now: number): void => core(self).arrive(now)

/**
 * Notes that the work on a waiting item began.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const beganUnsafe = (self: FlowMetrics, now: number, arrivedAt: number): void => core(self).begin(now, arrivedAt)

/**
 * Notes that the work on an item ended.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const settledUnsafe = (self: FlowMetrics, now: number, beganAt: number, outcome: Outcome): void =>
  core(self).settle(now, beganAt, outcome)

/**
 * Notes that a waiting item left without being worked on: taken out (no outcome), dropped, or interrupted.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const withdrawnUnsafe = (self: FlowMetrics, now: number, arrivedAt: number, outcome?: Outcome): void =>
  core(self).withdraw(now, arrivedAt, outcome)

/**
 * Notes that an item was dropped on arrival, and so never was in the system.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const refusedUnsafe = (self: FlowMetrics): void => {
  core(self).outcomes.dropped++
}

/**
 * Notes that `by` more items may be worked on at once, or fewer if it is negative.
 *
 * @category measuring
 * @stability unstable
 * @since 0.1.0
 */
export const resizedUnsafe = (self: FlowMetrics, now: number, by: number): void => core(self).resize(now, by)

/**
 * What flows through, now. Costs a sort of `samples` numbers, twice.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const stats = (self: FlowMetrics): Effect.Effect<FlowStats> => Effect.sync(() => statsUnsafe(self))

/**
 * What flows through, now, without an Effect.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const statsUnsafe = (self: FlowMetrics): FlowStats => {
  const flow = core(self)
  const now = flow.now()
  const window = flow.window(now)
  const warm = now - flow.startedAt >= flow.warmup
  const average = (sum: number, count: number): number => warm && count > 0 ? sum / count : 0
  const inSystem = flow.waiting + flow.busy
  const departureRate = average(window.departures, window.span / 1000)
  const wip = average(window.systemArea, window.span)
  return {
    arrivals: flow.arrived,
    departures: flow.departed,
    arrivalRate: average(window.arrivals, window.span / 1000),
    departureRate,
    depth: flow.waiting,
    oldestAge: Math.max(0, ...flow.backlogs.map((oldestArrivedAt) => now - (oldestArrivedAt() ?? now))),
    waitTime: timeStats(average(window.waitSum, window.waits), flow.waitSamples),
    serviceTime: timeStats(average(window.serviceSum, window.services), flow.serviceSamples),
    busy: flow.busy,
    size: flow.size,
    utilization: average(window.busyArea, window.sizeArea),
    wip,
    // λW: arrivals per millisecond times the mean time in the system of those that left.
    littleResidual: wip - average(window.arrivals, window.span) * average(window.sojournSum, window.departures),
    drainEstimate: inSystem === 0 ? 0 : inSystem / departureRate * 1000,
    outcomes: { ...flow.outcomes }
  }
}

/**
 * What has flowed through since the start. O(1): cheap enough to be read a hundred times a second.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const totalsUnsafe = (self: FlowMetrics): FlowTotals => {
  const flow = core(self)
  const now = flow.now()
  flow.advance(now)
  return {
    now,
    arrivals: flow.arrived,
    departures: flow.departed,
    depth: flow.waiting,
    busy: flow.busy,
    size: flow.size,
    busyTime: flow.busyTime,
    serviceTime: flow.serviceTime
  }
}

const timeStats = (mean: number, samples: Samples): TimeStats => {
  const sorted = samples.sorted()
  // The nearest-rank percentile: the smallest measurement that at least the share `p` does not exceed.
  const percentile = (p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0
  return { mean, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) }
}
