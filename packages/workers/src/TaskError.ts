/**
 * How a task fails that is no fault of its handler: each a tagged error, with what to do about it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The task ran for longer than its `timeout`, as often as it may be tried. It was interrupted, and its worker replaced if it
 * did not listen. Give it more time, or make it smaller.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TaskTimeout extends Schema.TaggedError<TaskTimeout>()("TaskTimeout", {
  task: Schema.String,
  /** Milliseconds it was given, each time. */
  timeout: Schema.Finite,
  /** How often it was begun. */
  attempts: Schema.Finite
}) {
  override get message(): string {
    return `${this.task} ran for longer than its timeout of ${this.timeout} ms (begun ${times(this.attempts)})`
  }
}

/**
 * The deadline of the task passed, while it was queued or while it ran. There are too few workers, or too short a deadline.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TaskExpired extends Schema.TaggedError<TaskExpired>()("TaskExpired", {
  task: Schema.String,
  /** Milliseconds from its submission. */
  deadline: Schema.Finite,
  /** Whether it had begun. */
  begun: Schema.Boolean
}) {
  override get message(): string {
    return `${this.task} was not done by its deadline, ${this.deadline} ms after it was submitted (${
      this.begun ? "it was running" : "it was still queued"
    })`
  }
}

/**
 * The task was cancelled by `cancel`, `cancelSeries` or `cancelAll`.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TaskCancelled extends Schema.TaggedError<TaskCancelled>()("TaskCancelled", {
  task: Schema.String,
  begun: Schema.Boolean
}) {
  override get message(): string {
    return `${this.task} was cancelled ${this.begun ? "while it ran" : "before it began"}`
  }
}

/**
 * The worker that had the task is gone, and the task is not retryable: it may have run, wholly or in part. Mark it as retryable
 * if it may run twice.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class WorkerLost extends Schema.TaggedError<WorkerLost>()("WorkerLost", {
  task: Schema.String,
  worker: Schema.String,
  /** How it ended: `exited with code 1: …`, `killed by SIGKILL`, `ran out of memory: …`, `disconnected: …`. */
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.task} was lost with ${this.worker}, which ${this.detail}`
  }
}

/**
 * So many workers died while they had this task that it is tried no more. Find out what it does to them.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TaskQuarantined extends Schema.TaggedError<TaskQuarantined>()("TaskQuarantined", {
  task: Schema.String,
  deaths: Schema.Finite,
  /** How the last of them ended. */
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.task} is in quarantine: ${this.deaths} workers died of it, and the last of them ${this.detail}`
  }
}

/**
 * No worker that may run the task can be started any more. The events of the queue, and `detail`, say why.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class NoWorkers extends Schema.TaggedError<NoWorkers>()("NoWorkers", {
  task: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `no worker can run ${this.task}: ${this.detail}`
  }
}

/**
 * The queue holds as many tasks as its `capacity` allows, and was told to refuse what is over it. Try again later, or slower.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  task: Schema.String,
  capacity: Schema.Finite
}) {
  override get message(): string {
    return `${this.task} was refused: the queue holds ${this.capacity} tasks, as many as it may`
  }
}

/**
 * The queue was shut down before the task could end, or before it was submitted.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class QueueClosed extends Schema.TaggedError<QueueClosed>()("QueueClosed", {
  task: Schema.String,
  begun: Schema.Boolean
}) {
  override get message(): string {
    return this.begun
      ? `${this.task} was still running when its queue was shut down`
      : `${this.task} had not begun when its queue was shut down`
  }
}

/**
 * How a task fails that is no fault of its handler.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export type TaskError =
  | TaskTimeout
  | TaskExpired
  | TaskCancelled
  | WorkerLost
  | TaskQuarantined
  | NoWorkers
  | QueueFull
  | QueueClosed

const times = (count: number): string => count === 1 ? "once" : count === 2 ? "twice" : `${count} times`
