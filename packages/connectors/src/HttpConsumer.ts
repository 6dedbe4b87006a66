/**
 * Payloads sent to a URL as JSON.
 *
 * @since 0.1.0
 */
import * as Consumer from "effect-conveyor/Consumer"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { HttpError } from "./HttpError.ts"
import { exchange } from "./internal/httpExchange.ts"
import { normalise, stringify } from "./internal/json.ts"
import { duration, httpUrl, optional, required } from "./internal/optionSchema.ts"

/**
 * The options of the `http` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  url: required(httpUrl, "the URL to send to"),
  method: optional(Schema.Literals(["POST", "PUT", "PATCH"]), "the method", "POST"),
  headers: optional(Schema.Record(Schema.String, Schema.String), "headers to send"),
  send: optional(
    Schema.Literals(["payload", "batch"]),
    "one request for each payload, or one with an array of all payloads that wait",
    "payload"
  ),
  timeout: optional(duration, "how long one exchange may take", "10 seconds")
})

/**
 * The options of the `http` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = { method: "POST", send: "payload", timeout: "10 seconds" } as const

/**
 * Makes a consumer that sends payloads to a URL.
 *
 * **Details**
 *
 * The body is the payload as JSON, or with `send: "batch"` an array of payloads. Any status from 200 to 299 is success. When an answer names a time in
 * `Retry-After`, nothing is sent before it has passed (five minutes at most).
 *
 * **Errors**
 *
 * `Consumer.Rejected` for a status from 400 to 499, for repeating would not help, but for 408, 425 and 429. `HttpError` for those, for other
 * statuses, network failures and timeouts: try again.
 *
 * **Gotchas** Delivery is at least once: a request whose answer was lost is sent again. Have the payload carry its time (or another
 * key) so that the receiver can tell.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options): Consumer.Consumer<unknown, HttpError, HttpClient.HttpClient> => {
  const { method = defaults.method, send = defaults.send, timeout = defaults.timeout, url } = options
  const request = HttpClientRequest.make(method)(url).pipe(HttpClientRequest.setHeaders(options.headers ?? {}))

  const acquire = Effect.map(HttpClient.HttpClient, (client) => {
    let notBefore = 0
    return Effect.fnUntraced(function*(payload: unknown) {
      const wait = notBefore - (yield* Clock.currentTimeMillis)
      if (wait > 0) yield* Effect.sleep(wait)
      const body = stringify(normalise(payload) ?? null)
      yield* exchange(client, HttpClientRequest.bodyText(request, body, "application/json"), {
        isExpected: (status) => status >= 200 && status < 300,
        timeout,
        use: (response) => Effect.ignore(Stream.runDrain(response.stream))
      }).pipe(
        Effect.tapError((reason) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            if (reason._tag !== "UnexpectedStatus" || reason.retryAfter === undefined) return
            notBefore = now + Math.min(Duration.toMillis(reason.retryAfter), longestWait)
          })
        ),
        Effect.mapError((reason) => {
          const error = new HttpError({ method, url, reason })
          return reason._tag === "UnexpectedStatus" && isRefusal(reason.status)
            ? new Consumer.Rejected({ reason: error.message, cause: error })
            : error
        })
      )
    })
  })

  return send === "payload"
    ? Consumer.make("http", acquire)
    : Consumer.makeBatch(
      "http",
      Effect.map(
        acquire,
        (post) => (batch: ReadonlyArray<Consumer.Delivery<unknown>>) => post(batch.map(({ payload }) => payload))
      )
    )
}

/** A server that asks for more than this has most likely lost its clock. */
const longestWait = 300_000

const isRefusal = (status: number): boolean => status >= 400 && status < 500 && !again.has(status)

const again: ReadonlySet<number> = new Set([408, 425, 429])
