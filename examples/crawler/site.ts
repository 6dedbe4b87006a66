// Crawls a site: politely, within bounds, and nowhere else.
//
// Run: node --conditions=conveyor-source examples/crawler/site.ts
import { Console, Effect, Layer } from "effect"
import { Crawler } from "effect-crawler"
import * as AddressGuard from "effect-crawler/web/AddressGuard"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as Robots from "effect-crawler/web/Robots"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

// #region site
const crawl = Effect.fnUntraced(function*(start: string) {
  const site = yield* SiteCrawl.make([start], { maxDepth: 3 })
  const { roots, succeeded } = yield* Effect.provide(Crawler.run(site.roots, site.options), site.layer)
  for (const { exit } of roots) {
    const { links, title } = yield* exit
    yield* Console.log(`${title}: ${links.followed} of ${links.found} links followed, ${succeeded} pages`)
  }
})

/** Only the host of the start URL, which is private, may be asked among private ones. */
const fetching = (start: string) =>
  Layer.provideMerge(
    Robots.layer(),
    NodeFetcher.layer({
      userAgent: "examplebot/1.0 (+https://example.com/bot)",
      addressGuard: AddressGuard.make({ startUrls: [start] })
    })
  )
// #endregion

const server = createServer(({ url }, response) => {
  if (url === "/robots.txt") return response.end("User-agent: *\nDisallow: /private")
  response.writeHead(200, { "content-type": "text/html" })
  const links = url === "/" ? ["/a", "/b", "/private", "http://elsewhere.example/"] : ["/"]
  return response.end(
    `<title>${url === "/" ? "The front page" : url}</title>${links.map((to) => `<a href="${to}">to</a>`).join("")}`
  )
})

Effect.gen(function*() {
  const start = yield* Effect.callback<string>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      resume(Effect.succeed(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
    })
  })
  yield* Effect.provide(crawl(start), fetching(start))
}).pipe(Effect.ensuring(Effect.sync(() => server.close())), Effect.runPromise)

// Output:
// The front page: 3 of 4 links followed, 4 pages
