import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { type HttpError, TimedOut, UnexpectedStatus, Unreachable } from "../HttpError.ts"
import { collect, excerpt } from "./boundedBytes.ts"

type Reason = HttpError["reason"]

/** Enough of an answer to see what is wrong with it. */
const excerptBytes = 2048

/**
 * Sends a request and hands the answer to `use` if its status is expected; all of it within the timeout.
 */
export const exchange = <A>(
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  options: {
    readonly isExpected: (status: number) => boolean
    readonly timeout: Duration.Input
    readonly use: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Reason>
  }
): Effect.Effect<A, Reason> =>
  HttpClient.followRedirects(client, maxRedirects).execute(request).pipe(
    Effect.mapError((cause) => new Unreachable({ cause })),
    Effect.flatMap((response) =>
      options.isExpected(response.status) ? options.use(response) : Effect.flatMap(unexpected(response), Effect.fail)
    ),
    Effect.timeoutOrElse({
      duration: options.timeout,
      orElse: () => Effect.fail(new TimedOut({ timeout: Duration.fromInputUnsafe(options.timeout) }))
    })
  )

const maxRedirects = 5

/** The body of an answer up to a limit. */
export const body = (response: HttpClientResponse.HttpClientResponse, limitBytes: number) =>
  collect(response.stream, limitBytes).pipe(
    Effect.catchReason(
      "HttpClientError",
      "EmptyBodyError",
      () => Effect.succeed({ bytes: new Uint8Array(), complete: true })
    ),
    Effect.mapError((cause) => new Unreachable({ cause }))
  )

const unexpected = Effect.fnUntraced(function*(response: HttpClientResponse.HttpClientResponse) {
  const excerptOfBody = yield* body(response, excerptBytes).pipe(
    Effect.map(({ bytes }) => excerpt(new TextDecoder().decode(bytes))),
    // The status says what is wrong even if the rest does not arrive.
    Effect.orElseSucceed(() => "")
  )
  return new UnexpectedStatus({
    status: response.status,
    body: excerptOfBody,
    retryAfter: yield* retryAfter(response)
  })
})

const retryAfter = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    Headers.get(response.headers, "retry-after").pipe(
      Option.flatMap((value) => Option.fromNullishOr(Result.getOrUndefined(Headers.parseRetryAfter(value)))),
      Option.map((after) =>
        after._tag === "Duration"
          ? after.duration
          : Duration.millis(Math.max(0, DateTime.toEpochMillis(after.dateTime) - now))
      ),
      Option.getOrUndefined
    ))
