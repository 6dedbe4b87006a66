import { Effect } from "effect"
import { CsvConsumer, NdjsonConsumer, SqliteConsumer } from "effect-conveyor-connectors"
import { acquire, delivery, services } from "../fixtures.ts"

// Delivers numbers from argv[4] on until it is killed, and says each one once it is acknowledged.
const [, , kind, path, from] = process.argv as [string, string, "csv" | "ndjson" | "sqlite", string, string]

const consumer = kind === "csv"
  ? CsvConsumer.make({ path, rotate: { size: "20 kB" } })
  : kind === "ndjson"
  ? NdjsonConsumer.make({ path, rotate: { size: "20 kB" } })
  : SqliteConsumer.make({ path, table: "t" })

Effect.gen(function*() {
  const deliver = yield* acquire(consumer as ReturnType<typeof CsvConsumer.make>)
  for (let n = Number(from);; n += 3) {
    yield* deliver(...[n, n + 1, n + 2].map((n) => delivery({ n, text: "a \"quoted\"\nline" }, n)))
    process.stdout.write(`${n + 2}\n`)
  }
}).pipe(Effect.scoped, Effect.provide(services), Effect.runFork)
