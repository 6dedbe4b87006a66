import type * as WorkQueue from "effect-work-queue/WorkQueue"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RootOutcome } from "../CrawlOutcome.ts"
import type { Totals } from "../CrawlStore.ts"
import type { Entry } from "./entry.ts"
import type { Ledger } from "./ledger.ts"
import type { Registry } from "./registry.ts"
import type { Settings } from "./settings.ts"

/** The items of a crawl, and how they hang together: in memory, or over a store. It feeds the queue, and ends it with its last root. */
export interface Tree<E> {
  readonly totals: () => Totals
  /** What a worker does with an item it took. */
  readonly work: (entry: Entry) => Effect.Effect<void>
  /** Keeps the queue fed for as long as the Scope lives; `fail` ends the crawl when that is not possible any more. */
  readonly attend: (fail: Effect.Effect<unknown>) => Effect.Effect<void, never, Scope.Scope>
  /** To be called when the workers have ended: brings what is left in order, and gives what the roots came to. */
  readonly close: Effect.Effect<ReadonlyArray<RootOutcome<any>>, E>
}

/** What both kinds of tree are made of. */
export interface Surroundings {
  readonly settings: Settings
  readonly registry: Registry
  readonly ledger: Ledger
  readonly queue: WorkQueue.WorkQueue<Entry>
}
