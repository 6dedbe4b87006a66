import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ChildOutcome, Item, Processing } from "../CrawlItem.ts"
import type { Skipped } from "../CrawlOutcome.ts"
import type { Entry } from "./entry.ts"
import type { Ledger } from "./ledger.ts"

// How an item is processed, and its hook run, wherever the tree is kept.

/** Adds children to an item, and says which were skipped. */
export type Add = (entry: Entry, items: ReadonlyArray<Item>) => ReadonlyArray<Skipped>

export const process = (entry: Entry, add: Add, ledger: Ledger): Effect.Effect<unknown, unknown> => {
  const { behavior, options } = entry.registered
  const effect = thrown(() =>
    options.retry === undefined
      ? behavior.process(entry.item, processingOf(entry, (items) => add(entry, items), ledger))
      : Effect.retry(attempt(entry, add, ledger), options.retry)
  )
  return Exit.isExit(effect) || entry.failFast === undefined ? effect : entry.failFast.guard(effect)
}

/** One attempt of several: its children are added if it succeeds, so that the next one does not add them again. */
const attempt = (entry: Entry, add: Add, ledger: Ledger): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const held: Array<Item> = []
    const processing = processingOf(entry, (items) => {
      held.push(...items)
      return []
    }, ledger)
    return Effect.tap(entry.registered.behavior.process(entry.item, processing), () => {
      add(entry, held)
      return Effect.void
    })
  })

const processingOf = (
  entry: Entry,
  take: (items: ReadonlyArray<Item>) => ReadonlyArray<Skipped>,
  ledger: Ledger
): Processing => ({
  id: entry.id,
  depth: entry.depth,
  parent: entry.parentItem,
  enqueue: (...items) =>
    Effect.sync(() => {
      if (entry.state !== "processing") {
        throw new Error(`Crawler: item ${entry.id} has been processed, and enqueues no more`)
      }
      return take(items)
    }),
  describe: (text) =>
    Effect.sync(() => {
      entry.description = text
      if (ledger.watchers.isWatched()) ledger.tell({ _tag: "Described", about: entry, text })
    })
})

/** The hook of an item, if it has one. */
export const hook = (
  entry: Entry,
  own: Exit.Exit<unknown, unknown>,
  children: ReadonlyArray<ChildOutcome>
): Effect.Effect<unknown, unknown> | undefined => {
  const { afterChildren } = entry.registered.behavior
  if (afterChildren === undefined || entry.failFast?.isOver === true) return undefined
  return thrown(() => afterChildren(entry.item, { own: own as Exit.Exit<never>, children }))
}

/** Shows an item as worked on while its hook runs. */
export const hooked = (entry: Entry, hook: Effect.Effect<unknown, unknown>, ledger: Ledger) => {
  if (Exit.isExit(hook)) return hook
  entry.description = "after its children"
  ledger.works(entry)
  return Effect.onExit(hook, () => Effect.sync(() => ledger.rests(entry)))
}

export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): "succeeded" | "failed" | "interrupted" =>
  Exit.isSuccess(exit) ? "succeeded" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"

const thrown = (effect: () => Effect.Effect<unknown, unknown>): Effect.Effect<unknown, unknown> => {
  try {
    return effect()
  } catch (defect) {
    return Exit.die(defect)
  }
}
