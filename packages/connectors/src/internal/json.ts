import type { Tick } from "effect-conveyor/Tick"
import * as DateTime from "effect/DateTime"
import * as Base64 from "effect/encoding/Base64"
import * as Predicate from "effect/Predicate"

/** What a payload is made of once everything that is not data has been turned into data. */
export type Json = string | number | bigint | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Deep enough for any document made by people, and far from where recursion overflows the stack. */
const maxDepth = 64

/**
 * Turns any value into JSON-like data, or `undefined` for what JSON leaves out (functions, symbols, `undefined`).
 *
 * Bigints are kept: each format says how it writes them.
 */
export const normalise = (value: unknown): Json | undefined => walk(value, [])

const walk = (value: unknown, ancestors: ReadonlyArray<object>): Json | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value
    case "number":
      return Number.isFinite(value) ? value : null
    case "object":
      return value === null ? null : walkObject(value, ancestors)
    default:
      return undefined
  }
}

const walkObject = (value: object, ancestors: ReadonlyArray<object>): Json | undefined => {
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (Predicate.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return Base64.encode(value)
  if (ancestors.includes(value)) return "[circular]"
  if (ancestors.length >= maxDepth) return "[nested too deeply]"
  const below = [...ancestors, value]
  if ("toJSON" in value && typeof value.toJSON === "function") return walk(value.toJSON(), below)
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value, (element) => walk(element, below) ?? null)
  }
  // Without a prototype, so that a key named `__proto__` is a key like any other.
  const out: Record<string, Json> = Object.create(null)
  const entries = value instanceof Map ? value : Object.entries(value)
  for (const [key, element] of entries) {
    const json = walk(element, below)
    if (json !== undefined) out[String(key)] = json
  }
  return out
}

/**
 * Writes JSON text on one line.
 *
 * A bigint that a double holds exactly is written as a number; a larger one as a string of its digits, since most readers would
 * round it without a word.
 */
export const stringify = (json: Json): string =>
  JSON.stringify(
    json,
    (_, value) =>
      typeof value === "bigint"
        ? Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
        : value
  )

export const isObject = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json)

/**
 * The records that line-oriented JSON consumers write for a payload: its elements, each an object that begins with `dueAt`.
 *
 * Nesting is kept. What is not an object is put under `value`; a `dueAt` of the payload's own is kept as `dueAt_2` unless it says
 * the same.
 */
export const record = (payload: unknown, tick: Tick): ReadonlyArray<Json> => {
  const json = normalise(payload)
  if (json === undefined) return []
  const dueAt = DateTime.formatIso(tick.dueAt)
  return (Array.isArray(json) ? json : [json]).map((element): Json => {
    const fields: { readonly [key: string]: Json } = isObject(element) ? element : { value: element }
    const { dueAt: own = dueAt, ...rest } = fields
    if (own === dueAt) return { dueAt, ...rest }
    let n = 2
    while (`dueAt_${n}` in rest) n++
    return { dueAt, [`dueAt_${n}`]: own, ...rest }
  })
}
