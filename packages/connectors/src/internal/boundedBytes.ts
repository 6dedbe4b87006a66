import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Collects a stream of bytes up to a limit; `complete` tells whether that was all of it. What follows is not read. */
export const collect = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  limit: number
): Effect.Effect<{ readonly bytes: Uint8Array; readonly complete: boolean }, E, R> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let length = 0
    return Effect.map(
      Stream.runForEachWhile(stream, (chunk) =>
        Effect.sync(() => {
          chunks.push(chunk)
          length += chunk.length
          return length <= limit
        })),
      () => {
        const bytes = new Uint8Array(length)
        let at = 0
        for (const chunk of chunks) {
          bytes.set(chunk, at)
          at += chunk.length
        }
        return { bytes: bytes.subarray(0, limit), complete: length <= limit }
      }
    )
  })

/** The last bytes of a stream, which is read to its end. */
export const tail = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, limit: number): Effect.Effect<Uint8Array, E, R> =>
  Effect.suspend(() => {
    let last: Uint8Array = new Uint8Array()
    return Effect.map(
      Stream.runForEach(stream, (chunk) =>
        Effect.sync(() => {
          last = Buffer.concat([last, chunk]).subarray(-limit)
        })),
      () => last
    )
  })

/** The first characters of a text, on one line. */
export const excerpt = (text: string, characters = 200): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length <= characters ? line : `${line.slice(0, characters)}…`
}
