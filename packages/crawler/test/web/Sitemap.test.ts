import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import * as Sitemap from "effect-crawler/web/Sitemap"
import { type Answer, body, failing, scripted } from "./scriptedFetcher.ts"

const site = "http://a.example"

const urlset = (...urls: ReadonlyArray<string>): string =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${
    urls.map((url) => `<url><loc>${url}</loc></url>`).join("")
  }</urlset>`

const index = (...urls: ReadonlyArray<string>): string =>
  `<sitemapindex>${urls.map((url) => `<sitemap><loc>${url}</loc></sitemap>`).join("")}</sitemapindex>`

/** What sitemaps come to: URLs, and the reasons of problems with the last part of the sitemap's path. */
const read = (
  script: Readonly<Record<string, Answer>> | ((url: string) => Answer),
  starts: ReadonlyArray<string | URL> = [`${site}/sitemap.xml`],
  options?: Sitemap.Options
) =>
  Effect.gen(function*() {
    const { asked, layer } = scripted(typeof script === "function" ? script : (url) => script[url] ?? { status: 404 })
    const found = yield* Effect.provide(Stream.runCollect(Sitemap.read(starts, options)), layer)
    return {
      asked,
      found,
      problems: found.filter((one) => one._tag === "SitemapProblem"),
      urls: found.filter((one) => one._tag === "SitemapEntry").map(({ url }) => url)
    }
  })

/** Of one sitemap alone. */
const readOne = (answer: Answer, options?: Sitemap.Options) =>
  Effect.map(read(() => answer, [`${site}/sitemap.xml`], options), ({ problems, urls }) => ({
    urls,
    problems: problems.map(({ reason }) => reason)
  }))

const pages = (count: number): Array<string> => Array.from({ length: count }, (_, i) => `${site}/${i}`)

describe("Sitemap", () => {
  describe("an XML sitemap", () => {
    it.effect("gives its URLs with what it says of them", () =>
      Effect.gen(function*() {
        const { found } = yield* read(() =>
          `\uFEFF <?xml version="1.0" encoding="UTF-8"?>
          <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
            <url><loc> http://a.example/?a=1&amp;b=2 </loc><lastmod>2026-01-02</lastmod><priority>0.5</priority></url>
            <url><lastmod/><loc><![CDATA[http://A.example/\u00E4]]></loc></url>
          </urlset>`
        )
        const sitemap = `${site}/sitemap.xml`
        assert.deepStrictEqual(found, [
          { _tag: "SitemapEntry", url: "http://a.example/?a=1&b=2", lastModified: "2026-01-02", sitemap },
          { _tag: "SitemapEntry", url: "http://a.example/%C3%A4", lastModified: undefined, sitemap }
        ])
      }))

    it.effect("may have a prefix, and images and languages with URLs of their own", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          yield* readOne(`<sm:urlset xmlns:sm="s" xmlns:image="i"><sm:url><sm:loc>${site}/1<b>2</b></sm:loc>
            <image:image><image:loc>${site}/i.png</image:loc></image:image><image:loc>${site}/j.png</image:loc>
            <link rel="alternate" href="${site}/de"/><sm:loc2>x</sm:loc2></sm:url></sm:urlset>`),
          { urls: [`${site}/1`], problems: [] }
        )
      }))

    it.effect.prop(
      "gives the same however it is cut",
      { cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))) },
      ({ cuts }) =>
        Effect.gen(function*() {
          const whole = urlset(...pages(20))
          const parts: Array<string> = []
          let at = 0
          for (const cut of [...cuts, whole.length]) {
            parts.push(whole.slice(at, at + cut))
            at += cut
          }
          assert.deepStrictEqual(yield* readOne({ body: body(...parts) }), { urls: pages(20), problems: [] })
        })
    )

    it.effect("passes over what is no URL of a page, and says how often", () =>
      Effect.gen(function*() {
        const { problems, urls } = yield* read(() =>
          urlset(
            "",
            "http://[",
            "ftp://a.example/",
            "mailto:a@a.example",
            `${site}/${"a".repeat(2100)}`,
            "/relative",
            `${site}/1`
          )
        )
        assert.deepStrictEqual(urls, [`${site}/relative`, `${site}/1`])
        assert.strictEqual(
          problems[0]!.message,
          `sitemap ${site}/sitemap.xml: 5 entries are no URLs of pages`
        )
      }))

    it.effect("gives what can be read if it is cut, and says that it is", () =>
      Effect.gen(function*() {
        const whole = urlset(...pages(3))
        for (const cut of ["</urlset>", "></urlset>", "/url></urlset>"]) {
          assert.deepStrictEqual(
            yield* readOne(whole.slice(0, whole.indexOf(cut))),
            { urls: pages(3), problems: ["Unfinished"] },
            cut
          )
        }
        assert.deepStrictEqual(
          yield* readOne(whole.slice(0, whole.lastIndexOf("</loc>"))),
          { urls: pages(2), problems: ["Unfinished"] }
        )
        assert.deepStrictEqual(yield* readOne(whole.replaceAll("</url>", "")), {
          urls: [`${site}/0`],
          problems: []
        })
      }))

    it.effect("gives what was read before its connection broke, and what broke it", () =>
      Effect.gen(function*() {
        const broken = Stream.concat(
          body(urlset(...pages(2)).replace("</urlset>", `<url><loc>${site}/2`)),
          Stream.fail(failing("Truncated"))
        )
        const { problems, urls } = yield* read(() => ({ body: broken }))
        assert.deepStrictEqual(urls, pages(2))
        assert.deepStrictEqual(problems.map(({ detail, reason }) => [reason, detail]), [
          ["Unreadable", "it could not be read (Truncated): so it was scripted"]
        ])
        assert.deepStrictEqual(yield* readOne(Effect.fail(failing("Tls"))), { urls: [], problems: ["Unreadable"] })
      }))

    it.effect("is none if it is something else", () =>
      Effect.gen(function*() {
        for (const page of ["", "  \n ", "<html><body><urlset>", "<!DOCTYPE html>", "<", "<feed/>"]) {
          assert.deepStrictEqual(yield* readOne(page), { urls: [], problems: ["NotASitemap"] }, page)
        }
        assert.deepStrictEqual(yield* readOne({ status: 404, body: body(urlset(site)) }), {
          urls: [],
          problems: ["BadStatus"]
        })
      }))

    it.effect("is left as soon as it shows to be something else", () =>
      Effect.gen(function*() {
        const endless = Stream.concat(body("<html>"), Stream.forever(body("<p>on and on</p>")))
        assert.deepStrictEqual(yield* readOne({ body: endless }), { urls: [], problems: ["NotASitemap"] })
        const deep = Stream.concat(body("<urlset>"), Stream.forever(body("<a>".repeat(20_000))))
        assert.deepStrictEqual(yield* readOne({ body: deep }), { urls: [], problems: ["NotASitemap"] })
      }))

    it.effect("does not expand entities of its own", () =>
      Effect.gen(function*() {
        const laughs = `<!DOCTYPE a [<!ENTITY a "${"ha".repeat(100)}">]>${urlset(`${site}/&a;&a;&a;`)}`
        const { urls } = yield* readOne(laughs)
        assert.isBelow(urls[0]!.length, 100)
      }))
  })

  describe("a sitemap in text", () => {
    it.effect("gives a URL for each line", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          yield* readOne({
            body: body("\n", `${site}/1\r\n${site}`, `/2\n\n  ${site}/3  \r`, "http://[\n", `${site}/4`)
          }),
          { urls: [`${site}/1`, `${site}/2`, `${site}/3`, `${site}/4`], problems: ["BadEntries"] }
        )
      }))

    it.effect("holds no more of a line than it takes to see that it is too long", () =>
      Effect.gen(function*() {
        const line = Stream.take(Stream.forever(body("a".repeat(1000))), 20_000)
        assert.deepStrictEqual(
          yield* readOne({ body: Stream.concat(line, body(`\n${site}/1`)) }),
          { urls: [`${site}/1`], problems: ["BadEntries"] }
        )
      }))

    it.effect("loses the last line if its connection broke, for it may be cut", () =>
      Effect.gen(function*() {
        const broken = Stream.concat(body(`${site}/1\n${site}/2`), Stream.fail(failing("Truncated")))
        assert.deepStrictEqual(yield* readOne({ body: broken }), { urls: [`${site}/1`], problems: ["Unreadable"] })
      }))
  })

  describe("an index", () => {
    it.effect("leads to its sitemaps, each once, however they lead to each other", () =>
      Effect.gen(function*() {
        const { asked, problems, urls } = yield* read({
          [`${site}/sitemap.xml`]: index(`${site}/1.xml`, `${site}/sub.xml`, `${site}/1.xml`),
          [`${site}/sub.xml`]: index(`${site}/sitemap.xml`, `${site}/sub.xml`, `${site}/2.xml`),
          [`${site}/1.xml`]: urlset(`${site}/1`),
          [`${site}/2.xml`]: urlset(`${site}/2`)
        }, [`${site}/sitemap.xml`, new URL(`${site}/sitemap.xml`)])
        assert.deepStrictEqual(urls, [`${site}/1`, `${site}/2`])
        assert.deepStrictEqual(problems, [])
        assert.deepStrictEqual(asked.length, 4)
      }))

    it.effect("is followed so deep and so far, and what is beyond is told once", () =>
      Effect.gen(function*() {
        const endless = (url: string) => index(`${url}/a`, `${url}/b`)
        const deep = yield* read(endless, [`${site}/s`], { maxDepth: 2 })
        assert.strictEqual(deep.asked.length, 7)
        assert.deepStrictEqual(deep.problems.map(({ reason }) => reason), ["TooDeep", "TooDeep", "TooDeep", "TooDeep"])
        const many = yield* read(() => index(...pages(500)), [`${site}/s`], { maxSitemaps: 10, maxDepth: 1 })
        assert.strictEqual(many.asked.length, 10)
        assert.strictEqual(many.problems.filter(({ reason }) => reason === "TooManySitemaps").length, 1)
        assert.strictEqual(
          many.problems[0]!.message,
          `sitemap ${site}/s: it lists more than the 10 that are read (maxSitemaps)`
        )
      }))

    it.effect("leads nowhere else, unless that is accepted", () =>
      Effect.gen(function*() {
        const script = {
          [`${site}/sitemap.xml`]: index("http://b.example/1.xml", "http://b.example/2.xml", `${site}/3.xml`),
          [`${site}/3.xml`]: urlset("http://b.example/page"),
          "http://b.example/1.xml": urlset("http://b.example/1"),
          "http://b.example/2.xml": urlset("http://b.example/2")
        }
        const own = yield* read(script)
        assert.deepStrictEqual(own.urls, ["http://b.example/page"])
        assert.deepStrictEqual(own.problems.map(({ detail, reason }) => [reason, detail]), [
          ["Elsewhere", "http://b.example/1.xml is elsewhere; to read it, let accepts say so"]
        ])
        const all = yield* read(script, undefined, {
          accepts: (to, from) => to.pathname !== "/2.xml" && from.href !== ""
        })
        assert.deepStrictEqual(all.urls, ["http://b.example/1", "http://b.example/page"])
      }))

    it.effect("goes on after a sitemap that is wrong", () =>
      Effect.gen(function*() {
        const { problems, urls } = yield* read({
          [`${site}/sitemap.xml`]: index(`${site}/1.xml`, `${site}/2.xml`, `${site}/3.xml`),
          [`${site}/2.xml`]: Effect.fail(failing("Timeout")),
          [`${site}/3.xml`]: urlset(`${site}/3`)
        })
        assert.deepStrictEqual(urls, [`${site}/3`])
        assert.deepStrictEqual(problems.map(({ reason, sitemap }) => [reason, sitemap]), [
          ["BadStatus", `${site}/1.xml`],
          ["Unreadable", `${site}/2.xml`]
        ])
      }))
  })

  it.effect("gives the first 50 000 URLs of one sitemap, and says that there are more", () =>
    Effect.gen(function*() {
      const exact = yield* readOne(urlset(...pages(50_000)))
      assert.strictEqual(exact.urls.length, 50_000)
      assert.deepStrictEqual(exact.problems, [])
      const endless = Stream.concat(
        body("<urlset>"),
        Stream.forever(body(urlset(...pages(1000)).replaceAll(/<\/?urlset[^>]*>|<\?.*?\?>/g, "")))
      )
      const more = yield* readOne({ body: endless })
      assert.strictEqual(more.urls.length, 50_000)
      assert.deepStrictEqual(more.problems, ["TooManyUrls"])
      const text = yield* readOne(pages(4).join("\n"), { maxUrls: 3 })
      assert.deepStrictEqual(text, { urls: pages(3), problems: ["TooManyUrls"] })
    }))

  it.effect("gives URLs while it reads", () =>
    Effect.gen(function*() {
      const stuck = Stream.concat(body(" ".repeat(1024), urlset(...pages(3)).replace("</urlset>", "")), Stream.never)
      const { layer } = scripted(() => ({ body: stuck }))
      const first = yield* Stream.runCollect(Stream.take(Sitemap.read([site]), 3)).pipe(Effect.provide(layer))
      assert.strictEqual(first.length, 3)
    }))

  it.effect("asks for any type, unpacked, of at most 50 MiB, and for no redirect elsewhere", () =>
    Effect.gen(function*() {
      const { layer, options } = scripted(() => urlset())
      yield* Effect.provide(Stream.runDrain(Sitemap.read([site])), layer)
      const [{ beforeHop, ...rest } = {}] = options
      assert.deepInclude(rest, { contentTypes: "any", unpackGzip: true, maxBytes: 50 * 1024 * 1024 })
      yield* beforeHop!(new URL(`${site}/other.xml`), new URL(site))
      const refused = yield* Effect.flip(beforeHop!(new URL("http://b.example/"), new URL(site)))
      assert.strictEqual(refused.reason, "Elsewhere")
    }))

  it.effect("tells of what is no URL to begin with", () =>
    Effect.gen(function*() {
      const { problems } = yield* read(() => Effect.fail(failing("InvalidUrl")), ["nonsense"])
      assert.deepStrictEqual(problems.map(({ reason, sitemap }) => [reason, sitemap]), [["Unreadable", "nonsense"]])
    }))

  it.effect("refuses options that are out of range, by name", () =>
    Effect.gen(function*() {
      const defect = yield* read(() => "", [site], { maxUrls: 0 }).pipe(
        Effect.as("read"),
        Effect.catchDefect((defect) => Effect.succeed(String(defect)))
      )
      assert.strictEqual(defect, "RangeError: Sitemap.read: maxUrls must be a whole number >= 1, got 0")
    }))

  it("has problems that can be stored as JSON", () => {
    const codec = Schema.toCodecJson(Sitemap.SitemapProblem)
    const problem = new Sitemap.SitemapProblem({ sitemap: site, reason: "Unfinished", detail: "cut" })
    const stored = JSON.stringify(Schema.encodeSync(codec)(problem))
    assert.instanceOf(Schema.decodeUnknownSync(codec)(JSON.parse(stored)), Sitemap.SitemapProblem)
  })
})
