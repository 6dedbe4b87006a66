import * as Duration from "effect/Duration"
import type { TaskPolicy } from "../TaskPolicy.ts"
import { defaults, type PoolOptions, type TaskQueueOptions } from "../TaskQueueOptions.ts"
import type { WorkerKind } from "../WorkerHost.ts"
import type { Serves } from "./fairOrder.ts"

// Options with their defaults filled in, all times in milliseconds, "unbounded" as Infinity. In code a wrong option is a bug.

export interface QueueSettings {
  readonly capacity: number
  readonly refuses: boolean
  readonly quarantineAfter: number
  readonly window: number
  readonly drainTimeout: number
}

export interface PoolSettings {
  readonly min: number
  readonly max: number
  readonly idleTimeout: number
  readonly concurrency: number
  readonly prefetch: number
  readonly recycleAfter: number
  readonly recycleAbove: number
  readonly serves: Serves
  readonly intensity: number
  readonly within: number
  readonly startAttempts: number
  readonly backoff: number
  readonly maxBackoff: number
  readonly grace: number
  readonly closeTimeout: number
}

/** What tasks of one kind mostly have in common. */
export interface PolicySettings {
  readonly timeout: number
  readonly deadline: number
  readonly retryable: boolean
  readonly attempts: number
}

const count = (option: string, value: number | "unbounded", least: number): number => {
  if (value === "unbounded") return Infinity
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RangeError(`TaskQueue: ${option} must be a whole number >= ${least}, got ${value}`)
}

export const millis = (option: string, value: Duration.Input): number => {
  const duration = Duration.fromInput(value)
  if (duration._tag === "Some" && Duration.toMillis(duration.value) >= 0) return Duration.toMillis(duration.value)
  throw new RangeError(`TaskQueue: ${option} must be a duration >= 0, got ${String(value)}`)
}

export const queueSettings = (options: TaskQueueOptions): QueueSettings => {
  const { overflow = defaults.overflow } = options
  if (overflow !== "suspend" && overflow !== "refuse") {
    throw new RangeError(`TaskQueue: overflow must be "suspend" or "refuse", got ${String(overflow)}`)
  }
  return {
    capacity: count("capacity", options.capacity ?? defaults.capacity, 1),
    refuses: overflow === "refuse",
    quarantineAfter: count("quarantineAfter", options.quarantineAfter ?? defaults.quarantineAfter, 1),
    window: count("window", options.window ?? defaults.window, 1),
    drainTimeout: millis("drainTimeout", options.drainTimeout ?? defaults.drainTimeout)
  }
}

export const poolSettings = (
  options: PoolOptions,
  host: { readonly kind: WorkerKind; readonly workers: number }
): PoolSettings => {
  const { restart = {} } = options
  const remote = host.kind === "remote"
  const min = count("min", options.min ?? defaults.min, 0)
  const max = count("max", options.max ?? Math.max(min, host.workers), 1)
  if (min > max) throw new RangeError(`TaskQueue: min must be at most max (${max}), got ${min}`)
  return {
    min,
    max,
    idleTimeout: millis("idleTimeout", options.idleTimeout ?? defaults.idleTimeout),
    concurrency: count("concurrency", options.concurrency ?? defaults.concurrency, 1),
    prefetch: millis("prefetch", options.prefetch ?? defaults.prefetch),
    recycleAfter: count("recycleAfter", options.recycleAfter ?? "unbounded", 1),
    recycleAbove: count("recycleAbove", options.recycleAbove ?? "unbounded", 1),
    serves: {
      series: options.series === undefined ? undefined : new Set(options.series),
      unnamed: options.exclusive !== true
    },
    intensity: count("restart.intensity", restart.intensity ?? (remote ? "unbounded" : defaults.intensity), 0),
    within: millis("restart.within", restart.within ?? defaults.within),
    startAttempts: count(
      "restart.startAttempts",
      restart.startAttempts ?? (remote ? "unbounded" : defaults.startAttempts),
      0
    ),
    backoff: millis("restart.backoff", restart.backoff ?? defaults.backoff),
    maxBackoff: millis("restart.maxBackoff", restart.maxBackoff ?? defaults.maxBackoff),
    grace: millis("grace", options.grace ?? defaults.grace),
    closeTimeout: millis("closeTimeout", options.closeTimeout ?? defaults.closeTimeout)
  }
}

export const nicenessOf = (niceness: number = defaults.niceness): number => {
  if (Number.isInteger(niceness) && niceness >= -20 && niceness <= 20) return niceness
  throw new RangeError(`TaskQueue: niceness must be a whole number from -20 to 20, got ${niceness}`)
}

/** What a task is annotated with, and what one call of it asks for instead, if anything; what is standing is shared. */
export const policySettings = (
  annotated: TaskPolicy,
  asked: TaskPolicy,
  standing?: PolicySettings | undefined
): PolicySettings => {
  const { attempts, deadline, retryable, timeout } = asked
  if (
    standing !== undefined && timeout === undefined && deadline === undefined && retryable === undefined &&
    attempts === undefined
  ) {
    return standing
  }
  const limit = (option: "timeout" | "deadline"): number => {
    const value = asked[option] ?? annotated[option]
    return value === undefined ? Infinity : millis(option, value)
  }
  return {
    timeout: limit("timeout"),
    deadline: limit("deadline"),
    retryable: retryable ?? annotated.retryable ?? false,
    attempts: count("attempts", attempts ?? annotated.attempts ?? defaults.attempts, 1)
  }
}
