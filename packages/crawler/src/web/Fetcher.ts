/**
 * Fetches what a URL leads to, within limits.
 *
 * What answers is an answer whatever its status; what stops a fetch is a `FetchError`. The body is a Stream that is read as it arrives, once,
 * inside the Scope of the fetch: closing the Scope ends the exchange, whether the body was read or not.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { FetchError } from "./FetchError.ts"
import { decoded, read } from "./internal/fetch/decodedText.ts"

/**
 * A redirect that was followed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Redirect {
  readonly from: string
  /** 301, 302, 303, 307 or 308. */
  readonly status: number
  readonly to: string
}

/**
 * What a Content-Type says.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ContentType {
  /** In lower case, without parameters: `text/html`. */
  readonly mediaType: string
  /** The label as it was sent, in lower case; it may name no known character set. */
  readonly charset: string | undefined
}

/**
 * An answer, with its body still to be read.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Fetched {
  /** Asked for, as the URL standard writes it, without credentials and fragment. */
  readonly requestedUrl: string
  /** Where the answer came from, after redirects. */
  readonly url: string
  /** In the order in which they were followed. */
  readonly redirects: ReadonlyArray<Redirect>
  readonly status: number
  /** Names in lower case, values of one name joined with a comma and a space; of Location, Content-Type and Retry-After the first. Set-Cookie is not among them. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined where none was sent, or one that is none. */
  readonly contentType: ContentType | undefined
  /** From sending the last request to the first byte of its answer. */
  readonly latency: Duration.Duration
  /** How long the server asks to be left alone, from now. */
  readonly retryAfter: Duration.Duration | undefined
  /**
   * Whether the body was left where it was: its type is none of `contentTypes`, or there is none to be had (HEAD, 204, 304).
   * `body` is empty then.
   */
  readonly isBodySkipped: boolean
  /** Decompressed; fails when a limit is exceeded, the encoding is broken or the connection ends too early. Can be read once. */
  readonly body: Stream.Stream<Uint8Array, FetchError>
}

/**
 * What one fetch may ask for. What it leaves out is as the Fetcher was made.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface FetchOptions<out E = never, out R = never> {
  /** `"HEAD"` asks whether there is something, without its body. Defaults to `"GET"`. */
  readonly method?: "GET" | "HEAD" | undefined
  /** The Accept header. */
  readonly accept?: string | undefined
  /** More headers to send: `if-none-match`, say. They win over those of the Fetcher. Not sent on to another origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Media types whose bodies are wanted; `text/*` stands for all of a kind. The body of another is not downloaded.
   * An answer without a Content-Type counts as wanted.
   */
  readonly contentTypes?: ReadonlyArray<string> | "any" | undefined
  /** Bytes of the decompressed body. */
  readonly maxBytes?: number | undefined
  readonly maxRedirects?: number | undefined
  /** Of the whole, from asking to the last byte of the body. */
  readonly timeout?: Duration.Input | undefined
  /** Whether a body that is itself a gzip file is unpacked too, as a `sitemap.xml.gz` is. Defaults to `false`. */
  readonly unpackGzip?: boolean | undefined
  /**
   * Runs before each redirect is followed, after its address was found to be a permitted one, with the URL it leads to. Where this fails, so
   * does the fetch: the place to ask for scope and robots.txt.
   */
  readonly beforeHop?: ((to: URL, from: URL) => Effect.Effect<unknown, E, R>) | undefined
}

/**
 * Fetches what a URL leads to, within limits.
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export class Fetcher extends Context.Service<Fetcher, {
  /**
   * Asks, follows redirects, and gives the answer as soon as its headers are there. Interruption, and the end of the Scope,
   * abort the exchange.
   */
  readonly fetch: <E = never, R = never>(
    url: URL | string,
    options?: FetchOptions<E, R>
  ) => Effect.Effect<Fetched, FetchError | E, R | Scope.Scope>
}>()("effect-crawler/web/Fetcher") {}

/**
 * The body as text, decoded as it arrives.
 *
 * **Details**
 *
 * The character set is what the WHATWG standards say: a byte order mark, else the charset of the Content-Type, else `<meta charset>` (in XML its
 * declaration) within the first 1024 bytes, else UTF-8. Labels that name nothing known are passed over. Malformed bytes become U+FFFD; a byte order mark is left out.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const text = (fetched: Pick<Fetched, "body" | "contentType">): Stream.Stream<string, FetchError> =>
  decoded(fetched.body, fetched.contentType)

/**
 * Reads the whole body as text, as {@link text} does, gives it to a function piece by piece, and says how many bytes it was.
 *
 * **When to use** For very many small bodies: what a Stream needs for each costs more than reading them.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const readText = (
  fetched: Pick<Fetched, "body" | "contentType">,
  write: (text: string) => void
): Effect.Effect<number, FetchError> => read(fetched.body, fetched.contentType, write)
