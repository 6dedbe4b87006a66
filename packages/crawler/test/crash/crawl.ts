import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Redacted, Stream } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { Crawler, SqlCrawlStore } from "effect-crawler"
import { appendFileSync } from "node:fs"
import { layer, type Leaf, root, type Sum } from "./numbers.ts"

// Crawls the numbers below argv[4] with a store that argv[2] names, until it has ended or is killed. It says on stdout whenever an item was
// processed, and appends what has settled to argv[3].
const [, , url, log, total, millis] = process.argv as unknown as [string, string, string, string, string, string]

const client = url.startsWith("postgres:")
  ? PgClient.layer({ url: Redacted.make(url) })
  : NodeSqlite.layer({ filename: url })

Effect.gen(function*() {
  const store = yield* SqlCrawlStore.make({ leaseDuration: "2 seconds", pollInterval: "100 millis" })
  const crawl = yield* Crawler.make([root(Number(total))], { store, concurrency: 16 })
  yield* Effect.forkScoped(
    Stream.runForEach(crawl.events, (event) =>
      Effect.sync(() => {
        if (event._tag === "Processed") process.stdout.write("p\n")
        if (event._tag === "Settled") appendFileSync(log, `${(event.about.item as Sum | Leaf).n}\n`)
      })),
    { startImmediately: true }
  )
  const { left, ...report } = yield* crawl.awaitEnd
  if (left > 0) throw new Error(`${left} items are left`)
  return report
}).pipe(
  Effect.provide(layer(Effect.sleep(Number(millis)))),
  Effect.scoped,
  Effect.provide(client),
  Effect.runPromise
).catch((error) => {
  process.stderr.write(`${error}\n`)
  process.exitCode = 1
})
