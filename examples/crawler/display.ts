// A crawl that is seen: `node --conditions=conveyor-source examples/crawler/display.ts`, with the number of workers if you like. What is
// drawn goes to standard error, the log above it, and the result to standard output.
import { Console, Effect, Layer, Logger, Random, Schema } from "effect"
import { Crawler, CrawlItem, LiveTerminal, NodeLiveTerminal, ProgressDisplay } from "effect-crawler"

const concurrency = Number(process.argv[2]) || 5
// Nobody looks: no need to dawdle.
const slowness = process.argv.includes("--once") ? 0.01 : 1

const dawdle = Effect.flatMap(Random.nextBetween(200, 3000), (millis) => Effect.sleep(slowness * millis))

class Image extends CrawlItem.Class<Image>()("Image", { url: Schema.String }, {
  failure: Schema.String,
  trackOverall: true
}) {
  static readonly layer = Image.toLayer({
    process: Effect.fnUntraced(function*({ url }, crawl) {
      yield* crawl.describe(`downloading ${url}`)
      yield* dawdle
      if (url.endsWith("/3/5.png")) {
        yield* Effect.logWarning(`${url} is not there`)
        return yield* Effect.fail("404")
      }
    })
  })
}

class Page extends CrawlItem.Class<Page>()("Page", { url: Schema.String }, { key: ({ url }) => url }) {
  static readonly layer = Page.toLayer({
    process: Effect.fnUntraced(function*({ url }, crawl) {
      yield* crawl.describe(`reading 日本語 ${url}`)
      yield* dawdle
      yield* Effect.logInfo(`read ${url}`)
      for (let i = 0; i < 20; i++) yield* crawl.enqueue(new Image({ url: `${url}/${i}.png` }))
    })
  })
}

class Index extends CrawlItem.Class<Index>()("Index", { url: Schema.String }) {
  static readonly layer = Index.toLayer({
    process: Effect.fnUntraced(function*({ url }, crawl) {
      // One of them twice.
      for (let i = 0; i <= 10; i++) yield* crawl.enqueue(new Page({ url: `${url}/${i % 10}` }))
    })
  })
}

// #region program
const program = Effect.gen(function*() {
  const crawl = yield* Crawler.make([new Index({ url: "http://example.com" })], { concurrency })
  const { failed, skipped, succeeded } = yield* ProgressDisplay.awaitEnd(crawl, { title: "http://example.com" })
  yield* Console.log(`${succeeded} succeeded, ${failed} failed, ${skipped.duplicate} twice`)
})

const line = Logger.make(({ date, logLevel, message }) =>
  `${date.toISOString().slice(11, 19)} ${logLevel.padEnd(5)} ${String(message)}`
)

program.pipe(
  Effect.provide(CrawlItem.layers(Index.layer, Page.layer, Image.layer)),
  Effect.scoped,
  Effect.provide(Layer.provideMerge(LiveTerminal.layerLogger(line), NodeLiveTerminal.layer())),
  Effect.runPromise
)
// #endregion

// Output:
// 210 succeeded, 1 failed, 1 twice
