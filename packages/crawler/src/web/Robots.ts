/**
 * What sites allow a robot to fetch, by the robots.txt of each origin, as RFC 9309 has it.
 *
 * The file of an origin is fetched when somebody first asks about it, once for all who do, and kept. It decides so:
 *
 * | robots.txt | allowed |
 * |---|---|
 * | 2xx | by its rules; of more than 500 KiB, by the first 500 |
 * | 4xx but 429, 3xx that leads nowhere, more than five redirects | everything |
 * | 429, 5xx, no answer, an answer that breaks off | nothing, until it is asked for again |
 *
 * The most specific group that names the agent counts, else that for `*`; in it the longest rule that matches, Allow before Disallow.
 *
 * @since 0.1.0
 */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import untypedParser from "robots-parser"
import { type Fetched, Fetcher } from "./Fetcher.ts"
import type { FetchError, Reason } from "./FetchError.ts"
import { boundedRules } from "./internal/fetch/boundedRules.ts"

/**
 * How robots.txt files are read.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** The name that files know the robot by; of a user agent what stands before the slash. Defaults to `"conveyor"`. */
  readonly agent?: string | undefined
  /** Origins whose files are kept; those not asked about for longest are forgotten. A file takes up to 4 MB. Defaults to 500. */
  readonly maxOrigins?: number | undefined
  /** How long a file that could not be had counts as one that allows nothing. Defaults to 1 minute. */
  readonly retryAfter?: Duration.Input | undefined
  /** What a longer crawl delay is cut to. Defaults to 1 minute. */
  readonly maxCrawlDelay?: Duration.Input | undefined
}

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  agent: "conveyor",
  maxOrigins: 500,
  retryAfter: "1 minute",
  maxCrawlDelay: "1 minute"
} as const

/**
 * What the robots.txt of an origin says.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface RobotsFile {
  /** Whether there were rules, there is no file (all is allowed), or it could not be had (nothing is). */
  readonly found: "rules" | "none" | "unavailable"
  /** Why there are no rules. */
  readonly detail: string | undefined
  readonly isAllowed: (url: URL | string) => boolean
  readonly crawlDelay: Duration.Duration | undefined
  /** Absolute http and https URLs, in order, each once. */
  readonly sitemaps: ReadonlyArray<string>
}

/**
 * What sites allow a robot to fetch. Every method may fetch a robots.txt, and none fails: a file that cannot be had is one that
 * allows nothing.
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export class Robots extends Context.Service<Robots, {
  /** Whether a URL may be fetched. What is no http or https URL may not. */
  readonly allowed: (url: URL | string) => Effect.Effect<boolean>
  /** How far apart requests to an origin are to be, if it says so. */
  readonly crawlDelay: (origin: URL | string) => Effect.Effect<Duration.Duration | undefined>
  readonly sitemaps: (origin: URL | string) => Effect.Effect<ReadonlyArray<string>>
  /** All of it, and how it was had. */
  readonly file: (origin: URL | string) => Effect.Effect<RobotsFile>
}>()("effect-crawler/web/Robots") {}

/**
 * Makes a reader of robots.txt files over the Fetcher.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Robots["Service"], never, Fetcher> =>
  Effect.gen(function*() {
    const { fetch } = yield* Fetcher
    const { agent, maxCrawlDelay, maxOrigins, retryAfter } = resolved(options)
    const cache = yield* Cache.makeWith((origin: string) => read(fetch, origin, agent, maxCrawlDelay), {
      capacity: maxOrigins,
      timeToLive: (exit) => Exit.isSuccess(exit) && exit.value.found !== "unavailable" ? Duration.infinity : retryAfter
    })
    const file = (url: URL | string): Effect.Effect<RobotsFile> => {
      const parsed = URL.parse(String(url))
      return parsed !== null && /^https?:$/.test(parsed.protocol)
        ? Cache.get(cache, parsed.origin)
        : Effect.succeed(unavailable(`${String(url).slice(0, 300)} is no http or https URL`))
    }
    return {
      file,
      allowed: (url) => Effect.map(file(url), ({ isAllowed }) => isAllowed(url)),
      crawlDelay: (origin) => Effect.map(file(origin), ({ crawlDelay }) => crawlDelay),
      sitemaps: (origin) => Effect.map(file(origin), ({ sitemaps }) => sitemaps)
    }
  })

/**
 * Provides the reader of {@link make}.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Robots, never, Fetcher> => Layer.effect(Robots, make(options))

const resolved = (options: Options) => {
  const { agent = defaults.agent, maxOrigins = defaults.maxOrigins } = options
  const span = (option: "retryAfter" | "maxCrawlDelay"): Duration.Duration => {
    const value = Duration.fromInputUnsafe(options[option] ?? defaults[option])
    if (Duration.isFinite(value)) return value
    throw new RangeError(`Robots.make: ${option} must be finite, got ${Duration.format(value)}`)
  }
  if (!/^[\w-]+$/.test(agent)) {
    throw new RangeError(`Robots.make: agent must be a name of letters, digits, - and _, got ${agent}`)
  }
  if (!Number.isSafeInteger(maxOrigins) || maxOrigins < 1) {
    throw new RangeError(`Robots.make: maxOrigins must be a whole number >= 1, got ${maxOrigins}`)
  }
  return {
    agent: agent.toLowerCase(),
    maxOrigins,
    retryAfter: span("retryAfter"),
    maxCrawlDelay: span("maxCrawlDelay")
  }
}

const maxFileBytes = 500 * 1024

/** What a server does wrong once and for all counts as no file; what may pass, and where it must not lead, as one that forbids. */
const isAbsence: ReadonlySet<Reason> = new Set(["TooManyRedirects", "RedirectLoop", "BadRedirect"])

const read = (
  fetch: Fetcher["Service"]["fetch"],
  origin: string,
  agent: string,
  maxCrawlDelay: Duration.Duration
): Effect.Effect<RobotsFile> =>
  fetch(`${origin}/robots.txt`, {
    accept: "text/plain,*/*;q=0.5",
    contentTypes: "any",
    maxRedirects: 5,
    // No limit of the Fetcher's, which would be an error: what is too long is read in part.
    maxBytes: Number.MAX_SAFE_INTEGER
  }).pipe(
    Effect.flatMap((fetched): Effect.Effect<RobotsFile, FetchError> => {
      const { status } = fetched
      if (status === 429 || status >= 500) {
        return Effect.succeed(unavailable(`${origin}/robots.txt was answered with status ${status}`))
      }
      return status < 200 || status >= 300
        ? Effect.succeed(none(`${origin}/robots.txt was answered with status ${status}`))
        : Effect.map(beginning(fetched), (text) => parsed(text, origin, agent, maxCrawlDelay))
    }),
    Effect.catchTag("FetchError", (error) =>
      Effect.succeed(isAbsence.has(error.reason) ? none(error.message) : unavailable(error.message))),
    Effect.scoped
  )

/** As much as counts, always in UTF-8, without a last line that was cut. */
const beginning = ({ body }: Fetched): Effect.Effect<string, FetchError> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let left = maxFileBytes
    return Stream.runForEachWhile(body, (bytes) =>
      Effect.sync(() => {
        text += decoder.decode(bytes.subarray(0, left), { stream: true })
        left -= bytes.length
        return left >= 0
      })).pipe(
        Effect.map(() => left >= 0 ? text + decoder.decode() : text.slice(0, 1 + lastLineEnd(text)))
      )
  })

const lastLineEnd = (text: string): number => Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r"))

/** Types of robots-parser are those of a module; what it exports is the function. */
const robotsParser = untypedParser as unknown as typeof untypedParser.default

const parsed = (text: string, origin: string, agent: string, maxCrawlDelay: Duration.Duration): RobotsFile => {
  const location = `${origin}/robots.txt`
  const rules = robotsParser(location, boundedRules(text, agent))
  const seconds = rules.getCrawlDelay(agent)
  return {
    found: "rules",
    detail: undefined,
    isAllowed: (url) => String(url) === location || rules.isAllowed(String(url), agent) === true,
    crawlDelay: seconds === undefined || !(seconds >= 0)
      ? undefined
      : Duration.min(Duration.seconds(seconds), maxCrawlDelay),
    sitemaps: [
      ...new Set(
        rules.getSitemaps().flatMap((sitemap) => {
          const url = URL.parse(sitemap, location)
          return url !== null && /^https?:$/.test(url.protocol) ? [url.href] : []
        })
      )
    ]
  }
}

const none = (detail: string): RobotsFile => ({
  found: "none",
  detail,
  isAllowed: () => true,
  crawlDelay: undefined,
  sitemaps: []
})

const unavailable = (detail: string): RobotsFile => ({ ...none(detail), found: "unavailable", isAllowed: () => false })
