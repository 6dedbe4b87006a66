/**
 * What a handler may know of the task it runs.
 *
 * **Example** (Doing more carefully what went wrong before)
 *
 * ```ts
 * const handler = Effect.fnUntraced(function*({ path }) {
 *   const task = yield* CurrentTask.CurrentTask
 *   return yield* task !== undefined && task.attempt > 1 ? parseSlowly(path) : parse(path)
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * One run of a task.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CurrentTask {
  /** Its number among the tasks of this worker. */
  readonly id: number
  readonly tag: string
  /** How often it has been begun: 1, or more when it is retried. */
  readonly attempt: number
  /** What the queue calls the worker: `worker-3`. */
  readonly worker: string
  /**
   * Resigns: the worker is assigned nothing more, finishes what it has, closes, and is replaced. For a worker that has found that
   * it had better not go on: a license that is used up, a device that is gone, a cache that has grown too large.
   */
  readonly resign: Effect.Effect<void>
}

/**
 * The task that the current fiber runs; undefined outside of tasks.
 *
 * @category references
 * @stability unstable
 * @since 0.1.0
 */
export const CurrentTask: Context.Reference<CurrentTask | undefined> = Context.Reference<CurrentTask | undefined>(
  "effect-workers/CurrentTask",
  { defaultValue: () => undefined }
)
