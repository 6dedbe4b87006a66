import { Decoder, Encoder, ExtData, ExtensionCodec } from "@msgpack/msgpack"

/**
 * MessagePack, of what JSON can say and of bytes. Both sides are bounded; what would arrive as something else than it was (a Map, a Date, a
 * key that no object may have) is refused where it is packed, and fails one message there, not a connection here.
 *
 * `undefined` arrives as `null`.
 */

/** Bytes travel as an extension, so that they are copied out of the frame as they are read, and found without a search. */
const bytesType = 1

/** Levels of what is packed: packing is recursive. */
const maxDepth = 512

/** What may not be posted. Its name is what a port throws for the same. */
const refuse = (detail: string): never => {
  throw new DOMException(detail, "DataCloneError")
}

class PackingCodec extends ExtensionCodec<undefined> {
  override tryToEncode(value: unknown): ExtData | null {
    if (typeof value !== "object") return refuse(`a ${typeof value} cannot be sent to another machine`)
    if (Array.isArray(value)) return null
    if (value instanceof Uint8Array) return new ExtData(bytesType, value)
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return refuse(`an instance of ${prototype.constructor?.name} cannot be sent to another machine`)
    }
    // Nobody reads it: an object made from it would have another prototype.
    if (Object.hasOwn(value as object, "__proto__")) return refuse("an object with a key __proto__ cannot be sent")
    return null
  }
}

/** More bytes than this are not copied out of the buffer of an encoder: they take it with them, and the next value gets a new one. */
export const maxSharedBytes = 1 << 18

const makeEncoder = (): Encoder<undefined> =>
  new Encoder({ extensionCodec: new PackingCodec(), maxDepth, initialBufferSize: 1 << 14 })

let encoder = makeEncoder()

/**
 * Packs a value. Up to `maxSharedBytes` the bytes are valid until the next call; more belong to the caller. Throws a `DataCloneError` for what
 * cannot be packed.
 */
export const pack = (value: unknown): Uint8Array => {
  try {
    const bytes = encoder.encodeSharedRef(value)
    if (bytes.length > maxSharedBytes) encoder = makeEncoder()
    return bytes
  } catch (error) {
    if (error instanceof DOMException) throw error
    // Too deep, or a bigint.
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

export interface Unpacker {
  /**
   * Unpacks a value, and puts the buffers of its bytes, which nothing else holds, into `transfers`. Throws for what is not
   * packed well, and for more than it may hold.
   */
  readonly unpack: (bytes: Uint8Array, transfers: Array<ArrayBuffer>) => unknown
}

/** Arrays and objects with more entries than this are refused: memory is set aside for them before they are read. */
export const maxEntries = 1 << 22

export const makeUnpacker = (maxFrameBytes: number): Unpacker => {
  let found: Array<ArrayBuffer> = []
  const extensionCodec = new (class extends ExtensionCodec<undefined> {
    override decode(data: Uint8Array, type: number): unknown {
      if (type !== bytesType) throw new RangeError(`no extension is of type ${type}`)
      const bytes = new Uint8Array(data)
      found.push(bytes.buffer)
      return bytes
    }
  })()
  const decoder = new Decoder({
    extensionCodec,
    maxStrLength: maxFrameBytes,
    maxBinLength: maxFrameBytes,
    maxExtLength: maxFrameBytes,
    maxArrayLength: maxEntries,
    maxMapLength: maxEntries
  })
  return {
    unpack: (bytes, transfers) => {
      found = transfers
      return decoder.decode(bytes)
    }
  }
}
