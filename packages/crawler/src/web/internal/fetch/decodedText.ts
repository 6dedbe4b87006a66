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
    let decoder: Decoder | undefined
    const held: Array<Uint8Array> = []
    let heldBytes = 0

    const start = (): string => {
      const first = joined(held, heldBytes)
      held.length = 0
      decoder = decoderFor(first, contentType)
      return decoder.decode(first, { stream: true })
    }
    const decode = (bytes: Uint8Array): string => {
      if (decoder !== undefined) return decoder.decode(bytes, { stream: true })
      held.push(bytes)
      heldBytes += bytes.length
      return heldBytes >= prescanBytes ? start() : ""
    }
    // What is left of a character that was cut becomes U+FFFD.
    const end = (): string => (decoder === undefined ? start() : "") + decoder!.decode()

    return Stream.map(body, decode).pipe(
      Stream.catch((error) =>
        Stream.concat(Stream.sync(() => decoder === undefined ? start() : ""), Stream.fail(error))
      ),
      Stream.concat(Stream.sync(end)),
      Stream.filter((text) => text !== "")
    )
  })

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
