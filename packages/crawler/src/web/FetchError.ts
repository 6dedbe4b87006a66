/**
 * What stops a fetch.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Everything that stops a fetch. A status of 400 or more is none of these: it is an answer.
 *
 * **Details**
 *
 * | reason | |
 * |---|---|
 * | `InvalidUrl`, `UnsupportedScheme`, `TooLongUrl` | what was asked for is no http or https URL of a usable length |
 * | `PrivateAddress` | the host is, or resolves to, an address that is not of the public internet |
 * | `UnknownHost`, `DnsFailed` | there is no such host; the name could not be looked up now |
 * | `ConnectionRefused`, `ConnectionReset`, `Unreachable`, `ConnectTimeout` | nobody listens; the connection broke before the answer had begun; no route; no connection in time |
 * | `Tls` | no secure connection: certificate, protocol, or no TLS at the other end |
 * | `Stalled`, `Timeout` | nothing arrived for too long; the whole took too long |
 * | `BadResponse`, `HeadersTooLarge` | what answered does not speak HTTP; its headers exceed the limit |
 * | `TooManyRedirects`, `RedirectLoop`, `BadRedirect` | more than the limit; back to where it was; a target that is no fetchable URL |
 * | `TooLarge` | the body exceeds a limit, as it is sent or decoded |
 * | `UnsupportedEncoding`, `BadEncoding` | a Content-Encoding nobody asked for; one that does not decode |
 * | `Truncated` | the connection ended before the body did |
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const Reason = Schema.Literals([
  "InvalidUrl",
  "UnsupportedScheme",
  "TooLongUrl",
  "PrivateAddress",
  "UnknownHost",
  "DnsFailed",
  "ConnectionRefused",
  "ConnectionReset",
  "Unreachable",
  "ConnectTimeout",
  "Tls",
  "Stalled",
  "Timeout",
  "BadResponse",
  "HeadersTooLarge",
  "TooManyRedirects",
  "RedirectLoop",
  "BadRedirect",
  "TooLarge",
  "UnsupportedEncoding",
  "BadEncoding",
  "Truncated"
])

/**
 * Everything that stops a fetch.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

const transient: ReadonlySet<Reason> = new Set([
  "DnsFailed",
  "ConnectionRefused",
  "ConnectionReset",
  "Unreachable",
  "ConnectTimeout",
  "Stalled",
  "Timeout",
  "Truncated"
])

/**
 * A fetch was stopped.
 *
 * **Details** Plain data, so that it can be stored as JSON. `url` is the one that was asked for, without credentials, and cut
 * where it is too long to be shown; `detail` says what was found, where, and what to do about it.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class FetchError extends Schema.TaggedError<FetchError>()("FetchError", {
  url: Schema.String,
  reason: Reason,
  detail: Schema.String
}) {
  /** Whether another attempt, later, may do better. */
  get isTransient(): boolean {
    return transient.has(this.reason)
  }

  override get message(): string {
    return `${this.url}: ${this.detail}`
  }
}
