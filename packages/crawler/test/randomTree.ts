import { Array, Clock, Effect, Exit, Fiber, Random, Schema, Scope, Stream } from "effect"
import { Crawler, type CrawlEvent, CrawlItem, type CrawlOutcome } from "effect-crawler"

export const chance = (p: number) => Effect.map(Random.next, (drawn) => drawn < p)
export const pick = <A>(from: ReadonlyArray<A>) =>
  Effect.map(Random.nextIntBetween(0, from.length - 1), (i) => from[i]!)
export const between = (least: number, most: number) => Random.nextIntBetween(least, most)

const plans = [
  "exit",
  "exit",
  "sync",
  "yield",
  "sleep",
  "sleep",
  "failExit",
  "fail",
  "failLate",
  "die",
  "throw",
  "interruptItself"
] as const
type Plan = typeof plans[number]

/** What is done for a plan, by an item or by its hook. */
const behave = (plan: Plan, value: number): Effect.Effect<number, string> => {
  switch (plan) {
    case "exit":
      return Exit.succeed(value)
    case "sync":
      return Effect.sync(() => value)
    case "yield":
      return Effect.as(Effect.yieldNow, value)
    case "sleep":
      return Effect.as(Effect.sleep(1 + value % 7), value)
    case "failExit":
      return Exit.fail(`exit ${value}`)
    case "fail":
      return Effect.andThen(Effect.yieldNow, Effect.fail(`failed ${value}`))
    case "failLate":
      return Effect.andThen(Effect.sleep(1 + value % 5), Effect.fail(`late ${value}`))
    case "die":
      return Effect.die(`defect ${value}`)
    case "throw":
      throw new Error(`thrown ${value}`)
    case "interruptItself":
      return Effect.andThen(Effect.yieldNow, Effect.interrupt)
  }
}

const fields = { id: Schema.Finite, priority: Schema.Finite }
const typed = {
  success: Schema.Finite,
  failure: Schema.String,
  priority: (item: { readonly priority: number }) => item.priority
}
class Collect extends CrawlItem.Class<Collect>()("Collect", fields, typed) {}
class Bare extends CrawlItem.Class<Bare>()("Bare", fields, typed) {}
class Ignore extends CrawlItem.Class<Ignore>()("Ignore", fields, { ...typed, onFailure: "ignore" }) {}
class Fast extends CrawlItem.Class<Fast>()("Fast", fields, { ...typed, onFailure: "failFast" }) {}
class BareFast extends CrawlItem.Class<BareFast>()("BareFast", fields, { ...typed, onFailure: "failFast" }) {}
export type AnyItem = Collect | Bare | Ignore | Fast | BareFast

/** An item that is planned, and all below it. */
export interface Planned {
  readonly item: AnyItem
  readonly parent: Planned | undefined
  readonly plan: Plan
  readonly hook: Plan
  /** What it enqueues before it does what is planned, and, if that succeeds, after. */
  readonly before: Array<Planned>
  readonly after: Array<Planned>
}

export interface Entry {
  readonly _tag: "enqueue" | "start" | "end" | "hook" | "hooked"
  readonly id: number
}

interface Told {
  readonly own: Exit.Exit<number, string>
  readonly children: ReadonlyArray<CrawlItem.ChildOutcome>
}

/** What happened, seen by the items themselves and by who watches the crawl. */
export class Observed {
  readonly planned: Array<Planned> = []
  readonly log: Array<Entry> = []
  readonly events: Array<CrawlEvent.CrawlEvent> = []
  readonly told = new Map<number, Told>()
  readonly misuse: Array<string> = []
  lastAt = 0
  atWork = 0
  mostAtWork = 0

  enter(_tag: "start" | "hook", id: number): void {
    this.log.push({ _tag, id })
    this.mostAtWork = Math.max(this.mostAtWork, ++this.atWork)
  }

  leave(_tag: "end" | "hooked", id: number): void {
    this.log.push({ _tag, id })
    this.atWork--
  }

  ids(tag: Entry["_tag"]): Array<number> {
    return this.log.filter(({ _tag }) => _tag === tag).map(({ id }) => id)
  }
}

/** A random tree, of which nothing has run. */
export const planTree = Effect.fnUntraced(function*(
  observed: Observed,
  failFast = false
) {
  const classes = failFast ? [Collect, Bare, Ignore, Fast, Fast, BareFast] : [Collect, Bare, Ignore]
  const plan = (parent: Planned | undefined) =>
    Effect.gen(function*() {
      const Chosen = yield* pick(classes)
      const planned: Planned = {
        item: new Chosen({ id: observed.planned.length, priority: yield* between(0, 2) }),
        parent,
        plan: yield* pick((yield* chance(0.5)) ? plans.slice(0, 6) : plans),
        hook: yield* pick((yield* chance(0.5)) ? plans.slice(0, 6) : plans),
        before: [],
        after: []
      }
      observed.planned.push(planned)
      return planned
    })
  const roots: Array<Planned> = []
  for (let i = yield* between(1, 3); i > 0; i--) roots.push(yield* plan(undefined))
  for (let i = yield* between(0, 30); i > 0; i--) {
    // The newest now and then, so that there are deep trees too.
    const parent = (yield* chance(0.3)) ? observed.planned.at(-1)! : yield* pick(observed.planned)
    const place = (yield* chance(0.5)) ? parent.before : parent.after
    place.push(yield* plan(parent))
  }
  return roots
})

/** Does what is planned, and says so: plans that are over at once stay so. */
const watched = (
  observed: Observed,
  [begin, over]: readonly ["start", "end"] | readonly ["hook", "hooked"],
  id: number,
  plan: Plan,
  effect: () => Effect.Effect<number, string, AnyItem>
): Effect.Effect<number, string, AnyItem> => {
  const leave = () => observed.leave(over, id)
  if (plan !== "exit" && plan !== "failExit" && plan !== "throw") {
    return Effect.acquireUseRelease(
      Effect.sync(() => observed.enter(begin, id)),
      effect,
      () => Effect.sync(leave)
    )
  }
  observed.enter(begin, id)
  try {
    return effect()
  } finally {
    leave()
  }
}

const behaviorOf = (observed: Observed, hooked: boolean) => ({
  process: (item: AnyItem, crawl: CrawlItem.Processing): Effect.Effect<number, string, AnyItem> => {
    const { after, before, parent, plan } = observed.planned[item.id]!
    if (crawl.parent !== parent?.item) observed.misuse.push(`item ${item.id} was shown another parent`)
    const enqueue = (children: ReadonlyArray<Planned>) =>
      Effect.uninterruptible(Effect.flatMap(
        Effect.sync(() => {
          for (const child of children) observed.log.push({ _tag: "enqueue", id: child.item.id })
        }),
        () => crawl.enqueue(...children.map((child) => child.item))
      ))
    if (parent !== undefined && before.length + after.length === 0) {
      return watched(observed, ["start", "end"], item.id, plan, () => behave(plan, item.id))
    }
    return watched(observed, ["start", "end"], item.id, "yield", () =>
      Effect.gen(function*() {
        // Roots wait until somebody sees what is told.
        while (parent === undefined && observed.events.length === 0) {
          yield* crawl.describe("waiting for the watcher")
          yield* Effect.yieldNow
        }
        yield* enqueue(before)
        const value = yield* behave(plan, item.id)
        yield* enqueue(after)
        return value
      }))
  },
  afterChildren: hooked
    ? (item: AnyItem, outcomes: Told): Effect.Effect<number, string> => {
      observed.told.set(item.id, outcomes)
      const { hook } = observed.planned[item.id]!
      return watched(observed, ["hook", "hooked"], item.id, hook, () => behave(hook, item.id + 1000)) as Effect.Effect<
        number,
        string
      >
    }
    : undefined
})

/** Which of the items that wait one worker begins next. */
export const nextOf = (order: "fifo" | "lifo" | "priority", waiting: ReadonlyArray<AnyItem>): AnyItem | undefined => {
  if (order !== "priority") return waiting.at(order === "fifo" ? 0 : -1)
  const least = Math.min(...waiting.map(({ priority }) => priority))
  return waiting.find(({ priority }) => priority === least)
}

/** What is done with the items of a planned tree. */
export const layersOf = (observed: Observed) => {
  const hooked = behaviorOf(observed, true)
  const bare = behaviorOf(observed, false)
  return CrawlItem.layers(
    Collect.toLayer(hooked),
    Bare.toLayer(bare),
    Ignore.toLayer(hooked),
    Fast.toLayer(hooked),
    BareFast.toLayer(bare)
  )
}

export interface Result {
  readonly observed: Observed
  readonly roots: ReadonlyArray<Planned>
  readonly options: Crawler.Options & { readonly concurrency: number; readonly order: "fifo" | "lifo" | "priority" }
  readonly report: CrawlOutcome.CrawlReport<AnyItem>
  readonly again: CrawlOutcome.CrawlReport<AnyItem>
  readonly stats: Crawler.CrawlStats
  readonly endedAt: number
  readonly logAtEnd: number
  readonly lateEvents: ReadonlyArray<CrawlEvent.CrawlEvent>
}

/** Crawls a random tree, and meddles with it while it runs. */
export const crawl = (given: {
  readonly failFast?: boolean
  readonly concurrency?: number
  readonly meddle?: (crawl: Crawler.Crawl<AnyItem>, surrounding: Scope.Closeable) => Effect.Effect<void>
}) =>
  Effect.gen(function*(): Effect.fn.Return<Result> {
    const observed = new Observed()
    const roots = yield* planTree(observed, given.failFast)
    const options = {
      order: yield* pick(["fifo", "lifo", "priority"] as const),
      concurrency: given.concurrency ?? (yield* between(1, 6))
    }
    const surrounding = yield* Scope.make()
    const crawling = yield* Crawler.make(Array.map(roots, ({ item }) => item), options).pipe(
      Effect.provide(layersOf(observed)),
      Scope.provide(surrounding)
    )
    const watcher = yield* Effect.forkChild(
      Stream.runForEach(crawling.events, (event) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          observed.events.push(event)
          if (event._tag === "Settled") observed.lastAt = now
        })),
      { startImmediately: true }
    )
    if (given.meddle !== undefined) yield* given.meddle(crawling, surrounding)
    const report = yield* crawling.awaitEnd
    const endedAt = yield* Clock.currentTimeMillis
    const logAtEnd = observed.log.length
    yield* Fiber.await(watcher)
    const stats = yield* crawling.stats
    yield* Effect.sleep("1 minute")
    const again = yield* crawling.stop
    const lateEvents = yield* Stream.runCollect(crawling.events)
    yield* Scope.close(surrounding, Exit.void)
    return { observed, roots, options, report, again, stats, endedAt, logAtEnd, lateEvents }
  })
