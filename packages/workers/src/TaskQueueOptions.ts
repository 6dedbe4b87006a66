/**
 * What a queue of tasks, and each of its pools of workers, is made with.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * What a pool of workers is made with.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PoolOptions {
  /** Workers that are always there. Defaults to 0. */
  readonly min?: number | undefined
  /** Workers there are at most. Defaults to what the host suggests: a thread or process for each processor, one fiber worker. */
  readonly max?: number | undefined
  /** How long a worker above `min` stays without a task. Defaults to 30 seconds. */
  readonly idleTimeout?: Duration.Input | undefined
  /** Tasks that a worker runs at a time. Defaults to 1: what computes gains nothing from more; what waits does. */
  readonly concurrency?: number | undefined
  /**
   * Work that is assigned to a worker ahead of time, while its tasks are quick. A worker that has nothing to wait for is faster, and
   * a task assigned can no longer be overtaken. Defaults to 4 milliseconds; 0 for none.
   */
  readonly prefetch?: Duration.Input | undefined
  /** Tasks after which a worker is replaced by a fresh one. Defaults to "unbounded". */
  readonly recycleAfter?: number | "unbounded" | undefined
  /** Bytes held by a worker above which it is replaced by a fresh one. Defaults to "unbounded". */
  readonly recycleAbove?: number | "unbounded" | undefined
  /** The series that the workers are qualified for. Defaults to all. */
  readonly series?: ReadonlyArray<string> | undefined
  /** Whether workers with `series` leave the tasks of no series to others. Defaults to false. */
  readonly exclusive?: boolean | undefined
  /** How a worker that ended by itself is replaced. */
  readonly restart?: RestartOptions | undefined
  /**
   * How long a worker may take to answer an interruption, before it is terminated, and once more before it is killed. Defaults to
   * 100 milliseconds.
   */
  readonly grace?: Duration.Input | undefined
  /** How long a worker may take to release what its handlers hold before it is terminated. Defaults to 1 second. */
  readonly closeTimeout?: Duration.Input | undefined
}

/**
 * How workers that ended by themselves, or could not be started, are replaced.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface RestartOptions {
  /** Ends within `within` that the pool puts up with; with one more it gives up. Defaults to 20, "unbounded" for remote workers. */
  readonly intensity?: number | "unbounded" | undefined
  /** Defaults to 10 seconds. */
  readonly within?: Duration.Input | undefined
  /** Starts that may fail in a row; with one more the pool gives up. Defaults to 5, "unbounded" for remote workers. */
  readonly startAttempts?: number | "unbounded" | undefined
  /** The wait before the second replacement in a row that did nothing; the first is immediate. Doubles. Defaults to 100 milliseconds. */
  readonly backoff?: Duration.Input | undefined
  /** The longest wait. Defaults to 5 seconds. */
  readonly maxBackoff?: Duration.Input | undefined
}

/**
 * What a queue is made with; the options of a pool are those of its first.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskQueueOptions extends PoolOptions {
  /** Tasks that may be queued in order; those beyond wait outside, in the order in which they came. Defaults to 10 000. */
  readonly capacity?: number | "unbounded" | undefined
  /** Whether a task beyond `capacity` waits ("suspend", the default) or fails with `QueueFull` ("refuse"). */
  readonly overflow?: "suspend" | "refuse" | undefined
  /** Workers that may die of one retryable task before it is quarantined. Defaults to 3. */
  readonly quarantineAfter?: number | undefined
  /** Items of a stream that may be under way. Defaults to 1024. */
  readonly window?: number | undefined
  /** How long a queue whose Scope closes goes on with what is queued. Defaults to 10 seconds. */
  readonly drainTimeout?: Duration.Input | undefined
}

/**
 * What an option is when it is not given.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  min: 0,
  idleTimeout: "30 seconds",
  concurrency: 1,
  prefetch: "4 millis",
  grace: "100 millis",
  closeTimeout: "1 second",
  intensity: 20,
  within: "10 seconds",
  startAttempts: 5,
  backoff: "100 millis",
  maxBackoff: "5 seconds",
  capacity: 10_000,
  overflow: "suspend",
  quarantineAfter: 3,
  window: 1024,
  drainTimeout: "10 seconds",
  niceness: 0,
  attempts: 2
} as const
