/**
 * Payloads on standard output: a table for people, or JSON lines for programs.
 *
 * @since 0.1.0
 */
import * as Consumer from "effect-conveyor/Consumer"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { record, stringify } from "./internal/json.ts"
import { optional } from "./internal/optionSchema.ts"
import * as TableWriter from "./internal/tableWriter.ts"
import * as Row from "./Row.ts"

/**
 * The options of the `console` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  format: optional(
    Schema.Literals(["table", "json"]),
    "a table for people, or one line of JSON for each record",
    "table"
  ),
  columns: optional(Schema.Array(Schema.String), "the columns of the table and their order; all of them unless given")
})

/**
 * The options of the `console` consumer.
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
export const defaults = { format: "table" } as const

/**
 * Standard output could not be written to.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class ConsoleError extends Data.TaggedError("ConsoleError")<{ readonly cause: PlatformError.PlatformError }> {
  override get message(): string {
    return `cannot write to standard output: ${this.cause.message}`
  }
}

/**
 * Makes a consumer that prints payloads.
 *
 * **Details**
 *
 * As a table: one line for each row, columns as wide as what they have shown, numbers to the right, the header again every 20
 * lines and whenever columns change. A row that is wider than the terminal (100 columns when there is none) is printed as a list of names and
 * values. With `columns` only those are printed, in their order; one that a row does not have is empty. The header is emphasised only on a terminal, and not when `NO_COLOR` is set. As JSON: the same records as the `ndjson`
 * consumer writes.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Consumer.Consumer<unknown, ConsoleError, Stdio.Stdio | Terminal.Terminal> =>
  Consumer.make(
    "console",
    Effect.gen(function*() {
      const stdio = yield* Stdio.Stdio
      const print = (text: string) =>
        text === "" ? Effect.void : Stream.make(text).pipe(
          Stream.run(stdio.stdout()),
          Effect.mapError((cause) => new ConsoleError({ cause }))
        )
      if ((options.format ?? defaults.format) === "json") {
        return (payload, tick) => print(record(payload, tick).map((json) => `${stringify(json)}\n`).join(""))
      }
      const terminal = yield* Terminal.Terminal
      const emphasis = (yield* stdio.stdoutIsTerminal) && !(yield* noColor)
      const pick = picker(options.columns)
      const writer = TableWriter.make({ emphasis })
      return (payload, tick) =>
        Effect.flatMap(
          terminal.columns,
          (columns) =>
            print(writer(
              Row.fromPayload(payload).map((row) => pick(Row.stamp(row, tick))),
              columns || unknownWidth
            ))
        )
    })
  )

const picker = (columns: ReadonlyArray<string> | undefined) => (row: Row.Row): Row.Row =>
  columns === undefined ? row : new Map(columns.map((column) => [column, row.get(column) ?? null]))

/** For output that is not a terminal, which says it has no columns: what most people read logs in. */
const unknownWidth = 100

const noColor = Config.String("NO_COLOR").pipe(
  Config.withDefault(""),
  Effect.map((value) => value !== ""),
  // A broken configuration source is not a reason to fail, nor to colour.
  Effect.orElseSucceed(() => true)
)
