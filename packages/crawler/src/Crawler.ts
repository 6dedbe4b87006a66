/**
 * Tree-shaped work that finishes: items enqueue children, and each settles after everything below it has.
 *
 * A crawl begins with roots and ends when they have settled. Its workers take one item at a time, in the crawl's order;
 * whoever settles the last of an item's descendants runs the item's hook, and then its parent's if that was the last there.
 *
 * **Source** aqueue's `run_queue`: order, workers, and the hook after children. There the hook may run early and twice, a deep chain
 * overflows the stack and a wide level is quadratic; here none of that, and outcomes fold up the tree.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { CrawlEvent } from "./CrawlEvent.ts"
import type { Item } from "./CrawlItem.ts"
import type { CrawlReport } from "./CrawlOutcome.ts"
import type { CrawlStore } from "./CrawlStore.ts"
import type { CrawlStoreError } from "./CrawlStoreError.ts"
import * as engine from "./internal/crawl.ts"
import { defaults as settingsDefaults } from "./internal/settings.ts"

/**
 * How a crawl runs.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** The order in which items are taken: `"fifo"` is breadth first, `"lifo"` depth first. Defaults to `"fifo"`. */
  readonly order?: "fifo" | "lifo" | "priority" | undefined
  /** Items processed at once, a whole number of at least 1. Defaults to 5. */
  readonly concurrency?: number | undefined
  /** Items deeper than this are skipped; roots have depth 0. Defaults to `"unbounded"`. */
  readonly maxDepth?: number | "unbounded" | undefined
  /** Items beyond this many are skipped, a whole number of at least 1. Defaults to `"unbounded"`. */
  readonly maxItems?: number | "unbounded" | undefined
  /** Limits for the items of each key, a host say, which are served in turn. They hold within this process. Defaults to no keys. */
  readonly keyed?: {
    readonly by: (item: Item) => string
    /** Items of a key processed at once. Defaults to 1. */
    readonly concurrency?: number | "unbounded" | undefined
    /**
     * The least time between the beginnings of two items of a key. A function is asked each time anew, and whenever an item of the key has
     * settled, so that a delay that depends on how it went holds for the next. Defaults to none.
     */
    readonly delay?: Duration.Input | ((key: string) => Duration.Input) | undefined
    /** At most `limit` items of a key begin in any `interval`. Defaults to any number. */
    readonly rate?: { readonly limit: number; readonly interval: Duration.Input } | undefined
  } | undefined
}

/**
 * How a crawl runs whose state is kept in a store, from which it goes on after whatever ended it.
 *
 * **Details** What an item enqueues is written down together with what processing came to, and begins after that. An item that was begun and not
 * written down is done again; a hook completes once.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface StoredOptions extends Options {
  /** Where the state is kept; nothing for a crawl that lives in memory. */
  readonly store: CrawlStore | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults: typeof settingsDefaults = settingsDefaults

/**
 * An item that is being processed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Processed {
  readonly id: number
  readonly item: Item
  /** What it said last that it does. */
  readonly description: string
  /** In milliseconds since the Unix epoch. */
  readonly startedAt: number
}

/**
 * A snapshot of a crawl.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrawlStats {
  readonly enqueued: number
  readonly succeeded: number
  readonly failed: number
  readonly interrupted: number
  readonly skipped: CrawlReport["skipped"]
  /** Items that wait, by the name of their class. */
  readonly waiting: ReadonlyMap<string, number>
  readonly processing: ReadonlyArray<Processed>
  /** Items of classes with `trackOverall`. */
  readonly overall: { readonly settled: number; readonly known: number }
}

/**
 * A running crawl.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Crawl<out I = Item, out E = never> {
  /** Every event from the subscription on, until after `Ended`. A subscriber more than 1024 behind misses the oldest. */
  readonly events: Stream.Stream<CrawlEvent>
  readonly stats: Effect.Effect<CrawlStats>
  /** Takes nothing more, finishes what is being processed, and gives the report. With a store, what is left waits there. */
  readonly stop: Effect.Effect<CrawlReport<I>, E>
  /** Interrupts what is being processed, and gives the report. With a store, that is left there as if it had not begun. */
  readonly kill: Effect.Effect<CrawlReport<I>, E>
  /** Waits until every root has settled, or the crawl has been stopped. */
  readonly awaitEnd: Effect.Effect<CrawlReport<I>, E>
}

/**
 * Starts a crawl that lives as long as the surrounding Scope. One whose store has been begun goes on from there, and `roots` are not added again.
 *
 * **Errors** `CrawlStoreError`, with a store, when it cannot be used, now or later. Dies when an option is out of range, naming it, and when an
 * item's class has no Layer here.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make: {
  <I extends Item>(
    roots: Iterable<I>,
    options: StoredOptions
  ): Effect.Effect<Crawl<I, CrawlStoreError>, CrawlStoreError, I | Scope.Scope>
  <I extends Item>(roots: Iterable<I>, options?: Options): Effect.Effect<Crawl<I>, never, I | Scope.Scope>
} = engine.make as never

/**
 * Runs a crawl until everything below its roots has settled.
 *
 * **Details** A root that fails does not fail the crawl: its Exit is in the report.
 *
 * **Example** (The size of a directory)
 *
 * ```ts
 * const { roots } = yield* Crawler.run([new Directory({ path: "." })])
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const run: {
  <I extends Item>(
    roots: Iterable<I>,
    options: StoredOptions
  ): Effect.Effect<CrawlReport<I>, CrawlStoreError, Exclude<I, Scope.Scope>>
  <I extends Item>(
    roots: Iterable<I>,
    options?: Options
  ): Effect.Effect<CrawlReport<I>, never, Exclude<I, Scope.Scope>>
} =
  (<I extends Item>(roots: Iterable<I>, options?: Options) =>
    Effect.scoped(Effect.flatMap(make(roots, options), (crawl) => crawl.awaitEnd))) as never
