import * as Effect from "effect/Effect"
import type * as SqlError from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import type { OpenOptions } from "../../CrawlStore.ts"
import { CrawlStoreError } from "../../CrawlStoreError.ts"
import type { Dialect } from "./dialect.ts"

/** Raised whenever tables are made differently. */
const version = 1

/** Where an item is on its way. What is claimed is one more than what it was claimed from. */
export const states = { waiting: 0, processing: 1, open: 2, ready: 3, hooking: 4, settled: 5 } as const

/** The tables of one crawl. */
export interface Tables {
  /** One row: counters, and who has the crawl open. */
  readonly state: Statement.Identifier
  readonly item: Statement.Identifier
  /** Items that fail fast and have not settled, with the nearest such above them. */
  readonly scope: Statement.Identifier
  /** For each class, how many items were added and how many processed: nobody has to count what waits. */
  readonly class: Statement.Identifier
  /** Processes that share the crawl, until when they are believed to live, and how often each has written. */
  readonly runner: Statement.Identifier
  readonly index: (name: string) => Statement.Identifier
}

export const named = ({ sql }: Dialect, crawl: string): Tables => ({
  state: sql(`${crawl}_state`),
  item: sql(`${crawl}_item`),
  scope: sql(`${crawl}_scope`),
  class: sql(`${crawl}_class`),
  runner: sql(`${crawl}_runner`),
  index: (name) => sql(`${crawl}_${name}`)
})

/** Makes the tables, unless they are there, and sees that they are such as this version makes. */
export const make = (dialect: Dialect, tables: Tables, crawl: string) =>
  dialect.sql.withTransaction(Effect.gen(function*() {
    const { key, lookup, number, sql } = dialect
    for (const statement of dialect.lockSchema) yield* statement
    yield* sql`CREATE TABLE IF NOT EXISTS ${tables.state} (
      id integer PRIMARY KEY, version integer NOT NULL, is_begun integer NOT NULL, runner bigint NOT NULL,
      enqueued bigint NOT NULL, succeeded bigint NOT NULL, failed bigint NOT NULL, interrupted bigint NOT NULL,
      duplicate bigint NOT NULL, max_depth bigint NOT NULL, max_items bigint NOT NULL,
      tracked bigint NOT NULL, tracked_settled bigint NOT NULL,
      processed bigint NOT NULL, turn bigint NOT NULL, open_roots bigint NOT NULL)`
    const found = yield* Effect.catchIf(
      sql<{ readonly version: number }>`SELECT version FROM ${tables.state} WHERE id = 1`,
      isUnknownColumn,
      () => Effect.fail(incompatible(`has a table ${crawl}_state that is not of a crawl: name this one differently`))
    )
    if (found.length > 0) {
      const stored = Number(found[0]!.version)
      if (stored === version) return
      return yield* incompatible(
        `holds crawl ${crawl} in version ${stored}, and this program knows version ${version}: go on with the release that began it, or begin anew elsewhere`
      )
    }
    yield* sql`CREATE TABLE ${tables.item} (
      id ${key} PRIMARY KEY, parent_id bigint, depth bigint NOT NULL, name text NOT NULL, data text NOT NULL,
      unique_key text, limit_key text NOT NULL, priority double precision NOT NULL,
      hooked integer NOT NULL, fails_fast integer NOT NULL, tracked integer NOT NULL, scope bigint,
      state integer NOT NULL, lease bigint NOT NULL, runner bigint, open bigint NOT NULL,
      sequence bigint, own text, own_outcome text, exit text, outcome text,
      turn bigint, told_to bigint, failed_by bigint)`
    yield* sql`CREATE TABLE ${tables.scope} (id ${key} PRIMARY KEY, outer_id bigint, is_over integer NOT NULL)`
    yield* sql`CREATE TABLE ${tables.class} (name text PRIMARY KEY, added bigint NOT NULL, processed bigint NOT NULL)`
    yield* sql`CREATE TABLE ${tables.runner} (
      id ${key} PRIMARY KEY, expires_at double precision NOT NULL, calls bigint NOT NULL)`
    // Each holds the items of one moment of their way only, so that none grows with the crawl that is not asked about all of it.
    const { index, item } = tables
    yield* sql`CREATE INDEX ${index("waiting")} ON ${item} (id) WHERE state = 0`
    yield* sql`CREATE INDEX ${index("ready")} ON ${item} (turn) WHERE state = 3`
    yield* sql`CREATE INDEX ${index("claimed")} ON ${item} (runner) WHERE runner IS NOT NULL`
    yield* sql`CREATE INDEX ${index("processed")} ON ${item} (sequence) WHERE sequence IS NOT NULL`
    yield* sql`CREATE INDEX ${index("told")} ON ${item} (told_to, turn) WHERE told_to IS NOT NULL`
    yield* sql`CREATE INDEX ${index("unique")} ON ${item} ${lookup("unique_key")} WHERE unique_key IS NOT NULL`
    yield* sql`CREATE INDEX ${index("inner")} ON ${tables.scope} (outer_id) WHERE outer_id IS NOT NULL`
    yield* sql`INSERT INTO ${tables.state} VALUES
      (1, ${number(version)}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`
  }))

/**
 * Makes the index that an order needs, of items or of their keys; only some crawls do. It is a transaction of its own: one that has locked rows
 * would wait for those who wait for it.
 */
export const makeIndex = (
  { lockSchema, sql }: Dialect,
  { index, item }: Tables,
  order: OpenOptions["order"],
  of: "items" | "keys"
) => {
  const keys = of === "keys" ? ["limit_key"] : []
  const columns = order === "priority" ? [...keys, "priority", "id"] : [...keys, "id"]
  // That is there from the beginning.
  if (columns.length === 1) return Effect.void
  const name = ["waiting", ...columns.slice(0, -1)].join("_")
  return sql.withTransaction(Effect.andThen(
    Effect.all(lockSchema, { discard: true }),
    Effect.asVoid(
      sql`CREATE INDEX IF NOT EXISTS ${index(name)} ON ${item} (${sql.literal(columns.join(", "))}) WHERE state = 0`
    )
  ))
}

/** SQLite has but a message to tell it by. */
const isUnknownColumn = ({ reason }: SqlError.SqlError): boolean =>
  reason._tag === "SqlSyntaxError" || /no such column/.test(`${reason.message} ${String(reason.cause)}`)

const incompatible = (what: string) => new CrawlStoreError({ reason: "Incompatible", message: `the database ${what}` })
