/**
 * What crosses a connection once it is authenticated: frames of a length (4 bytes, the most significant first), a kind (1 byte) and a body.
 * The length counts the body alone.
 *
 * A length over the limit is refused when it is read, before anything is held for it. A body that comes in pieces is gathered in a buffer
 * that grows with what has come: a peer that announces much and sends little makes nobody allocate.
 */
export const Frame = {
  /** Either way: still here. No body. */
  Heartbeat: 0,
  /** Either way: messages, as `packing` packs them. */
  Batch: 1,
  /** To the host, first and once: the name of the worker that is to be started. */
  Start: 2,
  /** From the host: the worker is ready. Its details. */
  Started: 3,
  /** From the host, instead of Started: reason and detail of the WorkerStartError. */
  NotStarted: 4,
  /** To the host. No body. */
  Terminate: 5,
  /** To the host. No body. */
  Kill: 6,
  /** From the host: how the worker ended. Nothing comes after it. */
  Ended: 7,
  /** Either way: what the other side did that it may not. Nothing comes after it. */
  Fault: 8
} as const

export type FrameKind = (typeof Frame)[keyof typeof Frame]

const headerBytes = 5

const lastKind: number = Frame.Fault

/** The bytes of a frame, or of its header alone, where the body follows by itself. */
export const encode = (kind: FrameKind, body?: Uint8Array, follows: number = 0): Uint8Array => {
  const length = body?.length ?? follows
  const bytes = new Uint8Array(headerBytes + length - follows)
  bytes[0] = length >>> 24
  bytes[1] = length >>> 16
  bytes[2] = length >>> 8
  bytes[3] = length
  bytes[4] = kind
  if (body !== undefined) bytes.set(body, headerBytes)
  return bytes
}

/** What a peer did that it may not. */
export class FrameFault extends Error {}

export interface FrameReader {
  /**
   * Takes bytes in pieces of any size, and gives frames in order; a body is valid until the call returns. Throws a `FrameFault`, after
   * which it may not be used any more.
   */
  readonly push: (chunk: Uint8Array, take: (kind: FrameKind, body: Uint8Array) => void) => void
}

/** Bytes that a body which comes in pieces gets at once, if it is so long. */
const small = 1 << 20

export const makeReader = (maxFrameBytes: number): FrameReader => {
  const header = new Uint8Array(headerBytes)
  let headerFilled = 0
  let length = 0
  let kind: FrameKind = Frame.Heartbeat
  let body: Uint8Array | undefined
  let bodyFilled = 0

  const readHeader = (): void => {
    length = header[0]! * 0x1_00_00_00 + (header[1]! << 16) + (header[2]! << 8) + header[3]!
    if (length > maxFrameBytes) throw new FrameFault(`a frame of ${length} bytes is over the limit of ${maxFrameBytes}`)
    if (header[4]! > lastKind) throw new FrameFault(`no frame is of kind ${header[4]!}`)
    kind = header[4] as FrameKind
  }

  /** Takes as much of the body as there is; gives where it ends in the chunk. */
  const gather = (chunk: Uint8Array, at: number): number => {
    const end = Math.min(chunk.length, at + length - bodyFilled)
    const filled = bodyFilled + end - at
    if (body === undefined || body.length < filled) {
      const larger = new Uint8Array(Math.min(length, Math.max(small, 2 * filled)))
      if (body !== undefined) larger.set(body.subarray(0, bodyFilled))
      body = larger
    }
    body.set(chunk.subarray(at, end), bodyFilled)
    bodyFilled = filled
    return end
  }

  return {
    push: (chunk, take) => {
      let at = 0
      while (at < chunk.length) {
        if (headerFilled < headerBytes) {
          header[headerFilled++] = chunk[at++]!
          if (headerFilled < headerBytes) continue
          readHeader()
        }
        let whole: Uint8Array
        if (bodyFilled === 0 && chunk.length - at >= length) {
          // All of it is here: no copy.
          whole = chunk.subarray(at, at + length)
          at += length
        } else {
          at = gather(chunk, at)
          if (bodyFilled < length) continue
          whole = body!.subarray(0, length)
          body = undefined
          bodyFilled = 0
        }
        headerFilled = 0
        take(kind, whole)
      }
    }
  }
}
