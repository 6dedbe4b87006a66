/**
 * Pure: how large the crew should be, given what flows through.
 *
 * A policy holds no clock, no timer and no random number. It is started with a first sample and then shown one sample after another;
 * to each it answers with a size, in 0.3 µs. So it can be proved on a virtual load, and replayed on a recorded one (`ScalingReplay`).
 *
 * Two are given. {@link little} asks how many consumers the load needs. {@link gradient} asks the same, and also how many
 * the system downstream bears before its latency rises. Others are made with {@link make}.
 *
 * @since 0.1.0
 */
import type { FlowTotals } from "effect-work-queue/FlowMetrics"
import * as Duration from "effect/Duration"
import * as Demand from "./internal/scalingDemand.ts"
import * as Limit from "./internal/scalingLimit.ts"

/**
 * What a policy sees at one instant: the totals of the flow so far, and the bounds of the crew.
 *
 * **Details** Times are milliseconds. Totals only ever grow, so that a policy takes differences over spans of its own; how often it is shown
 * a sample does not change what it sees, only how soon.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Sample extends FlowTotals {
  /** The least size allowed. */
  readonly min: number
  /** The greatest size allowed. */
  readonly max: number
}

/**
 * The size a policy wants now, and what it will say to the next sample.
 *
 * **Details** An immutable value: asked twice, `next` answers the same, so a decision may be kept, compared and replayed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Decision {
  /** A whole number within `min` and `max` of the sample. */
  readonly size: number
  readonly next: (sample: Sample) => Decision
}

/**
 * How large the crew should be.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ScalingPolicy {
  readonly name: string
  /** The decision on the first sample. */
  readonly start: (sample: Sample) => Decision
}

/**
 * Makes a policy out of a state and a step.
 *
 * **Details**
 *
 * `initial` gives the state before the first sample, and `decide` is asked about every sample, the first included. What it answers is
 * made whole (rounded up) and brought within `min` and `max`; instead of `NaN` the previous size is kept, and `min` at the start. What
 * is not a finite number in a sample is shown to them as 0.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <State>(options: {
  readonly name: string
  readonly initial: (sample: Sample) => State
  readonly decide: (state: State, sample: Sample) => { readonly state: State; readonly size: number }
}): ScalingPolicy => {
  const step = (state: State, previous: number, sample: Sample): Decision => {
    const wanted = options.decide(state, sample)
    const size = within(wanted.size, previous, sample)
    return { size, next: (sample) => step(wanted.state, size, finite(sample)) }
  }
  const start = (sample: Sample): Decision => step(options.initial(sample), sample.min, sample)
  return { name: options.name, start: (sample) => start(finite(sample)) }
}

/**
 * Options of {@link little}.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface LittleOptions {
  /** Consumers beyond those that the load keeps busy, as a share of them, 0 to 1: with 0.15 a load of 100 gets 115. Defaults to 0.15. */
  readonly wipMargin?: number | undefined
  /** How soon a backlog should be worked off; more than zero. Also the span over which a rising load is seen. Defaults to 1 second. */
  readonly clearWithin?: Duration.Input | undefined
  /** How long a smaller size must have sufficed before the crew shrinks; at least `clearWithin`. Defaults to 10 seconds. */
  readonly coolDown?: Duration.Input | undefined
}

/**
 * Options of {@link gradient}.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface GradientOptions extends LittleOptions {
  /** How many times its uncontended value the service time may reach before the crew shrinks; more than 1. Defaults to 1.5. */
  readonly tolerance?: number | undefined
}

/**
 * The defaults of the options of {@link little} and {@link gradient}.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  wipMargin: 0.15,
  clearWithin: "1 second",
  coolDown: "10 seconds",
  tolerance: 1.5
} as const

/**
 * Makes the policy that sizes the crew by Little's law.
 *
 * **When to use** Use when consumers do not stand in each other's way: they wait for many systems, or for one that scales.
 *
 * **Details**
 *
 * With λ the arrival rate and S the service time, the load λS is how many consumers are busy on average. Of n events in the system, the
 * crew is given
 *
 * `max(λS · (1 + wipMargin), λS + (n − λS) · S / (S + clearWithin))`
 *
 * rounded up: the load with its margin, or what begins the whole backlog within `clearWithin` if that is more; never more than n and the
 * margin, and n as long as nothing has settled. S is the time worked by what departed, so that it rises when work hangs.
 *
 * The crew grows at once. It shrinks to the most that was needed within `coolDown`, and stays while the difference is no more than
 * chance explains. So:
 *
 * - a step of the load is followed so that events wait no longer than about `clearWithin`;
 * - an idle queue is at `min` one `coolDown` after its last event has settled;
 * - under an even load no `coolDown` has more than one change, and that of one;
 * - under a random load (Poisson, exponential service times up to a tenth of `clearWithin`) most cool-downs have none: of 300 loads
 *   measured, a change came once in twenty cool-downs, and the worst cool-down had four.
 *
 * The last two hold from one minute after the start, with the defaults.
 *
 * **Gotchas** When consumers do compete, as for one database, S rises with their number, and more of them are asked for, up to `max`. That is what
 * {@link gradient} is for. With service times above a tenth of `coolDown`, chance moves the crew more often; let `coolDown` be longer.
 *
 * **Errors** Throws a `RangeError` that names the option, if one is out of range.
 *
 * **Source** event_collector's autoscaling: the margin and its default are kept; the backlog, the cool-down and the laws are ours.
 *
 * @category policies
 * @stability unstable
 * @since 0.1.0
 */
export const little = (options: LittleOptions = {}): ScalingPolicy => {
  const settings = demandSettings("little", options)
  return make({
    name: "little",
    initial: (sample) => Demand.start(sample),
    decide: (state, sample) => {
      const next = Demand.observe(settings, state, sample)
      return { state: next, size: next.size }
    }
  })
}

/**
 * Makes the policy that gives the load what it needs, as long as the system downstream bears it.
 *
 * **When to use** Use when all consumers call one system that slows down under too many calls at once.
 *
 * **Details**
 *
 * The size is what {@link little} asks for, but never more than a limit, which begins at 4 (or `min`). The service time at that concurrency is
 * the baseline, S₀. When the service time S at concurrency x differs from `tolerance · S₀` by more than chance explains, the limit becomes
 *
 * `x · tolerance · S₀ / S`
 *
 * but at most doubles or halves; it is raised only when it holds the load back. When the crew has shrunk and S has not fallen, concurrency
 * was not the reason: S is the new baseline, and the limit is what it was before. A limit that holds the load back is halved when it first stops growing, and
 * again after a `coolDown` or more, at most 8, for one measurement, to find this out. So:
 *
 * - the first limit grows to what the load needs, if nothing contends: from 4 to 50 mostly within 60 service times, rarely 150;
 * - under any overload, for however long, the service time stays below about twice `tolerance · S₀`, and on average at `tolerance · S₀`;
 * - a system that became slower for another reason gets its concurrency back;
 * - when nothing settles any more the limit halves, again and again down to 1, and comes back when something does;
 * - when the limit does not hold the load back, all that {@link little} promises holds.
 *
 * **Gotchas** A backlog that the system downstream cannot bear is not worked off: bound the queue. A system that does not bear 4 at once is
 * not protected, unless `max` is less.
 *
 * **Errors** Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category policies
 * @stability unstable
 * @since 0.1.0
 */
export const gradient = (options: GradientOptions = {}): ScalingPolicy => {
  const settings = { ...demandSettings("gradient", options), tolerance: options.tolerance ?? defaults.tolerance }
  check(
    settings.tolerance > 1 && settings.tolerance < Infinity,
    "gradient",
    "tolerance",
    "more than 1 and finite",
    settings.tolerance
  )
  return make({
    name: "gradient",
    initial: (sample) => ({ demand: Demand.start(sample), limit: Limit.start(sample) }),
    decide: (state, sample) => {
      const demand = Demand.observe(settings, state.demand, sample)
      // The limit is told what was wanted before, so that this sample's backlog can only make the crew larger.
      const limit = Limit.observe(settings, state.limit, sample, state.demand.size)
      return { state: { demand, limit }, size: Math.min(demand.size, Math.floor(limit.limit)) }
    }
  })
}

const finite = (sample: Sample): Sample => {
  const { arrivals, busy, busyTime, departures, depth, now, serviceTime, size } = sample
  const orZero = (value: number): number => Number.isFinite(value) ? value : 0
  // One that is not finite makes the sum so.
  return Number.isFinite(arrivals + busy + busyTime + departures + depth + now + serviceTime + size) ? sample : {
    ...sample,
    arrivals: orZero(arrivals),
    busy: orZero(busy),
    busyTime: orZero(busyTime),
    departures: orZero(departures),
    depth: orZero(depth),
    now: orZero(now),
    serviceTime: orZero(serviceTime),
    size: orZero(size)
  }
}

const within = (size: number, previous: number, { max, min }: Sample): number =>
  Math.max(min, Math.min(max, Number.isNaN(size) ? previous : Math.ceil(size)))

const demandSettings = (policy: string, options: LittleOptions): Demand.Settings => {
  const wipMargin = options.wipMargin ?? defaults.wipMargin
  const clearWithin = Duration.toMillis(options.clearWithin ?? defaults.clearWithin)
  const coolDown = Duration.toMillis(options.coolDown ?? defaults.coolDown)
  check(wipMargin >= 0 && wipMargin <= 1, policy, "wipMargin", "between 0 and 1", wipMargin)
  check(clearWithin > 0 && clearWithin < Infinity, policy, "clearWithin", "> 0 and finite", `${clearWithin} millis`)
  check(
    coolDown >= clearWithin && coolDown < Infinity,
    policy,
    "coolDown",
    "at least clearWithin and finite",
    `${coolDown} millis`
  )
  return { wipMargin, clearWithin, coolDown }
}

const check = (holds: boolean, policy: string, option: string, expected: string, got: number | string): void => {
  if (!holds) {
    throw new RangeError(`ScalingPolicy.${policy}: ${option} must be ${expected}, got ${got}`)
  }
}
