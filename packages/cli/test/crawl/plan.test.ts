import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import { readFileSync } from "node:fs"
import type { Input } from "../../src/internal/crawl/flags.ts"
import { planOf } from "../../src/internal/crawl/plan.ts"

const bare: Input = {
  urls: ["https://example.org/"],
  state: Option.none(),
  resume: false,
  output: Option.none(),
  format: "text",
  maxPages: Option.none(),
  maxDepth: Option.none(),
  concurrency: Option.none(),
  perHost: Option.none(),
  delay: Option.none(),
  timeout: Option.none(),
  maxSize: Option.none(),
  order: "fifo",
  scope: "host",
  include: [],
  exclude: [],
  select: [],
  checkLinks: false,
  sitemaps: false,
  noRobots: false,
  cookies: false,
  allowPrivate: false,
  userAgent: Option.none(),
  progress: "auto",
  logFormat: "text"
}

const planned = (input: Partial<Input>, isTerminal = false) => planOf({ ...bare, ...input }, isTerminal)

const problemsOf = (input: Partial<Input>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.match(planned(input), { onFailure: ({ message }) => message.split("\n"), onSuccess: () => [] })

describe("planOf", () => {
  it.effect("says of every flag that is wrong what was found and what is expected", () =>
    Effect.gen(function*() {
      const some = Option.some<string>
      const cases: ReadonlyArray<readonly [Partial<Input>, string]> = [
        [
          { urls: ["ftp://a.org"] },
          "start URL \"ftp://a.org\": must begin with http:// or https://; expected a page such as https://example.org/"
        ],
        [{ maxPages: some("0") }, "--max-pages 0: expected a whole number of at least 1"],
        [{ maxDepth: some("-1") }, "--max-depth -1: expected a whole number of at least 0"],
        [{ concurrency: some("1.5") }, "--concurrency 1.5: expected a whole number of at least 1"],
        [{ perHost: some("1e3") }, "--per-host 1e3: expected a whole number of at least 1"],
        [{ delay: some("soon") }, "--delay soon: expected a length of time, such as 500ms or 30s"],
        [{ timeout: some("0s") }, "--timeout 0s: expected a length of time of more than 0, such as 500ms or 30s"],
        [{ maxSize: some("big") }, "--max-size big: expected a size of at least 1 byte, such as 10 MiB"],
        [{ maxSize: some("0") }, "--max-size 0: expected a size of at least 1 byte, such as 10 MiB"],
        [{ userAgent: some("a/1\r\nb: c") }, "--user-agent a/1"],
        [{ select: [".price"] }, "--select .price: expected NAME=CSS or NAME=CSS@ATTRIBUTE, such as price=.price"],
        [{ select: ["a=b", "a=c"] }, "--select a: is given twice; give each its own name"],
        [{ select: ["a=p["] }, "--select a=p[: expected a CSS selector: "],
        [{ include: ["("] }, "--include (: expected a regular expression: "],
        [{ exclude: ["["] }, "--exclude [: expected a regular expression: "],
        [{ state: some("a.db"), output: some("./a.db") }, "--output ./a.db: is the file of --state; name another one"],
        [{ resume: true }, "--resume: needs the --state to go on from"],
        [
          { output: some("a.xml") },
          "--output a.xml: expected a file that ends in .ndjson, .jsonl, .csv, .db or .sqlite, or - for standard output"
        ],
        [{ output: some("json") }, "standard output; for what is printed there is -o json"],
        [{ output: some("-"), format: "ndjson" }, "--output -: standard output carries -o ndjson already; name a file"],
        [
          { output: some("-"), checkLinks: true },
          "--output -: standard output carries the report of --check-links already; name a file"
        ]
      ]
      for (const [input, expected] of cases) {
        const problems = yield* problemsOf(input)
        assert.include(problems[0], expected)
      }
      const together = yield* problemsOf(Object.assign({}, ...cases.slice(0, 10).map(([input]) => input)))
      assert.isAtLeast(together.length, 9)
    }))

  it.effect("sends pages where nothing else goes", () =>
    Effect.gen(function*() {
      const destination = (input: Partial<Input>, isTerminal = false) =>
        Effect.map(planned(input, isTerminal), ({ destination: { _tag } }) => _tag)
      assert.strictEqual(yield* destination({}), "StandardOutput")
      assert.strictEqual(yield* destination({}, true), "None")
      assert.strictEqual(yield* destination({ output: Option.some("-") }, true), "StandardOutput")
      assert.strictEqual(yield* destination({ format: "json" }), "None")
      assert.strictEqual(yield* destination({ checkLinks: true }), "None")
      for (
        const [path, format] of [["A.CSV", "csv"], ["a.jsonl", "ndjson"], ["a/b.sqlite", "sqlite"], [
          "a.db",
          "sqlite"
        ]] as const
      ) {
        const plan = yield* planned({ output: Option.some(path), format: "json" })
        assert.deepStrictEqual(plan.destination, { _tag: "File", format, path })
      }
    }))

  it.effect("knows by which name robots.txt calls it", () =>
    Effect.gen(function*() {
      for (
        const [userAgent, agent] of [
          [undefined, "conveyor"],
          ["examplebot/1.0 (+https://example.org/bot)", "examplebot"],
          ["Mozilla (compatible)", "Mozilla"]
        ] as const
      ) {
        const plan = yield* planned({ userAgent: Option.fromUndefinedOr(userAgent) })
        assert.strictEqual(plan.agent, agent)
      }
    }))

  it.effect("passes on what it was given", () =>
    Effect.gen(function*() {
      const { fetcher, selectors, site } = yield* planned({
        maxPages: Option.some("100"),
        maxDepth: Option.some("0"),
        concurrency: Option.some("32"),
        perHost: Option.some("12"),
        // Longer than hosts may ask for.
        delay: Option.some("2 min"),
        timeout: Option.some("5s"),
        maxSize: Option.some("64 KiB"),
        order: "lifo",
        cookies: true,
        userAgent: Option.some("examplebot"),
        select: ["price=.price", "image=img@src"]
      })
      const { keyed, ...options } = site.options
      assert.deepStrictEqual(options, { order: "lifo", concurrency: 32, maxDepth: 0, maxItems: 100 })
      assert.strictEqual(keyed.concurrency, 12)
      assert.strictEqual(Duration.toMillis(keyed.delay("example.org")), 120_000)
      const { addressGuard: _guard, timeout, ...others } = fetcher
      assert.strictEqual(Duration.toMillis(timeout!), 5000)
      assert.deepStrictEqual(others, {
        userAgent: "examplebot",
        maxBytes: 65_536,
        keepCookies: true,
        maxConnectionsPerOrigin: 12
      })
      assert.deepStrictEqual(selectors, ["price", "image"])
    }))

  it("has the defaults that its flags tell", () => {
    const flags = readFileSync(new URL("../../src/internal/crawl/flags.ts", import.meta.url), "utf8")
    const told = (name: string) => new RegExp(`"${name}",[^}]*?(\\S+) unless given`, "s").exec(flags)![1]
    assert.strictEqual(told("concurrency"), String(SiteCrawl.defaults.concurrency))
    assert.strictEqual(told("per-host"), String(SiteCrawl.defaults.hostConcurrency))
    assert.strictEqual(told("order"), SiteCrawl.defaults.order)
    assert.strictEqual(told("timeout"), NodeFetcher.defaults.timeout.replace(" seconds", "s"))
    assert.strictEqual(NodeFetcher.defaults.maxBytes, 10 * 1024 * 1024)
  })
})
