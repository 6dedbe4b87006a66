/**
 * Replays a load against a scaling policy, in no time: what the crew would have been, and how long events would have waited.
 *
 * A load is a list of arrivals, each with the work it brings: recorded in production, or made from a profile by {@link arrivals}. The replay is
 * a discrete-event simulation of one first-in first-out queue and its crew. Nothing in it is random, so the same load and policy
 * give the same result on every machine; a made load is decided by Effect's `Random`, and so by its seed.
 *
 * @since 0.1.0
 */
import type { TimeStats } from "effect-work-queue/FlowMetrics"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { replay } from "./internal/scalingReplay.ts"
import type { ScalingPolicy } from "./ScalingPolicy.ts"

/**
 * An event of a load: when it arrives and how much work it brings, in milliseconds.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Arrival {
  /** Since the beginning of the replay. */
  readonly at: number
  /** The service time it would have if the system downstream were not slowed down. */
  readonly service: number
}

/**
 * A span of a load during which events arrive at a rate.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Phase {
  readonly lasts: Duration.Input
  /** Events per second; a pair goes evenly from the first to the second. */
  readonly rate: number | readonly [from: number, to: number]
  /** The mean service time. */
  readonly service: Duration.Input
}

/**
 * Options of {@link run}.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ReplayOptions {
  readonly policy: ScalingPolicy
  /** In order of arrival. */
  readonly arrivals: ReadonlyArray<Arrival>
  /** The least size of the crew, a whole number ≥ 0. Defaults to 1. */
  readonly min?: number | undefined
  /** The greatest size of the crew, a whole number ≥ 1, not less than `min`. */
  readonly max: number
  /** How often the policy is shown a sample; more than zero. Defaults to 10 milliseconds. */
  readonly monitorInterval?: Duration.Input | undefined
  /**
   * By which factor all work in progress is slower, `at` so many milliseconds and with `busy` consumers at work: 1 is full speed, `Infinity`
   * hangs. More than zero. Asked whenever something happens, at least once each `monitorInterval`. Defaults to full speed.
   */
  readonly slowdown?: ((at: number, busy: number) => number) | undefined
  /** How long the replay is. Defaults to one minute more than the last arrival. */
  readonly lasts?: Duration.Input | undefined
  /** How far the points of the result are apart. Defaults to 1 second. */
  readonly pointEvery?: Duration.Input | undefined
}

/**
 * What the replay was like at an instant, and since the point before.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Point {
  /** Milliseconds since the beginning. */
  readonly at: number
  /** Arrivals per second since the point before. */
  readonly rate: number
  readonly size: number
  readonly busy: number
  readonly depth: number
  /** Mean wait, in milliseconds, of the events begun since the point before; 0 when none was. */
  readonly wait: number
  /** Mean service time, in milliseconds, of the events settled since the point before; 0 when none was. */
  readonly service: number
}

/**
 * A change of the crew's size.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Change {
  /** Milliseconds since the beginning. */
  readonly at: number
  readonly from: number
  readonly to: number
}

/**
 * What came of a replay.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Replay {
  readonly points: ReadonlyArray<Point>
  readonly changes: ReadonlyArray<Change>
  readonly settled: number
  /** Events not settled when the replay ended. */
  readonly left: number
  /** Of all events that were begun. */
  readonly wait: TimeStats
  /** Of all events that were settled. */
  readonly service: TimeStats
  /** Average over time. */
  readonly meanSize: number
  readonly maxSize: number
  /** Share of the crew that was busy, averaged over time. */
  readonly utilization: number
  readonly maxDepth: number
  /** The longest span in which something was always waiting, in milliseconds: how long the crew was behind its load. */
  readonly longestBacklog: number
}

/**
 * Makes a load that follows a profile, phase after phase.
 *
 * **Details** `random` draws from Effect's `Random`: intervals between arrivals and service times are exponential, as of many independent
 * sources. `even` draws nothing: intervals are equal as far as the rate is, and service times are the mean.
 *
 * **Example** (A step from 20 to 200 events a second)
 *
 * `arrivals([{ lasts: "30 seconds", rate: 20, service: "50 millis" }, { lasts: "30 seconds", rate: 200, service: "50 millis" }])`
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const arrivals = (
  profile: ReadonlyArray<Phase>,
  variation: "random" | "even" = "random"
): Effect.Effect<ReadonlyArray<Arrival>> =>
  Effect.map(Random.Random, (random) => {
    const draw = variation === "even" ? () => 1 : () => -Math.log(1 - random.nextDoubleUnsafe())
    const load: Array<Arrival> = []
    let start = 0
    let due = draw()
    for (const phase of profile) {
      const lasts = Duration.toMillis(phase.lasts)
      const mean = Duration.toMillis(phase.service)
      const [from, to] = typeof phase.rate === "number" ? [phase.rate, phase.rate] : phase.rate
      const total = (from + to) / 2 * lasts / 1000
      for (; due < total; due += draw()) {
        load.push({ at: start + lasts * shareAt(from, to, due / total), service: mean * draw() })
      }
      due -= total
      start += lasts
    }
    return load
  })

/**
 * Replays a load against a policy.
 *
 * **Details** A crew that shrinks finishes what it has begun. One replayed hour at 100 events per second takes about 0.3 s.
 *
 * **Errors** Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category replaying
 * @stability unstable
 * @since 0.1.0
 */
export const run = (options: ReplayOptions): Replay => {
  const { max, min = 1 } = options
  const monitorInterval = Duration.toMillis(options.monitorInterval ?? "10 millis")
  const pointEvery = Duration.toMillis(options.pointEvery ?? "1 second")
  const lasts = options.lasts === undefined
    ? (options.arrivals.at(-1)?.at ?? 0) + 60_000
    : Duration.toMillis(options.lasts)
  check(Number.isInteger(min) && min >= 0, "min", "an integer ≥ 0", min)
  check(Number.isInteger(max) && max >= Math.max(1, min), "max", "an integer ≥ 1 and ≥ min", max)
  check(monitorInterval > 0, "monitorInterval", "> 0", `${monitorInterval} millis`)
  check(pointEvery > 0, "pointEvery", "> 0", `${pointEvery} millis`)
  check(lasts < Infinity, "lasts", "finite", `${lasts} millis`)
  return replay({
    policy: options.policy,
    arrivals: options.arrivals,
    min,
    max,
    monitorInterval,
    pointEvery,
    lasts,
    slowdown: options.slowdown ?? (() => 1)
  })
}

// -----------------------------------------------------------------------------

/** At which share of a phase the given share of its arrivals has come, if its rate goes evenly from one value to another. */
const shareAt = (from: number, to: number, arrived: number): number =>
  from === to ? arrived : (Math.sqrt(from * from + (to * to - from * from) * arrived) - from) / (to - from)

const check = (holds: boolean, option: string, expected: string, got: number | string): void => {
  if (!holds) {
    throw new RangeError(`ScalingReplay.run: ${option} must be ${expected}, got ${got}`)
  }
}
