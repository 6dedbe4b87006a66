import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { type CrawlStore, NodeLiveTerminal } from "effect-crawler"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as Robots from "effect-crawler/web/Robots"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import * as PageSink from "../../src/internal/crawl/pageSink.ts"
import { run } from "../../src/internal/crawl/run.ts"

const layer = Layer.mergeAll(
  NodeLiveTerminal.layer({ live: false }),
  Layer.provideMerge(Robots.layer(), NodeFetcher.layer())
)

/** A crawl of which other processes do all that is left. */
const doneByOthers: CrawlStore.CrawlStore = {
  open: () =>
    Effect.succeed({
      opened: { isNew: false, totals, waiting: new Map(), hasEnded: false },
      pollInterval: 250,
      claim: () => Effect.succeed({ claimed: [], over: [], hasEnded: true }),
      commit: () => Effect.die("nothing was claimed"),
      report: Effect.succeed({ totals: { ...totals, succeeded: 9, trackedSettled: 9 }, roots: [] })
    }),
  items: () => Stream.empty
}

const totals: CrawlStore.Totals = {
  enqueued: 9,
  succeeded: 1,
  failed: 0,
  interrupted: 0,
  skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
  tracked: 9,
  trackedSettled: 1
}

describe("run", () => {
  it.effect("has finished when others did the last of it", () =>
    Effect.gen(function*() {
      const site = yield* SiteCrawl.make(["https://example.org/"])
      const { ending, left } = yield* run({
        plan: { site, fetcher: {}, agent: "conveyor", selectors: [], destination: { _tag: "None" } },
        roots: site.roots,
        store: doneByOthers,
        sink: PageSink.none,
        ladder: { awaitStop: Effect.never, awaitInterrupt: Effect.never },
        printsEvents: false,
        checksLinks: false,
        isShown: false
      })
      assert.deepStrictEqual([ending, left], ["finished", 0])
    }).pipe(Effect.provide(layer)))
})
