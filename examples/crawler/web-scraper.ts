// An index, its pages, their images: depth first with five workers, an image seen before is skipped. Pages are made up.
import { Console, Effect, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"
import { TestClock } from "effect/testing"

const visited = new Set(["http://example.com/images/1/2"])

class Image extends CrawlItem.Class<Image>()("Image", { url: Schema.String }, { trackOverall: true }) {
  static readonly layer = Image.toLayer({
    process: Effect.fnUntraced(function*({ url }, crawl) {
      if (visited.has(url)) return yield* crawl.describe(`skipping image ${url}`)
      visited.add(url)
      yield* crawl.describe(`downloading image at ${url}`)
      yield* Effect.sleep("500 millis")
    })
  })
}

class Page extends CrawlItem.Class<Page>()("Page", { url: Schema.String, number: Schema.Number }) {
  static readonly layer = Page.toLayer({
    process: Effect.fnUntraced(function*({ number, url }, crawl) {
      yield* crawl.describe(`scraping page at ${url}`)
      yield* Effect.sleep("500 millis")
      const images = Array.from({ length: 7 }, (_, i) => `http://example.com/images/${number}/${i}`)
      yield* crawl.enqueue(...images.map((image) => new Image({ url: image })))
    })
  })
}

class Index extends CrawlItem.Class<Index>()("Index", { url: Schema.String }) {
  static readonly layer = Index.toLayer({
    process: Effect.fnUntraced(function*({ url }, crawl) {
      yield* crawl.describe(`scraping index at ${url}`)
      yield* Effect.sleep("500 millis")
      const pages = Array.from({ length: 10 }, (_, number) => new Page({ url: `${url}/${number}`, number }))
      yield* crawl.enqueue(...pages)
    }),
    afterChildren: ({ url }) => Console.log(`done scraping ${url}`)
  })
}

const program = Effect.gen(function*() {
  const crawl = yield* Crawler.make([new Index({ url: "http://example.com" })], { order: "lifo" })
  yield* TestClock.adjust("2 seconds")
  const { processing } = yield* crawl.stats
  for (const { description } of processing) yield* Console.log(description)
  yield* TestClock.adjust("1 minute")
  const { overall } = yield* crawl.stats
  yield* Console.log(`${overall.settled}/${overall.known} images`)
})

program.pipe(
  Effect.provide(CrawlItem.layers(Index.layer, Page.layer, Image.layer)),
  Effect.scoped,
  Effect.provide(TestClock.layer()),
  Effect.runPromise
)

// Output:
// downloading image at http://example.com/images/5/0
// downloading image at http://example.com/images/6/5
// downloading image at http://example.com/images/6/4
// downloading image at http://example.com/images/6/3
// downloading image at http://example.com/images/6/2
// done scraping http://example.com
// 70/70 images
