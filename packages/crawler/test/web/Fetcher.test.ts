import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import * as Fetcher from "effect-crawler/web/Fetcher"
import { FetchError, Reason } from "effect-crawler/web/FetchError"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const decoded = (chunks: ReadonlyArray<Uint8Array>, contentType?: Fetcher.ContentType) =>
  Stream.mkString(Fetcher.text({ body: Stream.fromIterable(chunks), contentType }))

const html = (charset?: string): Fetcher.ContentType => ({ mediaType: "text/html", charset })

describe("Fetcher", () => {
  describe("text", () => {
    it.effect("goes by the charset of the Content-Type", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* decoded([new Uint8Array([0x80, 0xe4])], html("windows-1252")), "\u20AC\u00E4")
        assert.strictEqual(yield* decoded([new Uint8Array([0x82, 0xa0])], html("shift_jis")), "\u3042")
      }))

    it.effect("goes by a byte order mark before anything else, and leaves it out", () =>
      Effect.gen(function*() {
        const marked = new Uint8Array([0xef, 0xbb, 0xbf, 0xc3, 0xa4])
        assert.strictEqual(yield* decoded([marked], html("windows-1252")), "\u00E4")
        assert.strictEqual(yield* decoded([new Uint8Array([0xff, 0xfe, 0x41, 0x00])], html()), "A")
      }))

    it.effect("goes by <meta charset> where nothing else is said, but only in HTML", () =>
      Effect.gen(function*() {
        const page = [utf8("<meta charset=windows-1252>"), new Uint8Array([0xe4])]
        assert.strictEqual(yield* decoded(page, html()), "<meta charset=windows-1252>\u00E4")
        assert.strictEqual(yield* decoded(page), "<meta charset=windows-1252>\u00E4")
        assert.strictEqual(yield* decoded(page, html("utf-8")), "<meta charset=windows-1252>\uFFFD")
        assert.strictEqual(
          yield* decoded(page, { mediaType: "application/json", charset: undefined }),
          "<meta charset=windows-1252>\uFFFD"
        )
      }))

    it.effect("goes by the declaration of an XML document", () =>
      Effect.gen(function*() {
        const xml = { mediaType: "application/xml", charset: undefined }
        const declaration = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>"
        assert.strictEqual(yield* decoded([utf8(declaration), new Uint8Array([0xe4])], xml), `${declaration}\u00E4`)
      }))

    it.effect("takes UTF-8 where nothing is said, or nothing that is known", () =>
      Effect.gen(function*() {
        for (const type of [undefined, html(), html("nonsense"), html("")]) {
          assert.strictEqual(yield* decoded([utf8("\u00E4")], type), "\u00E4")
        }
        assert.strictEqual(yield* decoded([utf8("a")], html("replacement")), "a")
      }))

    it.effect("replaces what is malformed, and a character that is cut at the end", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* decoded([new Uint8Array([0x61, 0xff, 0x62])]), "a\uFFFDb")
        assert.strictEqual(yield* decoded([utf8("a"), new Uint8Array([0xc3])]), "a\uFFFD")
      }))

    it.effect("is empty for an empty body", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Stream.runCollect(Fetcher.text({ body: Stream.empty, contentType: html() })), [])
      }))

    it.effect("comes as it arrives, once there is enough to know the character set by", () =>
      Effect.gen(function*() {
        const first = utf8("x".repeat(1024))
        const stuck = Stream.concat(Stream.fromIterable([first]), Stream.never)
        const [part] = yield* Stream.runCollect(Stream.take(Fetcher.text({ body: stuck, contentType: html() }), 1))
        assert.strictEqual(part, "x".repeat(1024))
      }))

    it.effect("gives what was read before a failure, and the failure", () =>
      Effect.gen(function*() {
        const error = new FetchError({ url: "http://a.example/", reason: "Truncated", detail: "cut" })
        for (const length of [10, 2000]) {
          const body = Stream.concat(Stream.make(utf8("x".repeat(length))), Stream.fail(error))
          let read = ""
          const failure = yield* Effect.flip(
            Stream.runForEach(Fetcher.text({ body, contentType: html() }), (part) =>
              Effect.sync(() => {
                read += part
              }))
          )
          assert.strictEqual(failure, error)
          assert.strictEqual(read.length, length)
        }
      }))

    it.effect.prop(
      "is the same however the bytes are cut",
      { text: Schema.String, cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))) },
      ({ cuts, text }) =>
        Effect.gen(function*() {
          const bytes = utf8(`${"-".repeat(1020)}${text}`)
          const chunks: Array<Uint8Array> = []
          let at = 0
          for (const cut of [1000, ...cuts, bytes.length]) {
            chunks.push(bytes.subarray(at, at + cut))
            at += cut
          }
          assert.strictEqual(yield* decoded(chunks, html()), new TextDecoder().decode(bytes))
        })
    )
  })

  describe("FetchError", () => {
    it("can be stored as JSON, and is itself again", () => {
      const codec = Schema.toCodecJson(FetchError)
      for (const reason of Reason.literals) {
        const error = new FetchError({ url: "http://a.example/", reason, detail: "what was found" })
        const stored = JSON.stringify(Schema.encodeSync(codec)(error))
        const read = Schema.decodeUnknownSync(codec)(JSON.parse(stored))
        assert.instanceOf(read, FetchError)
        assert.strictEqual(read.isTransient, error.isTransient)
        assert.strictEqual(read.message, "http://a.example/: what was found")
      }
    })

    it("is transient where another attempt may do better", () => {
      const transient = Reason.literals.filter((reason) => new FetchError({ url: "", reason, detail: "" }).isTransient)
      assert.deepStrictEqual(transient, [
        "DnsFailed",
        "ConnectionRefused",
        "ConnectionReset",
        "Unreachable",
        "ConnectTimeout",
        "Stalled",
        "Timeout",
        "Truncated"
      ])
    })
  })
})
