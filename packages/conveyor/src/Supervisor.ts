/**
 * Pure: what a failing producer deserves, and how healthy its conveyor is.
 *
 * The supervisor holds no fiber and no timer. It is told what happened and when, and says what to do: carry on, rebuild the
 * producer after a pause, or give up. That makes it the part of supervision that can be proved by enumeration.
 *
 * **Source** aioconveyor `watchdog`, which wakes every 1.5 s and only ever stops the loop, is replaced by it. Restart
 * intensity is Erlang/OTP's (`intensity`, `period`); the exponential pause before a rebuild is ours.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * How a conveyor is doing.
 *
 * **Details**
 *
 * `starting` until the first success; `healthy` after a success; `degraded` when its producer was silent for too long or is
 * being rebuilt; `failed` once it gave up; `stopped` after an orderly end. `failed` and `stopped` are final.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Health = "starting" | "healthy" | "degraded" | "failed" | "stopped"

/**
 * When a producer is rebuilt and when its conveyor gives up.
 *
 * **Details**
 *
 * The pause before the n-th rebuild in a row is `minBackoff · 2ⁿ⁻¹`, at most `maxBackoff`; a success resets it. With the
 * defaults a device that stays off is tried again after 1, 2, 4, 8, 16, 32, 60, 60 … seconds and never given up, because no
 * minute holds more than five rebuilds; a producer whose rebuilds fail faster than that (`minBackoff` near zero) is given up.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface RestartOptions {
  /** Failures in a row before the producer is rebuilt; at least 1. A failure to acquire counts as that many. Defaults to 3. */
  readonly after?: number | undefined
  /** Pause before the first rebuild in a row; may be zero. Defaults to 1 second. */
  readonly minBackoff?: Duration.Input | undefined
  /** Longest pause before a rebuild; at least `minBackoff`. Defaults to 1 minute. */
  readonly maxBackoff?: Duration.Input | undefined
  /** Rebuilds allowed within `period`; one more and the conveyor gives up. 0 gives up instead of rebuilding. Defaults to 5. */
  readonly maxRestarts?: number | undefined
  /** The window over which rebuilds are counted; more than zero. Defaults to 1 minute. */
  readonly period?: Duration.Input | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability stable
 * @since 0.1.0
 */
export const defaults = {
  after: 3,
  minBackoff: "1 second",
  maxBackoff: "1 minute",
  maxRestarts: 5,
  period: "1 minute"
} as const

/**
 * What to do after a failure.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Verdict =
  | { readonly _tag: "Continue" }
  | { readonly _tag: "Rebuild"; readonly after: number }
  | { readonly _tag: "GiveUp" }

/**
 * A supervisor's memory.
 *
 * **Details** `failures` counts failed runs in a row, `rebuilds` rebuilds in a row without a success; `restarts` holds the instants
 * of the rebuilds that still count against the intensity; `lastSign` is the last success, or the start.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Supervisor {
  readonly policy: Policy
  readonly failures: number
  readonly rebuilds: number
  readonly restarts: ReadonlyArray<number>
  readonly lastSign: number
}

interface Policy {
  readonly after: number
  readonly minBackoff: number
  readonly maxBackoff: number
  readonly maxRestarts: number
  readonly period: number
}

/**
 * Makes the memory of a supervisor that starts at `now` (milliseconds).
 *
 * **Errors** Dies when an option is out of its range, naming it.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (now: number, options: RestartOptions = {}): Supervisor => {
  const policy: Policy = {
    after: options.after ?? defaults.after,
    minBackoff: Duration.toMillis(options.minBackoff ?? defaults.minBackoff),
    maxBackoff: Duration.toMillis(options.maxBackoff ?? defaults.maxBackoff),
    maxRestarts: options.maxRestarts ?? defaults.maxRestarts,
    period: Duration.toMillis(options.period ?? defaults.period)
  }
  check(Number.isInteger(policy.after) && policy.after >= 1, "after", "an integer ≥ 1", policy.after)
  check(policy.minBackoff >= 0, "minBackoff", "≥ 0", policy.minBackoff)
  check(policy.maxBackoff >= policy.minBackoff, "maxBackoff", "≥ minBackoff", policy.maxBackoff)
  check(
    Number.isInteger(policy.maxRestarts) && policy.maxRestarts >= 0,
    "maxRestarts",
    "an integer ≥ 0",
    policy.maxRestarts
  )
  check(policy.period > 0, "period", "> 0", policy.period)
  return { policy, failures: 0, rebuilds: 0, restarts: [], lastSign: now }
}

/**
 * Takes note of a success: nothing counts against the producer any more, except rebuilds within the period.
 *
 * @category transitions
 * @stability stable
 * @since 0.1.0
 */
export const succeeded = (self: Supervisor, now: number): Supervisor =>
  self.failures === 0 && self.rebuilds === 0
    ? { ...self, lastSign: now }
    : { ...self, failures: 0, rebuilds: 0, lastSign: now }

/**
 * Takes note of a failed run and says what to do.
 *
 * @category transitions
 * @stability stable
 * @since 0.1.0
 */
export const failed = (self: Supervisor, now: number): readonly [Supervisor, Verdict] => {
  const failures = self.failures + 1
  return failures < self.policy.after ? [{ ...self, failures }, { _tag: "Continue" }] : restart(self, now)
}

/**
 * Takes note that the producer could not be acquired: there is nothing to run, so this asks for a rebuild at once.
 *
 * @category transitions
 * @stability stable
 * @since 0.1.0
 */
export const restart = (self: Supervisor, now: number): readonly [Supervisor, Verdict] => {
  const { maxBackoff, maxRestarts, minBackoff, period } = self.policy
  const after = Math.min(maxBackoff, minBackoff * 2 ** Math.min(self.rebuilds, 60))
  const at = now + after
  const restarts = [...self.restarts.filter((instant) => instant > at - period), at]
  return restarts.length > maxRestarts
    ? [{ ...self, failures: 0, restarts }, { _tag: "GiveUp" }]
    : [{ ...self, failures: 0, rebuilds: self.rebuilds + 1, restarts }, { _tag: "Rebuild", after }]
}

const check = (holds: boolean, option: string, expected: string, got: number): void => {
  if (!holds) {
    throw new Error(`Supervisor.make: ${option} must be ${expected}, got ${got}`)
  }
}
