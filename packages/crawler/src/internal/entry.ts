import type { About } from "../CrawlEvent.ts"
import type { Item, Registered } from "../CrawlItem.ts"
import type { FailFast } from "./failFast.ts"

/** An item that waits, or that is worked on: what the queue of a crawl holds, wherever its tree is kept. */
export interface Entry extends About {
  readonly registered: Registered
  readonly parentItem: Item | undefined
  readonly priority: number
  /** What the limits by key know it by. Nobody shares that of a hook. */
  readonly key: unknown
  /** That of the nearest ancestor that fails when a child does, or its own. */
  readonly failFast: FailFast | undefined
  state: "waiting" | "processing" | "processed"
  description: string
  startedAt: number
}
