// A root and the children it enqueues; the crawl ends when everything below the root has settled.
import { Console, Effect, Random, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"
import { TestClock } from "effect/testing"

class Child extends CrawlItem.Class<Child>()("Child", { name: Schema.String }, { trackOverall: true }) {
  static readonly layer = Child.toLayer({
    process: ({ name }, crawl) =>
      Effect.flatMap(
        Random.nextBetween(0, 2),
        (seconds) => Effect.andThen(crawl.describe(`processing ${name}`), Effect.sleep(`${seconds} seconds`))
      )
  })
}

class Root extends CrawlItem.Class<Root>()("Root", { children: Schema.Number }) {
  static readonly layer = Root.toLayer({
    process: Effect.fnUntraced(function*({ children }, crawl) {
      for (let i = 0; i < children; i++) {
        yield* crawl.describe(`making child ${i}`)
        yield* Effect.sleep("1 second")
        yield* crawl.enqueue(new Child({ name: `child ${i}` }))
      }
    }),
    afterChildren: () => Console.log("All done!")
  })
}

const program = Effect.gen(function*() {
  const crawl = yield* Crawler.make([new Root({ children: 3 })], { concurrency: 2 })
  yield* TestClock.adjust("1 minute")
  const { overall } = yield* crawl.stats
  yield* Console.log(`${overall.settled}/${overall.known} children`)
})

program.pipe(
  Effect.provide(CrawlItem.layers(Root.layer, Child.layer)),
  Effect.scoped,
  Effect.provide(TestClock.layer()),
  Effect.runPromise
)

// Output:
// All done!
// 3/3 children
