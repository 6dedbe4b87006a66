import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import { Crawler } from "effect-crawler"
import { FetchError } from "effect-crawler/web/FetchError"
import * as LinkCheck from "effect-crawler/web/LinkCheck"
import { Page, type PageRecord } from "effect-crawler/web/Page"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import { Simulation } from "effect-simulation"
import { memorySite } from "./memorySite.ts"

const check = Effect.fnUntraced(function*(sites: Parameters<typeof memorySite>[0], options: SiteCrawl.Options = {}) {
  const memory = memorySite(sites)
  const site = yield* SiteCrawl.make(["http://a.test/"], { links: "check", ...options })
  const outcomes: Array<LinkCheck.Outcome> = []
  const crawling = Effect.scoped(Effect.gen(function*() {
    const running = yield* Crawler.make(site.roots, site.options)
    const watching = yield* Effect.forkScoped(
      Stream.runForEach(running.events, (event) =>
        Effect.sync(() => {
          if (event._tag === "Settled") outcomes.push({ item: event.about.item, exit: event.exit })
        })),
      { startImmediately: true }
    )
    yield* running.awaitEnd
    yield* Fiber.join(watching)
  }))
  const { exit } = yield* Simulation.run(Effect.provide(crawling, Layer.provide(site.layer, memory.layer)), { seed: 1 })
  yield* exit
  return { memory, outcomes, report: LinkCheck.report(outcomes) }
})

const asked = (memory: ReturnType<typeof memorySite>, host: string) =>
  memory.requests.filter(({ url }) => url.startsWith(`http://${host}/`) && !url.endsWith("/robots.txt"))
    .map(({ method, url }) => `${method} ${url.slice(`http://${host}`.length)}`)

describe("LinkCheck", () => {
  it.effect("tells which links are broken, and where they stand", () =>
    Effect.gen(function*() {
      const { report } = yield* check({
        "http://a.test/":
          `<a href=/ok>ok</a> <a href="/gone">the <b>gone</b></a> <a href=http://b.test/gone#x>their gone</a>
          <img src=/no.png><a href=http://b.test/ok>theirs</a><a href="http://down.test/">down</a><a href=mailto:x@a.test>mail</a>`,
        "http://a.test/ok":
          `<a href=/gone>gone too</a><script src=/ok.js></script><a href=http://b.test/secret>secret</a>`,
        "http://a.test/ok.js": { type: "text/javascript" },
        "http://b.test/ok": "",
        "http://b.test/secret": { status: 403 },
        "http://down.test/robots.txt": "",
        "http://down.test/": { fails: "Tls" }
      })
      assert.deepStrictEqual(report, {
        targets: 9,
        unchecked: 0,
        broken: [
          {
            url: "http://a.test/gone",
            verdict: "broken",
            status: 404,
            detail: "status 404",
            places: [
              { page: "http://a.test/", kind: "anchor", text: "the gone" },
              { page: "http://a.test/ok", kind: "anchor", text: "gone too" }
            ]
          },
          {
            url: "http://a.test/no.png",
            verdict: "broken",
            status: 404,
            detail: "status 404",
            places: [{ page: "http://a.test/", kind: "image", text: "" }]
          },
          {
            url: "http://b.test/gone",
            verdict: "broken",
            status: 404,
            detail: "status 404",
            places: [{ page: "http://a.test/", kind: "anchor", text: "their gone" }]
          },
          {
            url: "http://b.test/secret",
            verdict: "unclear",
            status: 403,
            detail: "status 403",
            places: [{ page: "http://a.test/ok", kind: "anchor", text: "secret" }]
          },
          {
            url: "http://down.test/",
            verdict: "broken",
            status: undefined,
            detail: "Tls here",
            places: [{ page: "http://a.test/", kind: "anchor", text: "down" }]
          }
        ]
      })
    }))

  it.effect("asks once for each target, with HEAD, and follows nothing of it", () =>
    Effect.gen(function*() {
      const { memory } = yield* check({
        "http://a.test/":
          `<a href=http://b.test/1>x</a><a href=http://b.test/1#y>x</a><a rel=nofollow href=/p>x</a><a href=/p>x</a><img src=/i.png><img src=/i.png>`,
        "http://a.test/p": `<a href=http://b.test/1>x</a><img src=/i.png>`,
        "http://a.test/i.png": { type: "image/png" },
        "http://b.test/1": `<a href=http://b.test/2>x</a>`
      })
      assert.deepStrictEqual(asked(memory, "b.test"), ["HEAD /1"])
      assert.deepStrictEqual(asked(memory, "a.test").toSorted(), ["GET /", "GET /p", "HEAD /i.png"])
    }))

  it.effect("asks with GET where HEAD is refused, and again where what stopped it may pass", () =>
    Effect.gen(function*() {
      const { memory, report } = yield* check({
        "http://a.test/": ["405", "501", "bad", "reset", "busy", "tls"].map((x) => `<a href=http://b.test/${x}>x</a>`)
          .join(""),
        "http://b.test/405": (_, method) => method === "HEAD" ? { status: 405 } : "",
        "http://b.test/501": (_, method) => method === "HEAD" ? { status: 501 } : { status: 404 },
        "http://b.test/bad": (_, method) => method === "HEAD" ? { fails: "BadResponse" } : "",
        "http://b.test/reset": (nth) => nth < 4 ? { fails: "ConnectionReset" } : "",
        "http://b.test/busy": (nth) => nth < 3 ? { status: 503 } : "",
        "http://b.test/tls": { fails: "Tls" }
      })
      assert.deepStrictEqual(report.broken.map(({ status, url }) => [url, status]), [["http://b.test/501", 404], [
        "http://b.test/tls",
        undefined
      ]])
      const all = asked(memory, "b.test")
      for (
        const [name, expected] of [
          ["405", "HEAD GET"],
          ["501", "HEAD GET"],
          ["bad", "HEAD GET"],
          ["reset", "HEAD GET GET GET"],
          ["busy", "HEAD GET GET"],
          ["tls", "HEAD"]
        ]
      ) {
        assert.strictEqual(
          all.filter((each) => each.endsWith(`/${name}`)).map((each) => each.split(" ")[0]).join(" "),
          expected,
          name
        )
      }
    }))

  it.effect("checks what is not followed: links of the last pages, and those that ask for it", () =>
    Effect.gen(function*() {
      const sites = {
        "http://a.test/": `<a href=/1>x</a><a rel=nofollow href=/n>x</a>`,
        "http://a.test/1": `<a href=/2>x</a><a href=http://b.test/>x</a>`,
        "http://a.test/2": `<a href=/3>x</a>`,
        "http://a.test/n": `<a href=/m>x</a>`,
        "http://b.test/": ""
      }
      const { memory, report } = yield* check(sites, { maxDepth: 1 })
      assert.deepStrictEqual(asked(memory, "a.test").toSorted(), ["GET /", "GET /1", "HEAD /2", "HEAD /n"])
      assert.deepStrictEqual(asked(memory, "b.test"), ["HEAD /"])
      assert.deepStrictEqual([report.targets, report.broken.length, report.unchecked], [5, 0, 0])
    }))

  it.effect("asks nothing that robots.txt forbids, and says how many it did not", () =>
    Effect.gen(function*() {
      const { memory, report } = yield* check({
        "http://a.test/": `<a href=http://b.test/x>x</a><a href=http://b.test/y>y</a><a href=/to>z</a>`,
        "http://a.test/to": { location: "http://b.test/x" },
        "http://b.test/robots.txt": { html: "User-agent: *\nDisallow: /x", type: "text/plain" }
      })
      assert.deepStrictEqual(asked(memory, "b.test"), ["HEAD /y", "GET /y"])
      assert.deepStrictEqual([report.targets, report.unchecked, report.broken.map(({ url }) => url)], [4, 1, [
        "http://b.test/y"
      ]])
    }))

  it.effect("keeps the links of a host apart as its pages", () =>
    Effect.gen(function*() {
      const { memory } = yield* check({
        "http://a.test/": [1, 2, 3].map((x) => `<a href=http://b.test/${x}>x</a>`).join(""),
        ...Object.fromEntries([1, 2, 3].map((x) => [`http://b.test/${x}`, { takes: 10 }]))
      }, { politeness: { minDelay: "1 second" } })
      const at = memory.requests.filter(({ url }) => /b\.test\/\d/.test(url)).map(({ at }) => at)
      assert.deepStrictEqual(at, [at[0]!, at[0]! + 1000, at[0]! + 2000])
    }))

  describe("report", () => {
    const record = (url: string, rest: Partial<PageRecord>): PageRecord => ({
      url,
      finalUrl: url,
      redirects: [],
      meta: {},
      selected: {},
      bytes: 0,
      latency: 0,
      links: { found: 0, followed: 0, dropped: 0 },
      ...rest
    })
    const page = (url: string, rest: Partial<PageRecord>): LinkCheck.Outcome => ({
      item: new Page({ url }),
      exit: Exit.succeed(record(url, rest))
    })
    const to = (url: string) => ({ url, kind: "anchor", text: url }) as const

    it("takes for a page that a redirect had led to what came of it there", () => {
      const outcomes = [
        page("http://a.test/", { status: 200, targets: [to("http://a.test/old"), to("http://a.test/new")] }),
        page("http://a.test/old", { status: 404 }),
        page("http://a.test/mid", { refusal: { reason: "duplicate", detail: "http://a.test/old" } }),
        page("http://a.test/new", { refusal: { reason: "duplicate", detail: "http://a.test/mid" } }),
        page("http://a.test/round", { refusal: { reason: "duplicate", detail: "http://a.test/round" } })
      ]
      assert.deepStrictEqual(LinkCheck.report(outcomes).broken.map(({ url }) => url), [
        "http://a.test/mid",
        "http://a.test/new",
        "http://a.test/old"
      ])
    })

    it("counts what was interrupted, or not begun, as not checked", () => {
      const outcomes = [
        page("http://a.test/", {
          status: 200,
          targets: [to("http://a.test/1"), to("http://a.test/2"), to("http://a.test/3")]
        }),
        { item: new Page({ url: "http://a.test/1" }), exit: Exit.interrupt() },
        page("http://a.test/3", { refusal: { reason: "otherHost", detail: "b.test" } })
      ]
      assert.deepStrictEqual(LinkCheck.report(outcomes), { targets: 4, unchecked: 2, broken: [] })
    })

    it("says the same in any order", () => {
      const error = new FetchError({ url: "http://a.test/1", reason: "Tls", detail: "no" })
      const outcomes = [
        page("http://a.test/", { status: 200, targets: [to("http://a.test/1"), to("http://a.test/2")] }),
        { item: new Page({ url: "http://a.test/1" }), exit: Exit.fail(error) },
        {
          item: new LinkCheck.Link({ url: "http://a.test/2" }),
          exit: Exit.succeed({ url: "http://a.test/2", finalUrl: "", status: 500 })
        }
      ]
      assert.deepStrictEqual(LinkCheck.report(outcomes.toReversed()), LinkCheck.report(outcomes))
      assert.strictEqual(LinkCheck.report(outcomes).broken.length, 2)
    })

    it("has broken start URLs, in no place", () => {
      assert.deepStrictEqual(LinkCheck.report([page("http://a.test/", { status: 500 })]).broken, [
        { url: "http://a.test/", verdict: "broken", status: 500, detail: "status 500", places: [] }
      ])
    })
  })
})
