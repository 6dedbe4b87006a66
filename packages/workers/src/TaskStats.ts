/**
 * What a queue of tasks has done and is doing: all of it, for each task, for each series, and for each worker.
 *
 * Times are milliseconds on the monotonic clock. A task waits from its submission, or from when it was put back to be tried again,
 * until it begins; it runs from when it begins until it is answered or put back. So a task that is tried twice waits and
 * runs twice, and its times add up to what its caller waited. Means are over the last minute, percentiles and the maximum over
 * the latest 500 measurements. Those of a series are over the latest 100, and begin with its second task.
 *
 * For ever it holds that `submitted = queued + running + the sum of outcomes`, of everything that is counted here.
 *
 * @since 0.1.0
 */
import type { TimeStats } from "effect-work-queue/FlowMetrics"
import type { WorkerDetails, WorkerKind } from "./WorkerHost.ts"

/**
 * What became of a task: the handler `succeeded` or `failed` (also by a defect); it was `cancelled`, also by the interruption of its
 * caller; or it failed with the `TaskError` that is called alike: `TaskTimeout`, `TaskExpired`, `WorkerLost`, `TaskQuarantined`,
 * `NoWorkers` (`unserved`) or `QueueClosed` (`closed`).
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type TaskOutcome =
  | "succeeded"
  | "failed"
  | "cancelled"
  | "timedOut"
  | "expired"
  | "lost"
  | "quarantined"
  | "unserved"
  | "closed"

/**
 * Tasks that have something in common, or all.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskFlow {
  /** Tasks accepted since the start. */
  readonly submitted: number
  /** Tasks that were not, because the queue was full or shut down; not among the submitted. */
  readonly refused: number
  /** Tasks that wait now. */
  readonly queued: number
  /** Tasks that run now. */
  readonly running: number
  /** How often a task was put back after it had begun, since its worker was lost or its timeout had passed. */
  readonly retried: number
  /** Tasks by what became of them, since the start. */
  readonly outcomes: Readonly<Record<TaskOutcome, number>>
  /** From submission, or from being put back, to the beginning. */
  readonly waitTime: TimeStats
  /** From the beginning to the answer, or to being put back. */
  readonly runTime: TimeStats
}

/**
 * One worker that is there, or on its way.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkerStats {
  readonly name: string
  readonly kind: WorkerKind
  readonly details: WorkerDetails
  /** The number of its pool: 1 for the one the queue was made with. */
  readonly pool: number
  /**
   * `starting`: its handlers are being built; `ready`: it takes tasks; `leaving`: it finishes what it has; `closing`: it releases what
   * its handlers hold; `ending`: it was terminated.
   */
  readonly state: "starting" | "ready" | "leaving" | "closing" | "ending"
  /** Tasks it runs now. */
  readonly running: number
  /** Tasks it has answered. */
  readonly done: number
  /** The share of the time since it was ready, and of its concurrency, that it ran tasks: 0 to 1. */
  readonly utilization: number
  /** The same over the last minute. */
  readonly recentUtilization: number
  /** How often a worker of its pool ended by itself. */
  readonly restarts: number
}

/**
 * A snapshot of a queue of tasks.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskStats {
  readonly total: TaskFlow
  /** By tag: every task that was ever submitted or refused. */
  readonly tasks: ReadonlyMap<string, TaskFlow>
  /**
   * By series, least recently submitted first: the 1000 that were seen last. One that was forgotten begins anew; while 1000 of them have
   * something queued or running, others are counted in the total and by tag only.
   */
  readonly series: ReadonlyMap<string, TaskFlow>
  readonly workers: ReadonlyArray<WorkerStats>
}
