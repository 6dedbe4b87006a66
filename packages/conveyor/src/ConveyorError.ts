/**
 * What can go wrong with a conveyor itself. A user's own errors pass through untouched and are not among these.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { Rejected } from "./Consumer.ts"

/**
 * A conveyor did not start, because one of its consumers said that it cannot be set up.
 *
 * **Details** Raised by `Conveyor.make`, `layer` and `run` when acquiring a consumer fails with `Consumer.Rejected`: the path cannot be
 * written, the name is not allowed. Nothing has run when it is raised. Other failures to acquire are retried instead.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class StartupRejected extends Data.TaggedError("StartupRejected")<{
  readonly conveyor: string
  readonly consumer: string
  readonly cause: Rejected
}> {
  override get message(): string {
    return `conveyor ${this.conveyor} cannot start: consumer ${this.consumer} was rejected: ${this.cause.reason}`
  }
}

/**
 * A producer or a consumer did not come back within its timeout and was interrupted.
 *
 * **Details** Never raised to the caller: it is the cause in `RunFailed` and `DeliveryFailed` events, and counts as a failure.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class TimedOut extends Data.TaggedError("TimedOut")<{
  readonly name: string
  readonly timeout: Duration.Duration
}> {
  override get message(): string {
    return `${this.name} did not finish within ${Duration.format(this.timeout)}`
  }
}

/**
 * What `Conveyor.make`, `layer` and `run` may fail with.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export type ConveyorError = StartupRejected
