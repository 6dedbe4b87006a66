import * as Effect from "effect/Effect"
import type * as SqlError from "effect/sql/SqlError"
import type { StoredItem, StoredOutcome } from "../../CrawlStore.ts"
import { CrawlStoreError } from "../../CrawlStoreError.ts"
import type { Dialect } from "./dialect.ts"
import type { Counters } from "./settlement.ts"
import type { Tables } from "./tables.ts"

/** A crawl in a database. */
export interface Store {
  readonly dialect: Dialect
  readonly tables: Tables
  /** How long a process is believed to live after it was last heard of, in milliseconds, where several share a crawl. */
  readonly leaseDuration: number
  readonly pollInterval: number
}

/** Those who have a crawl open are numbered, so that each is known from any that was before. */
export interface Runner {
  readonly id: number
  readonly maxItems: number
}

export type Result<A> = Effect.Effect<A, SqlError.SqlError | CrawlStoreError>

export interface State extends Counters {
  readonly is_begun: number
  readonly runner: number
}

const numbersOf = <A>(row: object): A =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as A

/** The state of a crawl; nobody else writes it until the transaction ends, if that is asked for. */
export const state = ({ dialect: { byIndex, lock, sql }, tables }: Store, mode: "read" | "write"): Result<State> =>
  Effect.map(
    sql`SELECT *${byIndex} FROM ${tables.state} WHERE id = 1 ${mode === "write" ? lock : sql.literal("")}`,
    ([row]) => numbersOf<State>(row!)
  )

/** Where one process has a crawl to itself: whoever opened it last is that process. */
export const ownState = (store: Store, runner: Runner, mode: "read" | "write"): Result<State> =>
  Effect.flatMap(
    state(store, mode),
    (state) => store.dialect.isShared || state.runner === runner.id ? Effect.succeed(state) : Effect.fail(takenOver())
  )

const takenOver = () =>
  new CrawlStoreError({
    reason: "TakenOver",
    message:
      "another process has opened the crawl, and goes on with it: what was not committed here is done there. In SQLite one process at a time may work on it"
  })

/** The time of the database in milliseconds: that of processes may differ. */
const now = ({ sql }: Dialect) => sql.literal("(extract(epoch FROM clock_timestamp()) * 1000)")

/** Gives back what is claimed by other processes that are no more. */
export const giveBackLost = (
  { dialect, tables: { item, runner } }: Store,
  { id }: Runner
): Effect.Effect<unknown, SqlError.SqlError> => {
  const { isIn, isShared, lockFree, number, sql } = dialect
  const free = sql`UPDATE ${item} SET state = state - 1, runner = NULL`
  if (!isShared) return sql`${free} WHERE runner IS NOT NULL`
  const lost = sql`SELECT id FROM ${runner} WHERE expires_at <= ${now(dialect)} AND id <> ${number(id)}`
  const claimed = sql`SELECT id FROM ${item} WHERE ${isIn("runner", lost)} ${lockFree}`
  return Effect.flatMap(lost, (found) =>
    found.length === 0
      ? Effect.void
      // A process that wakes up is heard of again.
      : Effect.andThen(
        sql`WITH lost AS (${claimed}) ${free} WHERE ${isIn("id", sql`SELECT id FROM lost`)}`,
        sql`DELETE FROM ${runner} WHERE ${isIn("id", lost)}
          AND NOT EXISTS (SELECT 1 FROM ${item} WHERE ${item}.runner = ${runner}.id)`
      ))
}

/** Gives back what a process has claimed, and forgets the process. */
export const giveBackAll = ({ dialect, tables: { item, runner } }: Store, { id }: Runner) => {
  const { number, sql } = dialect
  return sql.withTransaction(Effect.andThen(
    sql`UPDATE ${item} SET state = state - 1, runner = NULL WHERE runner = ${number(id)}`,
    sql`DELETE FROM ${runner} WHERE id = ${number(id)}`
  ))
}

/** Says that a process lives. */
export const beat = ({ dialect, leaseDuration, tables: { runner } }: Store, { id }: Runner) => {
  const { number, sql } = dialect
  const until = sql`${now(dialect)} + ${number(leaseDuration)}`
  return sql`INSERT INTO ${runner} (id, expires_at, calls) VALUES (${number(id)}, ${until}, 0)
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`
}

/** How often a process has written. */
const calls = ({ dialect: { number, sql }, tables: { runner } }: Store, { id }: Runner) =>
  Effect.map(
    sql<{ readonly calls: number }>`SELECT calls FROM ${runner} WHERE id = ${number(id)}`,
    ([row]) => Number(row?.calls)
  )

/**
 * Makes of a transaction one that may be tried again. A connection that is lost while it commits leaves open whether it did: then the number of what
 * was written last tells, and what it came to is remembered here.
 */
export const once = <A>(store: Store, runner: Runner, call: number, transaction: Result<A>): Result<A> => {
  const { dialect: { isShared, number, sql }, tables } = store
  if (!isShared) return sql.withTransaction(transaction)
  let written: { readonly result: A } | undefined
  return sql.withTransaction(Effect.gen(function*() {
    if (written !== undefined && (yield* calls(store, runner)) === call) return written.result
    const result = yield* transaction
    yield* sql`UPDATE ${tables.runner} SET calls = ${number(call)} WHERE id = ${number(runner.id)}`
    written = { result }
    return result
  }))
}

/** What each root came to, in the order in which they settled. */
export const roots = ({ dialect: { sql }, tables: { item } }: Store): Result<ReadonlyArray<StoredOutcome>> =>
  sql<
    StoredOutcome
  >`SELECT name, data, COALESCE(exit, own) AS exit, outcome FROM ${item} WHERE told_to = 0 ORDER BY turn`

interface ItemRow {
  readonly sequence: number
  readonly id: number
  readonly parent_id: number | null
  readonly depth: number
  readonly name: string
  readonly data: string
  readonly own: string
  readonly exit: string | null
}

/** Some items that have been processed, in that order. */
export const items = (
  { dialect: { number, sql }, tables: { item } }: Store,
  after: number,
  limit: number
): Result<ReadonlyArray<StoredItem>> =>
  Effect.map(
    sql<ItemRow>`SELECT sequence, id, parent_id, depth, name, data, own,
        CASE WHEN state = 5 THEN COALESCE(exit, own) END AS exit
      FROM ${item} WHERE sequence > ${number(after)} ORDER BY sequence LIMIT ${number(limit)}`,
    (rows) =>
      rows.map(({ data, depth, exit, id, name, own, parent_id, sequence }) => ({
        sequence: Number(sequence),
        id: Number(id),
        parentId: parent_id === null ? undefined : Number(parent_id),
        depth: Number(depth),
        name,
        data,
        own,
        exit: exit ?? undefined
      }))
  )
