import * as Consumer from "effect-conveyor/Consumer"
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as Row from "../Row.ts"

/** How SQLite treats what is put into a column, by its declared type (https://sqlite.org/datatype3.html §3.1). */
type Affinity = "INTEGER" | "REAL" | "NUMERIC" | "TEXT" | ""

interface Column {
  readonly name: string
  readonly affinity: Affinity
  /** Filled in by SQLite when a row does not name it, so that its content says nothing about the row's identity. */
  readonly automatic: boolean
}

/** The rows of one payload, in order; `rowIndex` tells them apart. */
export const rowIndex = "rowIndex"

/**
 * Writes rows into a table, making or widening it as the rows require. To be run in a transaction.
 *
 * A row that is there already, equal in every column, is not written again: that is what makes repeating a delivery harmless, while rows of
 * two writers that share a table and an instant are both kept.
 */
export const write = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  table: string,
  rows: ReadonlyArray<Row.Row>
) {
  const folded = rows.map(foldColumns)
  const columns = yield* widen(sql, table, folded)
  for (const row of folded) yield* insert(sql, table, columns, row)
})

// SQLite takes `a` and `A` for the same column.
const fold = (column: string): string => column.replaceAll("\0", "").toLowerCase()

interface Value {
  readonly column: string
  readonly cell: Row.Cell
}

/** A row by the name that SQLite goes by; a second column of that name in the same row gets a number. */
const foldColumns = (row: Row.Row): ReadonlyMap<string, Value> => {
  const out = new Map<string, Value>()
  for (const [name, cell] of row) {
    const clean = name.replaceAll("\0", "")
    let column = clean
    for (let n = 2; out.has(fold(column)); n++) column = `${clean}_${n}`
    out.set(fold(column), { column, cell })
  }
  return out
}

/** https://sqlite.org/limits.html §2 */
const maxColumns = 2000

type Columns = Map<string, Column>

const widen = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  table: string,
  rows: ReadonlyArray<ReadonlyMap<string, Value>>
) {
  const cells = new Map<string, { readonly column: string; readonly cells: Array<Row.Cell> }>()
  for (const row of rows) {
    for (const [key, { cell, column }] of row) {
      const seen = cells.get(key)
      if (seen === undefined) cells.set(key, { column, cells: [cell] })
      else seen.cells.push(cell)
    }
  }
  const columns = yield* readColumns(sql, table)
  const isNew = columns.size === 0
  const missing = Array.from(cells).filter(([key]) => !columns.has(key))
    .map(([key, { cells, column }]) => [key, { name: column, affinity: affinityOf(cells), automatic: false }] as const)
  // Refused here, for adding two thousand columns one by one before SQLite refuses the next takes it seconds.
  if (columns.size + missing.length > maxColumns) {
    return yield* new Consumer.Rejected({ reason: `${table} would have more than ${maxColumns} columns` })
  }
  if (isNew) {
    const definitions = missing.map(([, column]) => define(column)).join(", ")
    yield* sql.unsafe(`CREATE TABLE ${quote(table)} (${definitions})`)
  }
  for (const [key, column] of missing) {
    if (!isNew) yield* sql.unsafe(`ALTER TABLE ${quote(table)} ADD COLUMN ${define(column)}`)
    columns.set(key, column)
  }
  if (missing.some(([key]) => key === fold(Row.dueAt))) {
    yield* sql.unsafe(
      `CREATE INDEX ${quote(`${table}_dueAt`)} ON ${quote(table)} (${quote(Row.dueAt)}, ${quote(rowIndex)})`
    )
  }
  for (const [key, { cells: incoming }] of cells) {
    const column = columns.get(key)!
    if (incoming.some((cell) => isAltered(column.affinity, cell))) {
      yield* release(sql, table, column.name)
      columns.set(key, { ...column, affinity: "" })
    }
  }
  return columns
})

const define = (column: Column): string => `${quote(column.name)} ${column.affinity}`.trimEnd()

const readColumns = (sql: SqlClient.SqlClient, table: string): Effect.Effect<Columns, SqlError.SqlError> =>
  Effect.map(
    sql.unsafe<{ name: string; type: string; dflt_value: string | null; pk: number }>(
      `PRAGMA table_info(${quote(table)})`
    ),
    (infos) =>
      new Map(infos.map(({ dflt_value, name, pk, type }) => [
        fold(name),
        { name, affinity: declaredAffinity(type), automatic: dflt_value !== null || pk > 0 }
      ]))
  )

const declaredAffinity = (type: string): Affinity =>
  /INT/i.test(type)
    ? "INTEGER"
    : /CHAR|CLOB|TEXT/i.test(type)
    ? "TEXT"
    : type === "" || /BLOB/i.test(type)
    ? ""
    : /REAL|FLOA|DOUB/i.test(type)
    ? "REAL"
    : "NUMERIC"

/** The affinity under which all of these cells stay what they are; none for a mixture, and while there are only nulls. */
const affinityOf = (cells: ReadonlyArray<Row.Cell>): Affinity => {
  const kinds = new Set(cells.map(kindOf))
  kinds.delete("null")
  if (kinds.size === 1 && kinds.has("text")) return "TEXT"
  if (kinds.size === 1 && kinds.has("integer")) return "INTEGER"
  if (kinds.has("real") && !kinds.has("text") && !cells.some((cell) => isAltered("REAL", cell))) return "REAL"
  return ""
}

const kindOf = (cell: Row.Cell): "null" | "text" | "integer" | "real" =>
  cell === null
    ? "null"
    : typeof cell === "boolean" || (typeof cell === "bigint" && isInt64(cell)) || Number.isSafeInteger(cell)
    ? "integer"
    : typeof cell === "number"
    ? "real"
    : "text"

const isInt64 = (n: bigint): boolean => BigInt.asIntN(64, n) === n

/** Tells whether a column would turn a cell into something else: text that looks like a number, or digits past a double. */
const isAltered = (affinity: Affinity, cell: Row.Cell): boolean =>
  affinity === "" || affinity === "TEXT"
    ? false
    : kindOf(cell) === "text"
    ? /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(String(cell))
    : affinity === "REAL" && typeof cell === "bigint" && BigInt(Number(cell)) !== cell

/** Takes the declared type off a column, keeping its values: SQLite cannot do it in place. */
const release = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, table: string, column: string) {
  const t = quote(table)
  const [from, to] = [quote(column), quote(`${column} (any)`)]
  yield* sql.unsafe(`ALTER TABLE ${t} ADD COLUMN ${to}`)
  yield* sql.unsafe(`UPDATE ${t} SET ${to} = ${from}`)
  yield* sql.unsafe(`ALTER TABLE ${t} DROP COLUMN ${from}`)
  yield* sql.unsafe(`ALTER TABLE ${t} RENAME COLUMN ${to} TO ${from}`)
})

const insert = (
  sql: SqlClient.SqlClient,
  table: string,
  columns: Columns,
  row: ReadonlyMap<string, Value>
): Effect.Effect<unknown, SqlError.SqlError> => {
  const named = Array.from(columns).filter(([key, column]) => !column.automatic || row.has(key))
  const names = named.map(([, column]) => quote(column.name)).join(", ")
  const marks = named.map(() => "?").join(", ")
  const values = named.map(([key, column]) => bind(column.affinity, row.get(key)?.cell ?? null))
  const key = [Row.dueAt, rowIndex].map((column) => bind("", row.get(fold(column))!.cell))
  return sql.unsafe(
    `INSERT INTO ${quote(table)} (${names}) SELECT ${marks} WHERE NOT EXISTS (SELECT 1 FROM ${quote(table)} ` +
      `WHERE ${quote(Row.dueAt)} = ? AND ${quote(rowIndex)} = ? AND (${names}) IS (${marks}))`,
    [...values, ...key, ...values]
  )
}

// Numbers are turned into text here, because SQLite keeps only 15 digits when it does so.
const bind = (affinity: Affinity, cell: Row.Cell): unknown =>
  cell === null
    ? null
    : affinity === "TEXT" || kindOf(cell) === "text"
    ? String(cell)
    : kindOf(cell) === "integer"
    ? BigInt(cell)
    : cell

const quote = (identifier: string): string => `"${identifier.replaceAll("\"", "\"\"")}"`
