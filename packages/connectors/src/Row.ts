/**
 * How a payload becomes rows: the one mapping that every tabular consumer (console, CSV, SQLite) goes by.
 *
 * An object is one row, an array is one row for each element, anything else is a row with the one column `value`, and
 * `undefined` is no row at all. Nested objects become columns named by their path (`disk.usedBytes`); arrays inside a row become
 * JSON text. Nothing is dropped silently: two keys that would share a column get one each.
 *
 * @since 0.1.0
 */
import type { Tick } from "effect-conveyor/Tick"
import * as DateTime from "effect/DateTime"
import * as Json from "./internal/json.ts"

/**
 * What one cell of a row may hold.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Cell = string | number | bigint | boolean | null

/**
 * A flat record: column names, in order, and their cells.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Row = ReadonlyMap<string, Cell>

/**
 * Turns a payload into rows.
 *
 * **Details**
 *
 * Dates and DateTimes become ISO 8601 text in UTC. `NaN`, infinities and invalid dates become null. Bytes become base64 text, a
 * Map is an object, a Set is an array, and a value with `toJSON` is what that gives. Properties that are `undefined`, functions or
 * symbols are missing. An empty object inside a row is the text `{}`. A column name that is taken already gets `_2`, `_3`, … An
 * empty name is `value`.
 *
 * **Gotchas** Below 64 levels of nesting, and where an object contains itself, a text says so in place of the value.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromPayload = (payload: unknown): ReadonlyArray<Row> => {
  const json = Json.normalise(payload)
  if (json === undefined) return []
  return Array.isArray(json) ? json.map(toRow) : [toRow(json)]
}

/**
 * The name of the column that {@link stamp} adds.
 *
 * @category constants
 * @stability stable
 * @since 0.1.0
 */
export const dueAt = "dueAt"

/**
 * Puts the time at which its tick was due in front of a row, as column `dueAt`.
 *
 * @see {@link prepend} for what becomes of a column of that name
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const stamp = (row: Row, tick: Tick): Row => prepend(row, new Map([[dueAt, DateTime.formatIso(tick.dueAt)]]))

/**
 * Puts columns in front of a row.
 *
 * **Details** A column of the row with the name of one of them is merged with it if it holds the same, and kept as `name_2` if
 * not.
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const prepend = (row: Row, columns: Row): Row => {
  const out = new Map(columns)
  for (const [column, cell] of row) {
    if (columns.get(column) !== cell || !columns.has(column)) put(out, column, cell)
  }
  return out
}

const toRow = (json: Json.Json): Row => {
  const row = new Map<string, Cell>()
  if (Json.isObject(json)) flatten(row, "", json)
  else put(row, "value", Array.isArray(json) ? Json.stringify(json) : json as Cell)
  return row
}

const flatten = (row: Map<string, Cell>, prefix: string, object: { readonly [key: string]: Json.Json }): void => {
  for (const [key, json] of Object.entries(object)) {
    const column = prefix + key
    if (Json.isObject(json) && Object.keys(json).length > 0) flatten(row, `${column}.`, json)
    else put(row, column, typeof json === "object" && json !== null ? Json.stringify(json) : json)
  }
}

const put = (row: Map<string, Cell>, column: string, cell: Cell): void => {
  const name = column === "" ? "value" : column
  let free = name
  for (let n = 2; row.has(free); n++) free = `${name}_${n}`
  row.set(free, cell)
}
