/**
 * What a crawl tells while it runs.
 *
 * @since 0.1.0
 */
import type * as Exit from "effect/Exit"
import type { Item } from "./CrawlItem.ts"
import type { CrawlReport, Skipped } from "./CrawlOutcome.ts"

/**
 * Which item an event is about.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface About {
  readonly id: number
  readonly item: Item
  readonly depth: number
  /** The number of the item that enqueued it; nothing for a root. */
  readonly parentId: number | undefined
}

/**
 * What a crawl tells.
 *
 * **Details** `Processed` is the end of `process`, `Settled` that of the item: after its descendants and its own hook.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type CrawlEvent =
  | { readonly _tag: "Enqueued"; readonly about: About }
  | { readonly _tag: "Started"; readonly about: About }
  | { readonly _tag: "Described"; readonly about: About; readonly text: string }
  | { readonly _tag: "Processed"; readonly about: About; readonly exit: Exit.Exit<unknown, unknown> }
  | { readonly _tag: "Settled"; readonly about: About; readonly exit: Exit.Exit<unknown, unknown> }
  | { readonly _tag: "Skipped"; readonly skipped: Skipped }
  | { readonly _tag: "Ended"; readonly report: CrawlReport }
