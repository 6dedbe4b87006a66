import * as Crew from "effect-work-queue/Crew"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Crawl, CrawlStats, Options } from "../Crawler.ts"
import type { CrawlEvent } from "../CrawlEvent.ts"
import * as CrawlItem from "../CrawlItem.ts"
import { ChildFailed, type CrawlReport, type RootOutcome, type Skipped } from "../CrawlOutcome.ts"
import { FailFast } from "./failFast.ts"
import { Node } from "./node.ts"
import { resolve } from "./settings.ts"

/** Events a subscriber may be behind before it misses the oldest. */
const bufferedEvents = 1024

/** Puts a crawl together and starts it. */
export const make = Effect.fnUntraced(function*<I extends CrawlItem.Item>(
  roots: Iterable<I>,
  options: Options = {}
): Effect.fn.Return<Crawl<I>, never, Scope.Scope> {
  const settings = resolve(options)
  const context = yield* Effect.context<never>()
  const clock = yield* Clock.Clock
  const queue = yield* WorkQueue.make<Node>({
    capacity: "unbounded",
    order: settings.order === "priority" ? { priority: ({ priority }) => priority } : settings.order,
    keyed: settings.keyed === undefined
      ? undefined
      : { by: ({ item }) => settings.keyed!.by(item), concurrency: settings.keyed.concurrency }
  })
  const registry = new Map<string, CrawlItem.Registered>()
  const seen = new Set<string>()
  const processing = new Set<Node>()
  const outcomes: Array<RootOutcome<I>> = []
  const counts = { enqueued: 0, succeeded: 0, failed: 0, interrupted: 0, tracked: 0, trackedSettled: 0 }
  const skips = { duplicate: 0, maxDepth: 0, maxItems: 0 }
  const waiting = new Map<string, number>()
  let openRoots = 0
  // Made for the first who watches: an event of every item is not even made for nobody.
  let pubsub: PubSub.PubSub<CrawlEvent> | undefined
  let report: CrawlReport<I> | undefined

  const tell = (event: CrawlEvent): void => {
    // Refused by a buffer that is full: only the Effect makes room, and it waits for nothing.
    if (pubsub !== undefined && !PubSub.publishUnsafe(pubsub, event)) Effect.runSync(PubSub.publish(pubsub, event))
  }

  const registered = (item: CrawlItem.Item): CrawlItem.Registered => {
    const name = item[CrawlItem.TypeId]
    const known = registry.get(name) ?? CrawlItem.find(context, item)
    if (known === undefined) {
      throw new Error(`Crawler: there is no Layer for item class ${name}; provide it to the crawl`)
    }
    registry.set(name, known)
    return known
  }

  const skipReason = (item: CrawlItem.Item, { name, options }: CrawlItem.Registered, depth: number) => {
    if (depth > settings.maxDepth) return "maxDepth"
    if (options.key !== undefined && seen.has(`${name}\n${options.key(item)}`)) return "duplicate"
    return counts.enqueued >= settings.maxItems ? "maxItems" : undefined
  }

  /** Adds an item, or says why not. */
  const add = (item: CrawlItem.Item, parent: Node | undefined): Skipped | undefined => {
    const found = registered(item)
    const reason = skipReason(item, found, parent === undefined ? 0 : parent.depth + 1)
    if (reason !== undefined) {
      skips[reason]++
      const skipped = { item, reason } as const
      tell({ _tag: "Skipped", skipped })
      return skipped
    }
    const failFast = found.options.onFailure === "failFast" ? new FailFast(parent?.failFast) : parent?.failFast
    const node = new Node(counts.enqueued + 1, item, found, parent, failFast)
    // Before anything is counted: functions of the options are asked here, and may throw.
    WorkQueue.offerUnsafe(queue, node)
    if (found.options.key !== undefined) seen.add(`${found.name}\n${found.options.key(item)}`)
    counts.enqueued++
    if (parent === undefined) openRoots++
    else parent.open++
    if (found.options.trackOverall === true) counts.tracked++
    waiting.set(found.name, (waiting.get(found.name) ?? 0) + 1)
    if (pubsub !== undefined) tell({ _tag: "Enqueued", about: node })
    return undefined
  }

  const addAll = (items: ReadonlyArray<CrawlItem.Item>, node: Node): ReadonlyArray<Skipped> =>
    items.map((item) => add(item, node)).filter((skipped) => skipped !== undefined)

  const processingOf = (
    node: Node,
    take: (items: ReadonlyArray<CrawlItem.Item>) => ReadonlyArray<Skipped>
  ): CrawlItem.Processing => ({
    id: node.id,
    depth: node.depth,
    parent: node.parent?.item,
    enqueue: (...items) =>
      Effect.sync(() => {
        if (node.state !== "processing") {
          throw new Error(`Crawler: item ${node.id} has been processed, and enqueues no more`)
        }
        return take(items)
      }),
    describe: (text) =>
      Effect.sync(() => {
        node.description = text
        if (pubsub !== undefined) tell({ _tag: "Described", about: node, text })
      })
  })

  const attempt = (node: Node): Effect.Effect<unknown, unknown> => {
    const { behavior, options } = node.registered
    const effect = options.retry === undefined
      ? behavior.process(node.item, processingOf(node, (items) => addAll(items, node)))
      : Effect.retry(tried(node), options.retry)
    return Exit.isExit(effect) || node.failFast === undefined ? effect : node.failFast.guard(effect)
  }

  /** One attempt of several: its children are added if it succeeds, so that the next one does not add them again. */
  const tried = (node: Node): Effect.Effect<unknown, unknown> =>
    Effect.suspend(() => {
      const held: Array<CrawlItem.Item> = []
      const processing = processingOf(node, (items) => {
        held.push(...items)
        return []
      })
      return Effect.tap(node.registered.behavior.process(node.item, processing), () => {
        addAll(held, node)
        return Effect.void
      })
    })

  const hookOf = (node: Node): Effect.Effect<unknown, unknown> | undefined => {
    const { afterChildren } = node.registered.behavior
    if (afterChildren === undefined || node.failFast?.isOver === true) return undefined
    return thrown(() => afterChildren(node.item, { own: node.own as Exit.Exit<never>, children: node.children ?? [] }))
  }

  /** Takes the Exit of an item's processing, and climbs as far as everything below is settled. */
  const processed = (node: Node, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    node.own = exit
    node.state = "processed"
    processing.delete(node)
    if (pubsub !== undefined) tell({ _tag: "Processed", about: node, exit })
    if (Exit.isFailure(exit) && node.registered.options.onFailure === "failFast") node.failFast!.fail(exit.cause)
    return climb(--node.open === 0 ? node : undefined)
  }

  /** A loop and no recursion: a chain may be as deep as memory allows. */
  const climb = (from: Node | undefined): Effect.Effect<void> => {
    let node = from
    while (node !== undefined) {
      const hook = hookOf(node)
      if (hook === undefined) node = settle(node, finalOf(node))
      else if (Exit.isExit(hook)) node = settle(node, hook)
      else {
        const hooked = node
        return Effect.flatMap(Effect.exit(hook), (exit) => climb(settle(hooked, exit)))
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
    const outcome = Exit.isSuccess(exit) ? "succeeded" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"
    counts[outcome]++
    if (node.registered.options.trackOverall === true) counts.trackedSettled++
    if (node.registered.options.onFailure === "failFast") node.failFast!.leave()
    if (pubsub !== undefined) tell({ _tag: "Settled", about: node, exit })
    const { parent } = node
    if (parent === undefined) {
      outcomes.push({ item: node.item as I, exit: exit as RootOutcome<I>["exit"] })
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

  const work = (node: Node): Effect.Effect<void> => {
    const { name } = node.registered
    waiting.set(name, waiting.get(name)! - 1)
    if (node.failFast?.isOver === true) return processed(node, Exit.interrupt())
    node.state = "processing"
    node.startedAt = clock.currentTimeMillisUnsafe()
    processing.add(node)
    if (pubsub !== undefined) tell({ _tag: "Started", about: node })
    const effect = thrown(() => attempt(node))
    return Exit.isExit(effect)
      ? processed(node, effect)
      : Effect.flatMap(Effect.exit(effect), (exit) => processed(node, exit))
  }

  for (const root of roots) add(root, undefined)
  if (openRoots === 0) WorkQueue.endUnsafe(queue)
  const end = (): CrawlReport<I> => {
    if (report !== undefined) return report
    // What has not settled when the crawl has ended never will.
    counts.interrupted = counts.enqueued - counts.succeeded - counts.failed
    processing.clear()
    waiting.clear()
    const { enqueued, failed, interrupted, succeeded } = counts
    report = { enqueued, succeeded, failed, interrupted, skipped: { ...skips }, roots: outcomes }
    tell({ _tag: "Ended", report })
    return report
  }
  // Runs after the crew has ended, since finalizers run last in, first out.
  yield* Effect.addFinalizer(() => Effect.sync(end))
  const crew = yield* Crew.make(queue, { name: "crawl", size: settings.concurrency, work })
  const awaitEnd = Effect.map(Crew.awaitEnd(crew), end)
  // Somebody may watch and nobody wait.
  yield* Effect.forkScoped(awaitEnd)

  return {
    events: Stream.unwrap(
      Effect.map(
        Effect.flatMap(
          Effect.suspend(() =>
            pubsub === undefined
              ? Effect.map(PubSub.sliding<CrawlEvent>(bufferedEvents), (made) => pubsub ??= made)
              : Effect.succeed(pubsub)
          ),
          PubSub.subscribe
        ),
        (subscription) =>
          report !== undefined
            ? Stream.empty
            : Stream.takeUntil(Stream.fromSubscription(subscription), (event) => event._tag === "Ended")
      )
    ),
    stats: Effect.sync((): CrawlStats => ({
      enqueued: counts.enqueued,
      succeeded: counts.succeeded,
      failed: counts.failed,
      interrupted: counts.interrupted,
      skipped: { ...skips },
      waiting: new Map([...waiting].filter(([, count]) => count > 0)),
      processing: [...processing].map(({ description, id, item, startedAt }) => ({ id, item, description, startedAt })),
      overall: { settled: counts.trackedSettled, known: counts.tracked }
    })),
    stop: Effect.andThen(Crew.stop(crew), awaitEnd),
    kill: Effect.andThen(Crew.kill(crew), awaitEnd),
    awaitEnd
  }
}) as <I extends CrawlItem.Item>(
  roots: Iterable<I>,
  options?: Options
) => Effect.Effect<Crawl<I>, never, Scope.Scope>

const thrown = (effect: () => Effect.Effect<unknown, unknown>): Effect.Effect<unknown, unknown> => {
  try {
    return effect()
  } catch (defect) {
    return Exit.die(defect)
  }
}
