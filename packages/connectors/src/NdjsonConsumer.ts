/**
 * Payloads as lines of JSON in a file.
 *
 * @since 0.1.0
 */
import * as Consumer from "effect-conveyor/Consumer"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { FileError } from "./FileError.ts"
import * as Json from "./internal/json.ts"
import { lastLine } from "./internal/recordEnd.ts"
import * as RecordFile from "./internal/recordFile.ts"
import * as FileOptions from "./internal/recordFileOptions.ts"

/**
 * The options of the `ndjson` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct(FileOptions.fields)

/**
 * The options of the `ndjson` consumer.
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
export const defaults = FileOptions.defaults

/**
 * Makes a consumer that appends a line of JSON for each record.
 *
 * **Details**
 *
 * An array is one line for each element. Each line is an object that begins with `dueAt`; what is not an object stands under
 * `value`. Nesting is kept. The file is handled as by the `csv` consumer: whole batches, rotation, repair after a crash.
 *
 * **Errors** As the `csv` consumer.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options): Consumer.Consumer<unknown, FileError, FileSystem.FileSystem> =>
  Consumer.makeBatch(
    "ndjson",
    Effect.gen(function*() {
      const { flush = defaults.flush, path, rotate } = options
      const file = yield* RecordFile.open({ path, rotate, flush, findEnd: lastLine })
      const lock = yield* Semaphore.make(1)
      return Effect.fnUntraced(function*(batch: ReadonlyArray<Consumer.Delivery<unknown>>) {
        const lines = batch.flatMap(({ payload, tick }) =>
          Json.record(payload, tick).map((json) => `${Json.stringify(json)}\n`)
        )
        if (lines.length === 0) return
        const dueAt = DateTime.toEpochMillis(batch[0]!.tick.dueAt)
        yield* file.append(yield* file.prepare(dueAt), lines.join(""), dueAt)
      }, lock.withPermits(1))
    })
  )
