import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Schema, Stream } from "effect"
import { FiberWorkers, TaskQueue } from "effect-workers"
import { parse } from "../examples/logalyzer/AccessLine.ts"
import * as Analysis from "../examples/logalyzer/Analysis.ts"
import { generate } from "../examples/logalyzer/generate.ts"
import * as Lines from "../examples/logalyzer/lines.ts"
import * as Plan from "../examples/logalyzer/plan.ts"
import { Report } from "../examples/logalyzer/Report.ts"
import { broken, type Rule } from "../examples/logalyzer/rules.ts"
import tasks, { LogUnreadable, Tasks } from "../examples/logalyzer/tasks.ts"

const from = "- - [21/Nov/2026:17:26:14 +0000]"
const get = (target: string, { address = "192.0.2.1", agent = "curl/8", status = 200 } = {}) =>
  `${address} ${from} "GET ${target} HTTP/1.1" ${status} 12 "-" "${agent}"`

describe("a line of an access log", () => {
  it("is read in the combined format", () => {
    assert.deepStrictEqual(
      parse(
        `192.0.2.7 - jo [10/Oct/2026:13:55:36 -0700] "POST /a?b=c HTTP/2.0" 302 2326 "http://x.org/" "Mozilla/5.0"`
      ),
      { address: "192.0.2.7", target: "/a?b=c", status: 302, agent: "Mozilla/5.0" }
    )
  })

  it("is read in the common format, which has no agent", () => {
    const line = parse(`192.0.2.7 ${from} "GET / HTTP/1.0" 200 5`)
    assert.deepStrictEqual(line, { address: "192.0.2.7", target: "/", status: 200, agent: "" })
  })

  it.each([
    ["an address of IPv6", get("/", { address: "2001:db8::1" }), { address: "2001:db8::1" }],
    ["an empty answer", get("/").replace(" 12 ", " - "), { target: "/" }],
    ["a user with a space in the name", get("/").replace("- - [", "- jo ann ["), { target: "/" }],
    ["escaped quotes", get("/?q=\\\"x\\\"", { agent: "a \\\"b\\\" \\\\" }), {
      target: "/?q=\\\"x\\\"",
      agent: "a \\\"b\\\" \\\\"
    }],
    ["a space in what was asked for", get("/a b"), { target: "/a b" }],
    ["fields of its own at the end", `${get("/")} 0.003 "-"`, { agent: "curl/8" }],
    ["what is no HTTP", `192.0.2.1 ${from} "\\x16\\x03\\x01" 400 0 "-" "-"`, { target: "\\x16\\x03\\x01" }],
    ["no request at all", `192.0.2.1 ${from} "-" 408 0 "-" "-"`, { target: "-", status: 408 }]
  ])("may have %s", (_, line, expected) => {
    assert.deepInclude(parse(line), expected)
  })

  it.each([
    ["is cut off", get("/").slice(0, 40)],
    ["is cut off within the agent", get("/").slice(0, -1)],
    ["has no status", get("/").replace(" 200 ", " ")],
    ["has a size that is no number", get("/").replace(" 12 ", " 1x2 ")],
    ["is of another log", "[error] child process 4711 still did not exit"],
    ["is too long", Lines.tooLong],
    ["is empty", ""]
  ])("is broken if it %s", (_, line) => {
    assert.isUndefined(parse(line))
  })
})

describe("the rules", () => {
  const rule = (target: string, agent?: string) => broken(parse(get(target, { agent: agent ?? "curl/8" }))!)

  it.each([
    "/wp-login.php",
    "//wp-login.php",
    "/blog/xmlrpc.php?rsd",
    "/.env",
    "/.env.production",
    "/.git/config",
    "/cgi-bin/luci"
  ])("know a probe: %s", (target) => assert.strictEqual(rule(target), "probe"))

  it.each([
    "/../etc/passwd",
    "/a/..",
    "/..\\\\..\\\\boot.ini",
    "/show?page=../../x",
    "/%2e%2e/x",
    "/%2E./x",
    "/..%2fx",
    "/%252e%252e%252fx",
    "/a%2f..%2fb"
  ])("know a traversal: %s", (target) => assert.strictEqual(rule(target), "traversal"))

  it.each(["sqlmap/1.9#stable (https://sqlmap.org)", "Mozilla/5.0 (compatible; Nmap Scripting Engine)"])(
    "know a scanner: %s",
    (agent) => assert.strictEqual(rule("/", agent), "scanner")
  )

  it.each([
    "/",
    "/environment",
    "/.well-known/acme-challenge/x",
    "/wp-login.php.html",
    "/search?q=/wp-login.php",
    "/v1..v2/",
    "/a...b/c",
    "/search?q=nmap"
  ])("leave alone who asks for %s", (target) => assert.isUndefined(rule(target)))
})

describe("the lines of a file", () => {
  const split = (text: string, size: number) => {
    const lines = Lines.make()
    const bytes = Buffer.from(text, "latin1")
    const all = []
    for (let at = 0; at < bytes.length; at += size) all.push(...lines.push(bytes.subarray(at, at + size)))
    return [...all, ...lines.end()]
  }

  it.prop(
    "law: are the same, whatever the pieces it comes in",
    { lines: Schema.Array(Schema.String), size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })) },
    ({ lines, size }) => {
      const text = Buffer.from(lines.join("\n")).toString("latin1")
      assert.deepStrictEqual(split(text, size), split(text, Math.max(1, text.length)))
      const expected = text.split("\n").map((line) => line.replace(/\r$/, ""))
      assert.deepStrictEqual(split(text, size), expected.at(-1) === "" ? expected.slice(0, -1) : expected)
    }
  )

  it("may end in CR LF", () => {
    assert.deepStrictEqual(split("a\r\nb\r\n", 3), ["a", "b"])
  })

  it("are cut when they are too long, so that a file without any is not held", () => {
    const long = "x".repeat(300_000)
    assert.deepStrictEqual(split(`a\n${long}\nb\n${long}`, 1000), ["a", Lines.tooLong, "b", Lines.tooLong])
    assert.deepStrictEqual(split(`${"x".repeat(65_536)}\n`, 1000), ["x".repeat(65_536)])
  })
})

describe("an analysis", () => {
  const analyze = (lines: ReadonlyArray<string>, ignored: ReadonlyArray<string> = []) => {
    const analysis = Analysis.make((address) => ignored.includes(address))
    return [...analysis.add(lines), ...analysis.end()].map((finding) => ({ ...finding }))
  }
  const suspect = (rule: Rule, line: number, target: string, address = "192.0.2.1") => ({
    _tag: "Suspect" as const,
    address,
    rule,
    line,
    target
  })

  it("tells of an address once for each rule it breaks, and counts the rest", () => {
    assert.deepStrictEqual(analyze([get("/"), get("/.env"), get("/.git"), get("/../x"), get("/.env")]), [
      suspect("probe", 2, "/.env"),
      suspect("traversal", 4, "/../x"),
      { _tag: "Hits", address: "192.0.2.1", hits: 4 },
      { _tag: "Total", lines: 5, broken: 0 }
    ])
  })

  it("takes twenty answers of 404 for typing errors, and all of them for hits if there is one more", () => {
    const missing = (n: number) => Array.from({ length: n }, () => get("/x", { status: 404 }))
    assert.deepStrictEqual(analyze(missing(20)), [{ _tag: "Total", lines: 20, broken: 0 }])
    assert.deepStrictEqual(analyze(missing(22)), [
      suspect("missing", 21, "/x"),
      { _tag: "Hits", address: "192.0.2.1", hits: 22 },
      { _tag: "Total", lines: 22, broken: 0 }
    ])
  })

  it("leaves out who is to be ignored", () => {
    const lines = [get("/.env", { address: "2001:db8::1" }), get("/.env")]
    assert.deepStrictEqual(analyze(lines, ["192.0.2.1"]), [
      suspect("probe", 1, "/.env", "2001:db8::1"),
      { _tag: "Hits", address: "2001:db8::1", hits: 1 },
      { _tag: "Total", lines: 2, broken: 0 }
    ])
  })

  it("tells of broken lines one by one up to ten, and counts them all; an empty line is none", () => {
    const findings = analyze([get("/"), "", ...Array.from({ length: 12 }, () => "?")])
    assert.deepStrictEqual(
      findings.slice(0, -1),
      Array.from({ length: 10 }, (_, i) => ({ _tag: "Broken", line: i + 3 }))
    )
    assert.deepStrictEqual(findings.at(-1), { _tag: "Total", lines: 14, broken: 12 })
  })

  it("forgets who got a 404 first, when it counts for too many", () => {
    const missing = (address: string, n: number) => Array.from({ length: n }, () => get("/x", { address, status: 404 }))
    const lines = [...missing("192.0.2.1", 20), ...missing("192.0.2.2", 1), ...missing("192.0.2.1", 20)]
    const hits = (counted: number) => Analysis.make(() => false, counted).add(lines).length
    assert.strictEqual(hits(2), 1)
    assert.strictEqual(hits(1), 0)
  })

  it.effect("of a generated log finds those that were planted, and nobody else", () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < 5; seed++) {
        const plan = yield* Plan.make({ seed, number: 0, lineCount: 500 })
        const findings = analyze([...plan.lines()])
        const found = findings.filter(({ _tag }) => _tag === "Hits").map((
          hits
        ) => ("hits" in hits ? [hits.address, hits.hits] : []))
        assert.sameDeepMembers(found, plan.attackers.map(({ address, requests }) => [address, requests.length]))
        assert.sameDeepMembers(
          findings.flatMap((finding) => "rule" in finding ? [[finding.address, finding.rule]] : []),
          plan.attackers.map(({ address, rule }) => [address, rule])
        )
        assert.deepStrictEqual(
          findings.flatMap((finding) => finding._tag === "Broken" && "line" in finding ? [finding.line] : []),
          plan.broken
        )
      }
    }))

  it.effect("of a log generated twice is the same", () =>
    Effect.gen(function*() {
      const take = Effect.map(Plan.make({ seed: 7, number: 1, lineCount: 200 }), (plan) => [...plan.lines()])
      assert.deepStrictEqual(yield* take, yield* take)
    }))
})

describe("a report", () => {
  const suspect = (address: string, rule: Rule, line: number, target: string) =>
    new Analysis.Suspect({ address, rule, line, target })
  const hits = (address: string, hits: number) => new Analysis.Hits({ address, hits })
  const findings: ReadonlyArray<readonly [string, ReadonlyArray<Analysis.Finding>]> = [
    ["b.log", [
      suspect("192.0.2.1", "probe", 1, "/.env"),
      suspect("192.0.2.2", "scanner", 5, "/"),
      hits("192.0.2.1", 3),
      hits("192.0.2.2", 2),
      new Analysis.Total({ lines: 10, broken: 1 })
    ]],
    ["a.log", [
      suspect("192.0.2.1", "traversal", 9, "/../\u001b[2J"),
      new Analysis.Broken({ line: 11 }),
      suspect("192.0.2.1", "probe", 12, "/.git"),
      suspect("2001:db8::1", "missing", 21, "/x"),
      hits("192.0.2.1", 2),
      hits("2001:db8::1", 21),
      new Analysis.Total({ lines: 30, broken: 1 })
    ]]
  ]
  const merge = (logs: typeof findings) => {
    const report = new Report()
    const told = logs.flatMap(([path, all]) => all.filter((finding) => report.add(path, finding)))
    return { report, told: told.map((finding) => "address" in finding ? finding.address : finding._tag) }
  }

  it("is the same in whatever order the logs are read: most hits first, and where each was seen first", () => {
    const summary = [
      "    21  2001:db8::1  missing: /x",
      "     5  192.0.2.1    probe, traversal: /../\\x1b[2J",
      "     2  192.0.2.2    scanner: /"
    ].join("\n")
    assert.strictEqual(merge(findings).report.summary(), summary)
    assert.strictEqual(merge(findings.toReversed()).report.summary(), summary)
    const { broken, lines } = merge(findings).report
    assert.deepStrictEqual({ broken, lines }, { broken: 2, lines: 40 })
  })

  it("tells of each address once", () => {
    assert.deepStrictEqual(merge(findings).told, ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
  })

  it("sorts addresses with as many hits by their name, and is empty if there are none", () => {
    const report = new Report()
    assert.strictEqual(report.summary(), "")
    for (const address of ["b", "a"]) {
      report.add("x", suspect(address, "probe", 1, "/"))
      report.add("x", hits(address, 1))
    }
    assert.strictEqual(report.summary(), "     1  a  probe: /\n     1  b  probe: /")
  })
})

describe("the tasks", () => {
  const logs = Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const [plain, compressed] = yield* generate(directory, { seed: 3, logs: 2, lineCount: 300 })
    return { fs, plain: plain!, compressed: compressed! }
  })
  const queue = Effect.provide(TaskQueue.make(Tasks), FiberWorkers.layer(tasks))
  const rulesOf = (findings: ReadonlyArray<Analysis.Finding>) =>
    findings.flatMap((finding) => finding._tag === "Suspect" ? [[finding.address, finding.rule]] : [])
  const expected = ({ attackers }: Plan.Plan) => attackers.map(({ address, rule }) => [address, rule])

  it.effect("read a log, plain or compressed", () =>
    Effect.gen(function*() {
      const { compressed, plain } = yield* logs
      for (const log of [plain, compressed]) {
        const findings = yield* Stream.runCollect(TaskQueue.stream(yield* queue, "analyze", { path: log.path }))
        assert.sameDeepMembers(rulesOf(findings), expected(log))
        assert.deepStrictEqual({ ...findings.at(-1) }, { _tag: "Total", lines: 300, broken: 2 })
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("read the last line of a log that does not end it", () =>
    Effect.gen(function*() {
      const { fs, plain } = yield* logs
      yield* fs.writeFileString(plain.path, `${get("/")}\n${get("/.env")}`)
      const findings = yield* Stream.runCollect(TaskQueue.stream(yield* queue, "analyze", { path: plain.path }))
      assert.deepStrictEqual(rulesOf(findings), [["192.0.2.1", "probe"]])
      assert.deepInclude(findings.at(-1), { lines: 2, broken: 0 })
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("leave out whom an update names", () =>
    Effect.gen(function*() {
      const { plain } = yield* logs
      const tasks = yield* queue
      const addresses = plain.attackers.map(({ address }) => address)
      yield* TaskQueue.update(tasks, "ignore", { addresses: addresses.slice(0, 1) })
      yield* TaskQueue.update(tasks, "ignore", { addresses: addresses.slice(1, 2) })
      const findings = yield* Stream.runCollect(TaskQueue.stream(tasks, "analyze", { path: plain.path }))
      assert.sameDeepMembers(rulesOf(findings), expected(plain).slice(2))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("tell what was found before a log breaks off, and fail", () =>
    Effect.gen(function*() {
      const { compressed, fs } = yield* logs
      const whole = yield* fs.readFile(compressed.path)
      yield* fs.writeFile(compressed.path, whole.subarray(0, -100))
      const findings: Array<Analysis.Finding> = []
      const exit = yield* TaskQueue.stream(yield* queue, "analyze", { path: compressed.path }).pipe(
        Stream.runForEach((finding) => Effect.sync(() => findings.push(finding))),
        Effect.exit
      )
      assert.deepStrictEqual(exit, Exit.fail(new LogUnreadable({ detail: "unexpected end of file" })))
      assert.isAbove(findings.length, 0)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("fail if there is no log", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Stream.runDrain(TaskQueue.stream(yield* queue, "analyze", { path: "/nowhere" })))
      assert.deepStrictEqual(
        exit,
        Exit.fail(new LogUnreadable({ detail: "ENOENT: no such file or directory, open '/nowhere'" }))
      )
    }))
})
