import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as CrawlItem from "../../../CrawlItem.ts"
import { type Fetched, Fetcher, readText } from "../../Fetcher.ts"
import type { FetchError } from "../../FetchError.ts"
import { Link } from "../../LinkCheck.ts"
import { Page, type PageRecord, type Refusal, type Target } from "../../Page.ts"
import type { LinkKind, PageContent } from "../../PageParser.ts"
import { Robots } from "../../Robots.ts"
import { ask, type Question, robotsRefusal, type Site } from "./site.ts"

/** Fetches the pages of a crawl. */
export const pageLayer = (site: Site): Layer.Layer<Page, never, Fetcher | Robots | Link> =>
  Page.toLayer(Effect.gen(function*() {
    const fetcher = yield* Fetcher
    const robots = yield* Robots
    return {
      process: Effect.fnUntraced(function*(page: Page, crawl: CrawlItem.Processing) {
        const { url } = page
        const hops = new Set<string>()
        yield* crawl.describe(`fetching ${url}`)
        const first = site.claims.take(url, url)
        const refused = first === url ? yield* robotsRefusal(site, robots, url) : duplicateOf(first)
        if (refused !== undefined) return recordOf(site, page, hops, { refusal: refused })
        const question: Question<Read | undefined> = {
          url,
          method: "GET",
          contentTypes: site.scope.contentTypes,
          refusal: (to) => {
            hops.add(to)
            const refused = site.scope.refusal(to)
            return refused === undefined ? hopRefusal(site, robots, to, url) : Effect.succeed(refused)
          },
          read: (fetched) => read(site, fetched),
          waiting: crawl.describe(`waiting to fetch ${url}`)
        }
        return yield* ask(site, fetcher, question).pipe(
          Effect.flatMap(({ fetched, read }) => {
            const found = linksOf(site, page, fetched, read, crawl.depth)
            return Effect.as(crawl.enqueue(...found.items), recordOf(site, page, hops, { fetched, read, found }))
          }),
          Effect.catchTag("Refused", ({ refusal }) => Effect.succeed(recordOf(site, page, hops, { refusal }))),
          Effect.tapError(() => Effect.sync(() => site.claims.release([url, ...hops])))
        )
      })
    }
  }))

const duplicateOf = (url: string): Refusal => ({ reason: "duplicate", detail: url })

/** Another attempt of the same page may be led to the same place again. */
const hopRefusal = (site: Site, robots: Robots["Service"], to: string, url: string) =>
  Effect.map(robotsRefusal(site, robots, to), (refused) => {
    if (refused !== undefined) return refused
    const first = site.claims.take(to, url)
    return first === url ? undefined : duplicateOf(first)
  })

/** What was read of an answer. */
interface Read {
  readonly bytes: number
  readonly content: PageContent
}

/** Nothing of what is no page, or tells of an error. */
const read = ({ parser, scope }: Site, fetched: Fetched): Effect.Effect<Read | undefined, FetchError> => {
  const { contentType, isBodySkipped, status } = fetched
  if (isBodySkipped || status >= 300 || scope.typeRefusal(contentType?.mediaType) !== undefined) return Effect.undefined
  return Effect.suspend(() => {
    const { end, write } = parser.open()
    return Effect.map(readText(fetched, write), (bytes) => ({ bytes, content: end() }))
  })
}

/** Kinds of links that lead to pages. */
const pageKinds: ReadonlySet<LinkKind> = new Set(["anchor", "next", "canonical", "alternate", "frame", "refresh"])

interface Found {
  readonly items: ReadonlyArray<Page | Link>
  readonly followed: number
  readonly targets: ReadonlyArray<Target> | undefined
}

/** What becomes of the links of a page. */
const linksOf = (site: Site, page: Page, fetched: Fetched, read: Read | undefined, depth: number): Found => {
  const targets: Array<Target> | undefined = site.links === "check" ? [] : undefined
  if (read === undefined) return { items: [], followed: 0, targets }
  const base = baseOf(fetched, read.content)
  const isFollowed = !directivesOf(site, fetched, read).nofollow && depth < site.maxPageDepth
  const pages = new Map<string, Page>()
  const others = new Map<string, Link>()
  for (const { kind, nofollow, reference, text } of read.content.links) {
    const mayFollow = isFollowed && pageKinds.has(kind) && !(nofollow && site.directives === "obey")
    if (!mayFollow && targets === undefined) continue
    const target = site.canonical(reference, base)
    if (Result.isFailure(target)) continue
    const url = target.success
    targets?.push({ url, kind, text })
    if (mayFollow && site.scope.refusal(url) === undefined) {
      if (!pages.has(url)) pages.set(url, new Page({ url, referrer: page.url }))
    } else if (targets !== undefined && !others.has(url)) others.set(url, new Link({ url }))
  }
  for (const url of pages.keys()) others.delete(url)
  return { items: [...pages.values(), ...others.values()], followed: pages.size, targets }
}

const baseOf = ({ url }: Fetched, { base }: PageContent): string =>
  base === undefined ? url : URL.parse(base, url)?.href ?? url

const directivesOf = ({ directives, parser }: Site, { headers }: Fetched, { content }: Read) => {
  if (directives === "ignore") return { noindex: false, nofollow: false }
  const header = parser.directives(headers["x-robots-tag"] ?? "")
  return { noindex: content.noindex || header.noindex, nofollow: content.nofollow || header.nofollow }
}

/** What is known of a page, as far as one came. */
interface Known {
  readonly refusal?: Refusal | undefined
  readonly fetched?: Fetched | undefined
  readonly read?: Read | undefined
  readonly found?: Found | undefined
}

const recordOf = (
  site: Site,
  { referrer, url }: Page,
  hops: ReadonlySet<string>,
  { fetched, found, read, refusal }: Known
): PageRecord => {
  const redirects = fetched === undefined ? [...hops] : fetched.redirects.map(({ to }) => to)
  const refused = refusal ?? (fetched === undefined ? undefined : refusalOf(site, fetched, read))
  const kept = refused === undefined ? read?.content : undefined
  const canonical = kept?.canonical === undefined
    ? undefined
    : Result.getOrUndefined(site.canonical(kept.canonical, baseOf(fetched!, kept)))
  return {
    url,
    finalUrl: fetched?.url ?? redirects.at(-1) ?? url,
    redirects,
    referrer,
    refusal: refused,
    status: fetched?.status,
    contentType: fetched?.contentType?.mediaType,
    title: kept?.title,
    language: kept?.language,
    canonical,
    meta: kept?.meta ?? {},
    selected: kept?.selected ?? {},
    bytes: read?.bytes ?? 0,
    latency: fetched === undefined ? 0 : Duration.toMillis(fetched.latency),
    links: {
      found: read?.content.links.length ?? 0,
      followed: found?.followed ?? 0,
      dropped: read?.content.linksDropped ?? 0
    },
    targets: found?.targets
  }
}

/** Why a page that was fetched was not read, or is not kept. */
const refusalOf = (site: Site, fetched: Fetched, read: Read | undefined): Refusal | undefined => {
  if (fetched.status >= 300) return undefined
  if (read === undefined) return site.scope.typeRefusal(fetched.contentType?.mediaType)
  return directivesOf(site, fetched, read).noindex ? { reason: "noindex", detail: "the page asks for it" } : undefined
}
