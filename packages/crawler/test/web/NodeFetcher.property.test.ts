import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import type { Sink } from "../../src/web/internal/fetch/bodyQueue.ts"
import { decoding, parse, unpackingGzip } from "../../src/web/internal/fetch/NodeDecoding.ts"
import { failing } from "./scriptedFetcher.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const compress = {
  gzip: gzipSync,
  deflate: deflateSync,
  raw: deflateRawSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync
} as const

const codings = Schema.Array(Schema.Literals(["gzip", "deflate", "raw", "br", "zstd"])).check(Schema.isMaxLength(2))

/** Takes everything, but wants a pause after each so many bytes. */
const slowSink = (pauseAfter: number, done: (result: Buffer | Error) => void): Sink => {
  const parts: Array<Uint8Array> = []
  let since = 0
  const sink: Sink = {
    onRoom: () => {},
    write: (bytes) => {
      parts.push(bytes)
      since += bytes.length
      if (since < pauseAfter) return true
      since = 0
      setImmediate(() => sink.onRoom())
      return false
    },
    end: () => done(Buffer.concat(parts)),
    fail: done
  }
  return sink
}

/** Writes as a socket does: piece by piece, and only while there is room. */
const pushed = (bytes: Uint8Array, cuts: ReadonlyArray<number>, into: Sink): void => {
  const pieces: Array<Uint8Array> = []
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    if (at < bytes.length) pieces.push(bytes.subarray(at, at + cut))
    at += cut
  }
  const go = (): void => {
    let piece = pieces.shift()
    while (piece !== undefined) {
      if (!into.write(piece)) return
      piece = pieces.shift()
    }
    into.onRoom = () => {}
    into.end()
  }
  into.onRoom = go
  go()
}

const decoded = (
  bytes: Uint8Array,
  options: {
    readonly applied: string
    readonly cuts: ReadonlyArray<number>
    readonly pauseAfter: number
    readonly unpacks: boolean
  }
) =>
  Effect.callback<Buffer, string>((resume) => {
    const broken = (coding: string, cause: Error) => {
      resume(Effect.fail(`${coding}: ${cause.message}`))
      return failing("BadEncoding")
    }
    const sink = slowSink(options.pauseAfter, (result) => {
      if (!(result instanceof Error)) resume(Effect.succeed(result))
    })
    pushed(
      bytes,
      options.cuts,
      decoding(parse(options.applied)!, options.unpacks ? unpackingGzip(sink, broken) : sink, broken)
    )
  })

describe("NodeFetcher", () => {
  it.effect.prop(
    "law: a body comes out as it was before it was encoded, however it is cut and however slowly it is read",
    {
      codings,
      isFile: Schema.Boolean,
      cuts: Schema.Array(int(1, 3000)),
      size: Schema.Union([int(0, 20), int(0, 300_000)]),
      entropy: int(1, 256),
      pauseAfter: int(1, 50_000)
    },
    ({ codings, cuts, entropy, isFile, pauseAfter, size }) =>
      Effect.gen(function*() {
        // The first byte is none of gzip's.
        const plain = new Uint8Array(size).map((_, i) => i === 0 ? 0x20 : (i * 7919 >> 3) % entropy)
        const packed: Uint8Array = isFile ? gzipSync(plain) : plain
        const sent = codings.reduce<Uint8Array>((bytes, coding) => compress[coding](bytes), packed)
        const found = yield* decoded(sent, {
          applied: codings.map((coding) => coding === "raw" ? "deflate" : coding).join(", "),
          cuts,
          pauseAfter,
          unpacks: isFile
        })
        assert.isTrue(found.equals(Buffer.from(plain)))
      }),
    { arbitrary: { runs: 80 } }
  )

  it("knows the encodings it asks for, two of them at most", () => {
    assert.deepStrictEqual(parse(undefined), [])
    assert.deepStrictEqual(parse(""), [])
    assert.deepStrictEqual(parse("identity"), [])
    assert.deepStrictEqual(parse(" GZIP ,identity, br"), ["gzip", "br"])
    assert.isUndefined(parse("gzip, br, gzip"))
    assert.isUndefined(parse("compress"))
    assert.deepStrictEqual(parse(`${"identity,".repeat(1000)}br`), ["br"])
  })
})
