import * as Effect from "effect/Effect"
import type * as Statement from "effect/sql/Statement"
import type { Claimed, ClaimOptions, OpenOptions, Outcome } from "../../CrawlStore.ts"
import { decodeKey, encodeKey } from "./settlement.ts"
import { giveBackLost, ownState, type Result, type Runner, type Store } from "./store.ts"
import { states } from "./tables.ts"

// Items are claimed from one end of an index of what waits. Some keys may have to be left alone, and theirs may be all there is at that end:
// so no more than a window is looked through, and if that does not give enough, the keys are gone through instead, one step of an index each,
// and the best of those that have the best. It is the number of keys that this costs, never that of items.

/** Items looked through for such as may be claimed, before keys are. */
const window = 1024

interface ClaimedRow {
  readonly id: number
  readonly lease: number
  readonly name: string
  readonly data: string
  readonly depth: number
  readonly parent_id: number | null
  readonly parent_name: string | null
  readonly parent_data: string | null
  readonly priority: number
  readonly limit_key: string
  readonly scope: number | null
  readonly is_over: number | null
  readonly state: number
  readonly turn: number | null
  readonly own: string | null
  readonly failed_by: number | null
}

interface ChildRow {
  readonly told_to: number
  readonly id: number
  readonly name: string
  readonly data: string
  readonly exit: string
  readonly outcome: Outcome
}

export interface Frontier {
  readonly order: OpenOptions["order"]
  /** Scopes of which this process knows that they are over, among those of what it has claimed. */
  readonly over: ReadonlySet<number>
}

export const claim = (store: Store, runner: Runner, frontier: Frontier, { except, limit }: ClaimOptions) =>
  Effect.gen(function*() {
    const { open_roots } = yield* ownState(store, runner, "read")
    const known = new Set<number>()
    const over: Array<number> = []
    if (store.dialect.isShared) {
      yield* giveBackLost(store, runner)
      for (const id of yield* overScopes(store, runner)) {
        known.add(id)
        if (!frontier.over.has(id)) over.push(id)
      }
    }
    const pick = picks(store, runner, frontier.order, Array.from(except, (key) => ({ key: encodeKey(key) })))
    const hooks = limit <= 0 ? [] : yield* pick.ready(limit)
    const waiting = hooks.length >= limit ? [] : yield* pick.waiting(limit - hooks.length)
    const children = yield* childrenOf(store, hooks)
    const claimed = [
      ...hooks.toSorted((a, b) => Number(a.turn) - Number(b.turn)),
      ...waiting.toSorted(comparators[frontier.order])
    ].map((row) => claimedOf(row, children))
    for (const { isOver, scope } of claimed) if (isOver) known.add(scope!)
    const next: Frontier = { order: frontier.order, over: known }
    return { found: { claimed, over, hasEnded: open_roots === 0 }, next }
  })

const comparators = {
  fifo: (a: ClaimedRow, b: ClaimedRow) => Number(a.id) - Number(b.id),
  lifo: (a: ClaimedRow, b: ClaimedRow) => Number(b.id) - Number(a.id),
  priority: (a: ClaimedRow, b: ClaimedRow) => a.priority - b.priority || Number(a.id) - Number(b.id)
}

const picks = (
  store: Store,
  runner: Runner,
  by: OpenOptions["order"],
  except: ReadonlyArray<{ readonly key: string }>
) => {
  const { dialect: { isIn, lockFree, number, rows, sql }, tables: { item, scope } } = store
  const order = sql.literal({ fifo: "id", lifo: "id DESC", priority: "priority, id" }[by])
  const excepted = sql`(SELECT v.key FROM ${rows({ key: "text" }, except)})`

  const take = (picked: Statement.Fragment) =>
    sql<ClaimedRow>`WITH picked AS (${picked} ${lockFree})
      UPDATE ${item} SET state = state + 1, lease = lease + 1, runner = ${number(runner.id)}
        WHERE ${isIn("id", sql`SELECT id FROM picked`)}
      RETURNING id, lease, name, data, depth, parent_id, priority, limit_key, scope, state, turn, own, failed_by,
        (SELECT p.name FROM ${item} p WHERE p.id = ${item}.parent_id) AS parent_name,
        (SELECT p.data FROM ${item} p WHERE p.id = ${item}.parent_id) AS parent_data,
        (SELECT is_over FROM ${scope} WHERE ${scope}.id = ${item}.scope) AS is_over`

  /** What was found without locking it, unless somebody else was faster. */
  const takeFound = (found: Statement.Fragment) =>
    take(sql`SELECT id FROM ${item} WHERE state = 0 AND ${isIn("id", found)}`)

  const nearby = (limit: number) =>
    takeFound(sql`SELECT w.id FROM (
        SELECT id, limit_key, priority FROM ${item} WHERE state = 0 ORDER BY ${order} LIMIT ${number(window)}) w
      WHERE w.limit_key NOT IN ${excepted} ORDER BY ${order} LIMIT ${number(limit)}`)

  const byKeys = (limit: number) => {
    const first = (key: string, most: number) =>
      sql`SELECT id FROM ${item} WHERE state = 0 AND limit_key = ${sql.literal(key)} ORDER BY ${order} LIMIT ${
        number(most)
      }`
    return takeFound(sql`WITH RECURSIVE keys (key) AS (
          SELECT min(limit_key) FROM ${item} WHERE state = 0
          UNION ALL
          SELECT (SELECT min(limit_key) FROM ${item} WHERE state = 0 AND limit_key > keys.key) FROM keys
            WHERE keys.key IS NOT NULL),
        heads (id) AS (
          SELECT (${first("keys.key", 1)}) FROM keys WHERE keys.key IS NOT NULL AND keys.key NOT IN ${excepted}),
        best (key) AS (
          SELECT limit_key FROM (SELECT id, limit_key, priority FROM ${item} WHERE ${
      isIn("id", sql`SELECT id FROM heads`)
    }) h
            ORDER BY ${order} LIMIT ${number(limit)})
      SELECT i.id FROM best JOIN ${item} i ON ${isIn("i.id", first("best.key", limit))}
        ORDER BY ${order} LIMIT ${number(limit)}`)
  }

  return {
    ready: (limit: number): Result<ReadonlyArray<ClaimedRow>> =>
      take(
        sql`SELECT id FROM ${item} WHERE state = ${sql.literal(`${states.ready}`)} ${
          except.length === 0 ? sql.literal("") : sql`AND limit_key NOT IN ${excepted}`
        } ORDER BY turn LIMIT ${number(limit)}`
      ),

    waiting: Effect.fnUntraced(function*(limit: number): Effect.fn.Return<
      ReadonlyArray<ClaimedRow>,
      Effect.Error<Result<unknown>>
    > {
      if (except.length === 0) {
        return yield* take(sql`SELECT id FROM ${item} WHERE state = 0 ORDER BY ${order} LIMIT ${number(limit)}`)
      }
      const near = yield* nearby(limit)
      if (near.length >= limit) return near
      const beyond = yield* sql`SELECT id FROM ${item} WHERE state = 0 ORDER BY ${order}
        LIMIT 1 OFFSET ${number(window - near.length)}`
      if (beyond.length === 0) return near
      return [...near, ...yield* byKeys(limit - near.length)]
    })
  }
}

/** Scopes of what a process has claimed that are over. */
const overScopes = ({ dialect: { number, sql }, tables: { item, scope } }: Store, runner: Runner) =>
  Effect.map(
    sql<{ readonly id: number }>`SELECT DISTINCT s.id FROM ${item} i JOIN ${scope} s ON s.id = i.scope
      WHERE i.runner = ${number(runner.id)} AND s.is_over = 1 ORDER BY s.id`,
    (rows) => rows.map(({ id }) => Number(id))
  )

/** The children of items that are claimed for their hooks, in the order in which they settled. */
const childrenOf = Effect.fnUntraced(
  function*({ dialect: { rows, sql }, tables: { item } }: Store, hooks: ReadonlyArray<ClaimedRow>) {
    const children = new Map<number, Array<ChildRow>>(hooks.map(({ id }) => [Number(id), []]))
    if (hooks.length === 0) return children
    const ids = hooks.map(({ id }) => ({ id: Number(id) }))
    const found = yield* sql<
      ChildRow
    >`SELECT i.told_to, i.id, i.name, i.data, COALESCE(i.exit, i.own) AS exit, i.outcome
      FROM ${rows({ id: "integer" }, ids)} JOIN ${item} i ON i.told_to = v.id ORDER BY i.told_to, i.turn`
    for (const child of found) children.get(Number(child.told_to))!.push(child)
    return children
  }
)

const storedOf = ({ data, exit, name, outcome }: ChildRow) => ({ name, data, exit, outcome })

const claimedOf = (row: ClaimedRow, childrenOf: ReadonlyMap<number, ReadonlyArray<ChildRow>>): Claimed => {
  const children = childrenOf.get(Number(row.id))
  const failedBy = row.failed_by === null ? undefined : children?.find(({ id }) => Number(id) === Number(row.failed_by))
  return {
    id: Number(row.id),
    lease: Number(row.lease),
    name: row.name,
    data: row.data,
    depth: Number(row.depth),
    parentId: row.parent_id === null ? undefined : Number(row.parent_id),
    parent: row.parent_id === null ? undefined : { name: row.parent_name!, data: row.parent_data! },
    priority: row.priority,
    limitKey: decodeKey(row.limit_key),
    scope: row.scope === null ? undefined : Number(row.scope),
    isOver: Number(row.is_over ?? 0) === 1,
    after: children === undefined ? undefined : {
      own: row.own!,
      children: children.map(storedOf),
      failedBy: failedBy && storedOf(failedBy)
    }
  }
}
