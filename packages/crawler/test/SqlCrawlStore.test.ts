import { NodeServices } from "@effect/platform-node"
import { it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import * as SqlCrawlStore from "effect-crawler/SqlCrawlStore"
import { suite } from "./CrawlStoreSuite.ts"

const folder = Effect.provide(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
  NodeServices.layer
)

const make = Effect.gen(function*() {
  const context = yield* Layer.build(NodeSqlite.layer({ filename: `${yield* folder}/crawl.db` }))
  return yield* Effect.provideContext(SqlCrawlStore.make(), context)
})

suite("SqlCrawlStore on SQLite", make, { isShared: false, depth: 1000, it: it.effect })
