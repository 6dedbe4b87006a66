import * as Duration from "effect/Duration"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import * as Cadence from "../Cadence.ts"
import type { Options } from "../Conveyor.ts"
import type { LaneOptions } from "../Lane.ts"
import { timeoutOption } from "./acquired.ts"

export const conveyorDefaults = {
  timeoutIntervals: 3,
  minTimeout: "10 seconds",
  maxSilenceIntervals: 3,
  drainTimeout: "10 seconds",
  maxTicks: "unbounded"
} as const

/** A conveyor's options with every default filled in; nothing where there is no bound. */
export interface Settings {
  readonly timeout: Duration.Duration | undefined
  /** Milliseconds without a success, counted from the one at the given instant, after which the conveyor is degraded. */
  readonly maxSilence: (since: number) => number
  readonly drainTimeout: Duration.Duration
  readonly maxTicks: number
}

/** Fills in defaults and refuses what is out of range: in code a wrong option is a bug. */
export const resolve = (name: string, options: Options<any, any, any, any>, now: number): Settings => {
  const interval = Option.getOrUndefined(Cadence.interval(options.cadence, now))
  const intervals = (n: number, atLeast: Duration.Input) =>
    interval === undefined ? undefined : Duration.max(Duration.times(interval, n), Duration.fromInputUnsafe(atLeast))
  const check = checker(`Conveyor ${name}`)
  const settings: Settings = {
    timeout: options.timeout === undefined
      ? intervals(conveyorDefaults.timeoutIntervals, conveyorDefaults.minTimeout)
      : timeoutOption(options.timeout),
    maxSilence: options.maxSilence === undefined
      ? silenceOf(options.cadence)
      : constant(options.maxSilence === "unbounded" ? Infinity : Duration.toMillis(options.maxSilence)),
    drainTimeout: Duration.fromInputUnsafe(options.drainTimeout ?? conveyorDefaults.drainTimeout),
    maxTicks: options.maxTicks === undefined || options.maxTicks === "unbounded" ? Infinity : options.maxTicks
  }
  check(name.length > 0, "name", "not empty", `"${name}"`)
  check(settings.timeout === undefined || isPositive(settings.timeout), "timeout", "> 0", options.timeout)
  check(settings.maxSilence(now) > 0, "maxSilence", "> 0", options.maxSilence)
  check(
    settings.maxTicks >= 1 && (settings.maxTicks === Infinity || Number.isInteger(settings.maxTicks)),
    "maxTicks",
    `an integer ≥ 1 or "unbounded"`,
    options.maxTicks
  )
  return settings
}

/** As long as it takes for so many ticks to come due; for a cron, whose nights and weekends may be silent, that is counted anew. */
const silenceOf = (cadence: Cadence.Cadence): (since: number) => number => {
  switch (cadence._tag) {
    case "Grid":
      return constant(cadence.intervalMillis * conveyorDefaults.maxSilenceIntervals)
    case "Schedule":
      return constant(Infinity)
    case "Cron":
      return (since) => {
        let due = since
        for (let i = 0; i <= conveyorDefaults.maxSilenceIntervals; i++) {
          due = Cadence.next(cadence, { startedAt: since, after: due })
        }
        return due - since
      }
  }
}

/** Refuses lane options that are out of range. */
export const checkLane = (conveyor: string, lane: string, takes: "one" | "batch", options: LaneOptions): void => {
  const check = checker(`Lane ${lane} of conveyor ${conveyor}`)
  const count = (option: string, value: number | string | undefined, unbounded?: string) =>
    check(
      value === undefined || value === unbounded ||
        (typeof value === "number" && Number.isInteger(value) && value >= 1),
      option,
      unbounded === undefined ? "an integer ≥ 1" : `an integer ≥ 1 or "${unbounded}"`,
      value
    )
  count("capacity", options.capacity, "unbounded")
  count("attempts", options.attempts, "unbounded")
  count("concurrency", options.concurrency)
  count("rebuildAfter", options.rebuildAfter, "never")
  count("batch.size", options.batch?.size)
  check(
    options.backoff?.min === undefined || isPositive(options.backoff.min),
    "backoff.min",
    "> 0",
    options.backoff?.min
  )
  check(
    options.timeout === undefined || options.timeout === "unbounded" || isPositive(options.timeout),
    "timeout",
    `> 0 or "unbounded"`,
    options.timeout
  )
  check(
    options.batch === undefined || takes === "batch",
    "batch",
    "absent, because this consumer takes one payload at a time",
    JSON.stringify(options.batch)
  )
}

const isPositive = (input: Duration.Input): boolean => Duration.toMillis(input) > 0

const checker = (subject: string) => (holds: boolean, option: string, expected: string, got: unknown): void => {
  if (!holds) throw new Error(`${subject}: ${option} must be ${expected}, got ${String(got)}`)
}
