import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schema, Stream } from "effect"
import { Crawler, type CrawlItem, type CrawlOutcome } from "effect-crawler"
import { Page, PageRecord } from "effect-crawler/web/Page"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import { Simulation } from "effect-simulation"
import { memorySite } from "./memorySite.ts"

type Sites = Parameters<typeof memorySite>[0]

const link = (...urls: ReadonlyArray<string>) => urls.map((url) => `<a href="${url}">to ${url}</a>`).join("")

/** Crawls on a virtual clock, and gives what each item came to. */
const crawl = Effect.fnUntraced(function*(
  sites: Sites,
  options: SiteCrawl.Options = {},
  starts: ReadonlyArray<string> = ["http://a.test/"]
) {
  const memory = memorySite(sites)
  const site = yield* SiteCrawl.make(starts, options)
  const outcomes = new Map<string, Exit.Exit<PageRecord, unknown>>()
  const described: Array<string> = []
  const crawling = Effect.scoped(Effect.gen(function*() {
    const running = yield* Crawler.make(site.roots, site.options)
    const watching = yield* Effect.forkScoped(
      Stream.runForEach(running.events, (event) =>
        Effect.sync(() => {
          if (event._tag === "Settled" && event.about.item instanceof Page) {
            outcomes.set(event.about.item.url, event.exit as Exit.Exit<PageRecord, unknown>)
          }
          if (event._tag === "Described") described.push(event.text)
        })),
      { startImmediately: true }
    )
    const report = yield* running.awaitEnd
    yield* Fiber.join(watching)
    return report as CrawlOutcome.CrawlReport<CrawlItem.Item>
  }))
  const { exit } = yield* Simulation.run(Effect.provide(crawling, Layer.provide(site.layer, memory.layer)), { seed: 1 })
  const report = yield* exit
  const record = (url: string): PageRecord => {
    const exit = outcomes.get(url)
    if (exit === undefined || Exit.isFailure(exit)) return assert.fail(`${url}: ${exit}`)
    return exit.value
  }
  return { memory, report, outcomes, record, described, urls: [...outcomes.keys()].sort() }
})

const times = (requests: ReturnType<typeof memorySite>["requests"], host = "a.test") =>
  requests.filter(({ url }) => url.startsWith(`http://${host}/`) && !url.endsWith("/robots.txt")).map(({ at }) => at)

describe("SiteCrawl", () => {
  it.effect("records of a page what it says, and where it came from", () =>
    Effect.gen(function*() {
      const { record, report } = yield* crawl({
        "http://a.test/": link("/x?b=1&amp;a=2#y"),
        "http://a.test/x?b=1&a=2": {
          html:
            `<html lang=en><title>X &amp; Y</title><base href="/sub/"><link rel=canonical href=x><meta name=description content=d>
            <h1>one</h1><h1>two</h1><a href="../">home</a><a href="//other.test/">away</a></html>`,
          takes: 250,
          headers: { "x-robots-tag": "noarchive" }
        },
        "http://a.test/sub/x": "<title>canonical</title>"
      }, { page: { select: [{ name: "h", css: "h1" }] } })
      const { bytes, ...rest } = record("http://a.test/x?b=1&a=2")
      assert.isAbove(bytes, 200)
      assert.deepStrictEqual(rest, {
        url: "http://a.test/x?b=1&a=2",
        finalUrl: "http://a.test/x?b=1&a=2",
        redirects: [],
        referrer: "http://a.test/",
        refusal: undefined,
        status: 200,
        contentType: "text/html",
        title: "X & Y",
        language: "en",
        canonical: "http://a.test/sub/x",
        meta: { description: "d" },
        selected: { h: ["one", "two"] },
        latency: 250,
        links: { found: 3, followed: 2, dropped: 0 },
        targets: undefined
      })
      assert.strictEqual(record("http://a.test/sub/x").title, "canonical")
      assert.deepStrictEqual([report.enqueued, report.succeeded, report.skipped.duplicate], [3, 3, 1])
      const codec = Schema.fromJsonString(Schema.toCodecJson(PageRecord))
      const home = record("http://a.test/")
      const stored = yield* Schema.encodeEffect(codec)(home)
      assert.deepStrictEqual((yield* Schema.decodeEffect(codec)(stored)).links, home.links)
    }))

  it.effect("fetches each page once, however it is linked to", () =>
    Effect.gen(function*() {
      const { memory, report } = yield* crawl({
        "http://a.test/": link("/b", "b#x", "HTTP://A.test:80/b", "./c/../b", "/", "/d"),
        "http://a.test/b": link("/", "/d", "mailto:x@a.test", "javascript:void(0)", "http://"),
        "http://a.test/d": link("/b")
      })
      assert.deepStrictEqual(memory.asked.toSorted(), ["http://a.test/", "http://a.test/b", "http://a.test/d"])
      assert.strictEqual(memory.requests.filter(({ url }) => url.endsWith("/robots.txt")).length, 1)
      assert.strictEqual(report.succeeded, 3)
    }))

  describe("scope", () => {
    const sites = {
      "http://a.test/docs/": link("/docs/x", "/blog", "http://b.test/", "http://www.a.test/"),
      "http://a.test/docs/x": "",
      "http://a.test/blog": "",
      "http://b.test/": link("http://c.test/"),
      "http://c.test/": "",
      "http://www.a.test/": ""
    }
    it.effect.each(
      [
        [{}, ["http://a.test/blog", "http://a.test/docs/", "http://a.test/docs/x"]],
        [{ within: "prefix" }, ["http://a.test/docs/", "http://a.test/docs/x"]],
        [{ within: "subdomains", exclude: ["blog"] }, [
          "http://a.test/docs/",
          "http://a.test/docs/x",
          "http://www.a.test/"
        ]],
        [{ within: "any", include: ["/docs", "b\\.test"] }, [
          "http://a.test/docs/",
          "http://a.test/docs/x",
          "http://b.test/"
        ]]
      ] as const
    )("follows what belongs to it (%j)", ([scope, expected]) =>
      Effect.gen(function*() {
        const { urls } = yield* crawl(sites, { scope }, ["http://a.test/docs/"])
        assert.deepStrictEqual(urls, [...expected])
      }))

    it.effect("follows no further than the depth, and not more than the number", () =>
      Effect.gen(function*() {
        const chain = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`http://a.test/${i}`, link(`/${i + 1}`)]))
        const deep = yield* crawl(chain, { maxDepth: 2 }, ["http://a.test/0"])
        assert.deepStrictEqual(deep.urls, ["http://a.test/0", "http://a.test/1", "http://a.test/2"])
        assert.strictEqual(deep.report.skipped.maxDepth, 1)
        const few = yield* crawl(chain, { maxItems: 4 }, ["http://a.test/0"])
        assert.strictEqual(few.urls.length, 4)
      }))

    it.effect("records what is no page without reading it", () =>
      Effect.gen(function*() {
        const { record } = yield* crawl({
          "http://a.test/": link("/p.pdf", "/gone"),
          "http://a.test/p.pdf": { type: "application/pdf", html: link("/no") },
          "http://a.test/gone": { status: 410, type: "text/plain", html: `<title>gone</title>${link("/no")}` }
        })
        const pdf = record("http://a.test/p.pdf")
        assert.deepStrictEqual([pdf.refusal, pdf.status, pdf.bytes], [
          { reason: "contentType", detail: "application/pdf" },
          200,
          0
        ])
        const gone = record("http://a.test/gone")
        assert.deepStrictEqual([gone.refusal, gone.status, gone.title, gone.links.found], [
          undefined,
          410,
          undefined,
          0
        ])
      }))
  })

  describe("robots", () => {
    const sites = {
      "http://a.test/robots.txt": { html: "User-agent: *\nDisallow: /private\n", type: "text/plain" },
      "http://a.test/": link("/private/x", "/public", "/hop"),
      "http://a.test/private/x": link("/secret"),
      "http://a.test/public": "",
      "http://a.test/hop": { location: "/private/y" },
      "http://a.test/private/y": ""
    }
    it.effect("does not fetch what robots.txt forbids, nor where a redirect leads", () =>
      Effect.gen(function*() {
        const { memory, record } = yield* crawl(sites)
        assert.isFalse(memory.asked.some((url) => url.includes("private")))
        assert.deepStrictEqual(record("http://a.test/private/x").refusal, {
          reason: "robots",
          detail: "robots.txt does not allow it"
        })
        assert.isUndefined(record("http://a.test/private/x").status)
        const hop = record("http://a.test/hop")
        assert.deepStrictEqual([hop.refusal?.reason, hop.finalUrl], ["robots", "http://a.test/private/y"])
      }))

    it.effect("fetches all of it when it is told to, and asks for no robots.txt", () =>
      Effect.gen(function*() {
        const { memory, urls } = yield* crawl({ ...sites, "http://a.test/secret": "" }, { robots: "ignore" })
        assert.include(urls, "http://a.test/secret")
        assert.isFalse(memory.requests.some(({ url }) => url.endsWith("robots.txt")))
      }))

    it.effect("keeps requests as far apart as robots.txt asks", () =>
      Effect.gen(function*() {
        const { described, memory } = yield* crawl({
          "http://a.test/robots.txt": { html: "User-agent: *\nCrawl-delay: 3\n", type: "text/plain" },
          "http://a.test/": link("/1", "/2", "/3")
        })
        assert.deepStrictEqual(times(memory.requests), [0, 3000, 6000, 9000])
        assert.include(described, "fetching http://a.test/1")
      }))

    it.effect("hears pages, headers and links that ask not to be kept or followed", () =>
      Effect.gen(function*() {
        const sites = {
          "http://a.test/": `${link("/noindex", "/nofollow", "/header")}<a rel=nofollow href=/4>no</a>`,
          "http://a.test/noindex": `<title>t</title><meta name=robots content=noindex>${link("/1")}`,
          "http://a.test/nofollow": `<title>t</title><meta name=robots content=nofollow>${link("/2")}`,
          "http://a.test/header": { html: `<title>t</title>${link("/3")}`, headers: { "x-robots-tag": "none" } },
          "http://a.test/1": ""
        }
        const heard = yield* crawl(sites)
        assert.deepStrictEqual(heard.urls, [
          "http://a.test/",
          "http://a.test/1",
          "http://a.test/header",
          "http://a.test/nofollow",
          "http://a.test/noindex"
        ])
        for (
          const [name, title, refusal] of [["noindex", undefined, "noindex"], ["nofollow", "t", undefined], [
            "header",
            undefined,
            "noindex"
          ]] as const
        ) {
          const record = heard.record(`http://a.test/${name}`)
          assert.deepStrictEqual([record.title, record.refusal?.reason], [title, refusal])
        }
        const ignored = yield* crawl(sites, { directives: "ignore" })
        assert.strictEqual(ignored.urls.length, 8)
        assert.strictEqual(ignored.record("http://a.test/header").title, "t")
      }))
  })

  describe("redirects", () => {
    it.effect("are followed within the crawl, and their target is fetched once", () =>
      Effect.gen(function*() {
        const { memory, record } = yield* crawl({
          "http://a.test/": link("/old", "/older", "/new", "/late"),
          "http://a.test/old": { location: "/new" },
          "http://a.test/older": { location: "/old", takes: 10 },
          "http://a.test/late": { location: "/new", takes: 1000 },
          "http://a.test/new": `<title>new</title>${link("sub")}`,
          "http://a.test/sub": ""
        }, { hostConcurrency: 1 })
        assert.strictEqual(memory.asked.filter((url) => url === "http://a.test/new").length, 1)
        assert.strictEqual(memory.asked.filter((url) => url === "http://a.test/sub").length, 1)
        const old = record("http://a.test/old")
        assert.deepStrictEqual(
          [old.title, old.finalUrl, old.redirects, old.status],
          ["new", "http://a.test/new", ["http://a.test/new"], 200]
        )
        assert.deepStrictEqual(record("http://a.test/new").refusal, {
          reason: "duplicate",
          detail: "http://a.test/old"
        })
        assert.deepStrictEqual(record("http://a.test/late").refusal, {
          reason: "duplicate",
          detail: "http://a.test/old"
        })
        assert.deepStrictEqual(record("http://a.test/older").refusal, {
          reason: "duplicate",
          detail: "http://a.test/old"
        })
      }))

    it.effect("out of the crawl are recorded, not followed", () =>
      Effect.gen(function*() {
        const { memory, record } = yield* crawl({
          "http://a.test/": { location: "http://www.a.test/" },
          "http://www.a.test/": ""
        })
        const { finalUrl, redirects, refusal, status } = record("http://a.test/")
        assert.deepStrictEqual(refusal, { reason: "otherHost", detail: "www.a.test" })
        assert.deepStrictEqual([finalUrl, redirects, status], ["http://www.a.test/", ["http://www.a.test/"], undefined])
        assert.deepStrictEqual(memory.asked, ["http://a.test/"])
      }))

    it.effect("that lead nowhere fail the page, which gives back what it took", () =>
      Effect.gen(function*() {
        const { outcomes, record } = yield* crawl({
          "http://a.test/": link("/bad", "/to", "/far"),
          "http://a.test/bad": { location: "mailto:x@a.test" },
          "http://a.test/far": { location: "/to", takes: 5 },
          "http://a.test/to": (nth) => nth === 1 ? { fails: "Tls", takes: 1 } : "<title>to</title>"
        }, { hostConcurrency: 2 })
        assert.match(`${outcomes.get("http://a.test/bad")}`, /leads to mailto:x@a.test/)
        assert.match(`${outcomes.get("http://a.test/to")}`, /Tls here/)
        assert.strictEqual(record("http://a.test/far").title, "to")
      }))
  })

  describe("failures", () => {
    it.effect("are typed, and cost their page alone", () =>
      Effect.gen(function*() {
        const { memory, outcomes, report } = yield* crawl({
          "http://a.test/": link("/1", "/2"),
          "http://a.test/1": { fails: "Tls" },
          "http://a.test/2": ""
        })
        const exit = outcomes.get("http://a.test/1")!
        const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
        assert.deepInclude(reason, { _tag: "Fail" })
        assert.deepInclude((reason as { readonly error: unknown }).error, {
          _tag: "FetchError",
          reason: "Tls",
          url: "http://a.test/1"
        })
        assert.deepStrictEqual([report.succeeded, report.failed], [2, 1])
        assert.strictEqual(memory.asked.length, 3, "what will not pass is not tried again")
      }))

    it.effect("that may pass are tried again, later each time", () =>
      Effect.gen(function*() {
        const sites: Sites = {
          "http://a.test/": (nth) => nth < 3 ? { fails: "Stalled" } : link("/1"),
          "http://a.test/1": { fails: "ConnectionReset" }
        }
        const { memory, report } = yield* crawl(sites)
        assert.deepStrictEqual(times(memory.requests), [0, 1000, 3000, 3000, 4000, 6000])
        assert.deepStrictEqual([report.succeeded, report.failed], [1, 1])
        const once = yield* crawl(sites, { retries: 0 })
        assert.strictEqual(once.memory.asked.length, 1)
      }))
  })

  describe("politeness", () => {
    const wide = (n: number) => ({
      "http://a.test/": link(...Array.from({ length: n }, (_, i) => `/${i}`)),
      ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`http://a.test/${i}`, { takes: 100 }]))
    })

    it.effect("leaves no time between requests to a host that answers, and asks for so many at once", () =>
      Effect.gen(function*() {
        const { memory } = yield* crawl(wide(20), { hostConcurrency: 4 })
        assert.strictEqual(memory.busy.most, 4)
        assert.strictEqual(Math.max(...times(memory.requests)), 400)
      }))

    it.effect("leaves the least delay between requests to each host", () =>
      Effect.gen(function*() {
        const { memory } = yield* crawl(
          { ...wide(3), "http://b.test/": link("/x") },
          { politeness: { minDelay: "500 millis" } },
          ["http://a.test/", "http://b.test/"]
        )
        assert.deepStrictEqual(times(memory.requests), [0, 500, 1000, 1500])
        assert.deepStrictEqual(times(memory.requests, "b.test"), [0, 500])
      }))

    it.effect("waits as long as a host asks, then tries again, and keeps its distance", () =>
      Effect.gen(function*() {
        const { described, memory, record } = yield* crawl({
          "http://a.test/": link("/0", "/1"),
          "http://a.test/0": (nth) => nth === 1 ? { status: 429, retryAfter: 7000 } : "<title>0</title>",
          "http://a.test/1": { takes: 1 }
        }, { hostConcurrency: 1 })
        assert.strictEqual(record("http://a.test/0").title, "0")
        assert.deepStrictEqual(times(memory.requests), [0, 0, 7000, 8000])
        assert.include(described, "waiting to fetch http://a.test/0")
      }))

    it.effect("records the refusal when a host never has time", () =>
      Effect.gen(function*() {
        const { memory, record } = yield* crawl({ "http://a.test/": { status: 503, html: link("/1") } })
        assert.strictEqual(record("http://a.test/").status, 503)
        assert.deepStrictEqual(times(memory.requests), [0, 1000, 3000])
      }))

    it.effect("holds no worker for a host that has to wait", () =>
      Effect.gen(function*() {
        const { memory } = yield* crawl({
          "http://a.test/robots.txt": { html: "User-agent: *\nCrawl-delay: 10\n", type: "text/plain" },
          "http://a.test/": link("/1", "/2", "http://b.test/1", "http://b.test/2")
        }, { concurrency: 1, scope: { within: "any" } })
        assert.deepStrictEqual(times(memory.requests), [0, 10_000, 20_000])
        assert.deepStrictEqual(times(memory.requests, "b.test"), [0, 0])
      }))

    it.effect("takes no answer for no good one", () =>
      Effect.gen(function*() {
        const { memory } = yield* crawl({
          "http://a.test/": link(...Array.from({ length: 12 }, (_, i) => `/${i}`)),
          ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`http://a.test/${i}`, ""])),
          "http://a.test/0": (nth) => nth === 1 ? { status: 429 } : "",
          "http://a.test/9": { fails: "Tls" }
        }, { hostConcurrency: 1 })
        assert.deepStrictEqual(times(memory.requests).slice(-3), [9000, 10_000, 11_000].map((at) => at + 1000))
      }))

    it.effect("keeps every hop of a redirect apart, too", () =>
      Effect.gen(function*() {
        const { memory } = yield* crawl({
          "http://a.test/": { location: "/1" },
          "http://a.test/1": { location: "/2" },
          "http://a.test/2": ""
        }, { politeness: { minDelay: "1 second" } })
        assert.deepStrictEqual(times(memory.requests), [0, 1000, 2000])
      }))
  })

  describe("sitemaps", () => {
    const sitemap = (...urls: ReadonlyArray<string>) => ({
      type: "application/xml",
      html: `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${
        urls.map((url) => `<url><loc>${url}</loc></url>`).join("")
      }</urlset>`
    })
    const listed = (sites: Sites, given?: ReadonlyArray<string>, options?: SiteCrawl.Options) =>
      Effect.gen(function*() {
        const site = yield* SiteCrawl.make(["http://a.test/x", "http://a.test/y"], options)
        const { pages, problems } = yield* Effect.provide(site.listed(given), memorySite(sites).layer)
        return {
          urls: pages.map(({ url }) => url),
          problems: problems.map(({ reason, sitemap }) => `${reason} ${sitemap}`)
        }
      })

    it.effect("give the pages that belong to the crawl, from where robots.txt says", () =>
      Effect.gen(function*() {
        const sites = {
          "http://a.test/robots.txt": { html: "Sitemap: http://a.test/map.xml\n", type: "text/plain" },
          "http://a.test/map.xml": sitemap(
            "http://a.test/1",
            "http://a.test:80/1#x",
            "http://b.test/",
            "http://a.test/2"
          ),
          "http://a.test/sitemap.xml": sitemap("http://a.test/3")
        }
        assert.deepStrictEqual(yield* listed(sites), { urls: ["http://a.test/1", "http://a.test/2"], problems: [] })
        assert.deepStrictEqual((yield* listed(sites, ["http://a.test/sitemap.xml"])).urls, ["http://a.test/3"])
        assert.deepStrictEqual((yield* listed(sites, undefined, { maxItems: 1 })).urls, ["http://a.test/1"])
      }))

    it.effect("are looked for where they often are, and what is wrong is told", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* listed({ "http://a.test/sitemap.xml": sitemap("http://a.test/3") })).urls, [
          "http://a.test/3"
        ])
        assert.deepStrictEqual(yield* listed({}), { urls: [], problems: ["BadStatus http://a.test/sitemap.xml"] })
      }))
  })

  describe("start URLs", () => {
    it.effect("become roots, each once, of https where they say nothing", () =>
      Effect.gen(function*() {
        const { roots } = yield* SiteCrawl.make(["a.test", "https://a.test:443/#x", "b.test:8080/y", "http://c.test"])
        assert.deepStrictEqual(roots.map(({ url }) => url), [
          "https://a.test/",
          "https://b.test:8080/y",
          "http://c.test/"
        ])
      }))

    it.effect.each<readonly [string, string]>([
      ["ftp://a.test/", `start URL "ftp://a.test/": must begin with http:// or https://`],
      ["http://", `start URL "http://": is no URL`],
      [`http://a.test/${"x".repeat(3000)}`, "is too long"]
    ])("that are none are named", ([url, message]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(SiteCrawl.make(["http://ok.test/", url]))
        assert.strictEqual(error._tag, "InvalidStartUrl")
        assert.include(error.message, message)
      }))
  })

  it.effect("names wrong expressions and selectors before it begins", () =>
    Effect.gen(function*() {
      const pattern = yield* Effect.flip(SiteCrawl.make(["a.test"], { scope: { include: ["("] } }))
      assert.strictEqual(pattern._tag, "InvalidPattern")
      const selector = yield* Effect.flip(SiteCrawl.make(["a.test"], { page: { select: [{ name: "x", css: "[" }] } }))
      assert.strictEqual(selector._tag, "InvalidSelector")
    }))

  it.effect.each(
    [
      [[], {}, "startUrls must not be empty"],
      [["a.test"], { retries: -1 }, "retries must be a whole number >= 0, got -1"],
      [["a.test"], { robots: "no" as never }, `robots must be "obey" or "ignore", got no`],
      [["a.test"], { links: "no" as never }, `links must be "follow" or "check", got no`]
    ] as const
  )("dies of wrong options, naming them (%#)", ([starts, options, message]) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(SiteCrawl.make(starts, options))
      assert.include(`${exit}`, `SiteCrawl.make: ${message}`)
    }))
})
