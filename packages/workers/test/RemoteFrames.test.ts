import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { encode, Frame, FrameFault, type FrameKind, makeReader } from "../src/internal/remote/frames.ts"

const Sent = Schema.Array(Schema.Struct({
  kind: Schema.Literals(Object.values(Frame)),
  length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 })),
  fill: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
}))

const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })))

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** Cuts bytes into pieces of the lengths given, over and over. */
const pieces = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const all: Array<Uint8Array> = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = cuts.length === 0 ? bytes.length : cuts[i % cuts.length]!
    all.push(bytes.subarray(at, at + length))
    at += length
  }
  return all
}

const readAll = (chunks: ReadonlyArray<Uint8Array>, maxFrameBytes = 1024) => {
  const reader = makeReader(maxFrameBytes)
  const frames: Array<readonly [FrameKind, ReadonlyArray<number>]> = []
  for (const chunk of chunks) reader.push(chunk, (kind, body) => frames.push([kind, [...body]]))
  return frames
}

const header = (length: number, kind = Frame.Batch): Uint8Array => {
  const bytes = new Uint8Array(5)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes[4] = kind
  return bytes
}

describe("frames", () => {
  it.prop(
    "law: what is read is what was written, however it was cut on its way",
    { sent: Sent, cuts: Cuts },
    ({ cuts, sent }) => {
      const frames = sent.map(({ fill, kind, length }) => [kind, new Uint8Array(length).fill(fill)] as const)
      const bytes = concat(frames.map(([kind, body]) => encode(kind, body)))
      assert.deepStrictEqual(readAll(pieces(bytes, cuts)), frames.map(([kind, body]) => [kind, [...body]]))
    }
  )

  it.prop(
    "law: random bytes give frames or a fault, and nothing else",
    { bytes: Schema.Uint8Array, cuts: Cuts },
    ({ bytes, cuts }) => {
      try {
        readAll(pieces(bytes, cuts))
      } catch (error) {
        assert.instanceOf(error, FrameFault)
      }
    }
  )

  it("reads a frame of the largest size, and refuses one byte more", () => {
    assert.deepStrictEqual(readAll([encode(Frame.Batch, new Uint8Array(1024))])[0]![1].length, 1024)
    assert.throws(
      () => readAll([header(1025)]),
      FrameFault,
      "a frame of 1025 bytes is over the limit of 1024"
    )
  })

  it("refuses the largest length there is by its header, without its body", () => {
    assert.throws(() => readAll([header(2 ** 32 - 1)]), FrameFault, "a frame of 4294967295 bytes is over the limit")
  })

  it("refuses a kind that no frame is of", () => {
    assert.throws(() => readAll([header(0, 9 as typeof Frame.Batch)]), FrameFault, "no frame is of kind 9")
  })

  it("holds no more than has come, and a mebibyte, for a body that was only announced", () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 8 }, () => makeReader(2 ** 31))
    for (const reader of readers) reader.push(concat([header(2 ** 30), Uint8Array.of(1)]), () => assert.fail())
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 16 * 2 ** 20)
  })

  it("gathers a body that is longer than what is held for it at first", () => {
    const body = new Uint8Array(3 * 2 ** 20).map((_, i) => i % 251)
    const reader = makeReader(2 ** 23)
    let read: Uint8Array = new Uint8Array(0)
    for (const chunk of pieces(encode(Frame.Batch, body), [65_536])) {
      reader.push(chunk, (_, whole) => {
        read = whole.slice()
      })
    }
    assert.isTrue(Buffer.from(body).equals(read))
  })

  it("writes a header for a body that follows by itself", () => {
    const body = Uint8Array.of(1, 2, 3)
    assert.deepStrictEqual(concat([encode(Frame.Batch, undefined, 3), body]), encode(Frame.Batch, body))
  })
})
