import { parse } from "csv-parse/sync"

/** A record of a CSV text: by the names of its header. */
export interface CsvRecord {
  readonly [column: string]: string | number
}

/**
 * Parses CSV with a header.
 *
 * A cell becomes a number only if writing that number gives the same text back: `007`, `1e3` and telephone numbers stay text.
 */
export const parseCsv = (text: string, options: { readonly header?: ReadonlyArray<string> | undefined } = {}) =>
  parse(text, {
    columns: options.header === undefined ? true : [...options.header],
    bom: true,
    skip_empty_lines: true,
    cast: (cell) => /^-?\d/.test(cell) && String(Number(cell)) === cell ? Number(cell) : cell
  }) as ReadonlyArray<CsvRecord>

/** The cells of the first record. */
export const parseHeader = (text: string): ReadonlyArray<string> => parse(text, { bom: true, to: 1 })[0] ?? []
