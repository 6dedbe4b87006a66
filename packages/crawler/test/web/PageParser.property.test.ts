import { assert, describe, it } from "@effect/vitest"
import { type AnyNode, type Element, isTag } from "domhandler"
import { filter, findOne, innerText } from "domutils"
import { Result, Schema } from "effect"
import { parseDocument } from "htmlparser2"
import * as PageParser from "../../src/web/PageParser.ts"

const parserOf = (options?: PageParser.Options) => Result.getOrThrow(PageParser.make(options))

// Pieces that mean something to HTML, put together at random: much of it is no page at all.
const pieces = [
  ..."<>/=\"'& !-x",
  "\n",
  "text",
  "<a href=1>",
  "<a href='2?a&amp;b' rel=nofollow>",
  "<a href=\"3\" href=4",
  "<a>",
  "</a>",
  "<A HREF=5 rel='a nofollow b'>",
  "<area href=6>",
  "<title>",
  "</title>",
  "<svg>",
  "</svg>",
  "<math>",
  "</math>",
  "<![CDATA[",
  "]]>",
  "<iframe src=7>",
  "</iframe>",
  "<img src=8>",
  "<script>",
  "<script src=9>",
  "</script>",
  "<style>",
  "</style>",
  "<textarea>",
  "</textarea>",
  "<link rel=canonical href=10>",
  "<link rel=next href=&quot;>",
  "<base href=11>",
  "<html lang=en>",
  "<p>",
  "</p>",
  "<b>",
  "</b>",
  "<table>",
  "<tr><td>",
  "<!--",
  "-->",
  "&amp;",
  "&lt",
  "&#x41;",
  "&am",
  "p;",
  "&notin;",
  "&not",
  "\u{1F600}"
]
const Html = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: pieces.length - 1 })))
  .check(Schema.isMaxLength(60))
// In a title the parser of the tree takes no entity right after what could begin its end, where HTML has one.
const htmlOf = (indexes: ReadonlyArray<number>) =>
  indexes.map((index) => pieces[index]).join("").replaceAll(/(<\/?[a-z]*)&/g, "$1 &")

const isWithin = (node: AnyNode | null, ...names: ReadonlyArray<string>): boolean =>
  node !== null && (isTag(node) && names.includes(node.name) || isWithin(node.parent, ...names))

const spaced = (text: string) => text.replaceAll(/\s+/g, " ").trim()

/** What a tree of the page says of titles and links, as one would ask it. */
const model = (html: string) => {
  const document = parseDocument(html)
  const title = findOne(({ name, parent }) => name === "title" && !isWithin(parent, "svg", "math"), document.children)
  const attributeOf: Record<string, string> = {
    iframe: "src",
    img: "src",
    script: "src",
    a: "href",
    area: "href",
    link: "href"
  }
  const links = filter((node): node is Element => isTag(node) && node.name in attributeOf, document.children) as Array<
    Element
  >
  return {
    title: title === null ? undefined : spaced(innerText(title)),
    base: findOne(({ attribs, name }) => name === "base" && attribs["href"] !== undefined, document.children)
      ?.attribs["href"],
    links: links
      .map((element) => ({
        element,
        reference: (element.attribs[attributeOf[element.name]!] ?? "").trim(),
        nofollow: (element.attribs["rel"] ?? "").split(/\s+/).includes("nofollow"),
        // The text of one that holds another ends there, and that of a frame is no text, which a tree does not know.
        text: element.name !== "a" ||
            filter((node) => isTag(node) && ["a", "title", "iframe"].includes(node.name), element.children).length > 0
          ? undefined
          : spaced(innerText(element.children))
      }))
      .filter(({ reference }) => reference !== "" && !reference.startsWith("#"))
  }
}

describe("PageParser", () => {
  it.prop("law: says of title, base and links what a tree of the page does", { html: Html }, ({ html }) => {
    // Entities are none in CDATA, which only drawings have; in the text of a link they are decoded there too.
    const page = htmlOf(html).replaceAll("<![CDATA[", "")
    // A program in a formula may hold elements.
    const isPlain = !/<(?:svg|math)/.test(page)
    for (const select of [undefined, [{ name: "x", css: "x" }]]) {
      const content = parserOf({ select }).parse(page)
      const expected = model(page)
      assert.strictEqual(content.title, expected.title)
      assert.strictEqual(content.base, expected.base)
      assert.deepStrictEqual(
        content.links.map(({ nofollow, reference }) => ({ nofollow, reference })),
        expected.links.map(({ nofollow, reference }) => ({ nofollow, reference }))
      )
      content.links.forEach(({ text }, i) => {
        if (isPlain && expected.links[i]!.text !== undefined) assert.strictEqual(text, expected.links[i]!.text)
      })
    }
  }, { arbitrary: { runs: 1500 } })

  it.prop("law: reads the same however the page is cut into pieces", {
    html: Html,
    cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))).check(Schema.isMaxLength(80))
  }, ({ cuts, html }) => {
    // The library makes text of a tag that the end of the page cuts after a slash.
    const whole = `${htmlOf(html)}>`
    for (const select of [undefined, [{ name: "b", css: "b" }]]) {
      const parser = parserOf({ select })
      const reading = parser.open()
      let from = 0
      for (const length of cuts) reading.write(whole.slice(from, from += length))
      reading.write(whole.slice(from))
      assert.deepStrictEqual(reading.end(), parser.parse(whole))
    }
  }, { arbitrary: { runs: 800 } })

  it.prop("law: never throws, whatever the page, the bounds and the pieces", {
    html: Html,
    any: Schema.String,
    maxDepth: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
  }, ({ any, html, maxDepth }) => {
    for (const select of [undefined, [{ name: "b", css: "b, a, p" }]]) {
      const { links, selected } = parserOf({ select, maxDepth, maxElements: 5, maxLinks: 3, maxTextLength: 5 }).parse(
        htmlOf(html) + any
      )
      assert.isAtMost(links.length, 3)
      for (const values of Object.values(selected)) {
        for (const value of values) assert.isTrue(value.length <= 5 && value.isWellFormed() || !any.isWellFormed())
      }
    }
  }, { arbitrary: { runs: 800 } })

  it.prop("law: a lesser depth loses no link", {
    html: Html,
    maxDepth: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
  }, ({ html, maxDepth }) => {
    // But a drawing that is never open holds no titles and no CDATA of its own.
    const page = htmlOf(html).replaceAll(/<\/?(svg|math)>|<!\[CDATA\[/g, "")
    const references = (options: PageParser.Options) =>
      parserOf(options).parse(page).links.map(({ reference }) => reference)
    assert.deepStrictEqual(references({ maxDepth }), references({}))
  }, { arbitrary: { runs: 1000 } })
})
