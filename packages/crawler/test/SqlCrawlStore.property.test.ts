import { describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { CrawlStore } from "effect-crawler"
import * as SqlCrawlStore from "effect-crawler/SqlCrawlStore"
import { agree } from "./CrawlStoreModel.ts"

const make = Effect.flatMap(
  Layer.build(NodeSqlite.layer({ filename: ":memory:" })),
  (context) => Effect.provideContext(SqlCrawlStore.make(), context)
)

describe("SqlCrawlStore on SQLite", () => {
  it.effect.prop(
    "law: it answers as the store in memory does, whatever is asked of it",
    { seed: Schema.Int },
    ({ seed }) =>
      Effect.gen(function*() {
        yield* agree(yield* CrawlStore.memory, yield* make, { isShared: false, seed, steps: 60 })
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 60 } }
  )
})
