/**
 * Payloads as rows of a CSV file.
 *
 * @since 0.1.0
 */
import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import * as Consumer from "effect-conveyor/Consumer"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { FileError } from "./FileError.ts"
import { optional } from "./internal/optionSchema.ts"
import { firstCsvRecord, lastCsvRecord } from "./internal/recordEnd.ts"
import * as RecordFile from "./internal/recordFile.ts"
import * as FileOptions from "./internal/recordFileOptions.ts"
import * as Row from "./Row.ts"

/**
 * The options of the `csv` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  ...FileOptions.fields,
  delimiter: optional(Schema.Literals([",", ";", "\t", "|"]), "what stands between cells", ",")
})

/**
 * The options of the `csv` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = { ...FileOptions.defaults, delimiter: "," } as const

/**
 * Makes a consumer that appends rows to a CSV file.
 *
 * **Details**
 *
 * The first column is `dueAt`, the others are those of the first rows. The header is written once; that of a file that exists is
 * read and kept. A row without one of the columns has an empty cell there. A row with a column that the file does not have sets the file
 * aside (as rotation does) and begins a new one with the columns of both, so that cells never stand under the wrong name.
 *
 * A batch is appended whole or not at all, and what a crash left unfinished at the end of the file is removed when it is opened.
 * A file that is removed, emptied or replaced while the consumer runs is made again, with its header. Null is an empty cell, an empty string `""`.
 *
 * **Errors**
 *
 * `FileError` when the disk is full or the device fails: try again. `Consumer.Rejected` while acquiring when the path cannot be
 * opened for appending.
 *
 * **Gotchas** Delivery is at least once: a crash after appending and before that is acknowledged repeats a batch. `dueAt` tells.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options): Consumer.Consumer<unknown, FileError, FileSystem.FileSystem> => {
  const delimiter = options.delimiter ?? defaults.delimiter
  return Consumer.makeBatch(
    "csv",
    Effect.gen(function*() {
      const { flush = defaults.flush, path, rotate } = options
      const file = yield* RecordFile.open({ path, rotate, flush, findEnd: lastCsvRecord })
      const lock = yield* Semaphore.make(1)
      let known: { readonly of: RecordFile.Current; readonly columns: ReadonlyArray<string> } | undefined

      const columnsOf = Effect.fnUntraced(function*(current: RecordFile.Current) {
        // A file that took the place of another goes on with its columns.
        if (known !== undefined && (known.of === current || current.size === 0n)) return known.columns
        return current.size === 0n ? [] : parseHeader(yield* firstCsvRecord(current.file), delimiter)
      })

      return Effect.fnUntraced(function*(batch: ReadonlyArray<Consumer.Delivery<unknown>>) {
        const rows = batch.flatMap(({ payload, tick }) => Row.fromPayload(payload).map((row) => Row.stamp(row, tick)))
        if (rows.length === 0) return
        const dueAt = DateTime.toEpochMillis(batch[0]!.tick.dueAt)
        let current = yield* file.prepare(dueAt)
        const before = yield* columnsOf(current).pipe(
          Effect.mapError((cause) => new FileError({ operation: "read the header of", path, cause }))
        )
        const columns = Array.from(new Set([...before, ...rows.flatMap((row) => Array.from(row.keys()))]))
        if (columns.length > before.length && current.size > 0n) current = yield* file.rotate(current)
        known = { of: current, columns }
        const cells = rows.map((row) => columns.map((column) => row.get(column) ?? null))
        yield* file.append(
          current,
          stringify(current.size === 0n ? [columns, ...cells] : cells, format(delimiter)),
          dueAt
        )
      }, lock.withPermits(1))
    })
  )
}

const format = (delimiter: string) =>
  ({
    delimiter,
    quoted_empty: true,
    cast: {
      boolean: String,
      bigint: String,
      // Quoting tells an empty string from null.
      null: () => ({ value: "", quoted_empty: false })
    }
  }) as const

/** A header that is none (the file is of some other kind) has no columns, which sets the file aside. */
const parseHeader = (header: string, delimiter: string): ReadonlyArray<string> =>
  parse(header, { delimiter, bom: true, relax_quotes: true })[0] ?? []
