/**
 * A page of a site, as an item of a crawl: what is kept of it, and how its links become its children.
 *
 * A page is known by its canonical URL, and done once. A status of 400 or more is an answer and is recorded; what stopped the fetch is the item's
 * failure. What is not fetched, not read or not kept is recorded too, with the reason.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as CrawlItem from "../CrawlItem.ts"
import { FetchError } from "./FetchError.ts"
import { LinkKind } from "./PageParser.ts"

/**
 * Why a page, or what a redirect led to, was not fetched, not read or not kept.
 *
 * **Details** Of `Scope`: `otherHost`, `outsidePrefix`, `notIncluded`, `excluded`, `contentType`. `robots`: robots.txt does not allow it, or could not be
 * had. `noindex`: the page asks for it. `duplicate`: a redirect had led there, or leads to a page that was fetched; `detail` is its URL.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const Refusal = Schema.Struct({
  reason: Schema.Literals([
    "otherHost",
    "outsidePrefix",
    "notIncluded",
    "excluded",
    "contentType",
    "robots",
    "noindex",
    "duplicate"
  ]),
  detail: Schema.String
})

/**
 * Why a page, or what a redirect led to, was not fetched, not read or not kept.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Refusal extends Schema.Schema.Type<typeof Refusal> {}

/**
 * Where a link of a page leads.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const Target = Schema.Struct({ url: Schema.String, kind: LinkKind, text: Schema.String })

/**
 * Where a link of a page leads.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Target extends Schema.Schema.Type<typeof Target> {}

/**
 * What is kept of a page.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const PageRecord = Schema.Struct({
  /** The URL by which the page is known. */
  url: Schema.String,
  /** Where the answer came from, after redirects; the last place that one led to, if it was refused. */
  finalUrl: Schema.String,
  /** Where redirects led, in order. */
  redirects: Schema.Array(Schema.String),
  /** The page it was found in. */
  referrer: Schema.optional(Schema.String),
  /** Why the page was not fetched, not read or not kept; nothing for a page as it should be. */
  refusal: Schema.optional(Refusal),
  /** Nothing where nothing was asked for. */
  status: Schema.optional(Schema.Int),
  /** The media type. */
  contentType: Schema.optional(Schema.String),
  title: Schema.optional(Schema.String),
  language: Schema.optional(Schema.String),
  /** The canonical URL that the page gives itself, resolved. */
  canonical: Schema.optional(Schema.String),
  meta: Schema.Record(Schema.String, Schema.String),
  selected: Schema.Record(Schema.String, Schema.Array(Schema.String)),
  /** Of the decompressed body; 0 when it was not read. */
  bytes: Schema.Int,
  /** Milliseconds from asking to the first byte of the answer. */
  latency: Schema.Finite,
  links: Schema.Struct({
    /** In the page, parts of it included. */
    found: Schema.Int,
    /** Different pages of the crawl among them. */
    followed: Schema.Int,
    /** Beyond the limit of the parser. */
    dropped: Schema.Int
  }),
  /** Where its links lead, in a crawl that checks them. */
  targets: Schema.optional(Schema.Array(Target))
})

/**
 * What is kept of a page.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PageRecord extends Schema.Schema.Type<typeof PageRecord> {}

/**
 * A page to fetch.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export class Page extends CrawlItem.Class<Page>()("Page", {
  /** Canonical. */
  url: Schema.String,
  referrer: Schema.optional(Schema.String)
}, {
  success: PageRecord,
  failure: FetchError,
  key: ({ url }) => url,
  trackOverall: true
}) {}
