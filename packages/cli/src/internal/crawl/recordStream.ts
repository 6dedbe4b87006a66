import * as Stream from "effect/Stream"

/** A complete record of a file, without the newline that ends it, and where the next one begins. */
export interface FileRecord {
  readonly text: string
  readonly end: number
}

const newline = 0x0a
const quote = 0x22

interface State {
  readonly rest: ReadonlyArray<Uint8Array>
  readonly end: number
  readonly isQuoted: boolean
}

/**
 * The complete records of a file; what follows the last newline is none. With `quotes` a newline inside double quotes ends nothing, as in CSV:
 * that can be told only from the front.
 */
export const records = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  quotes: boolean
): Stream.Stream<FileRecord, E, R> =>
  Stream.mapAccum(bytes, (): State => ({ rest: [], end: 0, isQuoted: false }), (state, chunk) => {
    const found: Array<FileRecord> = []
    let { end, isQuoted, rest } = state
    let from = 0
    for (let at = next(chunk, 0, quotes); at !== -1; at = next(chunk, at + 1, quotes)) {
      if (chunk[at] === quote) isQuoted = !isQuoted
      if (chunk[at] === quote || isQuoted) continue
      const record = Buffer.concat([...rest, chunk.subarray(from, at)])
      end += record.length + 1
      found.push({ text: record.toString("utf8"), end })
      rest = []
      from = at + 1
    }
    // Copied, for whoever reads a file may use its buffer again.
    return [{ rest: [...rest, chunk.slice(from)], end, isQuoted }, found]
  })

/** The next byte that matters. */
const next = (chunk: Uint8Array, from: number, quotes: boolean): number => {
  if (!quotes) return chunk.indexOf(newline, from)
  for (let at = from; at < chunk.length; at++) if (chunk[at] === newline || chunk[at] === quote) return at
  return -1
}
