/**
 * What a queue tells those who watch it: what happens to its workers, and to tasks that do not simply run.
 *
 * @since 0.1.0
 */
import type { TaskError } from "./TaskError.ts"
import type { WorkerDetails, WorkerEnd, WorkerKind, WorkerStartError } from "./WorkerHost.ts"

/**
 * Something that happened to a queue; `at` is in milliseconds of a clock that never goes back.
 *
 * - `WorkerStarted`: it is ready for tasks
 * - `WorkerNotStarted`: it is tried again, unless `PoolGaveUp` follows
 * - `WorkerEnded`: `expected` tells whether the queue wanted it to, or ended it for a task's sake
 * - `WorkerTerminated`: it did not answer an interruption, or took too long to close
 * - `PoolGaveUp`: it starts no more workers
 * - `TaskRetried`: it is begun anew, because its worker was lost or its timeout has passed
 * - `TaskQuarantined`: too many workers died of it
 * - `Ended`: the queue was shut down; the last
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type TaskEvent =
  | {
    readonly _tag: "WorkerStarted"
    readonly at: number
    readonly worker: string
    readonly kind: WorkerKind
    readonly details: WorkerDetails
  }
  | {
    readonly _tag: "WorkerNotStarted"
    readonly at: number
    readonly worker: string
    readonly error: WorkerStartError
  }
  | {
    readonly _tag: "WorkerEnded"
    readonly at: number
    readonly worker: string
    readonly end: WorkerEnd
    readonly expected: boolean
  }
  | {
    readonly _tag: "WorkerTerminated"
    readonly at: number
    readonly worker: string
    readonly task: string | undefined
  }
  | { readonly _tag: "PoolGaveUp"; readonly at: number; readonly pool: number; readonly detail: string }
  | { readonly _tag: "TaskRetried"; readonly at: number; readonly task: string; readonly reason: TaskError }
  | { readonly _tag: "TaskQuarantined"; readonly at: number; readonly task: string; readonly deaths: number }
  | { readonly _tag: "Ended"; readonly at: number }
