import type { Commit, Committed, NewItem, Outcome, SettledItem, Totals } from "../../CrawlStore.ts"
import { states } from "./tables.ts"

// What a batch of commits comes to, given the rows it touches: a pure function, and the only place that decides. It climbs from what
// settles to the parents, which it learns only then that it needs; it goes on without them, and tells which are missing. Whoever called it
// loads those, and calls it again: a chain costs as many queries as it has forks that close within the batch, not as it has levels.

/** An item as it is stored. Keys are encoded. */
export interface Row {
  readonly id: number
  readonly parent_id: number | null
  readonly depth: number
  readonly name: string
  readonly data: string
  readonly hooked: number
  readonly fails_fast: number
  readonly tracked: number
  readonly scope: number | null
  readonly lease: number
  state: number
  /** Children that have not settled. */
  open: number
  /** Its place in the order in which items were processed. */
  sequence: number | null
  own: string | null
  own_outcome: Outcome | null
  /** What its hook made of it; that of any other is `own`. */
  exit: string | null
  outcome: Outcome | null
  /** Its place in the order in which items became ready, or settled. */
  turn: number | null
  /** When it has settled: the hooked parent that is to hear of it, and 0 for a root. */
  told_to: number | null
  failed_by: number | null
}

/** An item that is added. */
export interface NewRow extends
  Pick<
    Row,
    "id" | "parent_id" | "depth" | "name" | "data" | "hooked" | "fails_fast" | "tracked" | "scope"
  >
{
  readonly unique_key: string | null
  readonly limit_key: string
  readonly priority: number
  readonly outer_id: number | null
}

/** The counters of a crawl. */
export interface Counters {
  enqueued: number
  succeeded: number
  failed: number
  interrupted: number
  duplicate: number
  max_depth: number
  max_items: number
  tracked: number
  tracked_settled: number
  processed: number
  turn: number
  open_roots: number
}

export const totalsOf = (counters: Counters): Totals => ({
  enqueued: counters.enqueued,
  succeeded: counters.succeeded,
  failed: counters.failed,
  interrupted: counters.interrupted,
  skipped: { duplicate: counters.duplicate, maxDepth: counters.max_depth, maxItems: counters.max_items },
  tracked: counters.tracked,
  trackedSettled: counters.tracked_settled
})

/** Any string as text that every database takes: none holds what JSON escapes. No key at all is the empty text. */
export const encodeKey = (key: string | undefined): string => key === undefined ? "" : JSON.stringify(key)
export const decodeKey = (key: string): string | undefined => key === "" ? undefined : JSON.parse(key)

/** A settlement in the making, and what it came to. */
export class Settlement {
  readonly counters: Counters
  readonly missing = new Set<number>()
  readonly added: Array<NewRow> = []
  readonly refused: Array<number> = []
  readonly children: Array<Committed["children"][number]> = []
  readonly settled: Array<SettledItem> = []
  /** Items that fail fast and have settled. */
  readonly left: Array<number> = []
  /** Items that fail fast and are over, without those below them. */
  readonly ended = new Set<number>()
  /** For each class, how many items were added and processed. */
  readonly classes = new Map<string, { added: number; processed: number }>()
  private readonly changed = new Map<number, Row>()
  private readonly rows: ReadonlyMap<number, Row>
  private readonly seen: Set<string>
  private readonly maxItems: number

  constructor(counters: Counters, rows: ReadonlyMap<number, Row>, seen: ReadonlySet<string>, maxItems: number) {
    this.counters = { ...counters }
    this.rows = rows
    this.seen = new Set(seen)
    this.maxItems = maxItems
  }

  add(item: NewItem, parent: Row | undefined): number | "duplicate" | "maxItems" {
    const { counters } = this
    const key = item.uniqueKey === undefined ? undefined : encodeKey(item.uniqueKey)
    if (key !== undefined && this.seen.has(key)) {
      counters.duplicate++
      return "duplicate"
    }
    if (counters.enqueued >= this.maxItems) {
      counters.max_items++
      return "maxItems"
    }
    if (key !== undefined) this.seen.add(key)
    const id = ++counters.enqueued
    if (item.tracked) counters.tracked++
    if (parent === undefined) counters.open_roots++
    else parent.open++
    this.classOf(item.name).added++
    this.added.push({
      id,
      parent_id: parent?.id ?? null,
      depth: parent === undefined ? 0 : parent.depth + 1,
      name: item.name,
      data: item.data,
      unique_key: key ?? null,
      limit_key: encodeKey(item.limitKey),
      priority: item.priority,
      hooked: Number(item.hooked),
      fails_fast: Number(item.failsFast),
      tracked: Number(item.tracked),
      scope: item.failsFast ? id : parent?.scope ?? null,
      outer_id: parent?.scope ?? null
    })
    return id
  }

  commit(commit: Commit): void {
    const row = this.row(commit.id)
    const from = commit._tag === "Processed"
      ? states.processing
      : commit._tag === "Settled"
      ? states.hooking
      : row?.state
    const isClaimed = row?.state === states.processing || row?.state === states.hooking
    if (row === undefined || !isClaimed || row.state !== from || row.lease !== commit.lease) {
      this.refused.push(commit.id)
      this.children.push([])
      return
    }
    this.changed.set(row.id, row)
    this.children.push(commit._tag === "Processed" ? this.process(row, commit) : [])
    if (commit._tag === "Settled") this.settle(row, commit.exit, commit.outcome)
    if (commit._tag === "Released") row.state--
  }

  private process(row: Row, { children, exit, outcome, tooDeep }: Extract<Commit, { _tag: "Processed" }>) {
    row.state = states.open
    row.own = exit
    row.own_outcome = outcome
    row.sequence = ++this.counters.processed
    this.classOf(row.name).processed++
    this.counters.max_depth += tooDeep
    if (row.fails_fast === 1 && outcome !== "succeeded") this.ended.add(row.id)
    const added = children.map((child) => this.add(child, row))
    if (row.open === 0) this.finish(row)
    return added
  }

  /** Nothing below an item is left. */
  private finish(row: Row): void {
    if (row.hooked === 0) return this.settle(row, row.own!, row.own_outcome!)
    row.state = states.ready
    row.turn = ++this.counters.turn
  }

  /** Settles an item, and every parent that waited for nothing else. A loop and no recursion: a chain may be of any depth. */
  private settle(row: Row, exit: string, outcome: Outcome): void {
    let next = row
    let last = { exit, outcome }
    while (true) {
      const parent = this.settleOne(next, last)
      if (parent === undefined || parent.open > 0) return
      if (parent.hooked === 1) return this.finish(parent)
      next = parent
      last = { exit: parent.own!, outcome: parent.own_outcome! }
    }
  }

  private settleOne(row: Row, last: { readonly exit: string; readonly outcome: Outcome }): Row | undefined {
    const { counters } = this
    const { data, depth, id, name, parent_id } = row
    counters[last.outcome]++
    counters.tracked_settled += row.tracked
    row.state = states.settled
    row.turn = ++counters.turn
    row.exit = row.hooked === 1 ? last.exit : null
    row.outcome = last.outcome
    if (row.fails_fast === 1) this.left.push(id)
    this.changed.set(id, row)
    this.settled.push({ id, parentId: parent_id ?? undefined, depth, name, data, ...last })
    if (parent_id === null) {
      row.told_to = 0
      counters.open_roots--
      return undefined
    }
    const parent = this.row(parent_id)
    if (parent === undefined) {
      this.missing.add(parent_id)
      return undefined
    }
    this.changed.set(parent_id, parent)
    parent.open--
    if (parent.hooked === 1) row.told_to = parent_id
    if (parent.fails_fast === 1 && last.outcome === "failed") {
      this.ended.add(parent_id)
      if (parent.own_outcome === "succeeded") parent.failed_by ??= id
    }
    return parent
  }

  /** Rows that are changed. What an item came to by itself is left out where it is stored already. */
  changes(): ReadonlyArray<Row> {
    return Array.from(this.changed.values(), (row) => this.rows.get(row.id)!.own === null ? row : { ...row, own: null })
  }

  /** A row to be changed: what was loaded stays as it is, for the next try. */
  private row(id: number): Row | undefined {
    const known = this.changed.get(id)
    if (known !== undefined) return known
    const loaded = this.rows.get(id)
    return loaded && { ...loaded }
  }

  private classOf(name: string) {
    const known = this.classes.get(name)
    if (known !== undefined) return known
    const counts = { added: 0, processed: 0 }
    this.classes.set(name, counts)
    return counts
  }
}
