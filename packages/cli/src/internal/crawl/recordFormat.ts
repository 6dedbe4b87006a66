import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { type Cell, columnsOf, type PageRecord } from "./pageRecord.ts"

/** How pages stand in a file, a record each. */
export interface RecordFormat {
  readonly name: "NDJSON" | "CSV"
  /** Whether newlines may stand inside a record, between double quotes. */
  readonly quotes: boolean
  /** What the file begins with. */
  readonly header: string
  readonly encode: (page: PageRecord) => string
  /** Of a record without its newline; nothing for what no page was written as. */
  readonly urlOf: (record: string) => string | undefined
}

export const ndjson: RecordFormat = {
  name: "NDJSON",
  quotes: false,
  header: "",
  encode: (page) => `${JSON.stringify(page)}\n`,
  urlOf: (record) => {
    try {
      const value: unknown = JSON.parse(record)
      return typeof value === "object" && value !== null && "url" in value && typeof value.url === "string"
        ? value.url
        : undefined
    } catch {
      return undefined
    }
  }
}

/** A header, and a row for each page, as RFC 4180 has it, but that lines end as everywhere else. */
export const csv = (selectors: ReadonlyArray<string>): RecordFormat => {
  const columns = columnsOf(selectors)
  const cells = [...columns.values()]
  return {
    name: "CSV",
    quotes: true,
    header: row([...columns.keys()]),
    encode: (page) => row(cells.map((cell) => cell(page))),
    urlOf: (record) => {
      try {
        const [cells] = parse(record, { relax_column_count: true })
        return cells === undefined || cells.length < 2 || cells[0] === "" ? undefined : cells[0]
      } catch {
        return undefined
      }
    }
  }
}

const row = (cells: ReadonlyArray<Cell>): string =>
  stringify([cells.map((cell) => cell === null ? "" : String(cell))], { quoted_match: /\r/ })
