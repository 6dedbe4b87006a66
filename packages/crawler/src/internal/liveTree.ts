import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ChildOutcome, Item, Registered } from "../CrawlItem.ts"
import { ChildFailed, type RootOutcome, type Skipped } from "../CrawlOutcome.ts"
import type { Entry } from "./entry.ts"
import { FailFast } from "./failFast.ts"
import * as Processing from "./processing.ts"
import type { Surroundings, Tree } from "./tree.ts"

// A tree in memory. An item knows its parent and not its children: `open` counts those that have not settled, and the item's
// own processing. Whoever brings it to 0 climbs to the parent, so a node is let go as soon as nothing below it is left, and
// what a crawl holds in memory is what is not done yet.

class Node implements Entry {
  readonly id: number
  readonly item: Item
  readonly registered: Registered
  readonly parent: Node | undefined
  readonly depth: number
  readonly priority: number
  readonly key: unknown
  readonly failFast: FailFast | undefined
  open = 1
  state: Entry["state"] = "waiting"
  own: Exit.Exit<unknown, unknown> | undefined = undefined
  children: Array<ChildOutcome> | undefined = undefined
  description = ""
  startedAt = 0

  constructor(
    id: number,
    item: Item,
    registered: Registered,
    parent: Node | undefined,
    failFast: FailFast | undefined,
    key: unknown
  ) {
    const { priority } = registered.options
    this.id = id
    this.item = item
    this.registered = registered
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.failFast = failFast
    this.key = key
    this.priority = typeof priority === "function" ? priority(item) : priority ?? 0
  }

  get parentId(): number | undefined {
    return this.parent?.id
  }

  get parentItem(): Item | undefined {
    return this.parent?.item
  }
}

export const make = ({ ledger, queue, registry, settings }: Surroundings, roots: Iterable<Item>): Tree<never> => {
  /** Keys of each class. */
  const seen = new Map<Registered, Set<string>>()
  const outcomes: Array<RootOutcome<any>> = []
  const counts = { enqueued: 0, succeeded: 0, failed: 0, interrupted: 0, tracked: 0, trackedSettled: 0 }
  const skipped = { duplicate: 0, maxDepth: 0, maxItems: 0 }
  const { watchers } = ledger
  let openRoots = 0

  const skipReason = (item: Item, registered: Registered, depth: number) => {
    const { options } = registered
    if (depth > settings.maxDepth) return "maxDepth"
    if (options.key !== undefined && seen.get(registered)?.has(options.key(item)) === true) return "duplicate"
    return counts.enqueued >= settings.maxItems ? "maxItems" : undefined
  }

  /** Adds an item, or says why not. */
  const add = (item: Item, parent: Node | undefined): Skipped | undefined => {
    const found = registry.of(item)
    const reason = skipReason(item, found, parent === undefined ? 0 : parent.depth + 1)
    if (reason !== undefined) {
      skipped[reason]++
      const skip = { item, reason } as const
      ledger.tell({ _tag: "Skipped", skipped: skip })
      return skip
    }
    const failFast = found.options.onFailure === "failFast" ? new FailFast(parent?.failFast) : parent?.failFast
    const node = new Node(counts.enqueued + 1, item, found, parent, failFast, settings.keyed?.by(item))
    // Before anything is counted: functions of the options are asked here, and may throw.
    WorkQueue.offerUnsafe(queue, node)
    if (found.options.key !== undefined) {
      const keys = seen.get(found) ?? new Set()
      seen.set(found, keys.add(found.options.key(item)))
    }
    counts.enqueued++
    if (parent === undefined) openRoots++
    else parent.open++
    if (found.options.trackOverall === true) counts.tracked++
    ledger.waits(found.name, 1)
    if (watchers.isWatched()) ledger.tell({ _tag: "Enqueued", about: node })
    return undefined
  }

  const addAll: Processing.Add = (entry, items) =>
    items.map((item) => add(item, entry as Node)).filter((skip) => skip !== undefined)

  /** Takes the Exit of an item's processing, and climbs as far as everything below is settled. */
  const processed = (node: Node, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    node.own = exit
    node.state = "processed"
    ledger.rests(node)
    if (watchers.isWatched()) ledger.tell({ _tag: "Processed", about: node, exit })
    if (Exit.isFailure(exit) && node.registered.options.onFailure === "failFast") node.failFast!.fail(exit.cause)
    return climb(--node.open === 0 ? node : undefined)
  }

  /** A loop and no recursion: a chain may be as deep as memory allows. */
  const climb = (from: Node | undefined): Effect.Effect<void> => {
    let node = from
    while (node !== undefined) {
      const hook = Processing.hook(node, node.own!, node.children ?? [])
      if (hook === undefined) node = settle(node, finalOf(node))
      else if (Exit.isExit(hook)) node = settle(node, hook)
      else {
        const hooked = node
        return Effect.flatMap(
          Effect.exit(Processing.hooked(hooked, hook, ledger)),
          (exit) => climb(settle(hooked, exit))
        )
      }
    }
    return Exit.void
  }

  /** What an item without a hook comes to. */
  const finalOf = (node: Node): Exit.Exit<unknown, unknown> => {
    const failure = node.registered.options.onFailure === "failFast" ? node.failFast?.failure : undefined
    const own = node.own!
    return failure === undefined || (Exit.isFailure(own) && own.cause === failure.cause)
      ? own
      : Exit.fail(new ChildFailed({ item: node.item, cause: failure.cause }))
  }

  /** Settles an item for good, and gives its parent if that was the last it waited for. */
  const settle = (node: Node, exit: Exit.Exit<unknown, unknown>): Node | undefined => {
    const outcome = Processing.outcomeOf(exit)
    counts[outcome]++
    if (node.registered.options.trackOverall === true) counts.trackedSettled++
    if (node.registered.options.onFailure === "failFast") node.failFast!.leave()
    if (watchers.isWatched()) ledger.tell({ _tag: "Settled", about: node, exit })
    const { parent } = node
    if (parent === undefined) {
      outcomes.push({ item: node.item, exit: exit as RootOutcome<any>["exit"] })
      if (--openRoots === 0) WorkQueue.endUnsafe(queue)
      return undefined
    }
    const { behavior, options } = parent.registered
    if (outcome === "failed" && options.onFailure === "failFast") {
      parent.failFast!.fail((exit as Exit.Failure<never, unknown>).cause)
    }
    if (behavior.afterChildren !== undefined && (outcome === "succeeded" || options.onFailure !== "ignore")) {
      parent.children ??= []
      parent.children.push({ item: node.item, exit })
    }
    return --parent.open === 0 ? parent : undefined
  }

  for (const root of roots) add(root, undefined)
  if (openRoots === 0) WorkQueue.endUnsafe(queue)

  return {
    totals: () => ({ ...counts, skipped: { ...skipped } }),
    work: (entry) => {
      const node = entry as Node
      ledger.waits(node.registered.name, -1)
      if (node.failFast?.isOver === true) return processed(node, Exit.interrupt())
      ledger.begins(node)
      const effect = Processing.process(node, addAll, ledger)
      return Exit.isExit(effect)
        ? processed(node, effect)
        : Effect.flatMap(Effect.exit(effect), (exit) => processed(node, exit))
    },
    attend: () => Effect.void,
    close: Effect.sync(() => {
      // What has not settled when the workers have ended never will.
      counts.interrupted = counts.enqueued - counts.succeeded - counts.failed
      return outcomes
    })
  }
}
