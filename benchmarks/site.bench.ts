// Crawling a site of 3 000 linked pages of 8 KB on loopback, 32 at once, with links followed and robots.txt obeyed.
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import type { Group } from "./harness.ts"

const pages = 3000
const atOnce = 32

/** Pages per second of a crawl, in a process that has crawled it three times before: crawls are long. */
const crawled = (crawl: (start: string) => Promise<number>) => async () => {
  const server = fork(fileURLToPath(new URL("site/server.ts", import.meta.url)), [String(pages)])
  const [port] = await once(server, "message")
  try {
    let seconds = 0
    for (let round = 0; round < 4; round++) {
      const from = performance.now()
      const count = await crawl(`http://127.0.0.1:${port}/page/0`)
      seconds = (performance.now() - from) / 1000
      if (count !== pages) throw new Error(`${count} of ${pages} pages were crawled`)
    }
    return [pages / seconds]
  } finally {
    server.kill()
  }
}

/** What a crawl cannot do without: requests, a parser, a set of what was seen, and the rules of robots.txt. */
const floor = async (start: string) => {
  const { Agent, request } = await import("undici")
  const { Parser } = await import("htmlparser2")
  const { default: robotsParser } = await import("robots-parser")
  const dispatcher = new Agent({ connections: atOnce })
  const { origin } = new URL(start)
  const answer = await request(`${origin}/robots.txt`, { dispatcher })
  const robots = (robotsParser as never as typeof robotsParser.default)(
    `${origin}/robots.txt`,
    await answer.body.text()
  )
  const waiting = [start]
  const seen = new Set(waiting)
  let titles = 0
  const visit = async (url: string) => {
    const { body } = await request(url, { dispatcher })
    let title = ""
    let inTitle = false
    const parser = new Parser({
      onopentag: (name, attributes) => {
        inTitle = name === "title"
        if (name !== "a" || attributes["href"] === undefined) return
        const link = new URL(attributes["href"], url)
        link.hash = ""
        if (link.origin !== origin || seen.has(link.href) || robots.isAllowed(link.href, "bench") === false) return
        seen.add(link.href)
        waiting.push(link.href)
      },
      ontext: (text) => {
        if (inTitle) title += text
      },
      onclosetag: () => {
        inTitle = false
      }
    })
    body.setEncoding("utf8")
    for await (const chunk of body) parser.write(chunk)
    parser.end()
    if (title !== "") titles++
  }
  const running = new Set<Promise<void>>()
  while (waiting.length > 0 || running.size > 0) {
    while (waiting.length > 0 && running.size < atOnce) {
      const visiting: Promise<void> = visit(waiting.shift()!).finally(() => running.delete(visiting))
      running.add(visiting)
    }
    await Promise.race(running)
  }
  await dispatcher.close()
  return titles
}

const cheerio = async (start: string) => {
  const { CheerioCrawler, Configuration, log } = await import("@crawlee/cheerio")
  log.setLevel(log.LEVELS.ERROR)
  let titles = 0
  const crawler = new CheerioCrawler({
    minConcurrency: atOnce,
    maxConcurrency: atOnce,
    respectRobotsTxtFile: true,
    requestHandler: async ({ $, enqueueLinks }) => {
      if ($("title").text() !== "") titles++
      await enqueueLinks()
    }
  }, new Configuration({ persistStorage: false, purgeOnStart: true }))
  await crawler.run([start])
  await crawler.teardown()
  return titles
}

/** Ours, with the state in memory or in a SQLite file. */
const ours = (state: "memory" | "sqlite") => async (start: string): Promise<number> => {
  const { Effect, Layer } = await import("effect")
  const { Crawler, SqlCrawlStore } = await import("effect-crawler")
  const { NodeSqlite } = await import("effect-conveyor-connectors")
  const AddressGuard = await import("effect-crawler/web/AddressGuard")
  const NodeFetcher = await import("effect-crawler/web/NodeFetcher")
  const Robots = await import("effect-crawler/web/Robots")
  const SiteCrawl = await import("effect-crawler/web/SiteCrawl")
  const fetching = Robots.layer().pipe(
    Layer.provideMerge(
      NodeFetcher.layer({
        addressGuard: AddressGuard.make({ startUrls: [start] }),
        maxConnectionsPerOrigin: atOnce
      })
    )
  )
  const directory = mkdtempSync(`${tmpdir()}/site-`)
  const sqlite = NodeSqlite.layer({ filename: `${directory}/state.db` })
  return Effect.gen(function*() {
    const store = state === "memory"
      ? undefined
      : yield* Effect.provide(SqlCrawlStore.make(), yield* Layer.build(sqlite))
    const site = yield* SiteCrawl.make([start], { concurrency: atOnce, hostConcurrency: atOnce })
    const { succeeded } = yield* Effect.provide(Crawler.run(site.roots, { ...site.options, store }), site.layer)
    return succeeded
  }).pipe(
    Effect.ensuring(Effect.sync(() => rmSync(directory, { recursive: true }))),
    Effect.scoped,
    Effect.provide(fetching),
    Effect.runPromise
  )
}

export const groups: ReadonlyArray<Group> = [{
  cases: [{ case: `a site of ${pages} pages, ${atOnce} at once`, unit: "pages/s", better: "more" }],
  subjects: {
    ours: crawled(ours("memory")),
    "ours, with SQLite": crawled(ours("sqlite")),
    "floor: undici and htmlparser2": crawled(floor),
    "@crawlee/cheerio": crawled(cheerio)
  }
}]
