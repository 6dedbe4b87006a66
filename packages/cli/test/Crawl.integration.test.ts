import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, symlinkSync } from "node:fs"
import { linesOf, rowsOf } from "./collectProcess.ts"
import { directoryWith, run, start } from "./conveyorProcess.ts"
import { recorded, serve } from "./crawl/site.ts"

const urlsOf = (lines: ReadonlyArray<{ readonly url: string }>) => lines.map(({ url }) => url).sort()

const textLines = (text: string): ReadonlyArray<any> =>
  text.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown)

/** What stands of a page in every format. */
const page7 = (url: string) => ({
  url: `${url}page/7`,
  finalUrl: `${url}page/7`,
  status: 200,
  contentType: "text/html",
  title: "Page 7, \"quoted\"",
  language: null,
  canonical: null,
  depth: 3,
  referrer: `${url}page/3`,
  linksFound: 3,
  linksFollowed: 2,
  bytes: 199,
  refusal: null,
  error: null,
  message: null
})

describe("conveyor crawl", () => {
  it.live("prints pages as NDJSON where standard output is no terminal, and all else on standard error", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 200 })
      const { code, stderr, stdout } = yield* run("/", ["crawl", site.url, "--select", "price=.price"])
      assert.strictEqual(code, 0, stderr)
      const pages = textLines(stdout)
      assert.deepStrictEqual(urlsOf(pages), recorded(site, 200))
      const { millis, ...page } = pages.find(({ url }) => url === `${site.url}page/7`)
      assert.isAtLeast(millis, 0)
      assert.deepStrictEqual(page, {
        ...page7(site.url),
        meta: { description: "About 7" },
        selected: { price: ["7 €", "7 more"] }
      })
      // What robots.txt forbids is told, and was not asked for.
      assert.notInclude(site.asked, "/private/1")
      assert.include(pages.find(({ url }) => url.endsWith("/private/1")), { refusal: "robots", status: null })
      assert.include(pages.find(({ url }) => url.endsWith("/missing")), { status: 404, error: null })
      assert.match(stderr, /^finished: 203 pages in /m)
      assert.match(stderr, /^ {2}2xx {5}201\n {2}4xx {5}1\n {2}robots {2}1\n$/m)
    }))

  it.live("writes CSV, SQLite, or NDJSON, by the name of the output", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 300 })
      const directory = yield* directoryWith({})
      const crawl = (output: string) =>
        run(directory, ["crawl", site.url, "--select", "price=.price", "--select", "title=title", "--output", output])
      const [csv, sqlite, ndjson] = yield* Effect.all(
        [crawl("data/out.csv"), crawl("out.db"), crawl("out.jsonl")],
        { concurrency: 3 }
      )
      for (const { code, stderr, stdout } of [csv, sqlite, ndjson]) {
        assert.deepStrictEqual([code, stdout], [0, ""], stderr)
      }
      assert.include(csv.stderr, "pages → data/out.csv")
      const text = readFileSync(`${directory}/data/out.csv`, "utf8")
      assert.match(text, /^url,finalUrl,status,.*,meta,price,selected\.title\n/)
      assert.include(text, "\"Page 7, \"\"quoted\"\"\"")
      assert.include(text, ",\"7 €\n7 more\",")
      assert.lengthOf(text.match(/^http/gm)!, 303)
      assert.deepStrictEqual(urlsOf(linesOf(`${directory}/out.jsonl`)), recorded(site, 300))
      assert.deepStrictEqual(urlsOf(rowsOf(`${directory}/out.db`, "select url from pages")), recorded(site, 300))
      assert.deepStrictEqual({
        ...rowsOf(`${directory}/out.db`, "select * from pages where url like '%/page/7'")[0],
        millis: 0
      }, {
        ...page7(site.url),
        millis: 0,
        meta: "{\"description\":\"About 7\"}",
        price: "7 €\n7 more",
        "selected.title": "Page 7, \"quoted\""
      })
    }))

  it.live("goes as far as it was told", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 40 })
      const crawl = (...args: ReadonlyArray<string>) =>
        Effect.map(run("/", ["crawl", ...args]), ({ code, stderr, stdout }) => {
          assert.strictEqual(code, 0, stderr)
          return urlsOf(textLines(stdout)).map((url) => url.slice(site.url.length))
        })
      const [few, near, matching] = yield* Effect.all([
        crawl(site.url, "--max-pages", "5"),
        crawl(
          `${site.url}page/1`,
          "--max-depth",
          "3",
          "--scope",
          "prefix",
          "--exclude",
          "/page/1\\d",
          "--exclude",
          "5$"
        ),
        crawl(site.url, "--include", "page/[1-5]$", "--include", "private", "--no-robots")
      ], { concurrency: 2 })
      assert.lengthOf(few, 5)
      assert.deepStrictEqual(near, [1, 2, 3, 4, 6, 7, 8, 9].map((n) => `page/${n}`))
      assert.deepStrictEqual(matching, ["", ...[1, 2, 3, 4, 5].map((n) => `page/${n}`), "private/1"])
      assert.include(site.asked, "/private/1")
    }))

  it.live("begins with what sitemaps list, and says what is wrong with them", () =>
    Effect.gen(function*() {
      const listing = (path: string, type: string, body: string) =>
        serve({ pages: 0, answers: { "/": { body: "no links" }, [path]: { type, body } } })
      const listed = yield* listing("/sitemap.xml", "text/plain", "http://{host}/page/1\nhttp://{host}/\n")
      const broken = yield* listing("/sitemap.xml", "text/html", "<html></html>")
      const { code, stderr, stdout } = yield* run("/", ["crawl", listed.url, broken.url, "--sitemaps"])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(urlsOf(textLines(stdout)), [listed.url, `${listed.url}page/1`, broken.url].sort())
      assert.match(stderr, /WARN {2}sitemap http/)
    }))

  it.live("reports links that lead nowhere, and ends with 1", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 3, answers: { "/1.png": { type: "image/png" }, "/2.png": { status: 410 } } })
      const args = ["crawl", `${site.url}page/1`, "--check-links", "--per-host", "1"]
      const [text, json] = yield* Effect.all([run("/", args), run("/", [...args, "-o", "json"])], { concurrency: 2 })
      assert.strictEqual(text.code, 1, text.stderr)
      assert.include(text.stdout, `${site.url}3.png: status 404\n  in ${site.url}page/3\n`)
      assert.include(text.stdout, `${site.url}2.png: status 410\n  in ${site.url}page/2\n`)
      assert.include(text.stdout, "2 of 6 links broken\n")
      assert.include(text.stderr, "2 links are broken")
      assert.strictEqual(json.code, 1)
      const { crawl, links } = JSON.parse(json.stdout)
      assert.deepStrictEqual([crawl.ending, crawl.pages, links.targets, links.broken.length], ["finished", 3, 6, 2])
      assert.deepStrictEqual(links.broken[1].places[0].page, `${site.url}page/3`)
    }))

  it.live("asks as it was told to", () =>
    Effect.gen(function*() {
      const site = yield* serve({
        pages: 7,
        answers: {
          "/robots.txt": { body: "User-agent: testbot\nDisallow: /page/2\n", type: "text/plain" },
          "/page/1": { headers: { "set-cookie": "seen=1" }, body: "<a href=2>2</a><a href=3>3</a>" },
          "/page/3": { body: "x".repeat(2000) }
        }
      })
      const flags = ["--user-agent", "testbot/1.0 (+http://{host}/)", "--cookies", "--max-size", "1 KiB"]
      const { code, stderr, stdout } = yield* run("/", ["crawl", `${site.url}page/1`, ...flags])
      assert.strictEqual(code, 0)
      const of = (path: string) => textLines(stdout).find(({ url }) => url === `${site.url}${path}`)
      assert.strictEqual(of("page/2").refusal, "robots")
      assert.include(of("page/3"), { error: "TooLarge", status: null })
      assert.include(stderr, "TooLarge  1\n  robots    1\n")
      assert.include(site.headers.get("/page/3"), { "user-agent": "testbot/1.0 (+http://{host}/)", cookie: "seen=1" })
    }))

  it.live("tells programs what happens", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 5 })
      const { code, stdout } = yield* run("/", ["crawl", site.url, "-o", "ndjson"])
      assert.strictEqual(code, 0)
      const events = textLines(stdout)
      const { value, ...settled } = events.find(({ _tag, item }) =>
        _tag === "Settled" && item.url === `${site.url}missing`
      )
      assert.deepStrictEqual({ ...settled, id: 0, at: "" }, {
        _tag: "Settled",
        at: "",
        id: 0,
        depth: 1,
        parentId: 1,
        class: "Page",
        item: { url: `${site.url}missing`, referrer: site.url },
        outcome: "succeeded"
      })
      assert.strictEqual(value.status, 404)
      assert.include(events.at(-1), { _tag: "Ended", enqueued: 8, succeeded: 8, left: 0 })
    }))

  it.live("ends with 1 where not one page could be had", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 0, answers: { "/gone": { status: 410 } } })
      const urls = [`${site.url}gone`, `${site.url}private/1`]
      const runs = yield* Effect.forEach(urls, (url) => run("/", ["crawl", url]), { concurrency: 2 })
      for (const [i, { code, stderr, stdout }] of runs.entries()) {
        assert.strictEqual(code, 1, stderr)
        assert.strictEqual(textLines(stdout)[0].url, urls[i])
        assert.include(stderr, "not one page could be had")
      }
    }))

  it.live("fetches nothing of this machine that no start page opens", () =>
    Effect.gen(function*() {
      const secret = yield* serve({ pages: 1 })
      const site = yield* serve({ pages: 0, answers: { "/": { body: `<a href="${secret.url}page/1">in</a>` } } })
      const guarded = yield* run("/", ["crawl", site.url, "--scope", "any"])
      assert.strictEqual(guarded.code, 0)
      assert.lengthOf(secret.asked, 0)
      assert.strictEqual(textLines(guarded.stdout)[1].url, `${secret.url}page/1`)
      yield* run("/", ["crawl", site.url, "--scope", "any", "--allow-private"])
      assert.include(secret.asked, "/page/1")
    }))

  describe("with a state", () => {
    it.live("begins where there is no crawl, and goes on where there is one", () =>
      Effect.gen(function*() {
        const site = yield* serve({ pages: 20 })
        const directory = yield* directoryWith({
          "text.db": "no database at all, and long enough to be taken for one\n".repeat(20)
        })
        const crawl = (...args: ReadonlyArray<string>) => run(directory, ["crawl", site.url, ...args])
        const [nothing, noDatabase, noServer] = yield* Effect.all([
          crawl("--state", "new.db", "--resume", "--output", "new.ndjson"),
          crawl("--state", "text.db"),
          crawl("--state", "postgres://nobody:hunter22@127.0.0.1:9/none")
        ], { concurrency: 2 })
        // As after a process that was killed before it had begun.
        assert.strictEqual(nothing.code, 0, nothing.stderr)
        assert.include(nothing.stderr, "new.db holds no crawl yet; this begins one")
        assert.lengthOf(linesOf(`${directory}/new.ndjson`).filter(({ status }) => status === 200), 21)
        assert.strictEqual(noDatabase.code, 65)
        assert.include(noDatabase.stderr, "text.db: it is not a SQLite database; name another file")
        assert.strictEqual(noServer.code, 69, noServer.stderr)
        assert.include(noServer.stderr, "cannot use postgres://nobody:<redacted>@127.0.0.1:9/none")
        assert.notInclude(noServer.stderr, "hunter22")

        const first = yield* crawl("--state", "crawl.db", "--max-pages", "10", "--output", "out.ndjson")
        assert.strictEqual(first.code, 0, first.stderr)
        assert.include(first.stderr, "state → crawl.db")
        const again = yield* crawl("--state", "crawl.db")
        assert.strictEqual(again.code, 64)
        assert.include(
          again.stderr,
          "crawl.db holds a crawl already; add --resume to go on with it, or name another file"
        )
        assert.lengthOf(linesOf(`${directory}/out.ndjson`), 10)

        // Also what was crawled before is written to an output of another kind.
        const asked = site.asked.length
        const resumed = yield* crawl("--state", "crawl.db", "--resume", "--output", "out.csv")
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.lengthOf(readFileSync(`${directory}/out.csv`, "utf8").match(/^http/gm)!, 10)
        assert.lengthOf(site.asked, asked)
      }))

    it.live("refuses a file that another process works on, at once", () =>
      Effect.gen(function*() {
        const site = yield* serve({ pages: 5, delay: 60_000 })
        const directory = yield* directoryWith({})
        const args = ["crawl", site.url, "--state", "crawl.db"]
        yield* start(directory, args)
        yield* site.awaitAsked(2)
        const others = [args, [...args, "--resume"]]
        for (
          const { code, stderr } of yield* Effect.forEach(others, (args) => run(directory, args), { concurrency: 2 })
        ) {
          assert.strictEqual(code, 69, stderr)
          assert.include(stderr, "crawl.db: another process is using it")
        }
      }))
  })

  it.live("keeps the table of an output up to date, and leaves alone what it did not write", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 2, answers: { "/page/2": { body: "<title>{count}</title>" } } })
      const files = {
        "out.csv": "mine",
        "text.db": "no database at all, and long enough to be taken for one\n".repeat(20)
      }
      const directory = yield* directoryWith(files)
      const crawl = (output: string) => run(directory, ["crawl", site.url, "--output", output])
      for (let i = 0; i < 2; i++) assert.strictEqual((yield* crawl("out.db")).code, 0)
      assert.lengthOf(rowsOf(`${directory}/out.db`, "select * from pages"), 5)
      const [{ title }] = rowsOf(`${directory}/out.db`, "select title from pages where url like '%/page/2'")
      assert.strictEqual(Number(title), site.asked.length)
      const [csv, sqlite] = yield* Effect.all([crawl("out.csv"), crawl("text.db")], { concurrency: 2 })
      assert.deepStrictEqual([csv.code, sqlite.code], [64, 65])
      assert.include(csv.stderr, "--output: out.csv exists; name another file, remove it, or add --resume")
      for (const [name, text] of Object.entries(files)) {
        assert.strictEqual(readFileSync(`${directory}/${name}`, "utf8"), text)
      }
    }))

  it.live("ends with 69 when an output cannot be written to, and loses nothing", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 20 })
      const directory = yield* directoryWith({})
      symlinkSync("/dev/full", `${directory}/full.ndjson`)
      const crawl = (...args: ReadonlyArray<string>) => run(directory, ["crawl", site.url, ...args])
      const runs = [crawl("--output", "full.ndjson"), crawl("--output", "full.ndjson", "--state", "crawl.db")]
      for (const { code, stderr } of yield* Effect.all(runs, { concurrency: 2 })) {
        assert.strictEqual(code, 69, stderr)
        assert.include(stderr, "cannot write to full.ndjson: the disk is full; make room, or name a path elsewhere")
      }
      assert.strictEqual((yield* crawl("--output", "out.ndjson", "--state", "crawl.db", "--resume")).code, 0)
      assert.deepStrictEqual(urlsOf(linesOf(`${directory}/out.ndjson`)), recorded(site, 20))
    }))

  it.live("says what is wrong with its flags, all at once, and ends with 64", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run("/", [
        "crawl",
        "ftp://example.org",
        "--max-pages=0",
        "--max-depth=many",
        "--concurrency=1.5",
        "--per-host=0",
        "--delay=soon",
        "--timeout=0s",
        "--max-size=big",
        "--select=price",
        "--output=pages.xml",
        "--user-agent=(x)",
        "--resume"
      ])
      assert.deepStrictEqual([code, stdout], [64, ""])
      const lines = stderr.trimEnd().split("\n")
      assert.lengthOf(lines, 12, stderr)
      for (const line of lines) assert.match(line, /expected|needs/)
    }))
})
