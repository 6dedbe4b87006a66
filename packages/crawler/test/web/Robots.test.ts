import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Stream } from "effect"
import * as Robots from "effect-crawler/web/Robots"
import { TestClock } from "effect/testing"
import { type Answer, body, failing, scripted } from "./scriptedFetcher.ts"

const origin = "http://a.example"

/** What a file says of paths, to an agent. */
const allowed = (file: Answer, paths: ReadonlyArray<string>, options?: Robots.Options) =>
  Effect.gen(function*() {
    const robots = yield* Robots.make(options)
    return yield* Effect.filter(paths, (path) => robots.allowed(origin + path))
  }).pipe(Effect.provide(scripted(() => file).layer))

const fileOf = (file: Answer, options?: Robots.Options) =>
  Effect.flatMap(Robots.make(options), (robots) => robots.file(origin)).pipe(
    Effect.provide(scripted(() => file).layer)
  )

const lines = (...all: ReadonlyArray<string>): string => all.join("\n")

describe("Robots", () => {
  describe("allowed", () => {
    it.effect("goes by the rules for all, the longest first, Allow before Disallow", () =>
      Effect.gen(function*() {
        const file = lines(
          "User-agent: *",
          "Disallow: /a",
          "Allow: /a/b",
          "Disallow: /*.pdf$",
          "Disallow: /c",
          "Allow: /c"
        )
        assert.deepStrictEqual(
          yield* allowed(file, ["/", "/a", "/a/c", "/a/b", "/x.pdf", "/x.pdf?y", "/c", "/robots.txt"]),
          ["/", "/a/b", "/x.pdf?y", "/c", "/robots.txt"]
        )
      }))

    it.effect("goes by the group that names the agent, whatever its version and case, and then by no other", () =>
      Effect.gen(function*() {
        const file = lines(
          "User-Agent: other",
          "Disallow: /o",
          "User-agent: a",
          "User-agent: Conveyor/2.0 (beta)",
          "User-agent: b",
          "",
          "Disallow: /c",
          "User-agent: *",
          "Disallow: /"
        )
        assert.deepStrictEqual(yield* allowed(file, ["/", "/o", "/c"]), ["/", "/o"])
        assert.deepStrictEqual(yield* allowed(file, ["/", "/o", "/c"], { agent: "Other" }), ["/", "/c"])
        assert.deepStrictEqual(yield* allowed(file, ["/", "/o", "/c"], { agent: "third" }), [])
      }))

    it.effect("puts groups together that name the agent twice", () =>
      Effect.gen(function*() {
        const file = lines(
          "User-agent: conveyor",
          "Disallow: /a",
          "User-agent: x",
          "Disallow: /",
          "User-agent: conveyor",
          "Disallow: /b"
        )
        assert.deepStrictEqual(yield* allowed(file, ["/", "/a", "/b"]), ["/"])
      }))

    it.effect("is everything for an agent whose group has no rules", () =>
      Effect.gen(function*() {
        const all = lines("User-agent: *", "Disallow: /")
        assert.deepStrictEqual(yield* allowed(lines(all, "User-agent: conveyor"), ["/a"]), ["/a"])
        assert.deepStrictEqual(yield* allowed(lines("User-agent: conveyor", "Sitemap: /x", all), ["/a"]), ["/a"])
        assert.deepStrictEqual(yield* allowed(lines(all, "User-agent: convey"), ["/a"]), [])
      }))

    it.effect("ignores comments, rules of nobody, and what it does not know", () =>
      Effect.gen(function*() {
        const file = lines(
          "\uFEFFDisallow: /",
          "# User-agent: conveyor",
          "User-agent: * # everyone",
          "#Disallow: /",
          "Clean-param: x",
          "Disallow: /a # not this",
          "nonsense",
          ": /",
          "\u0000\u0001"
        )
        assert.deepStrictEqual(yield* allowed(file, ["/", "/a", "/b"]), ["/", "/b"])
        assert.deepStrictEqual(yield* allowed("", ["/"]), ["/"])
      }))

    it.effect("reads all line ends, and paths however they are encoded", () =>
      Effect.gen(function*() {
        const file = "User-agent: *\rDisallow: /a\r\nDisallow: /%e4\nDisallow: /\u00F6"
        assert.deepStrictEqual(yield* allowed(file, ["/a", "/%E4", "/%C3%B6", "/b"]), ["/b"])
      }))

    it.effect("is nothing for what is no http or https URL", () =>
      Effect.gen(function*() {
        const { asked, layer } = scripted(() => "")
        const robots = yield* Effect.provide(Robots.make(), layer)
        for (const url of ["mailto:a@example.com", "nonsense", "file:///etc/passwd"]) {
          assert.isFalse(yield* robots.allowed(url))
        }
        assert.deepStrictEqual(asked, [])
      }))
  })

  describe("a file that is not there", () => {
    const verdict = (file: Answer) =>
      Effect.map(fileOf(file), ({ found, isAllowed }) => `${found}, ${isAllowed(`${origin}/a`) ? "all" : "nothing"}`)

    it.effect("allows everything if its status is below 500, but nothing if it is 429", () =>
      Effect.gen(function*() {
        for (const status of [300, 304, 401, 403, 404, 410, 451]) {
          assert.strictEqual(yield* verdict({ status, body: body("User-agent: *\nDisallow: /") }), "none, all")
        }
        for (const status of [429, 500, 503, 599, 999]) {
          assert.strictEqual(yield* verdict({ status }), "unavailable, nothing")
        }
        assert.strictEqual(yield* verdict({ status: 204 }), "rules, all")
      }))

    it.effect("allows everything if it redirects without end, and nothing if it cannot be had", () =>
      Effect.gen(function*() {
        for (const reason of ["TooManyRedirects", "RedirectLoop", "BadRedirect"] as const) {
          assert.strictEqual(yield* verdict(Effect.fail(failing(reason))), "none, all")
        }
        for (const reason of ["UnknownHost", "Timeout", "Tls", "PrivateAddress", "BadResponse"] as const) {
          assert.strictEqual(yield* verdict(Effect.fail(failing(reason))), "unavailable, nothing")
        }
        const cut = Stream.concat(body("User-agent: *\n"), Stream.fail(failing("Truncated")))
        assert.strictEqual(yield* verdict({ body: cut }), "unavailable, nothing")
      }))

    it.effect("says why", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* fileOf({ status: 503 })).detail, `${origin}/robots.txt was answered with status 503`)
        assert.strictEqual((yield* fileOf(Effect.fail(failing("Tls")))).detail, "http://a.example/: so it was scripted")
        assert.isUndefined((yield* fileOf("")).detail)
      }))

    it.effect("is asked for again after a while", () =>
      Effect.gen(function*() {
        let status = 503
        const { asked, layer } = scripted(() => ({ status }))
        const robots = yield* Effect.provide(Robots.make({ retryAfter: "10 seconds" }), layer)
        assert.isFalse(yield* robots.allowed(origin))
        yield* TestClock.adjust("9 seconds")
        assert.isFalse(yield* robots.allowed(origin))
        assert.strictEqual(asked.length, 1)
        status = 404
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(yield* robots.allowed(origin))
        yield* TestClock.adjust("1000 days")
        assert.isTrue(yield* robots.allowed(origin))
        assert.strictEqual(asked.length, 2)
      }))
  })

  describe("fetching", () => {
    it.effect("happens once for each origin, for all who ask", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const { asked, layer, options } = scripted(() => Effect.as(Deferred.await(gate), { body: body("") }))
        const robots = yield* Effect.provide(Robots.make(), layer)
        const askers = yield* Effect.forkChild(
          Effect.forEach(
            ["/a", "/b", ":80/c", "", "https"].map((path) => path === "https" ? "https://a.example/" : origin + path),
            robots.allowed,
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        )
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.join(askers), [true, true, true, true, true])
        assert.deepStrictEqual(asked, ["http://a.example/robots.txt", "https://a.example/robots.txt"])
        assert.strictEqual(options[0]!.maxRedirects, 5)
      }))

    it.effect("goes on for the others when one who asked is interrupted", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const { asked, layer } = scripted(() => Effect.as(Deferred.await(gate), { body: body("") }))
        const robots = yield* Effect.provide(Robots.make(), layer)
        const first = yield* Effect.forkChild(robots.allowed(origin), { startImmediately: true })
        const second = yield* Effect.forkChild(robots.allowed(origin), { startImmediately: true })
        yield* Fiber.interrupt(first)
        yield* Deferred.succeed(gate, undefined)
        assert.isTrue(yield* Fiber.join(second))
        assert.strictEqual(asked.length, 1)
      }))

    it.effect("keeps so many origins, and forgets the one not asked about for longest", () =>
      Effect.gen(function*() {
        const { asked, layer } = scripted(() => "")
        const robots = yield* Effect.provide(Robots.make({ maxOrigins: 2 }), layer)
        for (const host of ["a", "b", "a", "c", "a", "b"]) yield* robots.allowed(`http://${host}/`)
        assert.deepStrictEqual(asked.map((url) => new URL(url).hostname), ["a", "b", "c", "b"])
      }))
  })

  describe("crawlDelay and sitemaps", () => {
    it.effect("are those of the agent, or of all", () =>
      Effect.gen(function*() {
        const file = lines(
          "Sitemap: http://b.example/1.xml",
          "User-agent: *",
          "Crawl-delay: 7",
          "Sitemap: /2.xml",
          "User-agent: quick",
          "Crawl-delay: 0.5",
          "sitemap: http://b.example/1.xml # again",
          "Sitemap: ftp://b.example/3.xml",
          "Sitemap:",
          "Sitemap: http://[nonsense"
        )
        assert.deepStrictEqual((yield* fileOf(file)).crawlDelay, Duration.seconds(7))
        assert.deepStrictEqual((yield* fileOf(file, { agent: "quick" })).crawlDelay, Duration.millis(500))
        assert.deepStrictEqual((yield* fileOf(file)).sitemaps, ["http://b.example/1.xml", `${origin}/2.xml`])
        const robots = yield* Effect.provide(Robots.make(), scripted(() => file).layer)
        assert.deepStrictEqual(yield* robots.crawlDelay(`${origin}/x`), Duration.seconds(7))
        assert.deepStrictEqual((yield* robots.sitemaps(new URL(origin))).length, 2)
      }))

    it.effect("cut a delay that is too long, and pass over one that is none", () =>
      Effect.gen(function*() {
        const delay = (value: string, options?: Robots.Options) =>
          Effect.map(fileOf(`User-agent: *\nCrawl-delay: ${value}`, options), ({ crawlDelay }) => crawlDelay)
        assert.deepStrictEqual(yield* delay("999999999"), Duration.minutes(1))
        assert.deepStrictEqual(yield* delay("Infinity"), Duration.minutes(1))
        assert.deepStrictEqual(yield* delay("999", { maxCrawlDelay: "5 seconds" }), Duration.seconds(5))
        assert.isUndefined(yield* delay("-1"))
        assert.isUndefined(yield* delay("soon"))
        assert.deepStrictEqual(yield* delay("0"), Duration.zero)
      }))
  })

  describe("a hostile file", () => {
    const many = (count: number, line: (i: number) => string): string =>
      Array.from({ length: count }, (_, i) => line(i)).join("\n")

    it.effect("is read to 500 KiB and no further, up to the last whole line", () =>
      Effect.gen(function*() {
        const mebibyte = `#${" ".repeat(2 ** 20 - 2)}\n`
        let pulled = 0
        const endless = Stream.concat(
          body("User-agent: *\nDisallow: /a\n"),
          Stream.map(Stream.fromEffectRepeat(Effect.sync(() => pulled += 1)), () => new TextEncoder().encode(mebibyte))
        )
        assert.deepStrictEqual(yield* allowed({ body: endless }, ["/a", "/b"]), ["/b"])
        assert.isBelow(pulled, 10)
        const start = `User-agent: *\nDisallow: /a\n#${" ".repeat(500 * 1024 - 50)}\n`
        const cut = `${start}Allow: /${"x".repeat(500 * 1024 - start.length - 8)}`
        assert.deepStrictEqual(yield* allowed({ body: body(`${cut}y`) }, [`/x`]), ["/x"])
        const cutInRule = `${start}${" ".repeat(500 * 1024 - start.length - 9)}Allow: /a-long-way-off\n`
        assert.deepStrictEqual(yield* allowed({ body: body(cutInRule) }, ["/a"]), [])
      }))

    it.effect("of bytes that are no text allows everything", () =>
      Effect.gen(function*() {
        const bytes = new Uint8Array(100_000).map((_, i) => i * 7919 % 256)
        assert.deepStrictEqual(yield* allowed({ body: body(bytes) }, ["/a"]), ["/a"])
      }))

    it.effect("of 30 000 rules has every one of them", () =>
      Effect.gen(function*() {
        const file = lines("User-agent: *", many(30_000, (i) => `Disallow:/${i}$`))
        assert.deepStrictEqual(yield* allowed(file, ["/0", "/29999", "/30000"]), ["/30000"])
      }))

    it.effect("of as many agents as rules is not multiplied", () =>
      Effect.gen(function*() {
        // 20 000 agents, each with 25 000 rules, would be 500 million objects.
        const agents = many(20_000, (i) => `User-agent: ${i % 2 === 0 ? "conveyor" : `a${i}`}`)
        assert.deepStrictEqual(yield* allowed(lines(agents, many(25_000, () => "Disallow:/a")), ["/a", "/b"]), ["/b"])
      }))

    // Unbounded, most of these take a second for each URL, and the test's time is up.
    for (
      const [what, file, isAllowed] of [
        ["one rule of 250 000 wildcards", `Disallow: /${"*a".repeat(250_000)}`, false],
        ["one rule of 500 000 stars", `Disallow: /${"*".repeat(500_000)}y$`, true],
        ["15 000 rules of ten wildcards", many(15_000, () => `Disallow: /${"*a".repeat(10)}b`), false],
        ["15 000 rules of ten wildcards, to allow", many(15_000, () => `Allow: /${"*a".repeat(10)}b`), true],
        ["60 000 rules of one wildcard", many(60_000, () => "Allow:*b"), true],
        ["a rule of 500 000 letters", `Disallow: /${"a".repeat(500_000)}`, true]
      ] as const
    ) {
      it.effect(`of ${what} is matched in bounded time`, () =>
        Effect.gen(function*() {
          const robots = yield* Robots.make()
          for (let i = 0; i < 8; i++) {
            assert.strictEqual(yield* robots.allowed(`${origin}/${"a".repeat(2000)}c`), isAllowed)
          }
        }).pipe(Effect.provide(scripted(() => lines("User-agent: *", file)).layer)))
    }

    it.effect("errs on the side of not fetching where a rule is beyond the bounds", () =>
      Effect.gen(function*() {
        const nine = `/a${"*b".repeat(9)}`
        assert.deepStrictEqual(
          yield* allowed(lines("User-agent: *", `Disallow: ${nine}`), ["/a", `/a${"b".repeat(8)}`]),
          [
            "/a"
          ]
        )
        assert.deepStrictEqual(
          yield* allowed(lines("User-agent: *", "Disallow: /", `Allow: ${nine}`, "Allow: /c*d"), [
            `/a${"b".repeat(9)}`,
            "/cd"
          ]),
          ["/cd"]
        )
        // Within the bounds it is exact.
        const eight = `/a${"*b".repeat(8)}`
        assert.deepStrictEqual(
          yield* allowed(lines("User-agent: *", `Disallow: ${eight}`), [`/a${"b".repeat(7)}`, `/a${"b".repeat(8)}`]),
          [`/a${"b".repeat(7)}`]
        )
        const rules = lines("User-agent: *", many(501, (i) => `Disallow: /${i}*x`))
        assert.deepStrictEqual(yield* allowed(rules, ["/499", "/499x", "/500", "/500x", "/501"]), ["/499", "/501"])
      }))
  })

  it.effect("refuses options that are out of range, by name", () =>
    Effect.gen(function*() {
      for (
        const [options, message] of [
          [{ agent: "a bot/1" }, "Robots.make: agent must be a name of letters, digits, - and _, got a bot/1"],
          [{ maxOrigins: 0 }, "Robots.make: maxOrigins must be a whole number >= 1, got 0"],
          [{ maxCrawlDelay: "Infinity" }, "Robots.make: maxCrawlDelay must be finite, got Infinity"]
        ] as const
      ) {
        const defect = yield* Robots.make(options).pipe(
          Effect.as("made"),
          Effect.catchDefect((defect) => Effect.succeed(String(defect))),
          Effect.provide(scripted(() => "").layer)
        )
        assert.strictEqual(defect, `RangeError: ${message}`)
      }
    }))
})
