import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
// @ts-expect-error -- it comes without types
import untypedSniff from "html-encoding-sniffer"
import type { ContentType } from "../../Fetcher.ts"
import type { FetchError } from "../../FetchError.ts"

/** Gives the WHATWG name of an encoding. In XML a `<meta>` declares nothing, and a declaration `<?xml encoding="…"?>` does. */
const sniff: (
  bytes: Uint8Array,
  options: { readonly xml: boolean; readonly transportLayerEncodingLabel?: string; readonly defaultEncoding: string }
) => string = untypedSniff

type Decoder = InstanceType<typeof TextDecoder>

/** What the standards look through for a declaration, and what is held back until there is as much. */
const prescanBytes = 1024

/** The bytes of a body as text, in the character set that they or their Content-Type declare. */
export const decoded = (
  body: Stream.Stream<Uint8Array, FetchError>,
  contentType: ContentType | undefined
): Stream.Stream<string, FetchError> =>
  Stream.suspend(() => {
    const reading = new Reading(contentType)
    return Stream.map(body, (bytes) => reading.decode(bytes)).pipe(
      Stream.catch((error) => Stream.concat(Stream.sync(() => reading.held()), Stream.fail(error))),
      Stream.concat(Stream.sync(() => reading.end())),
      Stream.filter((text) => text !== "")
    )
  })

/** The same, written piece by piece, for who reads very many bodies: what a Stream needs for each is more than they do themselves. */
export const read = (
  body: Stream.Stream<Uint8Array, FetchError>,
  contentType: ContentType | undefined,
  write: (text: string) => void
): Effect.Effect<number, FetchError> =>
  Effect.suspend(() => {
    let bytes = 0
    const reading = new Reading(contentType)
    const pieces = Stream.runForEachArray(body, (pieces) =>
      Effect.sync(() => {
        for (const piece of pieces) {
          bytes += piece.length
          write(reading.decode(piece))
        }
      }))
    return Effect.map(pieces, () => {
      write(reading.end())
      return bytes
    })
  })

class Reading {
  private decoder: Decoder | undefined = undefined
  private pieces: Array<Uint8Array> = []
  private size = 0
  private readonly contentType: ContentType | undefined

  constructor(contentType: ContentType | undefined) {
    this.contentType = contentType
  }

  decode(bytes: Uint8Array): string {
    if (this.decoder !== undefined) return this.decoder.decode(bytes, { stream: true })
    this.pieces.push(bytes)
    this.size += bytes.length
    return this.size >= prescanBytes ? this.start() : ""
  }

  /** What was held back. */
  held(): string {
    return this.decoder === undefined ? this.start() : ""
  }

  /** What was held back, and U+FFFD for what is left of a character that was cut. */
  end(): string {
    return this.held() + this.decoder!.decode()
  }

  private start(): string {
    const first = joined(this.pieces, this.size)
    this.pieces = []
    this.decoder = decoderFor(first, this.contentType)
    return this.decoder.decode(first, { stream: true })
  }
}

const decoderFor = (first: Uint8Array, contentType: ContentType | undefined): Decoder => {
  const charset = contentType?.charset
  const name = sniff(first, {
    // Neither does text that is no HTML.
    xml: contentType !== undefined && contentType.mediaType !== "text/html",
    defaultEncoding: "UTF-8",
    ...(charset === undefined ? {} : { transportLayerEncodingLabel: charset })
  })
  try {
    return new TextDecoder(name)
  } catch {
    // The standard knows a few encodings that the platform does not ("replacement", "x-user-defined").
    return new TextDecoder()
  }
}

const joined = (chunks: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
