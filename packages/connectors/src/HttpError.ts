/**
 * What may go wrong with an HTTP exchange.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as UrlParams from "effect/http/UrlParams"

/**
 * The server answered with a status that was not expected.
 *
 * **Details** `body` is the beginning of the answer; `retryAfter` is how long the server asks to be left alone.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class UnexpectedStatus extends Data.TaggedError("UnexpectedStatus")<{
  readonly status: number
  readonly body: string
  readonly retryAfter: Duration.Duration | undefined
}> {
  override get message(): string {
    return `status ${this.status}${this.body === "" ? "" : `: ${this.body}`}`
  }
}

/**
 * There was no answer in time.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class TimedOut extends Data.TaggedError("TimedOut")<{ readonly timeout: Duration.Duration }> {
  override get message(): string {
    return `no answer within ${Duration.format(this.timeout)}`
  }
}

/**
 * The request could not be made: no such host, no connection, a broken answer.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Unreachable extends Data.TaggedError("Unreachable")<{ readonly cause: HttpClientError.HttpClientError }> {
  override get message(): string {
    return rootMessage(this.cause)
  }
}

/**
 * The answer is larger than the limit.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class BodyTooLarge extends Data.TaggedError("BodyTooLarge")<{ readonly limitBytes: number }> {
  override get message(): string {
    return `the answer is larger than ${this.limitBytes} bytes`
  }
}

/**
 * The answer is not JSON.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class NotJson extends Data.TaggedError("NotJson")<{ readonly body: string }> {
  override get message(): string {
    return `the answer is not JSON: ${this.body}`
  }
}

/**
 * There is nothing at the pointer in the answer.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class NothingPicked
  extends Data.TaggedError("NothingPicked")<{ readonly pointer: string; readonly body: string }>
{
  override get message(): string {
    return `nothing at ${this.pointer} in the answer: ${this.body}`
  }
}

/**
 * An HTTP exchange failed.
 *
 * **Details** The message names the URL without its credentials and the values of its query.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class HttpError extends Data.TaggedError("HttpError")<{
  readonly method: string
  readonly url: string
  readonly reason: UnexpectedStatus | TimedOut | Unreachable | BodyTooLarge | NotJson | NothingPicked
}> {
  override get message(): string {
    return `${this.method} ${UrlParams.redactUrl(this.url, everyName)}: ${this.reason.message}`
  }
}

// Keys for an API stand in its query under any name.
const everyName = [/^/]

// The layers above say "Transport error"; what went wrong is said at the bottom.
const rootMessage = (error: Error): string => {
  let root: Error = error
  while (root.cause instanceof Error && root.cause !== root) root = root.cause
  return root.message === "" && "code" in root ? String(root.code) : root.message
}
