/**
 * What becomes of items, and of a crawl.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Exit from "effect/Exit"
import type { Failure, Item, Success } from "./CrawlItem.ts"

/**
 * An item that was not done, because a limit was reached or its key had been seen. An outcome, not an error.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Skipped {
  readonly item: Item
  readonly reason: "duplicate" | "maxDepth" | "maxItems"
}

/**
 * What a root and all below it came to.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface RootOutcome<out I> {
  readonly item: I
  readonly exit: Exit.Exit<Success<I>, Failure<I> | ChildFailed>
}

/**
 * An item whose class has `onFailure: "failFast"` failed because one of its children did.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class ChildFailed extends Data.TaggedError("ChildFailed")<{
  readonly item: Item
  readonly cause: unknown
}> {
  override get message(): string {
    return "a child failed, and the item fails with the first that does"
  }
}

/**
 * How a crawl ended. At any moment `enqueued = succeeded + failed + interrupted + left`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrawlReport<out I = Item> {
  readonly enqueued: number
  readonly succeeded: number
  readonly failed: number
  /** Interrupted while they ran, or not begun, because an ancestor failed fast or, without a store, the crawl was stopped. */
  readonly interrupted: number
  /** Not settled, and in the store, for the next time; 0 without a store. */
  readonly left: number
  readonly skipped: { readonly duplicate: number; readonly maxDepth: number; readonly maxItems: number }
  /** In the order in which they settled. */
  readonly roots: ReadonlyArray<RootOutcome<I>>
}
