import type * as SqlClient from "effect/sql/SqlClient"
import type * as Statement from "effect/sql/Statement"

// What databases do differently. Everything else is written once.

type Column = "integer" | "real" | "text"

/** A database in which a crawl can be kept. */
export interface Dialect {
  readonly sql: SqlClient.SqlClient
  /** Whether several processes work on a crawl at once. */
  readonly isShared: boolean
  /** The type of a key that is a number. */
  readonly key: Statement.Fragment
  /** An index in which texts of any length can be looked up. */
  readonly lookup: (column: string) => Statement.Fragment
  readonly number: (value: number) => Statement.Fragment
  /** Rows as one parameter, of whatever number they are, called `v`. */
  readonly rows: <Name extends string>(
    columns: Readonly<Record<Name, Column>>,
    rows: ReadonlyArray<Readonly<Record<NoInfer<Name>, unknown>>>
  ) => Statement.Fragment
  /** Whether a column is among what a query gives: that is run first, and looked up then, whatever the planner thinks of it. */
  readonly isIn: (column: string, query: Statement.Fragment) => Statement.Fragment
  /** What is selected beside a row, so that the statements of a transaction go by their indexes. */
  readonly byIndex: Statement.Fragment
  /** Ends a query of rows that nobody else may write until the transaction ends. */
  readonly lock: Statement.Fragment
  /** Ends a query of rows of which those that somebody else locks are left out. */
  readonly lockFree: Statement.Fragment
  /** Lets one process at a time make tables and indexes, until the transaction ends. */
  readonly lockSchema: ReadonlyArray<Statement.Statement<object>>
}

export const sqlite = (sql: SqlClient.SqlClient): Dialect => ({
  sql,
  isShared: false,
  key: sql.literal("integer"),
  lookup: (column) => sql.literal(`(${column})`),
  number: (value) => sql`${value}`,
  // Each row an array: SQLite reads a field of an object by going through it.
  rows: (columns, rows) => {
    const names = Object.keys(columns) as Array<keyof typeof columns>
    const fields = names.map((name, i) => `value ->> ${i} AS ${name}`)
    const values = rows.map((row) => names.map((name) => row[name]))
    return sql`(SELECT ${sql.literal(fields.join(", "))} FROM json_each(${JSON.stringify(values)})) AS v`
  },
  isIn: (column, query) => sql`${sql.literal(column)} IN (${query})`,
  byIndex: sql.literal(""),
  lock: sql.literal(""),
  lockFree: sql.literal(""),
  lockSchema: []
})

const pgTypes = { integer: "bigint", real: "double precision", text: "text" }

/**
 * Each statement looks up a few rows of a table that grows faster than the planner hears of it: it would read the whole of it, or compile
 * what takes a moment.
 */
const off = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"]

/** Numbers are sent as text: how a parameter is sent depends on what the database takes it for. */
export const pg = (sql: SqlClient.SqlClient): Dialect => ({
  sql,
  isShared: true,
  key: sql.literal("bigint"),
  lookup: (column) => sql.literal(`USING hash (${column})`),
  number: (value) => sql`(${String(value)}::text)::bigint`,
  rows: (columns, rows) => {
    const fields = Object.entries<Column>(columns).map(([name, type]) => `${name} ${pgTypes[type]}`)
    return sql`json_to_recordset((${JSON.stringify(rows, Object.keys(columns))}::text)::json) AS v(${
      sql.literal(fields.join(", "))
    })`
  },
  isIn: (column, query) => sql`${sql.literal(column)} = ANY (ARRAY(${query}))`,
  byIndex: sql.literal(off.map((setting) => `, set_config('${setting}', 'off', true)`).join("")),
  lock: sql.literal("FOR UPDATE"),
  lockFree: sql.literal("FOR UPDATE SKIP LOCKED"),
  lockSchema: [sql`SELECT pg_advisory_xact_lock(hashtext('effect-crawler'))`]
})
