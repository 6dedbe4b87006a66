import * as Effect from "effect/Effect"
import type { Commit, Committed, NewItem } from "../../CrawlStore.ts"
import { encodeKey, type Row, Settlement, totalsOf } from "./settlement.ts"
import { ownState, type Result, type Runner, type State, type Store } from "./store.ts"

// As many statements for a thousand items as for one, in a transaction. Those of one crawl are written one after the other: each begins
// by locking the row of the crawl.

export const commit = (store: Store, runner: Runner, commits: ReadonlyArray<Commit>): Result<Committed> =>
  Effect.gen(function*() {
    const state = yield* ownState(store, runner, "write")
    const rows = yield* load(store, commits.map(({ id }) => id))
    const seen = yield* seenOf(store, commits.flatMap((each) => each._tag === "Processed" ? each.children : []))
    const settlement = yield* settle(store, rows, () => {
      const attempt = new Settlement(state, rows, seen, runner.maxItems)
      for (const each of commits) attempt.commit(each)
      return attempt
    })
    const over = yield* write(store, settlement)
    const { children, counters, refused, settled } = settlement
    return { refused, children, settled, over, totals: totalsOf(counters), hasEnded: counters.open_roots === 0 }
  })

/** Adds the roots of a crawl that is new. */
export const addRoots = Effect.fnUntraced(
  function*(store: Store, runner: Runner, state: State, roots: ReadonlyArray<NewItem>) {
    const settlement = new Settlement(state, new Map(), yield* seenOf(store, roots), runner.maxItems)
    for (const root of roots) settlement.add(root, undefined)
    yield* write(store, settlement)
    return settlement.counters
  }
)

/** Settles again, until no parent is missing. */
const settle = Effect.fnUntraced(function*(store: Store, rows: Map<number, Row>, attempt: () => Settlement) {
  while (true) {
    const settlement = attempt()
    if (settlement.missing.size === 0) return settlement
    for (const [id, row] of yield* loadAbove(store, [...settlement.missing])) rows.set(id, row)
  }
})

const numeric = [
  "id",
  "parent_id",
  "depth",
  "hooked",
  "fails_fast",
  "tracked",
  "scope",
  "lease",
  "state",
  "open",
  "sequence",
  "turn",
  "told_to",
  "failed_by"
] as const

const toRows = (rows: ReadonlyArray<object>): Map<number, Row> =>
  new Map(rows.map((row: any): [number, Row] => {
    const out = { ...row }
    for (const name of numeric) out[name] = row[name] === null ? null : Number(row[name])
    return [out.id, out]
  }))

const idsOf = (ids: ReadonlyArray<number>) => ids.map((id) => ({ id }))

const load = ({ dialect: { lock, rows, sql }, tables: { item } }: Store, ids: ReadonlyArray<number>) =>
  Effect.map(
    sql`SELECT ${item}.* FROM ${rows({ id: "integer" }, idsOf(ids))} JOIN ${item} ON ${item}.id = v.id ${lock}`,
    toRows
  )

/** Items, and those above them that settle as soon as they do. */
const loadAbove = ({ dialect: { rows, sql }, tables: { item } }: Store, ids: ReadonlyArray<number>) =>
  Effect.map(
    sql`WITH RECURSIVE above (id, parent_id, open, hooked) AS (
        SELECT i.id, i.parent_id, i.open, i.hooked
          FROM ${rows({ id: "integer" }, idsOf(ids))} JOIN ${item} i ON i.id = v.id
        UNION
        SELECT i.id, i.parent_id, i.open, i.hooked FROM above JOIN ${item} i ON i.id = above.parent_id
          WHERE above.open = 1 AND above.hooked = 0)
      SELECT ${item}.* FROM above JOIN ${item} ON ${item}.id = above.id`,
    toRows
  )

/** Which unique keys are there already. */
const seenOf = Effect.fnUntraced(
  function*({ dialect: { rows, sql }, tables: { item } }: Store, items: ReadonlyArray<NewItem>) {
    const keys = new Set(items.flatMap(({ uniqueKey }) => uniqueKey === undefined ? [] : [encodeKey(uniqueKey)]))
    if (keys.size === 0) return keys
    const found = yield* sql<{ readonly key: string }>`SELECT v.key
      FROM ${rows({ key: "text" }, Array.from(keys, (key) => ({ key })))} JOIN ${item} ON ${item}.unique_key = v.key`
    return new Set(found.map(({ key }) => key))
  }
)

/** Writes what a settlement came to, and gives the items that fail fast and are over since. */
const write = Effect.fnUntraced(
  function*({ dialect: { number, rows, sql }, tables }: Store, settlement: Settlement) {
    const { added, classes, counters, ended, left } = settlement
    const changed = settlement.changes()
    const { item, scope } = tables
    if (added.length > 0) {
      yield* sql`INSERT INTO ${item}
          (id, parent_id, depth, name, data, unique_key, limit_key, priority, hooked, fails_fast, tracked, scope, state, lease, open)
        SELECT id, parent_id, depth, name, data, unique_key, limit_key, priority, hooked, fails_fast, tracked, scope, 0, 0, 0
          FROM ${rows(newColumns, added)}`
    }
    if (changed.length > 0) {
      yield* sql`UPDATE ${item} SET state = v.state, runner = NULL, open = v.open, sequence = v.sequence,
          own = COALESCE(v.own, ${item}.own), own_outcome = v.own_outcome, exit = v.exit, outcome = v.outcome,
          turn = v.turn, told_to = v.told_to, failed_by = v.failed_by
        FROM ${rows(changedColumns, changed)} WHERE ${item}.id = v.id`
    }
    const scopes = added.filter(({ fails_fast }) => fails_fast === 1)
    if (scopes.length > 0) {
      yield* sql`INSERT INTO ${scope} (id, outer_id, is_over)
        SELECT id, outer_id, 0 FROM ${rows({ id: "integer", outer_id: "integer" }, scopes)}`
    }
    if (left.length > 0) {
      yield* sql`DELETE FROM ${scope} WHERE id IN (SELECT v.id FROM ${rows({ id: "integer" }, idsOf(left))})`
    }
    const candidates = [...ended, ...scopes.map(({ id }) => id)]
    const over = candidates.length === 0 ? [] : yield* sql<{ readonly id: number }>`
      WITH RECURSIVE ending (id) AS (
        SELECT s.id FROM ${
      rows({ id: "integer", ends: "integer" }, [
        ...Array.from(ended, (id) => ({ id, ends: 1 })),
        ...scopes.map(({ id }) => ({ id, ends: 0 }))
      ])
    } JOIN ${scope} s ON s.id = v.id LEFT JOIN ${scope} o ON o.id = s.outer_id
          WHERE s.is_over = 0 AND (v.ends = 1 OR o.is_over = 1)
        UNION
        SELECT s.id FROM ending JOIN ${scope} s ON s.outer_id = ending.id WHERE s.is_over = 0)
      UPDATE ${scope} SET is_over = 1 WHERE id IN (SELECT id FROM ending) RETURNING id`
    if (classes.size > 0) {
      const counts = Array.from(classes, ([name, counts]) => ({ name, ...counts }))
      yield* sql`INSERT INTO ${tables.class} (name, added, processed)
        SELECT name, added, processed FROM ${rows({ name: "text", added: "integer", processed: "integer" }, counts)}
          WHERE true
        ON CONFLICT (name) DO UPDATE SET added = ${tables.class}.added + excluded.added,
          processed = ${tables.class}.processed + excluded.processed`
    }
    yield* sql`UPDATE ${tables.state} SET
      enqueued = ${number(counters.enqueued)}, succeeded = ${number(counters.succeeded)},
      failed = ${number(counters.failed)}, interrupted = ${number(counters.interrupted)},
      duplicate = ${number(counters.duplicate)}, max_depth = ${number(counters.max_depth)},
      max_items = ${number(counters.max_items)}, tracked = ${number(counters.tracked)},
      tracked_settled = ${number(counters.tracked_settled)}, processed = ${number(counters.processed)},
      turn = ${number(counters.turn)}, open_roots = ${number(counters.open_roots)} WHERE id = 1`
    return over.map(({ id }) => Number(id)).sort((a, b) => a - b)
  }
)

const newColumns = {
  id: "integer",
  parent_id: "integer",
  depth: "integer",
  name: "text",
  data: "text",
  unique_key: "text",
  limit_key: "text",
  priority: "real",
  hooked: "integer",
  fails_fast: "integer",
  tracked: "integer",
  scope: "integer"
} as const

const changedColumns = {
  id: "integer",
  state: "integer",
  open: "integer",
  sequence: "integer",
  own: "text",
  own_outcome: "text",
  exit: "text",
  outcome: "text",
  turn: "integer",
  told_to: "integer",
  failed_by: "integer"
} as const
