/**
 * The Fetcher of Node, over undici.
 *
 * Every limit is on unless it is raised: a server can neither keep a fetch for longer than its timeout, nor make it hold more than its bytes, nor lead it where the
 * {@link AddressGuard} does not let it. Connections are kept between fetches, HTTP/1.1 with one exchange at a time on each. No cookie is kept and no
 * proxy of the environment is used.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LookupAddress, LookupOptions } from "node:dns"
import { readFileSync } from "node:fs"
import type { Dispatcher } from "undici"
import * as AddressGuard from "./AddressGuard.ts"
import { type Fetched, Fetcher, type FetchOptions, type Redirect } from "./Fetcher.ts"
import { FetchError } from "./FetchError.ts"
import * as ContentType from "./internal/fetch/contentType.ts"
import * as CookieJar from "./internal/fetch/cookieJar.ts"
import * as NodeConnections from "./internal/fetch/NodeConnections.ts"
import { acceptEncoding } from "./internal/fetch/NodeDecoding.ts"
import { type Answer, exchange } from "./internal/fetch/NodeExchange.ts"
import * as Target from "./internal/fetch/target.ts"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  userAgent: `conveyor/${version}`,
  accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
  contentTypes: ["text/html", "application/xhtml+xml"],
  maxRedirects: 5,
  maxBytes: 10 * 1024 * 1024,
  maxHeaderBytes: 64 * 1024,
  maxUrlLength: 2048,
  timeout: "30 seconds",
  connectTimeout: "10 seconds",
  silenceTimeout: "10 seconds",
  maxConnectionsPerOrigin: 8
} as const

/**
 * How the addresses of a name are found: `lookup` of `node:dns`, asked for all of them.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<LookupAddress>) => void
) => void

/**
 * How to fetch.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /**
   * Who asks. Name yourself, and where you can be reached: `examplebot/1.0 (+https://example.com/bot)`. Robots.txt goes by what
   * stands before the slash. Defaults to `conveyor/` and its version.
   */
  readonly userAgent?: string | undefined
  /** The Accept header. Defaults to HTML before anything else. */
  readonly accept?: string | undefined
  /** More headers, sent with every request to every host. Defaults to none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Media types whose bodies are downloaded, `text/*` for all of a kind. Defaults to `["text/html", "application/xhtml+xml"]`. */
  readonly contentTypes?: ReadonlyArray<string> | "any" | undefined
  /** How many redirects are followed. Defaults to 5. */
  readonly maxRedirects?: number | undefined
  /** Bytes of a body, as it is sent and decompressed alike. Defaults to 10 MiB. */
  readonly maxBytes?: number | undefined
  /** Bytes of the headers of an answer. Defaults to 64 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /** Characters of a URL. Defaults to 2048, as long as one in a sitemap may be: longer ones are nearly always a site that generates them without end. */
  readonly maxUrlLength?: number | undefined
  /** For the whole, redirects and reading the body included. Defaults to 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** For looking up the name, connecting and TLS. Defaults to 10 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * From asking until the headers are complete, and between two pieces of the body while somebody reads it. Above one second it is exact
   * to half a second. Defaults to 10 seconds.
   */
  readonly silenceTimeout?: Duration.Input | undefined
  /** Connections to one origin at a time; further fetches wait for one. Defaults to 8. */
  readonly maxConnectionsPerOrigin?: number | undefined
  /** Whether cookies go back to the hosts that set them. Defaults to `false`: they are dropped. */
  readonly keepCookies?: boolean | undefined
  /** What may be connected to. Defaults to `AddressGuard.make()`: the public internet. */
  readonly addressGuard?: AddressGuard.AddressGuard | undefined
  /** How the addresses of names are found. Defaults to `node:dns`'s `lookup`, that of the operating system. */
  readonly lookup?: Lookup | undefined
  /** Certificates, as PEM, that are trusted instead of those Node trusts. Defaults to none. */
  readonly certificateAuthorities?: string | undefined
}

/**
 * Makes a Fetcher, whose connections are closed with the Scope.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Fetcher["Service"], never, Scope.Scope> =>
  Effect.map(
    Effect.flatMap(Effect.sync(() => resolved(options)), (settings) =>
      Effect.map(NodeConnections.connections(settings), (dispatcher) => ({ dispatcher, settings }))),
    ({ dispatcher, settings }) => ({ fetch: fetchWith(dispatcher, settings) })
  )

/**
 * Provides the Fetcher of {@link make}.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Fetcher> => Layer.effect(Fetcher, make(options))

type Settings = ReturnType<typeof resolved>

const resolved = (options: Options) => {
  const count = (option: keyof typeof defaults & keyof Options, least: number): number => {
    const value = options[option] ?? defaults[option]
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value
    throw new RangeError(`NodeFetcher.make: ${option} must be a whole number >= ${least}, got ${String(value)}`)
  }
  const span = (option: "timeout" | "connectTimeout" | "silenceTimeout"): Duration.Duration => {
    const value = Duration.fromInputUnsafe(options[option] ?? defaults[option])
    if (Duration.isFinite(value) && Duration.toMillis(value) > 0) return value
    throw new RangeError(`NodeFetcher.make: ${option} must be finite and > 0, got ${Duration.format(value)}`)
  }
  const { addressGuard: guard = AddressGuard.make(), contentTypes = defaults.contentTypes } = options
  return {
    headers: checked({
      "user-agent": options.userAgent ?? defaults.userAgent,
      "accept": options.accept ?? defaults.accept,
      "accept-encoding": acceptEncoding,
      ...checked(options.headers)
    }),
    contentTypes,
    guard,
    maxRedirects: count("maxRedirects", 0),
    maxBytes: count("maxBytes", 1),
    maxHeaderBytes: count("maxHeaderBytes", 1024),
    maxUrlLength: count("maxUrlLength", 1),
    maxConnectionsPerOrigin: count("maxConnectionsPerOrigin", 1),
    timeout: span("timeout"),
    connectTimeout: span("connectTimeout"),
    silenceTimeout: span("silenceTimeout"),
    jar: options.keepCookies === true ? CookieJar.make() : undefined,
    lookup: options.lookup,
    ca: options.certificateAuthorities
  }
}

const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

const fetchWith = (dispatcher: Dispatcher, settings: Settings): Fetcher["Service"]["fetch"] =>
  Effect.fnUntraced(function*<E, R>(input: URL | string, options: FetchOptions<E, R> = {}) {
    const scope = yield* Effect.scope
    const clock = yield* Clock.Clock
    const timeout = Duration.fromInputUnsafe(options.timeout ?? settings.timeout)
    const deadline = clock.currentTimeNanosUnsafe() + Duration.toNanosUnsafe(timeout)
    const failed = ({ detail, reason }: Target.Problem): FetchError =>
      new FetchError({ url: Target.shown(input), reason, detail })
    const late = () =>
      Effect.fail(failed({
        reason: "Timeout",
        detail: `it took longer than ${Duration.format(timeout)}; to wait longer, raise timeout`
      }))

    const { answer, redirects, requested, url } = yield* Effect.timeoutOrElse(
      follow(dispatcher, settings, input, options, { clock, failed, scope }),
      { duration: timeout, orElse: late }
    )
    const pull = Effect.suspend(() => {
      const left = deadline - clock.currentTimeNanosUnsafe()
      if (left <= 0n) return late()
      // Most of a body is there when it is asked for, and needs no timer.
      return answer.body.poll() ??
        Effect.timeoutOrElse(answer.body.pull, { duration: Duration.nanos(left), orElse: late })
    })
    return fetched(answer, {
      requestedUrl: requested.href,
      url: url.href,
      redirects,
      body: Stream.fromPull(Effect.succeed(pull))
    }, clock)
  })

interface Following {
  readonly scope: Scope.Scope
  readonly clock: Clock.Clock
  readonly failed: (problem: Target.Problem) => FetchError
}

const follow = Effect.fnUntraced(function*<E, R>(
  dispatcher: Dispatcher,
  settings: Settings,
  input: URL | string,
  options: FetchOptions<E, R>,
  { clock, failed, scope }: Following
) {
  const { guard, jar, maxUrlLength } = settings
  const { maxRedirects = settings.maxRedirects } = options
  const requested = yield* Effect.mapError(Effect.fromResult(Target.target(input, undefined, maxUrlLength)), failed)
  const redirects: Array<Redirect> = []
  const seen = new Set([requested.href])
  let url = requested
  while (true) {
    const refusal = guard.refusalOfUrl(url)
    if (refusal !== undefined) return yield* failed({ reason: "PrivateAddress", detail: refusal })
    if (redirects.length > 0 && options.beforeHop !== undefined) {
      yield* options.beforeHop(url, new URL(redirects.at(-1)!.from))
    }
    const answer = yield* exchange(dispatcher, request(settings, options, requested, url, clock, failed), scope)
    jar?.store(url, answer.setCookies, clock.currentTimeMillisUnsafe())
    const location = locationOf(answer)
    if (location === undefined) return { answer, redirects, requested, url }

    const to = yield* Effect.mapError(Effect.fromResult(Target.redirectTarget(location, url, maxUrlLength)), failed)
    redirects.push({ from: url.href, status: answer.status, to: to.href })
    // With cookies a page may well redirect to itself, after setting one.
    if (seen.has(to.href) && jar === undefined) {
      return yield* failed({
        reason: "RedirectLoop",
        detail: `redirect ${redirects.length} leads back to ${Target.shown(to)}; sites that need cookies do so too`
      })
    }
    if (redirects.length > maxRedirects) {
      return yield* failed({
        reason: "TooManyRedirects",
        detail: `redirected ${redirects.length} times, the last time to ${
          Target.shown(to)
        }; expected at most ${maxRedirects} (maxRedirects)`
      })
    }
    seen.add(to.href)
    url = to
  }
})

const request = <E, R>(
  settings: Settings,
  options: FetchOptions<E, R>,
  requested: URL,
  url: URL,
  clock: Clock.Clock,
  failed: (problem: Target.Problem) => FetchError
) => {
  const { contentTypes = settings.contentTypes } = options
  const cookie = settings.jar?.headerFor(url, clock.currentTimeMillisUnsafe())
  return {
    url,
    method: options.method ?? "GET" as const,
    headers: {
      ...settings.headers,
      ...(options.accept === undefined ? {} : { accept: options.accept }),
      // What was meant for one site is not for another that it redirects to.
      ...(url.origin === requested.origin ? checked(options.headers) : {}),
      ...(cookie === undefined ? {} : { cookie })
    },
    maxBytes: options.maxBytes ?? settings.maxBytes,
    unpackGzip: options.unpackGzip ?? false,
    failed,
    isBodyWanted: (status: number, headers: Readonly<Record<string, string>>) =>
      !(redirecting.has(status) && headers["location"] !== undefined) &&
      ContentType.isWanted(contentTypes, ContentType.parse(headers["content-type"]))
  }
}

/** Names in lower case. One that no header can have is a bug, and so is such a value: what is thrown says which. */
const checked = (headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(new globalThis.Headers(headers))

const locationOf = ({ headers, status }: Answer): string | undefined =>
  redirecting.has(status) ? headers["location"] : undefined

const fetched = (
  { headers, isBodySkipped, latency, status }: Answer,
  exchanged: Pick<Fetched, "requestedUrl" | "url" | "redirects" | "body">,
  clock: Clock.Clock
): Fetched => {
  const retryAfter = headers["retry-after"] === undefined
    ? undefined
    : Result.getOrUndefined(Headers.parseRetryAfter(headers["retry-after"]))
  return {
    ...exchanged,
    status,
    headers,
    contentType: ContentType.parse(headers["content-type"]),
    latency,
    retryAfter: retryAfter && Headers.retryAfterDelay(retryAfter, clock.currentTimeMillisUnsafe()),
    isBodySkipped
  }
}
