/**
 * How a task is treated: what it is annotated with, and what one call of it may ask for instead.
 *
 * **Source** AsynQueue's keywords of `call` (`niceness`, `series`, `doNext`, `doLast`, `timeout`). Deadlines and the choice whether a
 * task may run twice are new; a timeout is tried again once there, and here as often as one says.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/**
 * How a task is treated.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskPolicy {
  /** From −20, before the others, to 20: a whole number. Defaults to 0. Equals run in the order in which they were submitted. */
  readonly niceness?: number | undefined
  /**
   * What the task belongs to: series share the workers fairly, and workers may be qualified for some of them only. Defaults to
   * none, which every worker serves that does not serve its series exclusively.
   */
  readonly series?: string | undefined
  /** How long it may run, each time, from when it begins. Defaults to no end. */
  readonly timeout?: Duration.Input | undefined
  /** When it must be done at the latest, from its submission, queued or not. Defaults to never. */
  readonly deadline?: Duration.Input | undefined
  /**
   * Whether it may run twice. If so it begins anew, before all others, when its worker is lost or its timeout has passed;
   * otherwise it fails. Defaults to false: a task runs at most once. A stream is tried again only until it has emitted.
   */
  readonly retryable?: boolean | undefined
  /** How often a retryable task is begun at most, if it times out each time. Defaults to 2. */
  readonly attempts?: number | undefined
}

/**
 * The annotation that gives the policy of a task, or of all tasks of a group.
 *
 * **Example** (A task that may run twice)
 *
 * ```ts
 * Rpc.make("thumbnail", { payload: { image: Schema.String } }).annotate(TaskPolicy.Policy, { retryable: true })
 * ```
 *
 * @category annotations
 * @stability unstable
 * @since 0.1.0
 */
export const Policy: Context.Reference<TaskPolicy> = Context.Reference<TaskPolicy>("effect-workers/TaskPolicy", {
  defaultValue: () => ({})
})
