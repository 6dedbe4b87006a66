/**
 * Where a crawl keeps what it must not forget: items, their parents, how far each has come, and what they came to.
 *
 * The contract is that of a table and a few counters, and whoever keeps it decides about nothing: which item is whose child, what
 * settles when, and who may write is the same for all. Items and exits cross it as JSON text.
 *
 * An item is `waiting`, then claimed and `processing`. Committing what processing came to and adding its children is one step. When nothing below it is
 * left, an item that is `hooked` is claimed a second time, to run its hook, and then settles; any other settles in the same step, and may
 * settle its parent. A claim is a lease: what is committed by somebody who has lost it is refused.
 *
 * **Source** Scrapy's `JOBDIR` and aqueue's advice to use `shelve` keep a queue over a clean stop. This one is built for any other.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { CrawlStoreError } from "./CrawlStoreError.ts"
import * as memoryStore from "./internal/memoryStore.ts"

/**
 * How an item ended.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Outcome = "succeeded" | "failed" | "interrupted"

/**
 * An item to be added.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface NewItem {
  /** The name of its class. */
  readonly name: string
  /** Its fields, as JSON. */
  readonly data: string
  /** Items of one unique key are added once. */
  readonly uniqueKey: string | undefined
  /** What {@link ClaimOptions.except} names. */
  readonly limitKey: string | undefined
  /** Lower first, in the order `"priority"`. It is finite. */
  readonly priority: number
  /** Whether it is claimed again when everything below it has settled. */
  readonly hooked: boolean
  /** Whether what is below it is over as soon as it, or one of its children, has failed. */
  readonly failsFast: boolean
  /** Whether the overall progress counts it. */
  readonly tracked: boolean
}

/**
 * What has become of a crawl so far.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Totals {
  readonly enqueued: number
  readonly succeeded: number
  readonly failed: number
  readonly interrupted: number
  readonly skipped: { readonly duplicate: number; readonly maxDepth: number; readonly maxItems: number }
  /** Tracked items, and those of them that have settled. */
  readonly tracked: number
  readonly trackedSettled: number
}

/**
 * How a crawl is opened. What was begun already goes on, and `roots` are added only to one that is new.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface OpenOptions {
  /** The order in which waiting items are claimed. It may differ from that of an earlier run. */
  readonly order: "fifo" | "lifo" | "priority"
  /** Items beyond this many are skipped. `Infinity` for no limit. */
  readonly maxItems: number
  readonly roots: ReadonlyArray<NewItem>
}

/**
 * What is wanted of the frontier.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ClaimOptions {
  /** At most this many. */
  readonly limit: number
  /** Items of these limit keys are left alone, and their hooks too. */
  readonly except: ReadonlyArray<string>
}

/**
 * An item with what it came to.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface StoredOutcome {
  readonly name: string
  readonly data: string
  readonly exit: string
  readonly outcome: Outcome
}

/**
 * An item that is claimed, to be processed, or for its hook: what it came to by itself, and its children in the order in which they settled.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Claimed {
  readonly id: number
  /** Tells this claim from any other of the item. */
  readonly lease: number
  readonly name: string
  readonly data: string
  readonly depth: number
  readonly parentId: number | undefined
  readonly parent: { readonly name: string; readonly data: string } | undefined
  readonly priority: number
  readonly limitKey: string | undefined
  /** The nearest item that fails fast, itself or above it. */
  readonly scope: number | undefined
  /** Whether that is over: this one is not to be done any more. */
  readonly isOver: boolean
  readonly after: {
    readonly own: string
    readonly children: ReadonlyArray<StoredOutcome>
    /** The first child that failed, of an item that fails fast and had not failed by itself. */
    readonly failedBy: StoredOutcome | undefined
  } | undefined
}

/**
 * What is to be written down of an item that is claimed: what processing came to, with the children it enqueued; what it came to for good,
 * after its hook; or that it is given back, to be claimed again.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Commit =
  | {
    readonly _tag: "Processed"
    readonly id: number
    readonly lease: number
    readonly exit: string
    readonly outcome: Outcome
    readonly children: ReadonlyArray<NewItem>
    /** Children that were not even tried, because they are too deep. */
    readonly tooDeep: number
  }
  | {
    readonly _tag: "Settled"
    readonly id: number
    readonly lease: number
    readonly exit: string
    readonly outcome: Outcome
  }
  | { readonly _tag: "Released"; readonly id: number; readonly lease: number }

/**
 * An item that has settled.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface SettledItem extends StoredOutcome {
  readonly id: number
  readonly depth: number
  readonly parentId: number | undefined
}

/**
 * What a commit brought about.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Committed {
  /** Whose lease was lost: of these, nothing was written. */
  readonly refused: ReadonlyArray<number>
  /** For each commit, for each of its children: its number, or why it was not added. */
  readonly children: ReadonlyArray<ReadonlyArray<number | "duplicate" | "maxItems">>
  /** In the order in which they settled: children before their parent. */
  readonly settled: ReadonlyArray<SettledItem>
  /** Items that fail fast and are over since this commit, by number, with those below them and those that were added below what is over. */
  readonly over: ReadonlyArray<number>
  readonly totals: Totals
  /** Whether every root has settled. */
  readonly hasEnded: boolean
}

/**
 * A crawl that is open, by one process.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrawlSession {
  /** As it stood when it was opened, after its roots were added or what a killed process had claimed was given back. */
  readonly opened: {
    readonly isNew: boolean
    readonly totals: Totals
    /** Items that wait, by the name of their class. */
    readonly waiting: ReadonlyMap<string, number>
    readonly hasEnded: boolean
  }
  /** How long to wait before looking again for what other processes have added, in milliseconds; nothing where there is one process. */
  readonly pollInterval: number | undefined
  /**
   * Claims the next items: those that are ready for their hooks first, in the order in which they became so, then those that wait, in the order
   * of the crawl (of equal priority, the oldest first). Gives none, without waiting, if there are none.
   */
  readonly claim: (options: ClaimOptions) => Effect.Effect<
    {
      readonly claimed: ReadonlyArray<Claimed>
      /** The scopes of items this process has claimed that another process has brought to an end since, by number. */
      readonly over: ReadonlyArray<number>
      readonly hasEnded: boolean
    },
    CrawlStoreError
  >
  /** Writes all of it in one transaction, or nothing. */
  readonly commit: (commits: ReadonlyArray<Commit>) => Effect.Effect<Committed, CrawlStoreError>
  /** How the crawl stands, by the work of all processes, and what each root came to, of those that have settled, in the order in which they did. */
  readonly report: Effect.Effect<
    { readonly totals: Totals; readonly roots: ReadonlyArray<StoredOutcome> },
    CrawlStoreError
  >
}

/**
 * An item as a store holds it, once it has been processed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface StoredItem {
  /** Its place in the order in which items were processed, from 1. */
  readonly sequence: number
  readonly id: number
  readonly parentId: number | undefined
  readonly depth: number
  readonly name: string
  readonly data: string
  /** What processing came to. */
  readonly own: string
  /** What it came to for good; nothing while something below it, or its hook, is not done. */
  readonly exit: string | undefined
}

/**
 * The state of one crawl.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrawlStore {
  /**
   * Begins the crawl, or goes on with it, for as long as the Scope lives. What a process that is no more had claimed is given back: at once by a store
   * that serves one process at a time, which shuts out whoever had it open before; when its leases have run out by a shared one. What is claimed
   * when the Scope closes is given back then.
   */
  readonly open: (options: OpenOptions) => Effect.Effect<CrawlSession, CrawlStoreError, Scope.Scope>
  /** Items that have been processed, in that order, from after a sequence number (0 by default). It ends with the last there is. */
  readonly items: (after?: number) => Stream.Stream<StoredItem, CrawlStoreError>
}

/**
 * A store in memory, which lives as long as the value: for tests of what is stopped and resumed. What it holds is JSON text, so that what
 * could not be stored on disk cannot be stored here.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const memory: Effect.Effect<CrawlStore> = memoryStore.make
