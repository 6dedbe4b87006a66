/**
 * What may go wrong with a command.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as PlatformError from "effect/PlatformError"

/**
 * The command could not be started.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class NotStarted extends Data.TaggedError("NotStarted")<{ readonly cause: PlatformError.PlatformError }> {
  override get message(): string {
    const reason = this.cause.reason._tag
    return reason === "NotFound"
      ? "there is no such command, or no such directory to run it in"
      : reason === "PermissionDenied"
      ? "it is not executable for this user"
      : `it could not be started: ${this.cause.message}`
  }
}

/**
 * The command ended badly.
 *
 * **Details** `exitCode` is undefined when a signal ended it. `stderr` is the last it had to say.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class ExitedBadly extends Data.TaggedError("ExitedBadly")<{
  readonly exitCode: number | undefined
  readonly stderr: string
}> {
  override get message(): string {
    const how = this.exitCode === undefined ? "it was ended by a signal" : `exit code ${this.exitCode}`
    return this.stderr === "" ? how : `${how}: ${this.stderr}`
  }
}

/**
 * The command ran for too long and was stopped.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Overran extends Data.TaggedError("Overran")<{ readonly timeout: Duration.Duration }> {
  override get message(): string {
    return `it was stopped after ${Duration.format(this.timeout)}`
  }
}

/**
 * The command printed more than the limit and was stopped.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class OutputTooLarge extends Data.TaggedError("OutputTooLarge")<{ readonly limitBytes: number }> {
  override get message(): string {
    return `its output is larger than ${this.limitBytes} bytes`
  }
}

/**
 * The command's output is not in the format that was named.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class OutputUnreadable extends Data.TaggedError("OutputUnreadable")<{
  readonly problem: string
  readonly output: string
}> {
  override get message(): string {
    return `cannot read its output, ${this.problem}: ${this.output}`
  }
}

/**
 * Running a command failed.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly command: string
  readonly reason: NotStarted | ExitedBadly | Overran | OutputTooLarge | OutputUnreadable
}> {
  override get message(): string {
    return `${this.command}: ${this.reason.message}`
  }
}
