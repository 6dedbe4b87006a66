import type * as Exit from "effect/Exit"
import type { About } from "../CrawlEvent.ts"
import type { ChildOutcome, Item, Registered } from "../CrawlItem.ts"
import type { FailFast } from "./failFast.ts"

// An item in the tree. It knows its parent and not its children: `open` counts those that have not settled, and the item's
// own processing. Whoever brings it to 0 climbs to the parent, so a node is let go as soon as nothing below it is left, and
// what a crawl holds in memory is what is not done yet.

export class Node implements About {
  readonly id: number
  readonly item: Item
  readonly registered: Registered
  readonly parent: Node | undefined
  readonly depth: number
  readonly priority: number
  /** That of the nearest ancestor that fails when a child does, or its own. */
  readonly failFast: FailFast | undefined
  open = 1
  state: "waiting" | "processing" | "processed" = "waiting"
  own: Exit.Exit<unknown, unknown> | undefined = undefined
  children: Array<ChildOutcome> | undefined = undefined
  description = ""
  startedAt = 0

  constructor(
    id: number,
    item: Item,
    registered: Registered,
    parent: Node | undefined,
    failFast: FailFast | undefined
  ) {
    const { priority } = registered.options
    this.id = id
    this.item = item
    this.registered = registered
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.failFast = failFast
    this.priority = typeof priority === "function" ? priority(item) : priority ?? 0
  }

  get parentId(): number | undefined {
    return this.parent?.id
  }
}
