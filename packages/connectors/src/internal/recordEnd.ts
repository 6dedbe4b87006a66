import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { FindEnd } from "./recordFile.ts"

const chunkSize = 65_536
const newline = 0x0a
const quote = 0x22

/** Finds the end of the last line, from the back. */
export const lastLine: FindEnd = Effect.fnUntraced(function*(file, size) {
  const chunk = new Uint8Array(chunkSize)
  for (let end = size; end > 0n;) {
    const start = end > BigInt(chunkSize) ? end - BigInt(chunkSize) : 0n
    const read = yield* file.read(chunk.subarray(0, Number(end - start)), { position: start })
    const found = chunk.subarray(0, read).lastIndexOf(newline)
    if (found >= 0) return start + BigInt(found) + 1n
    end = start
  }
  return 0n
})

/**
 * Finds the end of the last CSV record, from the front: whether a newline ends a record or stands inside quotes cannot be told
 * from the back. Reads the whole file, at some hundred megabytes a second.
 */
export const lastCsvRecord: FindEnd = Effect.fnUntraced(function*(file) {
  const chunk = new Uint8Array(chunkSize)
  let quoted = false
  let end = 0n
  for (let start = 0n;;) {
    const read = yield* file.read(chunk, { position: start })
    if (read === 0) return end
    for (let i = 0; i < read; i++) {
      if (chunk[i] === quote) quoted = !quoted
      else if (chunk[i] === newline && !quoted) end = start + BigInt(i) + 1n
    }
    start += BigInt(read)
  }
})

/** Reads the first CSV record; a header longer than the limit is no header. */
export const firstCsvRecord = Effect.fnUntraced(function*(file: FileSystem.File) {
  const chunk = new Uint8Array(headerLimit)
  const read = yield* file.read(chunk, { position: 0n })
  let quoted = false
  for (let i = 0; i < read; i++) {
    if (chunk[i] === quote) quoted = !quoted
    else if (chunk[i] === newline && !quoted) return new TextDecoder().decode(chunk.subarray(0, i + 1))
  }
  return ""
})

/** Ten thousand columns of a hundred characters. */
const headerLimit = 1_048_576
