// The size of a directory is that of everything below it: children first, their outcomes folded up the tree.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Exit, FileSystem, Layer, Path, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"

// #region crawl
class File extends CrawlItem.Class<File>()("File", { path: Schema.String }, {
  success: Schema.Number,
  trackOverall: true
}) {
  static readonly layer = File.toLayer(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    return { process: ({ path }) => Effect.map(Effect.orDie(fs.stat(path)), ({ size }) => Number(size)) }
  }))
}

class Directory extends CrawlItem.Class<Directory>()("Directory", { path: Schema.String }, { success: Schema.Number }) {
  static readonly layer = Directory.toLayer(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    return {
      process: Effect.fnUntraced(function*({ path }, crawl) {
        yield* crawl.describe(`reading ${path}`)
        for (const name of yield* Effect.orDie(fs.readDirectory(path))) {
          const child = join(path, name)
          const { type } = yield* Effect.orDie(fs.stat(child))
          yield* crawl.enqueue(type === "Directory" ? new Directory({ path: child }) : new File({ path: child }))
        }
        return 0
      }),
      // Runs once, after the last of all descendants, with what the children came to.
      afterChildren: (_directory, { children }) =>
        Effect.succeed(
          children.reduce((sum, { exit }) => sum + (Exit.isSuccess(exit) ? Number(exit.value) : 0), 0)
        )
    }
  }))
}

const program = Effect.gen(function*() {
  const { enqueued, roots } = yield* Crawler.run([new Directory({ path: "packages/crawler/src" })])
  for (const { exit } of roots) yield* Console.log(`${enqueued} items, ${yield* exit} bytes`)
})
// #endregion

program.pipe(
  Effect.provide(CrawlItem.layers(Directory.layer, File.layer).pipe(Layer.provide(NodeServices.layer))),
  NodeRuntime.runMain
)

// Output (pattern):
// \d+ items, \d+ bytes
