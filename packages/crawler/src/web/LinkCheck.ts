/**
 * Which links of a site are broken.
 *
 * A crawl that checks links asks once for the target of every link of its pages: for pages of the site by crawling them, for all else (other sites, pictures,
 * scripts) with a `Link` item, which asks for as little as it can and follows nothing. What came of it all is folded into a report.
 *
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as CrawlItem from "../CrawlItem.ts"
import { FetchError } from "./FetchError.ts"
import { Page, type PageRecord, Refusal, type Target } from "./Page.ts"

/**
 * What came of asking for the target of a link.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const LinkRecord = Schema.Struct({
  url: Schema.String,
  /** Where the answer came from, after redirects. */
  finalUrl: Schema.String,
  /** Nothing where nothing was asked for. */
  status: Schema.optional(Schema.Int),
  /** Why it was not asked for. */
  refusal: Schema.optional(Refusal)
})

/**
 * What came of asking for the target of a link.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface LinkRecord extends Schema.Schema.Type<typeof LinkRecord> {}

/**
 * The target of a link that is no page of the crawl: asked for with HEAD, and with GET, of which nothing is read, if that is refused.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export class Link extends CrawlItem.Class<Link>()("Link", {
  /** Canonical. */
  url: Schema.String
}, {
  success: LinkRecord,
  failure: FetchError,
  key: ({ url }) => url,
  trackOverall: true
}) {}

/**
 * What an item of a crawl came to, as its `Settled` events and its store have it.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Outcome {
  readonly item: CrawlItem.Item
  readonly exit: Exit.Exit<unknown, unknown>
}

/**
 * A link to a target, where it stands.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Place extends Pick<Target, "kind" | "text"> {
  /** The URL by which the page is known. */
  readonly page: string
}

/**
 * A target that is not there, or that may not be.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface BrokenLink {
  readonly url: string
  /**
   * `broken`: a status of 400 or more, or no answer. `unclear`: a status that says who may see it (401, 403, 407, 429, 451), or of a server
   * that is too busy (503): a person may find it.
   */
  readonly verdict: "broken" | "unclear"
  /** Nothing when there was no answer. */
  readonly status: number | undefined
  /** The status in words, or what stopped the fetch. */
  readonly detail: string
  /** By page, and in the order of the page; one for each link. */
  readonly places: ReadonlyArray<Place>
}

/**
 * What a check of links found.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface LinkReport {
  /** Different targets of links. */
  readonly targets: number
  /** Those that were not asked for: because of robots.txt, a limit of the crawl, or its end. */
  readonly unchecked: number
  /** By URL. */
  readonly broken: ReadonlyArray<BrokenLink>
}

/**
 * Folds what the items of a crawl came to into a report; what is neither a page nor a link is passed over.
 *
 * **Details** Start URLs count as targets: a broken one is in the report, in no place.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const report = (outcomes: Iterable<Outcome>): LinkReport => {
  const found = new Map<string, Found>()
  const places = new Map<string, Array<Place>>()
  for (const { exit, item } of outcomes) {
    if (!(item instanceof Page || item instanceof Link)) continue
    const { url } = item
    if (!places.has(url)) places.set(url, [])
    const record = Exit.isSuccess(exit) ? exit.value as PageRecord | LinkRecord : undefined
    // Both a page and a link may have been asked for; what either came to is enough.
    const outcome = record === undefined ? failedOf(exit) : foundOf(record)
    if (outcome !== undefined) found.set(url, outcome)
    const targets = item instanceof Page ? (record as PageRecord | undefined)?.targets : undefined
    for (const { kind, text, url: target } of targets ?? []) {
      const all = places.get(target)
      const place = { page: url, kind, text }
      if (all === undefined) places.set(target, [place])
      else all.push(place)
    }
  }
  const broken: Array<BrokenLink> = []
  let unchecked = 0
  for (const [url, all] of places) {
    const outcome = resolved(found, url)
    if (outcome === undefined) unchecked++
    else if (outcome.verdict !== "ok") {
      broken.push({ url, ...outcome, verdict: outcome.verdict, places: all.sort((a, b) => compare(a.page, b.page)) })
    }
  }
  return {
    targets: places.size,
    unchecked,
    broken: broken.sort((a, b) => compare(a.url, b.url))
  }
}

// -----------------------------------------------------------------------------

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

interface Verdict {
  readonly verdict: "ok" | "broken" | "unclear"
  readonly status: number | undefined
  readonly detail: string
}

/** What was found at a URL, or the URL at which it was. */
type Found = Verdict | string

const unclear: ReadonlySet<number> = new Set([401, 403, 407, 429, 451, 503])

const foundOf = ({ refusal, status }: PageRecord | LinkRecord): Found | undefined => {
  if (refusal?.reason === "duplicate") return refusal.detail
  if (status !== undefined) {
    const verdict = status < 400 ? "ok" : unclear.has(status) ? "unclear" : "broken"
    return { verdict, status, detail: `status ${status}` }
  }
  // A redirect out of the site leads somewhere, and what is there is not of the site.
  return refusal === undefined || refusal.reason === "robots"
    ? undefined
    : { verdict: "ok", status, detail: refusal.detail }
}

const failedOf = (exit: Exit.Exit<unknown, unknown>): Verdict | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const reason = exit.cause.reasons.find((each) => each._tag === "Fail")
  return reason !== undefined && reason.error instanceof FetchError
    ? { verdict: "broken", status: undefined, detail: reason.error.detail }
    : undefined
}

/** What came of a URL, or of the one that has it; two may each have been led to the other. */
const resolved = (found: ReadonlyMap<string, Found>, url: string): Verdict | undefined => {
  const seen = new Set<string>()
  let at = url
  while (!seen.has(at)) {
    const outcome = found.get(at)
    if (typeof outcome !== "string") return outcome
    seen.add(at)
    at = outcome
  }
  return undefined
}
