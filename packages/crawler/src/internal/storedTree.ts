import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { type ChildOutcome, type Item, type Registered, TypeId } from "../CrawlItem.ts"
import type { RootOutcome, Skipped } from "../CrawlOutcome.ts"
import type * as CrawlStore from "../CrawlStore.ts"
import type { CrawlStoreError } from "../CrawlStoreError.ts"
import type { Entry } from "./entry.ts"
import { FailFast } from "./failFast.ts"
import * as Codec from "./itemCodec.ts"
import * as Processing from "./processing.ts"
import type { Surroundings, Tree } from "./tree.ts"

// A tree in a store. The queue is a window on the frontier that is kept there, and memory holds no more than what is in it.
//
// One fiber, the keeper, talks to the store. What workers have finished gathers while it writes, and is written in one transaction; then it
// claims what there is room for. A worker goes on as soon as its item is handed over: what was not written when the process ends is
// done again. So the more there is to do, the more one transaction carries.

/** Items written in one transaction, and about as many as are claimed ahead, where the order allows that. */
const groupSize = 256

/** Children written in one transaction, unless a single item has more. */
const childrenInGroup = 4096

/** How long what is finished may wait for more of it, as long as no worker has to wait for that, in milliseconds. */
const linger = 5

/** Items the window may hold that no worker can take, because their keys are at their limits. */
const blockedAtMost = 4096

/** Items of one limit key that are claimed ahead: more of them would keep others out of the window. */
const aheadOfKey = 16

class StoredEntry implements Entry {
  readonly claim: CrawlStore.Claimed
  readonly item: Item
  readonly registered: Registered
  readonly parentItem: Item | undefined
  readonly failFast: FailFast | undefined
  readonly key: unknown
  /** What its hook is given. */
  readonly after:
    | { readonly own: Exit.Exit<unknown, unknown>; readonly children: ReadonlyArray<ChildOutcome> }
    | undefined
  readonly children: Array<Child> = []
  tooDeep = 0
  state: Entry["state"] = "waiting"
  description = ""
  startedAt = 0

  constructor(
    claim: CrawlStore.Claimed,
    item: Item,
    registered: Registered,
    parentItem: Item | undefined,
    failFast: FailFast | undefined,
    after: StoredEntry["after"],
    key: unknown
  ) {
    this.claim = claim
    this.item = item
    this.registered = registered
    this.parentItem = parentItem
    this.failFast = failFast
    this.after = after
    this.key = after === undefined ? key : this
  }

  get id(): number {
    return this.claim.id
  }

  get depth(): number {
    return this.claim.depth
  }

  get parentId(): number | undefined {
    return this.claim.parentId
  }

  get priority(): number {
    return this.claim.priority
  }
}

/** Whether more is to be decided of an item when everything below it has settled. */
const isHooked = ({ behavior, options }: Registered): boolean =>
  behavior.afterChildren !== undefined || options.onFailure === "failFast"

/** Databases have no other numbers that can be compared. */
const finite = (name: string, priority: number): number => {
  if (Number.isFinite(priority)) return priority
  throw new RangeError(`Crawler: in a crawl with a store, priority of class ${name} must be finite, got ${priority}`)
}

/** An item that was enqueued and is not written down. */
interface Child {
  readonly item: Item
  readonly stored: CrawlStore.NewItem
}

interface Finished {
  readonly entry: StoredEntry
  readonly children: ReadonlyArray<Child>
  readonly commit: CrawlStore.Commit
}

/** How many of what is finished one transaction carries, of which the first always is one: its children may be any number. */
const groupOf = (finished: ReadonlyArray<Finished>): number => {
  let children = 0
  for (const [i, each] of finished.entries()) {
    children += each.children.length
    if (i > 0 && children > childrenInGroup) return i
  }
  return finished.length
}

export const make = Effect.fnUntraced(function*(
  { ledger, queue, registry, settings }: Surroundings,
  roots: Iterable<Item>,
  store: CrawlStore.CrawlStore
): Effect.fn.Return<Tree<CrawlStoreError>, CrawlStoreError, Scope.Scope> {
  const codec = Codec.make(registry)
  const { watchers } = ledger
  const keyOf = settings.keyed?.by

  const toNew = (item: Item): CrawlStore.NewItem => {
    const { name, options } = registry.of(item)
    const { key, onFailure, priority, trackOverall } = options
    return {
      name,
      data: codec.encode(item),
      uniqueKey: key === undefined ? undefined : `${name}\n${key(item)}`,
      limitKey: keyOf?.(item),
      priority: finite(name, typeof priority === "function" ? priority(item) : priority ?? 0),
      hooked: isHooked(registry.of(item)),
      failsFast: onFailure === "failFast",
      tracked: trackOverall === true
    }
  }

  const session = yield* store.open({
    order: settings.order,
    maxItems: settings.maxItems,
    roots: Array.from(roots, toNew)
  })
  const isShared = session.pollInterval !== undefined
  let { hasEnded, totals } = session.opened
  for (const [name, items] of session.opened.waiting) ledger.waits(name, items)

  /** What this process has claimed and not handed over. */
  const claimed = new Map<number, StoredEntry>()
  /** Of them, those of a limit key that have not begun. */
  const ahead = new Map<string, number>()
  /** What is common to the claimed items of a scope. */
  const scopes = new Map<number, { readonly failFast: FailFast; entries: number }>()
  const finished: Array<Finished> = []
  let working = 0
  let isExhausted = false
  let isClosing = false
  let failure: Cause.Cause<CrawlStoreError> | undefined
  let wake = () => {}
  let keeper: Fiber.Fiber<unknown, CrawlStoreError> | undefined

  // --- items that are claimed

  const enterScope = (id: number | undefined, isOver: boolean): FailFast | undefined => {
    if (id === undefined) return undefined
    const scope = scopes.get(id) ?? { failFast: new FailFast(undefined), entries: 0 }
    scope.entries++
    scopes.set(id, scope)
    if (isOver) scope.failFast.end()
    return scope.failFast
  }

  const leaveScope = (id: number | undefined): void => {
    const scope = id === undefined ? undefined : scopes.get(id)
    if (scope !== undefined && --scope.entries === 0) scopes.delete(id!)
  }

  const childOf = (stored: CrawlStore.StoredOutcome): Effect.Effect<ChildOutcome, CrawlStoreError> =>
    Effect.flatMap(
      codec.decode(stored),
      (item) => Effect.map(codec.decodeExit(item, stored.exit), (exit) => ({ item, exit }))
    )

  const afterOf = Effect.fnUntraced(function*(
    item: Item,
    { children, failedBy, own }: NonNullable<CrawlStore.Claimed["after"]>
  ) {
    const ignores = registry.of(item).options.onFailure === "ignore"
    return {
      own: yield* codec.decodeExit(item, failedBy === undefined ? own : codec.encodeFailedBy(failedBy)),
      children: yield* Effect.forEach(
        ignores ? children.filter(({ outcome }) => outcome === "succeeded") : children,
        childOf
      )
    }
  })

  const take = Effect.fnUntraced(function*(claim: CrawlStore.Claimed) {
    const item = yield* codec.decode(claim)
    const parentItem = claim.parent === undefined ? undefined : yield* codec.decode(claim.parent)
    const after = claim.after === undefined ? undefined : yield* afterOf(item, claim.after)
    const failFast = enterScope(claim.scope, claim.isOver)
    const entry = new StoredEntry(claim, item, registry.of(item), parentItem, failFast, after, keyOf?.(item))
    claimed.set(entry.id, entry)
    if (claim.limitKey !== undefined && after === undefined) {
      ahead.set(claim.limitKey, (ahead.get(claim.limitKey) ?? 0) + 1)
    }
    WorkQueue.offerUnsafe(queue, entry)
  })

  const begin = ({ claim }: StoredEntry): void => {
    working++
    if (claim.limitKey === undefined || claim.after !== undefined) return
    const left = ahead.get(claim.limitKey)! - 1
    if (left === 0) ahead.delete(claim.limitKey)
    else ahead.set(claim.limitKey, left)
  }

  // --- what a worker does

  const add: Processing.Add = (entry, items) => {
    const stored = entry as StoredEntry
    if (entry.depth < settings.maxDepth) {
      // Made now, so that what a class cannot be asked is a defect of who enqueues it.
      for (const item of items) stored.children.push({ item, stored: toNew(item) })
      return []
    }
    stored.tooDeep += items.length
    const skipped = items.map((item): Skipped => ({ item, reason: "maxDepth" }))
    for (const skip of skipped) ledger.tell({ _tag: "Skipped", skipped: skip })
    return skipped
  }

  const handOver = (
    entry: StoredEntry,
    commit: Exclude<CrawlStore.Commit, { readonly _tag: "Released" }>,
    children: ReadonlyArray<Child>
  ): void => {
    working--
    claimed.delete(entry.id)
    // The store will say so too, but the next item would have begun by then.
    const isFinal = commit._tag === "Settled" || (commit.children.length === 0 && !isHooked(entry.registered))
    if (isFinal && commit.outcome === "failed") scopes.get(entry.parentId!)?.failFast.end()
    leaveScope(entry.claim.scope)
    finished.push({ entry, children, commit })
    wake()
  }

  const processed = (entry: StoredEntry, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    entry.state = "processed"
    ledger.rests(entry)
    const encoded = codec.encodeExit(entry.item, exit)
    if (watchers.isWatched()) ledger.tell({ _tag: "Processed", about: entry, exit: encoded.exit })
    const { children, claim: { id, lease }, tooDeep } = entry
    handOver(entry, {
      _tag: "Processed",
      id,
      lease,
      exit: encoded.text,
      outcome: Processing.outcomeOf(encoded.exit),
      children: children.map(({ stored }) => stored),
      tooDeep
    }, children)
    return Exit.void
  }

  const settled = (entry: StoredEntry, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    const { claim: { after, id, lease }, item } = entry
    const failedBy = exit === entry.after!.own ? after!.failedBy : undefined
    const encoded = failedBy === undefined
      ? codec.encodeExit(item, exit)
      : { exit, text: codec.encodeFailedBy(failedBy) }
    handOver(entry, { _tag: "Settled", id, lease, exit: encoded.text, outcome: Processing.outcomeOf(encoded.exit) }, [])
    return Exit.void
  }

  const work = (any: Entry): Effect.Effect<void> => {
    const entry = any as StoredEntry
    begin(entry)
    if (entry.after !== undefined) {
      const hook = Processing.hook(entry, entry.after.own, entry.after.children) ?? entry.after.own
      return Exit.isExit(hook)
        ? settled(entry, hook)
        : Effect.flatMap(Effect.exit(Processing.hooked(entry, hook, ledger)), (exit) => settled(entry, exit))
    }
    ledger.waits(entry.registered.name, -1)
    if (entry.failFast?.isOver === true) return processed(entry, Exit.interrupt())
    ledger.begins(entry)
    const effect = Processing.process(entry, add, ledger)
    return Exit.isExit(effect)
      ? processed(entry, effect)
      : Effect.flatMap(Effect.exit(effect), (exit) => processed(entry, exit))
  }

  // --- what the keeper does

  const tellChildren = ({ children, entry }: Finished, added: CrawlStore.Committed["children"][number]): void => {
    for (const [i, { item }] of children.entries()) {
      // Nothing of those whose parent was not written, because somebody else has it.
      const what = added[i]
      if (typeof what === "string") ledger.tell({ _tag: "Skipped", skipped: { item, reason: what } })
      if (typeof what !== "number") continue
      ledger.waits(item[TypeId], 1)
      if (!watchers.isWatched()) continue
      ledger.tell({ _tag: "Enqueued", about: { id: what, item, depth: entry.depth + 1, parentId: entry.id } })
    }
  }

  const tellSettled = Effect.fnUntraced(function*(settled: CrawlStore.SettledItem) {
    const { exit, item } = yield* childOf(settled)
    const { depth, id, parentId } = settled
    ledger.tell({ _tag: "Settled", about: { id, item, depth, parentId }, exit })
  })

  const end = (over: ReadonlyArray<number>, ended: boolean): void => {
    for (const id of over) scopes.get(id)?.failFast.end()
    hasEnded ||= ended
    if (hasEnded) WorkQueue.endUnsafe(queue)
  }

  const write = Effect.uninterruptible(Effect.suspend(() => {
    const group = finished.splice(0, groupOf(finished))
    return Effect.flatMap(
      session.commit(group.map(({ commit }) => commit)),
      Effect.fnUntraced(function*(committed) {
        totals = committed.totals
        isExhausted = false
        for (const [i, each] of group.entries()) tellChildren(each, committed.children[i]!)
        if (watchers.isWatched()) { for (const item of committed.settled) yield* tellSettled(item) }
        end(committed.over, committed.hasEnded)
      })
    )
  }))

  /** How many more items the window has room for; those of keys at their limit take none, up to a bound. */
  const room = ({ depth, ready }: WorkQueue.WorkQueueStats): number => {
    const waiting = depth - Math.min(depth - ready, blockedAtMost)
    // First in, first out may be claimed ahead: whatever is enqueued meanwhile comes later. In any other order it may come first.
    if (settings.order !== "fifo") return settings.concurrency - working - waiting
    const most = isShared ? settings.concurrency * 2 : Math.max(groupSize, settings.concurrency * 2)
    return waiting > most / 2 ? 0 : most - waiting
  }

  const claim = Effect.flatMap(WorkQueue.stats(queue), (stats) => {
    const limit = room(stats)
    if (limit <= 0 || isClosing || hasEnded) return Effect.void
    const most = settings.order === "fifo" ? aheadOfKey : 1
    const except = [...ahead].filter(([, items]) => items >= most).map(([key]) => key)
    return Effect.flatMap(
      session.claim({ limit, except }),
      Effect.fnUntraced(function*(found) {
        isExhausted = found.claimed.length < limit
        for (const claim of found.claimed) yield* take(claim)
        end(found.over, found.hasEnded)
      })
    )
  })

  /** Until there is something to write, and for a moment longer while nobody waits for that. */
  const awaitWork = Effect.suspend(() => {
    const something = Effect.callback<void>((resume) => {
      if (finished.length > 0 || isClosing) return resume(Exit.void)
      wake = () => {
        wake = () => {}
        resume(Exit.void)
      }
    })
    const look = isShared && isExhausted
      ? Effect.raceFirst(
        something,
        Effect.andThen(
          Effect.sleep(session.pollInterval!),
          Effect.sync(() => {
            isExhausted = false
          })
        )
      )
      : something
    return Effect.andThen(
      // Woken inside a worker's step: it goes on first, to its next items.
      Effect.andThen(look, Effect.yieldNow),
      Effect.suspend(() =>
        isClosing || working < settings.concurrency || finished.length >= groupSize ? Effect.void : Effect.sleep(linger)
      )
    )
  })

  const keep = Effect.gen(function*() {
    while (!hasEnded && !isClosing) {
      yield* claim
      if (hasEnded) return
      yield* awaitWork
      if (finished.length > 0) yield* write
    }
  })

  const giveBack = Effect.suspend(() => {
    const left = [...claimed.values()]
    claimed.clear()
    finished.push(...left.map((entry): Finished => {
      const { id, lease } = entry.claim
      return { entry, children: [], commit: { _tag: "Released", id, lease } }
    }))
    return Effect.whileLoop({ while: () => finished.length > 0, body: () => write, step: () => {} })
  })

  end([], hasEnded)

  const rootOf = ({ exit, item }: ChildOutcome): RootOutcome<any> => ({ item, exit: exit as RootOutcome<any>["exit"] })

  return {
    totals: () => totals,
    work,
    attend: (fail) =>
      Effect.map(
        Effect.forkScoped(Effect.catchCause(keep, (cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          // A defect, too: without its keeper a crawl would wait for ever.
          failure = cause
          return fail
        })),
        (fiber) => {
          keeper = fiber
        }
      ),
    close: Effect.gen(function*() {
      isClosing = true
      wake()
      if (keeper !== undefined) yield* Fiber.await(keeper)
      if (failure !== undefined) return yield* Effect.failCause(failure)
      yield* giveBack
      // What others have done counts too, where several processes share the crawl.
      const report = yield* session.report
      totals = report.totals
      return yield* Effect.forEach(report.roots, (root) => Effect.map(childOf(root), rootOf))
    })
  }
})
