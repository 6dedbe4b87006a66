import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema, Stream } from "effect"
import { Page } from "effect-crawler/web/Page"
import { columnsOf, type PageRecord, pageRecordOf } from "../../src/internal/crawl/pageRecord.ts"
import { csv, ndjson } from "../../src/internal/crawl/recordFormat.ts"
import { records } from "../../src/internal/crawl/recordStream.ts"
import { recordOf } from "./storedCrawl.ts"

const page = (url: string, title: string): PageRecord =>
  pageRecordOf({ item: new Page({ url }), exit: Exit.succeed(recordOf(url, { title })) }, 0)!

/** The records of a text that arrives in pieces of a size. */
const recordsOf = (text: string, size: number, quotes: boolean) =>
  Stream.runCollect(records(
    Stream.rechunk(Stream.fromIterable(Buffer.from(text)), 1).pipe(
      Stream.grouped(size),
      Stream.map((bytes) => Uint8Array.from(bytes))
    ),
    quotes
  ))

const texts = Schema.Array(Schema.String)
const sizes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))

describe("records", () => {
  for (const format of [ndjson, csv([])]) {
    it.effect.prop(
      `finds the pages of ${format.name} again, in whatever pieces they arrive`,
      [texts, sizes],
      ([titles, size]) =>
        Effect.gen(function*() {
          const pages = titles.map((text) => text.toWellFormed()).map((title, i) =>
            page(`https://example.org/${i},"${title}`, title)
          )
          const text = `${format.header}${pages.map(format.encode).join("")}`
          const found = yield* recordsOf(`${text}{"url":"to`, size, format.quotes)
          assert.strictEqual(found.at(-1)?.end ?? 0, Buffer.byteLength(text))
          assert.deepStrictEqual(
            found.slice(format.header === "" ? 0 : 1).map(({ text }) => format.urlOf(text)),
            pages.map(({ url }) => url)
          )
        })
    )
  }

  it("takes nothing else for a page", () => {
    for (const text of ["", "null", "7", "{}", "{\"url\":7}", "[\"url\"]", "{\"url\":\"https://exa"]) {
      assert.isUndefined(ndjson.urlOf(text), text)
    }
    for (const text of ["", ",", "https://example.org/", "\"https://example.org/,"]) {
      assert.isUndefined(csv([]).urlOf(text), text)
    }
  })

  it("gives each selector a column of its own", () => {
    const names = [...columnsOf(["price", "title", "Title", "meta", "PRICE"]).keys()]
    assert.deepStrictEqual(names.slice(-6), [
      "meta",
      "price",
      "selected.title",
      "selected.Title_2",
      "selected.meta",
      "selected.PRICE"
    ])
  })

  it("writes cells as CSV has them", () => {
    const row = csv([]).encode({
      ...page("https://example.org/", "a \"b\",\r\nc"),
      status: null,
      meta: { a: "b" }
    })
    assert.strictEqual(
      row,
      "https://example.org/,https://example.org/,,,\"a \"\"b\"\",\r\nc\",,,0,,0,0,1,1.3,,,,\"{\"\"a\"\":\"\"b\"\"}\"\n"
    )
  })
})
