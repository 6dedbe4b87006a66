// Stops a crawl in the middle, and goes on with it from its SQLite file, as after a crash.
//
// Run: node --conditions=conveyor-source examples/crawler/resume.ts
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Schema } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { Crawler, CrawlItem, SqlCrawlStore } from "effect-crawler"

// #region resume
class Chapter extends CrawlItem.Class<Chapter>()("Chapter", { number: Schema.String }, { success: Schema.Int }) {
  static readonly layer = Chapter.toLayer({
    process: Effect.fnUntraced(function*({ number }, crawl) {
      yield* Effect.sleep("20 millis")
      if (number.length < 5) {
        yield* crawl.enqueue(new Chapter({ number: `${number}1` }), new Chapter({ number: `${number}2` }))
      }
      return 1
    })
  })
}

const program = Effect.gen(function*() {
  const store = yield* SqlCrawlStore.make()
  const roots = [new Chapter({ number: "1" })]

  const crawl = yield* Crawler.make(roots, { store })
  yield* Effect.sleep("50 millis")
  const stopped = yield* crawl.stop
  yield* Console.log(stopped.left > 0 ? "stopped in the middle" : "it was over already")

  // The roots are in the store: they are not added again.
  const { left, succeeded } = yield* Crawler.run(roots, { store })
  yield* Console.log(`${succeeded} chapters, ${left} left`)
})
// #endregion

Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  yield* program.pipe(
    Effect.provide([Chapter.layer, NodeSqlite.layer({ filename: `${directory}/state.db` })])
  )
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.runPromise)

// Output:
// stopped in the middle
// 31 chapters, 0 left
