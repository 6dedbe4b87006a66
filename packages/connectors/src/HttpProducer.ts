/**
 * JSON from a URL, once for each tick.
 *
 * @since 0.1.0
 */
import * as Producer from "effect-conveyor/Producer"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { BodyTooLarge, HttpError, NothingPicked, NotJson } from "./HttpError.ts"
import { excerpt } from "./internal/boundedBytes.ts"
import { body, exchange } from "./internal/httpExchange.ts"
import { stringify } from "./internal/json.ts"
import * as JsonPointer from "./internal/jsonPointer.ts"
import { byteSize, bytesOf, duration, httpUrl, optional, required } from "./internal/optionSchema.ts"

/**
 * The options of the `http` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  url: required(httpUrl, "the URL to ask"),
  method: optional(Schema.Literals(["GET", "POST", "PUT", "PATCH", "DELETE"]), "the method", "GET"),
  headers: optional(Schema.Record(Schema.String, Schema.String), "headers to send"),
  body: optional(Schema.Json.annotate({ title: "any JSON" }), "what to send, as JSON; nothing unless given"),
  expect: optional(Schema.Int, "the one status that is a success; any from 200 to 299 unless given"),
  pick: optional(
    Schema.String.check(Schema.isPattern(JsonPointer.pattern, { expected: "a JSON pointer such as /data/0" })),
    "the part of the answer to give, as a JSON pointer such as /data/0",
    ""
  ),
  timeout: optional(duration, "how long the whole exchange may take", "10 seconds"),
  maxBodyBytes: optional(byteSize, "a larger answer fails", "10 MB")
})

/**
 * The options of the `http` producer.
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
export const defaults = { method: "GET", pick: "", timeout: "10 seconds", maxBodyBytes: "10 MB" } as const

/**
 * Makes a producer of what a URL answers.
 *
 * **Details**
 *
 * Follows up to five redirects. Needs an HttpClient; on Node that is `NodeHttpClient.layerUndici` of
 * `@effect/platform-node`, whose connections are kept open between ticks.
 *
 * **Errors** `HttpError`, whose `reason` tells a bad status, a timeout, a network failure, an answer that is too large, is not JSON or
 * has nothing at `pick`.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options): Producer.Producer<Schema.Json, HttpError, HttpClient.HttpClient> => {
  const { expect, method = defaults.method, pick = defaults.pick, timeout = defaults.timeout, url } = options
  const limitBytes = bytesOf(options.maxBodyBytes, defaults.maxBodyBytes)
  const accepting = HttpClientRequest.make(method)(url).pipe(
    HttpClientRequest.acceptJson,
    HttpClientRequest.setHeaders(options.headers ?? {})
  )
  const request = options.body === undefined
    ? accepting
    : HttpClientRequest.bodyText(accepting, stringify(options.body), "application/json")
  return Producer.make(
    "http",
    Effect.map(HttpClient.HttpClient, (client) => () =>
      exchange(client, request, {
        isExpected: (status) => expect === undefined ? status >= 200 && status < 300 : status === expect,
        timeout,
        use: Effect.fnUntraced(function*(response) {
          const { bytes, complete } = yield* body(response, limitBytes)
          if (!complete) return yield* new BodyTooLarge({ limitBytes })
          const text = new TextDecoder().decode(bytes)
          const json = yield* Effect.try({
            try: () => JSON.parse(text) as Schema.Json,
            catch: () => new NotJson({ body: excerpt(text) })
          })
          const picked = JsonPointer.resolve(pick, json)
          return picked === undefined
            ? yield* new NothingPicked({ pointer: pick, body: excerpt(text) })
            : picked as Schema.Json
        })
      }).pipe(Effect.mapError((reason) => new HttpError({ method, url, reason }))))
  )
}
