// What an item of a crawl costs that does nothing, in trees of three shapes and every order; and with its state in SQLite.
import { Effect, Layer, Schema } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { Crawler, CrawlItem, SqlCrawlStore } from "effect-crawler"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Group } from "./harness.ts"
import { median, perSecond } from "./harness.ts"

class Item extends CrawlItem.Class<Item>()("Item", { depth: Schema.Number }) {}

/** Items of a depth have so many children. */
const growing = (childrenAt: (depth: number) => number) =>
  Item.toLayer({
    process: ({ depth }, crawl) => {
      const children = childrenAt(depth)
      if (children === 0) return Effect.void
      return Effect.asVoid(crawl.enqueue(...Array.from({ length: children }, () => new Item({ depth: depth + 1 }))))
    }
  })

const shapes = {
  "a tree of 20 440 items": { items: 20_440, layer: growing((depth) => depth < 3 ? 27 : 0) },
  "a level of 100 000": { items: 100_001, layer: growing((depth) => depth === 0 ? 100_000 : 0) },
  "a chain of 100 000": { items: 100_001, layer: growing((depth) => depth < 100_000 ? 1 : 0) }
}

const crawl =
  (order: "fifo" | "lifo" | "priority", { items, layer }: typeof shapes[keyof typeof shapes]) => async () => {
    const rate = await perSecond(items, async () => {
      const { succeeded } = await Effect.runPromise(
        Effect.provide(Crawler.run([new Item({ depth: 0 })], { order, concurrency: 8 }), layer)
      )
      if (succeeded !== items) throw new Error(`${succeeded} of ${items} items succeeded`)
    })
    return [rate]
  }

const inDirectory = <A>(use: (filename: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(`${tmpdir()}/crawl-`)
  return use(`${directory}/state.db`).finally(() => rmSync(directory, { recursive: true }))
}

const { items, layer } = shapes["a tree of 20 440 items"]

/** The same tree with its state in a new file each time: a crawl that has ended is not crawled again. */
const stored = (synchronous: "normal" | "full") => async () => {
  const rates: Array<number> = []
  for (let round = 0; round < 5; round++) rates.push(await inDirectory((filename) => storedOnce(filename, synchronous)))
  // The first two are for the compiler.
  return [median(rates.slice(2))]
}

const storedOnce = async (filename: string, synchronous: "normal" | "full") => {
  const from = performance.now()
  const { succeeded } = await Effect.gen(function*() {
    const store = yield* SqlCrawlStore.make()
    return yield* Crawler.run([new Item({ depth: 0 })], { concurrency: 8, store })
  }).pipe(Effect.provide(Layer.merge(layer, NodeSqlite.layer({ filename, synchronous }))), Effect.runPromise)
  if (succeeded !== items) throw new Error(`${succeeded} of ${items} items succeeded`)
  return items * 1000 / (performance.now() - from)
}

/** What is written of an item, and a commit for each: no tree, no order, no results. */
const oneByOne = () =>
  inDirectory(async (filename) => {
    const { DatabaseSync } = await import("node:sqlite")
    const database = new DatabaseSync(filename)
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE item (id INTEGER PRIMARY KEY, data TEXT)"
    )
    const insert = database.prepare("INSERT INTO item (data) VALUES (?)")
    const from = performance.now()
    for (let n = 0; n < 5000; n++) insert.run(`{"depth":${n}}`)
    const rate = 5000 * 1000 / (performance.now() - from)
    database.close()
    return [rate]
  })

export const groups: ReadonlyArray<Group> = [
  ...Object.entries(shapes).flatMap(([name, shape]) =>
    (["fifo", "lifo", "priority"] as const).map((order): Group => ({
      cases: [{ case: `${name}, ${order}, 8 workers`, unit: "items/s", better: "more" }],
      subjects: { ours: crawl(order, shape) }
    }))
  ),
  {
    cases: [{ case: "a tree of 20 440 items on SQLite, fifo, 8 workers", unit: "items/s", better: "more" }],
    subjects: {
      ours: stored("normal"),
      "ours, synchronous full": stored("full"),
      "an insert and a commit for each, synchronous full": oneByOne
    }
  }
]
