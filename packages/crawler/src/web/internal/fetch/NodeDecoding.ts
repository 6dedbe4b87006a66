import type { Transform } from "node:stream"
import * as Zlib from "node:zlib"
import type { FetchError } from "../../FetchError.ts"
import type { Sink } from "./bodyQueue.ts"

/** What is asked for, and understood. */
export const acceptEncoding = "gzip, deflate, br, zstd"

type Coding = "gzip" | "deflate" | "br" | "zstd"

const codings: Readonly<Record<string, Coding | "identity">> = {
  "": "identity",
  "identity": "identity",
  "gzip": "gzip",
  "x-gzip": "gzip",
  "deflate": "deflate",
  "br": "br",
  "zstd": "zstd"
}

/** Two are an oddity, more an attack: each multiplies what a byte can grow to. */
const maxCodings = 2

/** The codings of a Content-Encoding, as they were applied; undefined if one is not known or there are too many. */
export const parse = (header: string | undefined): ReadonlyArray<Coding> | undefined => {
  const applied: Array<Coding> = []
  for (const name of (header ?? "").split(",")) {
    const coding = codings[name.trim().toLowerCase()]
    if (coding === undefined) return undefined
    if (coding !== "identity") applied.push(coding)
  }
  return applied.length <= maxCodings ? applied : undefined
}

export interface Decoding extends Sink {
  /** Stops at once, whatever is still inside. */
  readonly destroy: () => void
}

/**
 * Undoes codings, the last applied first. The decoders stop when there is no room in what they give to, so that nothing grows beyond it and a few of
 * their own blocks of 16 KiB.
 */
export const decoding = (
  applied: ReadonlyArray<Coding>,
  into: Sink,
  broken: (coding: Coding, cause: Error) => FetchError
): Decoding => applied.reduce<Decoding>((next, coding) => undoing(coding, next, broken), passing(into))

const passing = (into: Sink): Decoding => Object.assign(into, { destroy: () => {} })

const undoing = (
  coding: Coding,
  next: Decoding,
  broken: (coding: Coding, cause: Error) => FetchError
): Decoding => {
  // Made with the first bytes: an empty body is no broken one, and deflate is told from raw deflate by its first.
  let decoder: Transform | undefined
  const start = (first: Uint8Array): Transform => {
    const made = transforms[coding](first)
    made.on("data", (bytes: Uint8Array) => {
      if (!next.write(bytes)) made.pause()
    })
    made.on("end", () => next.end())
    made.on("error", (cause) => next.fail(broken(coding, cause)))
    made.on("drain", () => self.onRoom())
    next.onRoom = () => made.resume()
    return made
  }
  const destroy = (): void => {
    decoder?.destroy()
    next.destroy()
  }
  const self: Decoding = {
    onRoom: () => {},
    write: (bytes) => {
      decoder ??= start(bytes)
      return decoder.destroyed || decoder.write(bytes)
    },
    end: () => {
      if (decoder === undefined) next.end()
      else decoder.end()
    },
    fail: (error) => {
      destroy()
      next.fail(error)
    },
    destroy
  }
  return self
}

const transforms: Readonly<Record<Coding, (first: Uint8Array) => Transform>> = {
  gzip: () => Zlib.createGunzip(),
  // Some send it with the header of zlib, as is written; some without.
  deflate: ([first = 0]) => (first & 0x0f) === 8 ? Zlib.createInflate() : Zlib.createInflateRaw(),
  br: () => Zlib.createBrotliDecompress(),
  zstd: () => Zlib.createZstdDecompress({ params: { [Zlib.constants.ZSTD_d_windowLogMax]: maxWindowLog } })
}

// 8 MiB, what RFC 9659 allows on the web; without it one frame header can ask for 128.
const maxWindowLog = 23

/** Undoes gzip where a body turns out to be a gzip file by its first two bytes. */
export const unpackingGzip = (into: Sink, broken: (coding: Coding, cause: Error) => FetchError): Decoding => {
  let chosen: Decoding | undefined
  let held: Uint8Array = new Uint8Array()
  const choose = (bytes: Uint8Array): Decoding => {
    chosen = bytes[0] === 0x1f && bytes[1] === 0x8b ? decoding(["gzip"], into, broken) : passing(into)
    chosen.onRoom = () => self.onRoom()
    return chosen
  }
  const self: Decoding = {
    onRoom: () => {},
    write: (bytes) => {
      if (chosen !== undefined) return chosen.write(bytes)
      held = Buffer.concat([held, bytes])
      return held.length < 2 || choose(held).write(held)
    },
    end: () => {
      if (chosen !== undefined) return chosen.end()
      const passing = choose(new Uint8Array())
      if (held.length > 0) passing.write(held)
      passing.end()
    },
    fail: (error) => (chosen ?? into).fail(error),
    destroy: () => chosen?.destroy()
  }
  return self
}
