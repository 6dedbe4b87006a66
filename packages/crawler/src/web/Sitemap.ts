/**
 * The URLs that sitemaps list, as they are read.
 *
 * Reads sitemaps in XML and in text, indexes of them, and all of it packed with gzip. What is wrong with a sitemap does not end the Stream: it is told among the URLs, as a
 * {@link SitemapProblem}, after what could be read. Nothing is held but the names of the sitemaps that are still to be read.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Fetched, Fetcher, text } from "./Fetcher.ts"
import type { FetchError } from "./FetchError.ts"
import * as SitemapReader from "./internal/fetch/sitemapReader.ts"

/**
 * A page that a sitemap lists.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface SitemapEntry {
  readonly _tag: "SitemapEntry"
  /** An http or https URL, as the URL standard writes it. */
  readonly url: string
  /** When it was last changed, as the sitemap says it. */
  readonly lastModified: string | undefined
  /** The sitemap that lists it. */
  readonly sitemap: string
}

/**
 * Something that is wrong with a sitemap, or was left out of it.
 *
 * **Details**
 *
 * | reason | |
 * |---|---|
 * | `Unreadable` | it could not be fetched, or not to its end |
 * | `BadStatus` | it was answered with a status that is no success |
 * | `NotASitemap` | neither a sitemap, nor an index, nor text |
 * | `Unfinished` | the XML ends too early; what is before that was read |
 * | `BadEntries` | some entries are no http or https URLs of at most 2048 characters, and were passed over |
 * | `TooManyUrls`, `TooManySitemaps`, `TooDeep` | what is beyond a limit was left out |
 * | `Elsewhere` | it is, or redirects to, a place that `accepts` refuses |
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class SitemapProblem extends Schema.TaggedError<SitemapProblem>()("SitemapProblem", {
  sitemap: Schema.String,
  reason: Schema.Literals([
    "Unreadable",
    "BadStatus",
    "NotASitemap",
    "Unfinished",
    "BadEntries",
    "TooManyUrls",
    "TooManySitemaps",
    "TooDeep",
    "Elsewhere"
  ]),
  detail: Schema.String
}) {
  override get message(): string {
    return `sitemap ${this.sitemap}: ${this.detail}`
  }
}

/**
 * How far sitemaps are read.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** URLs of one sitemap. Defaults to 50 000, as many as the protocol allows. */
  readonly maxUrls?: number | undefined
  /** Bytes of one sitemap, unpacked. Defaults to 50 MiB, as many as the protocol allows. */
  readonly maxBytes?: number | undefined
  /** Sitemaps in all, those given and those found. Defaults to 1000. */
  readonly maxSitemaps?: number | undefined
  /** How deep an index may lie in another; what is given is at depth 0. Defaults to 3. */
  readonly maxDepth?: number | undefined
  /**
   * Whether a sitemap that an index lists, or that one redirects to, is read. Defaults to those of the same host: an index can list a
   * thousand addresses of somebody else.
   */
  readonly accepts?: ((sitemap: URL, from: URL) => boolean) | undefined
}

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { maxUrls: 50_000, maxBytes: 50 * 1024 * 1024, maxSitemaps: 1000, maxDepth: 3 } as const

/**
 * Reads sitemaps and what they lead to, one after the other, each once.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const read = (
  sitemaps: Iterable<string | URL>,
  options: Options = {}
): Stream.Stream<SitemapEntry | SitemapProblem, never, Fetcher> =>
  Stream.suspend(() => {
    const settings = resolved(options)
    const frontier = frontierOf(sitemaps, settings)
    return Stream.unfold(
      undefined,
      () =>
        Effect.sync(() => frontier.pending.length === 0 ? undefined : [frontier.pending.shift()!, undefined] as const)
    ).pipe(
      Stream.flatMap((sitemap) => readOne(sitemap, frontier, settings))
    )
  })

interface Settings {
  readonly maxUrls: number
  readonly maxBytes: number
  readonly maxSitemaps: number
  readonly maxDepth: number
  readonly accepts: (sitemap: URL, from: URL) => boolean
}

const resolved = (options: Options): Settings => {
  const count = (option: keyof typeof defaults, least: number): number => {
    const value = options[option] ?? defaults[option]
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new RangeError(`Sitemap.read: ${option} must be a whole number >= ${least}, got ${value}`)
  }
  return {
    maxUrls: count("maxUrls", 1),
    maxBytes: count("maxBytes", 1),
    maxSitemaps: count("maxSitemaps", 1),
    maxDepth: count("maxDepth", 0),
    accepts: options.accepts ?? ((sitemap, from) => sitemap.hostname === from.hostname)
  }
}

interface Pending {
  readonly url: string
  readonly depth: number
}

interface Frontier {
  readonly pending: Array<Pending>
  /** Adds a sitemap unless it was there before; says what is wrong with it. */
  readonly add: (url: URL, from: URL, depth: number) => Problem | undefined
}

type Problem = Pick<SitemapProblem, "reason" | "detail">

const frontierOf = (sitemaps: Iterable<string | URL>, { accepts, maxDepth, maxSitemaps }: Settings): Frontier => {
  const seen = new Set<string>()
  const pending: Array<Pending> = []
  const push = (url: string, depth: number): Problem | undefined => {
    if (seen.has(url)) return undefined
    if (seen.size >= maxSitemaps) {
      return { reason: "TooManySitemaps", detail: `it lists more than the ${maxSitemaps} that are read (maxSitemaps)` }
    }
    seen.add(url)
    pending.push({ url, depth })
    return undefined
  }
  // What is no URL is found out by whoever fetches it.
  for (const url of sitemaps) push(URL.parse(String(url))?.href ?? String(url), 0)
  return {
    pending,
    add: (url, from, depth) => {
      if (depth > maxDepth) {
        return { reason: "TooDeep", detail: `it is an index at depth ${depth - 1}; expected at most ${maxDepth - 1}` }
      }
      return accepts(url, from) ? push(url.href, depth) : { reason: "Elsewhere", detail: elsewhere(url) }
    }
  }
}

const elsewhere = (url: URL): string => `${url.href.slice(0, 300)} is elsewhere; to read it, let accepts say so`

const readOne = (
  { depth, url }: Pending,
  frontier: Frontier,
  { accepts, maxBytes, maxUrls }: Settings
): Stream.Stream<SitemapEntry | SitemapProblem, never, Fetcher> => {
  const problem = ({ detail, reason }: Problem) => new SitemapProblem({ sitemap: url.slice(0, 300), reason, detail })
  const fetched = Effect.flatMap(Fetcher, ({ fetch }) =>
    fetch(url, {
      accept: "application/xml,text/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5",
      contentTypes: "any",
      maxBytes,
      timeout: "5 minutes",
      unpackGzip: true,
      beforeHop: (to, from) =>
        accepts(to, from) ? Effect.void : Effect.fail(problem({ reason: "Elsewhere", detail: elsewhere(to) }))
    }))
  return Stream.unwrap(Effect.map(fetched, (fetched) =>
    fetched.status < 200 || fetched.status >= 300
      ? Stream.succeed(problem({ reason: "BadStatus", detail: `it was answered with status ${fetched.status}` }))
      : entriesOf(fetched, { depth, url }, frontier, maxUrls, problem))).pipe(
      Stream.catch((error: FetchError | SitemapProblem) =>
        Stream.succeed(
          Predicate.isTagged(error, "SitemapProblem")
            ? error
            : problem(unreadable(error))
        )
      )
    )
}

const unreadable = ({ detail, reason }: FetchError): Problem => ({
  reason: "Unreadable",
  detail: `it could not be read (${reason}): ${detail}`
})

const entriesOf = (
  fetched: Fetched,
  { depth, url: sitemap }: Pending,
  frontier: Frontier,
  maxUrls: number,
  problem: (problem: Problem) => SitemapProblem
): Stream.Stream<SitemapEntry | SitemapProblem> =>
  Stream.suspend(() => {
    const base = new URL(fetched.url)
    const reader = SitemapReader.make(base)
    // One of each: an index of 50 000 sitemaps that are elsewhere is one problem.
    const problems = new Map<string, Problem>()
    let urls = 0
    let failure: FetchError | undefined
    const take = (listed: ReadonlyArray<SitemapReader.Listed>): ReadonlyArray<SitemapEntry> => {
      const entries: Array<SitemapEntry> = []
      for (const { kind, lastModified, url } of listed) {
        urls += 1
        if (urls > maxUrls) break
        if (kind === "page") {
          entries.push({ _tag: "SitemapEntry", url: url.href, lastModified, sitemap })
        } else {
          const refusal = frontier.add(url, base, depth + 1)
          if (refusal !== undefined && !problems.has(refusal.reason)) problems.set(refusal.reason, refusal)
        }
      }
      return entries
    }
    const lastProblem = (): Problem | undefined => {
      if (failure !== undefined) return unreadable(failure)
      return urls > maxUrls
        ? { reason: "TooManyUrls", detail: `it lists more than the ${maxUrls} that are read (maxUrls)` }
        : reader.problem()
    }
    const ending = Stream.suspend(() => {
      // The last line of what breaks off is cut.
      const rest = failure === undefined && urls <= maxUrls ? take(reader.end()) : []
      if (reader.passedOver() > 0) {
        problems.set("BadEntries", {
          reason: "BadEntries",
          detail: `${reader.passedOver()} entries are no URLs of pages`
        })
      }
      const last = lastProblem()
      return Stream.fromIterable([
        ...rest,
        ...[...problems.values(), ...(last === undefined ? [] : [last])].map(problem)
      ])
    })
    return text(fetched).pipe(
      Stream.catch((error) => {
        failure = error
        return Stream.empty
      }),
      Stream.map((part) => take(reader.write(part))),
      Stream.takeUntil(() => urls > maxUrls || reader.isHopeless()),
      Stream.flattenIterable,
      Stream.concat(ending)
    )
  })
