import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema, Stream } from "effect"
import * as PageParser from "../../src/web/PageParser.ts"
import * as Selector from "../../src/web/Selector.ts"

const parserOf = (options?: PageParser.Options) => Result.getOrThrow(PageParser.make(options))
const parse = (html: string, options?: PageParser.Options) => parserOf(options).parse(html)
const select = (html: string, ...selectors: ReadonlyArray<string>) =>
  parse(html, { select: selectors.map((text) => Result.getOrThrow(Selector.parse(text))) }).selected
const links = (html: string, options?: PageParser.Options) =>
  parse(html, options).links.map(({ kind, reference, text }) => `${kind} ${reference}${text === "" ? "" : ` ${text}`}`)

const empty: PageParser.PageContent = {
  title: undefined,
  base: undefined,
  canonical: undefined,
  language: undefined,
  meta: {},
  noindex: false,
  nofollow: false,
  links: [],
  linksDropped: 0,
  selected: {}
}

describe("PageParser", () => {
  it("takes from a page what it says of itself", () => {
    const content = parse(`<!DOCTYPE html><html lang="en-GB"><head>
      <title>  Fish &amp;
        Chips </title>
      <base href="/menu/?a=1&amp;b"><base href="/other/">
      <meta name="Description" content="What&#39;s on"><meta name="description" content="second">
      <meta name="keywords" content="fish, chips"><meta property="og:title" content="F&C"><meta name="viewport" content="x">
      <link rel="canonical" href="/menu/today">
      </head><body>text</body></html>`)
    assert.deepStrictEqual(content, {
      ...empty,
      title: "Fish & Chips",
      base: "/menu/?a=1&b",
      canonical: "/menu/today",
      language: "en-GB",
      meta: { description: "What's on", keywords: "fish, chips", "og:title": "F&C" },
      links: [{ reference: "/menu/today", kind: "canonical", text: "", nofollow: false }]
    })
    assert.deepStrictEqual(Schema.decodeUnknownSync(PageParser.PageContent)(JSON.parse(JSON.stringify(content))), {
      ...JSON.parse(JSON.stringify(content))
    })
  })

  it("says nothing of an empty page", () => {
    for (const html of ["", "   ", "plain text < & >", "<!-- <title>x</title> -->", "<"]) {
      assert.deepStrictEqual(parse(html), empty)
    }
  })

  describe("title", () => {
    it.each([
      ["is the first", "<title>a</title><title>b</title>", "a"],
      ["may be empty", "<title></title><title>b</title>", ""],
      ["is not that of a drawing", "<svg><title>a</title></svg><title>b</title>", "b"],
      ["holds tags as text", "<title>a <b>c</b></title>", "a <b>c</b>"],
      ["holds what looks like an entity and is none", "<title>a &unknown; &amp;lt; b</title>", "a &unknown; &lt; b"],
      ["ends with the page", "<title>a", "a"],
      ["begins with the end of its tag", "<title x", undefined]
    ])("%s", (_, html, expected) => {
      assert.strictEqual(parse(html).title, expected)
    })
  })

  describe("links", () => {
    it("have a kind", () => {
      assert.deepStrictEqual(
        links(`<a href=1>x</a><map><area href=2></map><iframe src=3></iframe><frameset><frame src=4></frameset>
          <img src=5 srcset="no 2x"><script src=6></script><audio src=7></audio><video src=8><source src=9><track src=10></video>
          <embed src=11><object data=12></object><meta http-equiv=Refresh content="3; URL='13'"><svg><a href=14>y</a></svg>
          <link rel="Stylesheet" href=15><link rel="shortcut icon" href=16><link rel=next href=17><link rel=prev href=18>
          <link rel=alternate hreflang=de href=19><link rel=alternate type="application/rss+xml" href=20>
          <link rel=preconnect href=21><link rel=author href=22><link href=23><link rel="alternate stylesheet" href=24>
          <form action=25></form><blockquote cite=26></blockquote>`),
        [
          "anchor 1 x",
          "anchor 2",
          "frame 3",
          "frame 4",
          "image 5",
          "script 6",
          "media 7",
          "media 8",
          "media 9",
          "media 10",
          "media 11",
          "media 12",
          "refresh 13",
          "anchor 14 y",
          "stylesheet 15",
          "image 16",
          "next 17",
          "next 18",
          "alternate 19",
          "feed 20",
          "stylesheet 24"
        ]
      )
    })

    it.each([
      [
        "decode entities as attributes do",
        `<a href="?a=1&amp;b=2&copy=3&lt=4&quot;">`,
        "anchor ?a=1&b=2&copy=3&lt=4\""
      ],
      ["decode quotes within quotes", `<a href='"&eacute;"'>`, "anchor \"é\""],
      ["take the first of two attributes", "<a href=1 href=2>", "anchor 1"],
      ["drop white space around", "<a href=' \n1\t'>", "anchor 1"],
      ["need no end of their tag's line", "<a\nclass=x\nhref\n=\n1\n>", "anchor 1"],
      ["take text of elements within", "<a href=1>a <b>b&lt;</b><img src></a>", "anchor 1 a b<"],
      ["take no programs for text", "<a href=1>a<script>b</script><style>c</style>d</a>e", "anchor 1 ad"],
      [
        "do not join an entity across tags and comments",
        "<a href=1>&am<!---->p; &l<i>t;</i></a>",
        "anchor 1 &amp; &lt;"
      ],
      ["do not join one across tags that open or end nothing", "<a href=1>&am</i>p;&l</b>t;</a>", "anchor 1 &amp;&lt;"],
      [
        "take what could end an element of plain text",
        "<a href=1><textarea></title></textarea>&gt;</a>",
        "anchor 1 </title>>"
      ]
    ])("%s", (_, html, expected) => {
      assert.deepStrictEqual(links(html), [expected])
    })

    it("are none where the page ends within their tag", () => {
      assert.deepStrictEqual(links("<a href=1>a<a href=\"2\" "), ["anchor 1 a"])
    })

    it("within the page are none", () => {
      assert.deepStrictEqual(links("<a href=#top><a href><a><a href=''><img><meta http-equiv=refresh content=5>"), [])
    })

    it("end their text where the next begins", () => {
      assert.deepStrictEqual(links("<a href=1>a<div><a href=2>b</a>c</div></a>d<a href=3>"), [
        "anchor 1 a",
        "anchor 2 b",
        "anchor 3"
      ])
    })

    it("may ask not to be followed", () => {
      const found = parse(
        `<a rel="external NoFollow" href=1></a><a rel=nofollowed href=2></a><a rel=noopener href=3></a>`
      )
      assert.deepStrictEqual(found.links.map(({ nofollow }) => nofollow), [true, false, false])
      assert.isFalse(found.nofollow)
    })

    it("are dropped beyond the limit, and counted", () => {
      const { links, linksDropped } = parse("<a href=x>".repeat(5) + `<a href="${"y".repeat(8193)}">`, { maxLinks: 3 })
      assert.deepStrictEqual([links.length, linksDropped], [3, 3])
      const long = parse(`<a href="${"y".repeat(8193)}"><a href="${"z".repeat(8192)}">`)
      assert.deepStrictEqual([long.links.length, long.linksDropped], [1, 1])
    })
  })

  describe("robots", () => {
    it.each(
      [
        [`<meta name=robots content="noindex">`, true, false],
        [`<meta name=ROBOTS content="NoIndex, NoFollow">`, true, true],
        [`<meta name=robots content="none">`, true, true],
        [`<meta name=robots content="noindex"><meta name=robots content="nofollow">`, true, true],
        [`<meta name=Conveyor content="nofollow">`, false, true],
        [`<meta name=googlebot content="none">`, false, false],
        [`<meta name=robots content="index, follow, noarchive, max-snippet: -1">`, false, false]
      ] as const
    )("%s", (html, noindex, nofollow) => {
      const content = parse(html)
      assert.deepStrictEqual([content.noindex, content.nofollow], [noindex, nofollow])
    })

    it.each(
      [
        ["noindex", true, false],
        ["googlebot: noindex, nofollow", false, false],
        ["googlebot: noindex, Conveyor: nofollow", false, true],
        ["otherbot: nofollow, *: noindex", true, false],
        ["unavailable_after: 25 Jun 2010 15:00:00 PST, none", true, true],
        ["googlebot: max-snippet: 1, noindex", false, false]
      ] as const
    )("reads the header %s", (header, noindex, nofollow) => {
      assert.deepStrictEqual(parserOf().directives(header), { noindex, nofollow })
    })
  })

  describe("selectors", () => {
    const html =
      `<ul id=m><li class=p>One &amp; <b>two</b></li><li>three<script>no</script></li><li><a href="?a&amp;b">x</a></ul><ul>`

    it("give the text or an attribute of all elements they match, in order", () => {
      assert.deepStrictEqual(
        select(html, "item=#m > li", "to=a@HREF", "none=table", "id=ul@id", "last=li:last-child"),
        {
          item: ["One & two", "three", "x"],
          to: ["?a&b"],
          none: [],
          id: ["m"],
          last: ["x"]
        }
      )
    })

    it("leave the rest as it is without them", () => {
      const page = `<html lang=en><title>a &amp; b</title><p><a href="1?a&amp;b">c &lt;</a></html>`
      const { selected: _, ...content } = parse(page, { select: [{ name: "p", css: "p" }] })
      const { selected: __, ...without } = parse(page)
      assert.deepStrictEqual(content, without)
    })

    it("are bounded in number, length and elements", () => {
      const many = "<p>abcdef</p>".repeat(20)
      const of = (options: PageParser.Options) =>
        parse(many, { select: [{ name: "p", css: "p" }], ...options }).selected["p"]!
      assert.strictEqual(of({}).length, 20)
      assert.strictEqual(of({ maxSelected: 7 }).length, 7)
      assert.deepStrictEqual(of({ maxElements: 3, maxTextLength: 4 }), ["abcd", "abcd", "abcd"])
    })

    it.each([
      ["a", "must be NAME=CSS or NAME=CSS@ATTRIBUTE"],
      ["=a", "must be NAME=CSS"],
      ["a=", "must be NAME=CSS"],
      ["a=@href", "must be NAME=CSS"]
    ])("must be written as NAME=CSS@ATTRIBUTE, not %s", (text, detail) => {
      const error = Result.merge(Selector.parse(text))
      assert.instanceOf(error, Selector.InvalidSelector)
      assert.include((error as Selector.InvalidSelector).message, `selector "${text}": ${detail}`)
    })

    it.each([
      ["a=b", { name: "a", css: "b" }],
      [" a = b > c ", { name: "a", css: "b > c" }],
      ["a=b@Data-X", { name: "a", css: "b", attribute: "data-x" }],
      ["a=b[c=d]", { name: "a", css: "b[c=d]" }],
      [`a=b[c="d@e"]`, { name: "a", css: `b[c="d@e"]` }],
      [`a=b[c="d@e"]@f`, { name: "a", css: `b[c="d@e"]`, attribute: "f" }]
    ])("reads %s", (text, expected) => {
      assert.deepStrictEqual(Result.merge(Selector.parse(text)), expected)
    })

    it.each(["a[", ":unknown(a)", "a::before", "> a", "a:nth-child(x)"])("refuses %s, naming it", (css) => {
      const error = Result.merge(PageParser.make({ select: [{ name: "ok", css: "a" }, { name: "wrong", css }] }))
      assert.instanceOf(error, Selector.InvalidSelector)
      assert.include((error as Selector.InvalidSelector).message, `selector "wrong=${css}": `)
    })

    it("refuses one name for two", () => {
      const error = Result.merge(PageParser.make({ select: [{ name: "x", css: "a" }, { name: "x", css: "b" }] }))
      assert.strictEqual(`${(error as Selector.InvalidSelector).message}`, `selector "x": is the name of two selectors`)
    })
  })

  describe("bounds", () => {
    it("cuts what is too long, without half a character at the end", () => {
      const text = `${"a".repeat(9)}\u{1F600}b`
      const options = { maxTextLength: 10, maxLinkTextLength: 10 }
      const content = parse(
        `<title>${text}</title><meta name=description content="${text}"><a href=1>${text}</a>`,
        options
      )
      const cut = `${"a".repeat(9)}\uFFFD`
      assert.deepStrictEqual([content.title, content.meta["description"], content.links[0]!.text], [cut, cut, cut])
    })

    it.each([undefined, [{ name: "deep", css: "div div:empty" }, { name: "last", css: "body > p" }]])(
      "reads 100 000 elements within each other, and what comes after them",
      (select) => {
        const html = `<body>${"<div>".repeat(100_000)}<a href=1>x</a>${"</div>".repeat(100_000)}<p>y</p><a href=2>z</a>`
        const content = parse(html, { select, maxElements: 200_000 })
        assert.deepStrictEqual(content.links.map(({ reference }) => reference), ["1", "2"])
        assert.strictEqual(content.links[1]!.text, "z")
        if (select !== undefined) assert.deepStrictEqual(content.selected["last"], ["y"])
      }
    )

    it("nests as deep as it is allowed to", () => {
      const nested = (depth: number) => `${"<i>".repeat(depth)}<b>x</b>${"</i>".repeat(depth)}`
      const found = (maxDepth: number) =>
        parse(nested(5), { maxDepth, select: [{ name: "b", css: "i > i > i > i > i > b" }] }).selected["b"]
      assert.deepStrictEqual(found(6), ["x"])
      assert.deepStrictEqual(found(4), [])
    })

    it("keeps so many meta elements, and not more", () => {
      const html = Array.from({ length: 100 }, (_, i) => `<meta property=og:${i} content=x>`).join("")
      assert.strictEqual(Object.keys(parse(html).meta).length, 64)
    })

    it.each([
      ["one text", "x\n".repeat(1_000_000)],
      ["a row of texts", "word <b></b>".repeat(99_000)]
    ])("takes of %s within many elements that are selected only what is kept", (_, text) => {
      const html = `${"<div>".repeat(500)}${text}`
      const { div } = parse(html, { select: [{ name: "div", css: "div" }], maxTextLength: 9 }).selected
      assert.strictEqual(div!.length, 500)
      assert.strictEqual(new Set(div).size, 1)
    })

    it.each([
      ["ends of elements that never began", `${"<b>".repeat(20_000)}${"</i>".repeat(100_000)}`],
      ["an attribute that never ends", `<a href="${"x".repeat(2_000_000)}`],
      ["attributes", `<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join(" ")}>`],
      ["white space in a title", `<title>${" ".repeat(2_000_000)}x</title>`],
      ["entities in a title", `<title>${"&amp;&lt;&".repeat(200_000)}</title>`],
      ["forms", "<form>".repeat(100_000)],
      ["commas in directives", `<meta name=robots content="${",".repeat(500_000)}">`]
    ])("takes its time for no page of many %s", (_, html) => {
      const content = parse(html)
      assert.isAtMost(content.title?.length ?? 0, 10_000)
    })
  })

  it("refuses options out of range, naming them", () => {
    for (
      const name of [
        "maxLinks",
        "maxTextLength",
        "maxLinkTextLength",
        "maxDepth",
        "maxElements",
        "maxSelected"
      ] as const
    ) {
      assert.throws(() => parserOf({ [name]: 0 }), `PageParser.make: ${name} must be a whole number >= 1, got 0`)
    }
  })

  it.effect("reads a stream, and fails as it does", () =>
    Effect.gen(function*() {
      const parser = parserOf()
      const content = yield* parser.parseStream(Stream.fromIterable(["<ti", "tle>a &am", "p; b</tit", "le>"]))
      assert.strictEqual(content.title, "a & b")
      assert.strictEqual(yield* Effect.flip(parser.parseStream(Stream.fail("broken"))), "broken")
    }))
})
