import type { Options } from "../Crawler.ts"
import type { Item } from "../CrawlItem.ts"
import type { Limits } from "./pace.ts"

export const defaults = {
  order: "fifo",
  concurrency: 5,
  maxDepth: "unbounded",
  maxItems: "unbounded",
  keyConcurrency: 1
} as const

export interface Settings {
  readonly order: "fifo" | "lifo" | "priority"
  readonly concurrency: number
  readonly maxDepth: number
  readonly maxItems: number
  readonly keyed: {
    readonly by: (item: Item) => string
    readonly concurrency: number | "unbounded"
    /** How often they may begin, if that is limited. */
    readonly limits: Limits | undefined
  } | undefined
}

/** Fills in defaults and refuses what is out of range: in code a wrong option is a bug. */
export const resolve = (options: Options): Settings => {
  const count = (option: string, value: number | "unbounded", least: number): number => {
    if (value === "unbounded") return Infinity
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new RangeError(`Crawler: ${option} must be a whole number >= ${least}, got ${value}`)
  }
  const { concurrency = defaults.concurrency, keyed, order = defaults.order } = options
  const keyConcurrency = keyed?.concurrency ?? defaults.keyConcurrency
  count("keyed.concurrency", keyConcurrency, 1)
  if (!["fifo", "lifo", "priority"].includes(order)) {
    throw new RangeError(`Crawler: order must be "fifo", "lifo" or "priority", got ${order}`)
  }
  return {
    order,
    concurrency: count("concurrency", concurrency, 1),
    maxDepth: count("maxDepth", options.maxDepth ?? defaults.maxDepth, 0),
    maxItems: count("maxItems", options.maxItems ?? defaults.maxItems, 1),
    keyed: keyed && {
      by: keyed.by,
      concurrency: keyConcurrency,
      limits: keyed.delay === undefined && keyed.rate === undefined ? undefined : keyed
    }
  }
}
