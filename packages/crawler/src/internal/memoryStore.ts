import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type {
  Claimed,
  ClaimOptions,
  Commit,
  Committed,
  CrawlSession,
  CrawlStore,
  NewItem,
  OpenOptions,
  Outcome,
  SettledItem,
  StoredItem,
  StoredOutcome,
  Totals
} from "../CrawlStore.ts"
import { CrawlStoreError } from "../CrawlStoreError.ts"

// A crawl in memory, written to be plainly right: stores on disk are compared with it, step by step.

class Entry {
  readonly id: number
  readonly item: NewItem
  readonly parent: Entry | undefined
  readonly depth: number
  /** The nearest item that fails fast, itself or above it. */
  readonly scope: Entry | undefined
  state: "waiting" | "processing" | "open" | "ready" | "hooking" | "settled" = "waiting"
  lease = 0
  /** Children that have not settled. */
  open = 0
  isOver = false
  /** Of an item that fails fast: those below it that do, with none between. */
  readonly inner = new Set<Entry>()
  own: { readonly exit: string; readonly outcome: Outcome } | undefined
  sequence = 0
  /** Its place in the order in which items became ready. */
  readyAt = 0
  exit: string | undefined
  readonly children: Array<StoredOutcome> = []
  failedBy: StoredOutcome | undefined

  constructor(id: number, item: NewItem, parent: Entry | undefined) {
    this.id = id
    this.item = item
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.scope = item.failsFast ? this : parent?.scope
  }
}

type Order = OpenOptions["order"]

const inOrder = (order: Order) => (a: Entry, b: Entry): number =>
  order === "lifo" ? b.id - a.id : order === "fifo" ? a.id - b.id : a.item.priority - b.item.priority || a.id - b.id

class Crawl {
  runner = 0
  order: Order = "fifo"
  maxItems = Infinity
  openRoots = 0
  readonly counts = { enqueued: 0, succeeded: 0, failed: 0, interrupted: 0, tracked: 0, trackedSettled: 0 }
  readonly skipped = { duplicate: 0, maxDepth: 0, maxItems: 0 }
  readonly seen = new Set<string>()
  readonly entries = new Map<number, Entry>()
  /** In the order of the crawl, unless items were added since. */
  waiting: Array<Entry> = []
  private isSorted = true
  private readyCount = 0
  readonly ready = new Set<Entry>()
  readonly claimed = new Set<Entry>()
  /** Items that are over since the last commit. */
  private ended: Array<Entry> = []
  readonly roots: Array<StoredOutcome> = []
  readonly processed: Array<Entry> = []

  totals(): Totals {
    return { ...this.counts, skipped: { ...this.skipped } }
  }

  add(item: NewItem, parent: Entry | undefined): number | "duplicate" | "maxItems" {
    const { counts, maxItems, seen, skipped } = this
    const reason = item.uniqueKey !== undefined && seen.has(item.uniqueKey)
      ? "duplicate"
      : counts.enqueued >= maxItems
      ? "maxItems"
      : undefined
    if (reason !== undefined) {
      skipped[reason]++
      return reason
    }
    if (item.uniqueKey !== undefined) seen.add(item.uniqueKey)
    const entry = new Entry(++counts.enqueued, item, parent)
    if (item.tracked) counts.tracked++
    if (item.failsFast) {
      parent?.scope?.inner.add(entry)
      if (parent?.scope?.isOver === true) this.end(entry)
    }
    if (parent === undefined) this.openRoots++
    else parent.open++
    this.entries.set(entry.id, entry)
    this.wait(entry)
    return entry.id
  }

  /** An item waits, to be processed or for its hook. */
  private wait(entry: Entry): void {
    if (entry.state === "ready") return void this.ready.add(entry)
    this.waiting.push(entry)
    this.isSorted = false
  }

  giveBack(entry: Entry): void {
    entry.state = entry.state === "hooking" ? "ready" : "waiting"
    this.claimed.delete(entry)
    this.wait(entry)
  }

  take({ except, limit }: ClaimOptions): ReadonlyArray<Entry> {
    if (!this.isSorted) this.waiting.sort(inOrder(this.order))
    this.isSorted = true
    const isExcepted = ({ item }: Entry) => item.limitKey !== undefined && excepted.has(item.limitKey)
    const excepted = new Set(except)
    const ready = [...this.ready].filter((entry) => !isExcepted(entry))
    const taken = ready.toSorted((a, b) => a.readyAt - b.readyAt).slice(0, Math.max(0, limit))
    for (const entry of taken) this.ready.delete(entry)
    const left: Array<Entry> = []
    for (const entry of this.waiting) {
      if (taken.length < limit && !isExcepted(entry)) taken.push(entry)
      else left.push(entry)
    }
    this.waiting = left
    for (const entry of taken) {
      entry.state = entry.state === "ready" ? "hooking" : "processing"
      entry.lease++
      this.claimed.add(entry)
    }
    return taken
  }

  /** A loop and no recursion: a chain may be as deep as memory allows. */
  settle(from: Entry, exit: string, outcome: Outcome): ReadonlyArray<SettledItem> {
    const settled: Array<SettledItem> = []
    let entry: Entry = from
    let ending = { exit, outcome }
    while (true) {
      const { depth, id, item: { data, name, tracked } } = entry
      const parent: Entry | undefined = entry.parent
      entry.state = "settled"
      entry.exit = ending.exit
      parent?.scope?.inner.delete(entry)
      this.counts[ending.outcome]++
      if (tracked) this.counts.trackedSettled++
      const stored = { name, data, ...ending }
      settled.push({ ...stored, id, depth, parentId: parent?.id })
      if (parent === undefined) {
        this.roots.push(stored)
        this.openRoots--
        return settled
      }
      parent.children.push(stored)
      if (parent.item.failsFast && ending.outcome === "failed") {
        if (parent.own!.outcome === "succeeded") parent.failedBy ??= stored
        this.end(parent)
      }
      if (--parent.open > 0 || this.waitsForHook(parent)) return settled
      entry = parent
      ending = parent.own!
    }
  }

  private waitsForHook(entry: Entry): boolean {
    if (!entry.item.hooked) return false
    entry.state = "ready"
    entry.readyAt = ++this.readyCount
    this.wait(entry)
    return true
  }

  process(entry: Entry, commit: Extract<Commit, { _tag: "Processed" }>) {
    entry.state = "open"
    entry.own = { exit: commit.exit, outcome: commit.outcome }
    entry.sequence = this.processed.push(entry)
    if (entry.item.failsFast && commit.outcome !== "succeeded") this.end(entry)
    this.skipped.maxDepth += commit.tooDeep
    const children = commit.children.map((child) => this.add(child, entry))
    const isDone = entry.open === 0 && !this.waitsForHook(entry)
    return { children, settled: isDone ? this.settle(entry, commit.exit, commit.outcome) : [] }
  }

  /** An item that fails fast is over, with all of its kind below it. */
  private end(scope: Entry): void {
    const ending = scope.isOver ? [] : [scope]
    for (const each of ending) {
      each.isOver = true
      this.ended.push(each)
      for (const inner of each.inner) if (!inner.isOver) ending.push(inner)
    }
  }

  /** Those that are over since this was asked, and have not settled. */
  over(): ReadonlyArray<number> {
    const ended = this.ended.filter(({ state }) => state !== "settled").map(({ id }) => id)
    this.ended = []
    return ended.sort((a, b) => a - b)
  }

  resume(order: Order, maxItems: number): void {
    this.order = order
    this.maxItems = maxItems
    this.isSorted = false
    this.giveAllBack()
  }

  giveAllBack(): void {
    for (const entry of this.claimed) this.giveBack(entry)
  }
}

export const make: Effect.Effect<CrawlStore> = Effect.sync(() => {
  const crawl = new Crawl()
  return {
    open: (options) => open(crawl, options),
    items: (after = 0) => Stream.suspend(() => Stream.fromIterable(crawl.processed.slice(after).map(storedOf)))
  }
})

const open = (crawl: Crawl, { maxItems, order, roots }: OpenOptions): Effect.Effect<CrawlSession, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const runner = ++crawl.runner
      const isNew = runner === 1
      crawl.resume(order, maxItems)
      if (isNew) { for (const root of roots) crawl.add(root, undefined) }
      return { runner, session: sessionOf(crawl, runner, isNew) }
    }),
    ({ runner }) =>
      Effect.sync(() => {
        if (crawl.runner === runner) crawl.giveAllBack()
      })
  ).pipe(Effect.map(({ session }) => session))

const sessionOf = (crawl: Crawl, runner: number, isNew: boolean): CrawlSession => {
  const whileMine = <A>(run: () => A) =>
    Effect.suspend(() => crawl.runner === runner ? Effect.sync(run) : Effect.fail(takenOver()))
  const waiting = new Map<string, number>()
  for (const { item: { name } } of crawl.waiting) waiting.set(name, (waiting.get(name) ?? 0) + 1)
  return {
    opened: { isNew, totals: crawl.totals(), waiting, hasEnded: crawl.openRoots === 0 },
    pollInterval: undefined,
    claim: (options) =>
      whileMine(() => ({
        claimed: crawl.take(options).map(claimedOf),
        over: [],
        hasEnded: crawl.openRoots === 0
      })),
    commit: (commits) => whileMine(() => write(crawl, commits)),
    report: Effect.sync(() => ({ totals: crawl.totals(), roots: [...crawl.roots] }))
  }
}

const takenOver = () =>
  new CrawlStoreError({
    reason: "TakenOver",
    message: "the crawl was opened again, and goes on there: what this one has not committed is done there"
  })

const write = (crawl: Crawl, commits: ReadonlyArray<Commit>): Committed => {
  const refused: Array<number> = []
  const children: Array<Committed["children"][number]> = []
  const settled: Array<SettledItem> = []
  for (const commit of commits) {
    const entry = crawl.entries.get(commit.id)
    const added: Array<Committed["children"][number][number]> = []
    children.push(added)
    const state = commit._tag === "Processed" ? "processing" : commit._tag === "Settled" ? "hooking" : undefined
    if (
      entry === undefined || !crawl.claimed.has(entry) || entry.lease !== commit.lease ||
      (state ?? entry.state) !== entry.state
    ) {
      refused.push(commit.id)
      continue
    }
    if (commit._tag === "Released") {
      crawl.giveBack(entry)
      continue
    }
    crawl.claimed.delete(entry)
    if (commit._tag === "Settled") settled.push(...crawl.settle(entry, commit.exit, commit.outcome))
    else {
      const processed = crawl.process(entry, commit)
      added.push(...processed.children)
      settled.push(...processed.settled)
    }
  }
  return {
    refused,
    children,
    settled,
    over: crawl.over(),
    totals: crawl.totals(),
    hasEnded: crawl.openRoots === 0
  }
}

const claimedOf = (entry: Entry): Claimed => {
  const { children, depth, failedBy, id, item, lease, own, parent, scope, state } = entry
  return {
    id,
    lease,
    name: item.name,
    data: item.data,
    depth,
    parentId: parent?.id,
    parent: parent === undefined ? undefined : { name: parent.item.name, data: parent.item.data },
    priority: item.priority,
    limitKey: item.limitKey,
    scope: scope?.id,
    isOver: scope?.isOver ?? false,
    after: state === "hooking" ? { own: own!.exit, children: [...children], failedBy } : undefined
  }
}

const storedOf = ({ depth, exit, id, item: { data, name }, own, parent, sequence }: Entry): StoredItem => ({
  sequence,
  id,
  parentId: parent?.id,
  depth,
  name,
  data,
  own: own!.exit,
  exit
})
