// What an item of a crawl costs that does nothing, in trees of three shapes and every order.
import { Effect, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"
import type { Group } from "./harness.ts"
import { perSecond } from "./harness.ts"

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

export const groups: ReadonlyArray<Group> = Object.entries(shapes).flatMap(([name, shape]) =>
  (["fifo", "lifo", "priority"] as const).map((order): Group => ({
    cases: [{ case: `${name}, ${order}, 8 workers`, unit: "items/s", better: "more" }],
    subjects: { ours: crawl(order, shape) }
  }))
)
