/**
 * Crawling a site: start URLs and options in, items, Layers and limits of a crawl out.
 *
 * Each page's links become its children, as far as they belong to the crawl and robots may fetch them; each page is fetched once. Hosts are asked in turn,
 * a few requests at once each, as fast as they answer and no faster than they wish.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as Crawler from "../Crawler.ts"
import * as CrawlItem from "../CrawlItem.ts"
import * as CanonicalUrl from "./CanonicalUrl.ts"
import type { Fetcher } from "./Fetcher.ts"
import { Claims } from "./internal/site/claims.ts"
import { Hosts } from "./internal/site/hosts.ts"
import { linkLayer } from "./internal/site/linkLayer.ts"
import { pageLayer } from "./internal/site/pageLayer.ts"
import type { Site } from "./internal/site/site.ts"
import { Link } from "./LinkCheck.ts"
import { Page } from "./Page.ts"
import * as PageParser from "./PageParser.ts"
import * as Politeness from "./Politeness.ts"
import { Robots } from "./Robots.ts"
import * as Scope from "./Scope.ts"
import type { InvalidSelector } from "./Selector.ts"
import * as Sitemap from "./Sitemap.ts"

/**
 * How a site is crawled.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** What belongs to the crawl. */
  readonly scope?: Scope.Options | undefined
  /** By which URL a page is known. */
  readonly url?: CanonicalUrl.Options | undefined
  /** What is taken out of each page. */
  readonly page?: PageParser.Options | undefined
  /** How much time a host is left. */
  readonly politeness?: Politeness.Options | undefined
  /** Whether robots.txt decides what is fetched, and how far apart. Defaults to `"obey"`. */
  readonly robots?: "obey" | "ignore" | undefined
  /** Whether pages and links that ask not to be kept or followed (`noindex`, `nofollow`) are heard. Defaults to `"obey"`. */
  readonly directives?: "obey" | "ignore" | undefined
  /** Whether links out of the crawl, and to parts of pages, are passed over, or asked for too (`LinkCheck`). Defaults to `"follow"`. */
  readonly links?: "follow" | "check" | undefined
  /** Times a page is asked for again after 1, 2, 4 … seconds, when what stopped it may pass; a whole number. Defaults to 2. */
  readonly retries?: number | undefined
  /** Pages fetched at once. Defaults to 16. */
  readonly concurrency?: number | undefined
  /** Pages of one host fetched at once. Defaults to 8. */
  readonly hostConcurrency?: number | undefined
  /** Defaults to `"fifo"`: pages near the start URLs first. */
  readonly order?: Crawler.Options["order"]
  /** Links from a start URL to a page, at most. Targets of links are checked beyond. Defaults to `"unbounded"`. */
  readonly maxDepth?: number | "unbounded" | undefined
  /** Pages, and links that are checked, at most. Defaults to `"unbounded"`. */
  readonly maxItems?: number | "unbounded" | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  robots: "obey",
  directives: "obey",
  links: "follow",
  retries: 2,
  concurrency: 16,
  hostConcurrency: 8,
  order: "fifo",
  maxDepth: "unbounded",
  maxItems: "unbounded"
} as const

/**
 * A crawl of a site, ready to be run once.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface SiteCrawl {
  /** The start pages, each once. */
  readonly roots: ReadonlyArray<Page>
  /**
   * The pages that sitemaps list and that belong to the crawl, each once and at most `maxItems`, to be roots as well. Sitemaps that are not given are those
   * that the robots.txt of the start URLs names, and `/sitemap.xml` where it names none. What is wrong with them is told beside.
   */
  readonly listed: (sitemaps?: ReadonlyArray<string>) => Effect.Effect<Listed, never, Fetcher | Robots>
  readonly layer: Layer.Layer<Page | Link, never, Fetcher | Robots>
  readonly options: Crawler.Options & {
    readonly keyed: {
      readonly by: (item: CrawlItem.Item) => string
      readonly concurrency: number
      readonly delay: (host: string) => Duration.Input
    }
  }
}

/**
 * What sitemaps list.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Listed {
  readonly pages: ReadonlyArray<Page>
  readonly problems: ReadonlyArray<Sitemap.SitemapProblem>
}

/**
 * A start URL that is no URL of a page.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class InvalidStartUrl extends Data.TaggedError("InvalidStartUrl")<CanonicalUrl.NotAPage> {
  override get message(): string {
    return `start URL ${JSON.stringify(this.reference)}: ${explanations[this.reason]}`
  }
}

const explanations = {
  notAUrl: "is no URL",
  otherScheme: "must begin with http:// or https://",
  tooLong: "is too long"
} as const

/**
 * Makes a crawl of a site.
 *
 * **Details** A start URL without a scheme is one of https. Every crawl wants its own: what is known of hosts, and which page was led where, is in it.
 *
 * **Errors** `InvalidStartUrl`, `InvalidPattern`, `InvalidSelector`, each naming what is wrong. Dies when there is no start URL, or an option is out of
 * range, naming it.
 *
 * **Example** (The titles of a site)
 *
 * ```ts
 * const site = yield* SiteCrawl.make(["https://example.org"], { maxDepth: 2 })
 * const { roots } = yield* Crawler.run(site.roots, site.options).pipe(Effect.provide(site.layer))
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (
  startUrls: ReadonlyArray<string>,
  options: Options = {}
): Effect.Effect<SiteCrawl, InvalidStartUrl | Scope.InvalidPattern | InvalidSelector> =>
  Effect.suspend(() => Effect.fromResult(made(startUrls, options)))

// -----------------------------------------------------------------------------

const made = (startUrls: ReadonlyArray<string>, options: Options) =>
  Result.gen(function*() {
    const settings = resolve(startUrls, options)
    const canonical = CanonicalUrl.make(options.url)
    const starts = yield* Result.all(
      startUrls.map((url) => Result.mapError(canonical(withScheme(url)), (notAPage) => new InvalidStartUrl(notAPage)))
    )
    const scope = yield* Scope.make(starts, options.scope)
    const parser = yield* PageParser.make(options.page)
    const hosts = new Hosts(Politeness.make(options.politeness))
    const { links, maxDepth } = settings
    const isChecked = links === "check" && maxDepth !== "unbounded"
    const site: Site = {
      ...settings,
      canonical,
      scope,
      parser,
      hosts,
      claims: new Claims(),
      maxPageDepth: isChecked ? maxDepth : Infinity
    }
    return {
      roots: [...new Set(starts)].map((url) => new Page({ url })),
      listed: (sitemaps: ReadonlyArray<string> = []) => listed(site, starts, sitemaps, settings.maxItems),
      layer: CrawlItem.layers(pageLayer(site), linkLayer(site)),
      options: {
        order: settings.order,
        concurrency: settings.concurrency,
        // The targets of the links of the last pages are one step further.
        maxDepth: isChecked ? maxDepth + 1 : maxDepth,
        maxItems: settings.maxItems,
        keyed: {
          by: (item: CrawlItem.Item) => item instanceof Page || item instanceof Link ? Scope.hostOf(item.url) : "",
          concurrency: settings.hostConcurrency,
          delay: (host: string) => hosts.delayOf(host)
        }
      }
    }
  })

const listed = Effect.fnUntraced(function*(
  { canonical, scope }: Site,
  starts: ReadonlyArray<string>,
  given: ReadonlyArray<string>,
  maxItems: number | "unbounded"
) {
  const robots = yield* Robots
  const origins = new Set(starts.map((start) => new URL(start).origin))
  const named = yield* Effect.forEach(
    given.length > 0 ? [] : origins,
    (origin) =>
      Effect.map(robots.sitemaps(origin), (sitemaps) => sitemaps.length > 0 ? sitemaps : [`${origin}/sitemap.xml`])
  )
  const urls = new Set<string>()
  const problems: Array<Sitemap.SitemapProblem> = []
  yield* Stream.runForEachWhile(Sitemap.read([...given, ...named.flat()]), (each) =>
    Effect.sync(() => {
      if (each._tag === "SitemapProblem") problems.push(each)
      else {
        const url = canonical(each.url)
        if (Result.isSuccess(url) && scope.refusal(url.success) === undefined) urls.add(url.success)
      }
      return maxItems === "unbounded" || urls.size < maxItems
    }))
  return { pages: [...urls].map((url) => new Page({ url })), problems }
})

const withScheme = (url: string): string => /^[a-z][a-z0-9+.-]*:/i.test(url) && !isPort(url) ? url : `https://${url}`

/** Whether what stands before the first colon is a host. */
const isPort = (url: string): boolean => /^[^:/]+:\d+(?:\/|$)/.test(url)

/** Fills in defaults and refuses what is out of range; the crawl itself sees to its own options. */
const resolve = (startUrls: ReadonlyArray<string>, options: Options) => {
  if (startUrls.length === 0) throw new RangeError("SiteCrawl.make: startUrls must not be empty")
  const word = <A extends string>(option: "robots" | "directives" | "links", words: readonly [A, A]): A => {
    const value = options[option] ?? defaults[option]
    if (words.includes(value as A)) return value as A
    throw new RangeError(`SiteCrawl.make: ${option} must be "${words[0]}" or "${words[1]}", got ${value}`)
  }
  const retries = options.retries ?? defaults.retries
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new RangeError(`SiteCrawl.make: retries must be a whole number >= 0, got ${retries}`)
  }
  return {
    robots: word("robots", ["obey", "ignore"]),
    directives: word("directives", ["obey", "ignore"]),
    links: word("links", ["follow", "check"]),
    retries,
    concurrency: options.concurrency ?? defaults.concurrency,
    hostConcurrency: options.hostConcurrency ?? defaults.hostConcurrency,
    order: options.order ?? defaults.order,
    maxDepth: options.maxDepth ?? defaults.maxDepth,
    maxItems: options.maxItems ?? defaults.maxItems
  }
}
