import * as JsonPointer from "effect/JsonPointer"

/** The grammar of RFC 6901. */
export const pattern = /^(?:\/(?:[^~/]|~[01])*)*$/

/** What a JSON pointer points to, or `undefined` for nothing. */
export const resolve = (pointer: string, json: unknown): unknown => {
  if (pointer === "") return json
  let value = json
  for (const token of pointer.slice(1).split("/").map(JsonPointer.unescapeToken)) {
    if (typeof value !== "object" || value === null) return undefined
    // `01`, `-` and `length` are keys of an object but point to no element of an array.
    if (Array.isArray(value) && !/^(?:0|[1-9]\d*)$/.test(token)) return undefined
    if (!Object.hasOwn(value, token)) return undefined
    value = (value as Record<string, unknown>)[token]
  }
  return value
}
