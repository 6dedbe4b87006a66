import * as Effect from "effect/Effect"
import { parseCsv } from "./csvText.ts"

export type Format = "json" | "ndjson" | "csv" | "lines" | "text"

/** Reads what a program printed; fails with what is wrong with it, in words. */
export const read = (format: Format, text: string): Effect.Effect<unknown, string> =>
  Effect.try({
    try: () => parsers[format](text),
    catch: (error) => `it is not ${format}: ${error instanceof Error ? error.message : String(error)}`
  })

const lines = (text: string): ReadonlyArray<string> => text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/)

const parsers: { readonly [F in Format]: (text: string) => unknown } = {
  json: (text) => JSON.parse(text),
  ndjson: (text) => lines(text).filter((line) => line.trim() !== "").map((line) => JSON.parse(line)),
  csv: (text) => parseCsv(text),
  lines,
  text: (text) => text.replace(/\r?\n$/, "")
}
