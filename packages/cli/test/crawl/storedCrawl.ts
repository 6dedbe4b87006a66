import { Effect } from "effect"
import { Crawler, CrawlItem, CrawlStore } from "effect-crawler"
import { FetchError } from "effect-crawler/web/FetchError"
import { Link } from "effect-crawler/web/LinkCheck"
import { Page, type PageRecord } from "effect-crawler/web/Page"

/** What is kept of a page that holds nothing. */
export const recordOf = (url: string, more: Partial<PageRecord> = {}): PageRecord => ({
  url,
  finalUrl: url,
  redirects: [],
  status: 200,
  meta: {},
  selected: {},
  bytes: 1,
  latency: 1.26,
  links: { found: 0, followed: 0, dropped: 0 },
  ...more
})

/** The URL of a page of such a crawl. */
export const urlOf = (n: number): string => `https://example.org/${n}`

/** A store of a crawl that has ended: its pages are numbered from 1, every seventh has failed, and among them are links. */
export const storedCrawl = (pages: number): Effect.Effect<CrawlStore.CrawlStore> =>
  Effect.gen(function*() {
    const store = yield* CrawlStore.memory
    const items = Array.from({ length: pages }, (_, i) => new Page({ url: urlOf(i + 1) }))
    yield* Crawler.run([...items, new Link({ url: "https://elsewhere.org/" })], { store, concurrency: 1 })
    return store
  }).pipe(Effect.orDie, Effect.provide(layer))

const layer = CrawlItem.layers(
  Page.toLayer({
    process: ({ url }) =>
      Number(url.split("/").at(-1)) % 7 === 0
        ? Effect.fail(new FetchError({ url, reason: "Timeout", detail: "it took longer than 30s" }))
        : Effect.succeed(recordOf(url, { title: `"${url}",\nor so`, selected: { price: ["1", "2"] } }))
  }),
  Link.toLayer({ process: ({ url }) => Effect.succeed({ url, finalUrl: url, status: 200 }) })
)
