/**
 * What was appended to a file since the last tick.
 *
 * @since 0.1.0
 */
import * as Producer from "effect-conveyor/Producer"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { FileError } from "./FileError.ts"
import { excerpt } from "./internal/boundedBytes.ts"
import { type CsvRecord, parseCsv, parseHeader } from "./internal/csvText.ts"
import { byteSize, bytesOf, optional, required } from "./internal/optionSchema.ts"
import { firstCsvRecord } from "./internal/recordEnd.ts"
import * as Tail from "./internal/tail.ts"

/**
 * The options of the `file` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  path: required(Schema.NonEmptyString, "the file to follow"),
  format: optional(
    Schema.Literals(["text", "json", "csv"]),
    "what its records are: lines, lines of JSON, or CSV below a header",
    "text"
  ),
  from: optional(Schema.Literals(["start", "end"]), "where to begin in a file that is there already", "end"),
  maxBytes: optional(byteSize, "how much to read at one tick; the rest waits for the next", "1 MB")
})

/**
 * The options of the `file` producer.
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
export const defaults = { format: "text", from: "end", maxBytes: "1 MB" } as const

/**
 * A record of the file could not be read; it is passed over.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class RecordError extends Data.TaggedError("RecordError")<{
  readonly path: string
  readonly problem: string
  readonly record: string
}> {
  override get message(): string {
    return `cannot read a record of ${this.path}, ${this.problem}: ${this.record}`
  }
}

/**
 * Makes a producer of what is appended to a file.
 *
 * **Details**
 *
 * Each tick gives an array of the records that were completed since the one before, and an empty array when there are none: texts
 * without their line end, JSON values, or objects by the columns of the file's header. A line without its end waits for the rest of it.
 * A file that is renamed away is read to its end before the one that takes its name is begun, and one that is cut short is read from its
 * start. A producer that is built anew after failures goes on where it stood; a new process begins as `from` says.
 *
 * **Errors** `FileError` while there is no such file, or it cannot be read. `RecordError` when a record is not JSON or CSV, or longer than
 * `maxBytes`: one failed tick for each such record, and no other record is lost.
 *
 * **Gotchas** A record is given once: what becomes of it is up to the consumers. A file that is cut short and grows past where reading
 * stood, all between two ticks, is not seen to have been cut.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (
  options: Options
): Producer.Producer<ReadonlyArray<Schema.Json>, FileError | RecordError, FileSystem.FileSystem> => {
  const { format = defaults.format, from = defaults.from, path } = options
  const maxBytes = bytesOf(options.maxBytes, defaults.maxBytes)
  const position = Tail.initialPosition()
  return Producer.make(
    "file",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const next = yield* Tail.open(fs, { path, from, maxBytes, quoting: format === "csv" }, position)
      const lock = yield* Semaphore.make(1)
      const toRecords = format === "csv"
        ? csvReader(path, position)
        : format === "json"
        ? eachLine(parseJson)
        : eachLine(Result.succeed)

      return () =>
        Effect.gen(function*() {
          const block = yield* next
          if (block.tooLong) {
            return yield* new RecordError({ path, problem: `it is longer than ${maxBytes} bytes`, record: "" })
          }
          const { problem, records, read } = yield* toRecords(block)
          // What was read before a bad record is given now, and the bad one fails the next tick, which begins with it.
          if (problem !== undefined && records.length === 0) {
            block.advance(read + 1)
            return yield* new RecordError({ path, problem, record: excerpt(block.records[read]!) })
          }
          block.advance(read)
          return records
        }).pipe(lock.withPermits(1))
    })
  )
}

/** What became of a block: its first `read` records gave `records`, and the one after that has the problem. */
interface Reading {
  readonly records: ReadonlyArray<Schema.Json>
  readonly read: number
  readonly problem: string | undefined
}

type Reader = (block: Tail.Block) => Effect.Effect<Reading, FileError>

const eachLine = (parse: (line: string) => Result.Result<Schema.Json | undefined, string>): Reader => (block) =>
  Effect.sync(() => {
    const records: Array<Schema.Json> = []
    for (const [read, line] of block.records.entries()) {
      const record = parse(line.replace(/\r?\n$/, ""))
      if (Result.isFailure(record)) return { records, read, problem: record.failure }
      if (record.success !== undefined) records.push(record.success)
    }
    return { records, read: block.records.length, problem: undefined }
  })

const parseJson = (line: string): Result.Result<Schema.Json | undefined, string> =>
  line.trim() === "" ? Result.succeed(undefined) : Result.try({
    try: () => JSON.parse(line) as Schema.Json,
    catch: () => "it is not JSON"
  })

const csvReader = (path: string, position: Tail.Position): Reader => {
  let header: { readonly of: string | undefined; readonly columns: ReadonlyArray<string> } | undefined
  return Effect.fnUntraced(function*(block) {
    const from = block.isFirst && block.records.length > 0 ? 1 : 0
    if (from === 1) header = { of: position.file, columns: parseHeader(block.records[0]!) }
    else if (header === undefined || header.of !== position.file) {
      const first = yield* firstCsvRecord(block.file).pipe(
        Effect.mapError((cause) => new FileError({ operation: "read the header of", path, cause }))
      )
      header = { of: position.file, columns: parseHeader(first) }
    }
    const { columns } = header
    const whole = parseRecords(block.records.slice(from), columns)
    if (Result.isSuccess(whole)) return { records: whole.success, read: block.records.length, problem: undefined }
    // Only when one of them is bad are they read one at a time, which costs ten times as much.
    const records: Array<CsvRecord> = []
    for (let read = from; read < block.records.length; read++) {
      const one = parseRecords([block.records[read]!], columns)
      if (Result.isFailure(one)) return { records, read, problem: one.failure }
      records.push(...one.success)
    }
    return { records, read: block.records.length, problem: undefined }
  })
}

const parseRecords = (records: ReadonlyArray<string>, columns: ReadonlyArray<string>) =>
  Result.try({
    try: (): ReadonlyArray<CsvRecord> => parseCsv(records.join(""), { header: columns }),
    catch: (error) => error instanceof Error ? error.message : String(error)
  })
