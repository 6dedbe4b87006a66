import * as Crew from "effect-work-queue/Crew"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Crawl, CrawlStats, Options, StoredOptions } from "../Crawler.ts"
import type { Item } from "../CrawlItem.ts"
import type { CrawlReport } from "../CrawlOutcome.ts"
import type { CrawlStoreError } from "../CrawlStoreError.ts"
import type { Entry } from "./entry.ts"
import { Ledger } from "./ledger.ts"
import * as LiveTree from "./liveTree.ts"
import * as Pace from "./pace.ts"
import * as Registry from "./registry.ts"
import { resolve } from "./settings.ts"
import * as StoredTree from "./storedTree.ts"

/** Puts a crawl together and starts it. */
export const make = Effect.fnUntraced(function*<I extends Item>(
  roots: Iterable<I>,
  options: Options | StoredOptions = {}
): Effect.fn.Return<Crawl<I, CrawlStoreError>, CrawlStoreError, Scope.Scope> {
  const settings = resolve(options)
  const ledger = new Ledger(yield* Clock.Clock)
  const registry = Registry.make(yield* Effect.context<never>())
  const store = "store" in options ? options.store : undefined
  const queue = yield* WorkQueue.make<Entry>({
    capacity: "unbounded",
    // What is claimed from a store comes in its order.
    order: store !== undefined
      ? "fifo"
      : settings.order === "priority"
      ? { priority: ({ priority }) => priority }
      : settings.order,
    keyed: settings.keyed === undefined
      ? undefined
      : {
        by: ({ key }) => key,
        concurrency: settings.keyed.concurrency,
        // Hooks have keys of their own, and begin when they can.
        pauses: settings.keyed.limits && (({ key }) => typeof key === "string" && pace!.pauses(key))
      }
  })
  const pace = settings.keyed?.limits && (yield* Pace.make(settings.keyed.limits, {
    pause: (key) => WorkQueue.pauseUnsafe(queue, key),
    resume: (key) => WorkQueue.resumeUnsafe(queue, key)
  }))
  const surroundings = { settings, registry, ledger, queue }
  const tree = store === undefined
    ? LiveTree.make(surroundings, roots)
    : yield* StoredTree.make(surroundings, roots, store)

  const finish = (outcomes: CrawlReport<I>["roots"]): CrawlReport<I> => {
    ledger.close()
    const { enqueued, failed, interrupted, skipped, succeeded } = tree.totals()
    const left = enqueued - succeeded - failed - interrupted
    const report = { enqueued, succeeded, failed, interrupted, left, skipped, roots: outcomes }
    ledger.tell({ _tag: "Ended", report })
    return report
  }
  const end = yield* Effect.cached(Effect.uninterruptible(tree.close.pipe(
    // Who watches a crawl that fails must not wait for ever.
    Effect.tapCause(() => Effect.sync(() => finish([]))),
    Effect.map(finish)
  )))
  // Runs after the crew has ended, since finalizers run last in, first out.
  yield* Effect.addFinalizer(() => Effect.exit(end))
  const crew = yield* Crew.make(queue, {
    name: "crawl",
    size: settings.concurrency,
    work: tree.work,
    onSettled: pace && (({ key }) => {
      if (typeof key === "string") pace.settled(key)
    })
  })
  yield* tree.attend(Crew.kill(crew))
  const awaitEnd = Effect.andThen(Crew.awaitEnd(crew), end)
  // Somebody may watch and nobody wait.
  yield* Effect.forkScoped(Effect.exit(awaitEnd))

  return {
    events: ledger.watchers.events,
    stats: Effect.sync((): CrawlStats => {
      const { tracked, trackedSettled, ...totals } = tree.totals()
      return { ...totals, ...ledger.stats(), overall: { settled: trackedSettled, known: tracked } }
    }),
    stop: Effect.andThen(Crew.stop(crew), awaitEnd),
    kill: Effect.andThen(Crew.kill(crew), awaitEnd),
    awaitEnd
  }
})
