import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { request as nodeRequest } from "node:http"
import { createServer } from "node:net"
import { collect, linesOf, ndjson, port0, post, receiver, rowsOf, send, upload } from "./collectProcess.ts"
import { directoryWith, run } from "./conveyorProcess.ts"

const example = (name: string) => readFileSync(new URL(`../../../examples/collect/${name}`, import.meta.url), "utf8")

const withSchema = { "event.json": example("event.schema.json") }

describe("conveyor collect", () => {
  it.live("prints events on standard output, and everything else on standard error", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const collecting = yield* collect(directory, port0)
      const { body, status } = yield* post(collecting.url, "{\"id\":1,\"name\":\"first\"}")
      assert.strictEqual(status, 202)
      assert.strictEqual(body.state, "pending")
      yield* collecting.awaitText("stdout", "first")
      collecting.kill("SIGTERM")
      const { code, stderr, stdout } = yield* collecting.ended
      assert.strictEqual(code, 0, stderr)
      assert.include(stdout, body.receipt)
      assert.notInclude(stdout, "accepted")
      assert.include(stderr, "events: 1 event accepted")
      assert.include(stderr, "console  1 delivered, 0 failed, 0 left")
    }))

  it.live("writes to several consumers, whose results wait=true tells", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const collecting = yield* collect(directory, [
        ...port0,
        "--to",
        "ndjson:path=data/events.ndjson",
        "--to",
        "sqlite:path=data/events.db,table=events"
      ])
      const { body, status } = yield* post(`${collecting.url}?wait=true`, "[{\"id\":1},{\"id\":1},7]")
      assert.strictEqual(status, 200)
      assert.strictEqual(body.accepted, 3)
      assert.deepStrictEqual(
        body.events.map(({ results }: any) => results),
        [1, 2, 3].map(() => ({
          ndjson: { outcome: "delivered" },
          sqlite: { outcome: "delivered" }
        }))
      )
      // Told, so they are there already; and equal events of one instant are two events.
      assert.deepStrictEqual(linesOf(`${directory}/data/events.ndjson`).map(({ id, value }) => id ?? value), [1, 1, 7])
      assert.lengthOf(rowsOf(`${directory}/data/events.db`, "select * from events"), 3)
      const receipts = body.events.map(({ receipt }: any) => receipt)
      assert.deepStrictEqual(linesOf(`${directory}/data/events.ndjson`).map(({ receipt }) => receipt), receipts)
      assert.strictEqual(new Set(receipts).size, 3)
    }))

  it.live("tells the state of a receipt, and figures", () =>
    Effect.gen(function*() {
      const server = yield* receiver(() => ({ status: 200, afterMillis: 500 }))
      const collecting = yield* collect("/", [...port0, "--to", `http:url=${server.url}`])
      const { body } = yield* post(collecting.url, "{\"id\":1}")
      const pending = yield* send(`${collecting.url}/${body.receipt}`, {})
      assert.deepStrictEqual([pending.status, pending.body], [200, { receipt: body.receipt, state: "pending" }])
      yield* post(`${collecting.url}?wait=true`, "{\"id\":2}")
      yield* Effect.sleep("200 millis")
      const settled = yield* send(`${collecting.url}/${body.receipt}`, {})
      assert.deepStrictEqual(settled.body, {
        receipt: body.receipt,
        state: "settled",
        results: { http: { outcome: "delivered" } }
      })
      const unknown = yield* send(`${collecting.url}/${body.receipt}0`, {})
      assert.deepStrictEqual([unknown.status, unknown.headers.get("content-type")], [404, "application/problem+json"])
      const stats = yield* send(collecting.at("/stats"), {})
      assert.strictEqual(stats.status, 200)
      assert.strictEqual(stats.body.eventCount, 2)
      assert.deepStrictEqual(stats.body.collectors, [{ name: "http", delivered: 2, failed: 0 }])
      assert.strictEqual((yield* send(collecting.at("/stats"), { method: "HEAD" })).status, 200)
    }))

  describe("refuses", () => {
    it.live("what it does not know, with a problem for each", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", [...port0, "--max-body", "200 B"])
        const cases: ReadonlyArray<readonly [string, number, Effect.Effect<any>]> = [
          ["another content type", 415, post(collecting.url, "id=1", { "content-type": "text/plain" })],
          ["no content type", 415, send(collecting.url, { method: "POST", body: new Uint8Array([123, 125]) })],
          ["a compressed body", 415, post(collecting.url, "{}", { "content-encoding": "gzip" })],
          ["garbage", 400, post(collecting.url, "{\"id\":")],
          ["bytes that are no text", 400, post(collecting.url, new Uint8Array([0x22, 0xff, 0x22]))],
          ["an empty body", 400, post(collecting.url, "")],
          ["an empty array", 400, post(collecting.url, "[]")],
          ["nesting without an end", 400, post(collecting.url, "[".repeat(50))],
          ["nesting that consumers would cut", 400, post(collecting.url, `{"a":${"[".repeat(63)}${"]".repeat(63)}}`)],
          ["a wait that is neither", 400, post(`${collecting.url}?wait=maybe`, "{}")],
          ["a large body", 413, post(collecting.url, `"${"x".repeat(200)}"`)],
          ["another path", 404, send(collecting.at("/"), {})],
          ["another method", 405, send(collecting.url, {})],
          ["another method of stats", 405, send(collecting.at("/stats"), { method: "POST" })]
        ]
        for (const [what, expected, sent] of cases) {
          const { body, headers, status } = yield* sent
          assert.strictEqual(status, expected, what)
          assert.strictEqual(headers.get("content-type"), "application/problem+json", what)
          assert.deepStrictEqual([body.status, typeof body.title, typeof body.detail], [expected, "string", "string"])
          if (expected === 405) assert.include(["POST", "GET"], headers.get("allow"))
        }
        assert.strictEqual((yield* send(collecting.at("/stats"), {})).body.eventCount, 0)
      }))

    it.live("a body that grows too large without having said so", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", [...port0, "--max-body", "1 KiB"])
        const body = upload(collecting.url, { "content-type": "application/json" })
        yield* body.write(`"${"x".repeat(500)}`)
        yield* body.write("x".repeat(700))
        assert.strictEqual((yield* body.answer).status, 413)
      }))

    it.live("events that the schema refuses, saying where and why, and all of an array", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith(withSchema)
        const collecting = yield* collect(directory, [
          ...port0,
          "--schema",
          "event.json",
          "--to",
          "ndjson:path=e.ndjson"
        ])
        const one = yield* post(collecting.url, "{\"type\":\"ordered\",\"order\":\"7\",\"customer\":{}}")
        assert.strictEqual(one.status, 400)
        assert.deepStrictEqual(one.body.errors, [
          { pointer: "/order", message: "expected a number, found \"7\"" },
          { pointer: "/customer/id", message: "is missing" }
        ])
        const array = yield* post(
          collecting.url,
          "[{\"type\":\"paid\",\"order\":1},{\"type\":\"lost\",\"order\":2},{\"type\":\"paid\"}]"
        )
        assert.strictEqual(array.status, 400)
        assert.deepStrictEqual(array.body.errors, [
          { index: 1, pointer: "/type", message: "expected \"ordered\" or \"paid\" or \"shipped\", found \"lost\"" },
          { index: 2, pointer: "/order", message: "is missing" }
        ])
        const fine = yield* post(`${collecting.url}?wait=true`, "{\"type\":\"paid\",\"order\":3}")
        assert.strictEqual(fine.status, 200)
        assert.deepStrictEqual(linesOf(`${directory}/e.ndjson`).map(({ order }) => order), [3])
      }))

    it.live("a line of a stream, keeping those before it", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith(withSchema)
        const collecting = yield* collect(directory, [
          ...port0,
          "--schema",
          "event.json",
          "--max-body",
          "200 B",
          "--to",
          "ndjson:path=e.ndjson"
        ])
        const good = (order: number) => JSON.stringify({ type: "paid", order })
        const wrong = yield* post(
          collecting.url,
          `${good(1)}\r\n\n${good(2)}\n{"type":"paid","order":0}\n${good(3)}\n`,
          ndjson
        )
        assert.strictEqual(wrong.status, 400)
        assert.deepStrictEqual(wrong.body.errors, [{
          line: 4,
          pointer: "/order",
          message: "expected a value greater than or equal to 1, found 0"
        }])
        assert.strictEqual(wrong.body.accepted, 2)
        assert.lengthOf(wrong.body.events, 2)
        const garbage = yield* post(collecting.url, `${good(4)}\nnot json\n`, ndjson)
        assert.deepStrictEqual([garbage.status, garbage.body.errors[0].line, garbage.body.accepted], [400, 2, 1])
        const long = yield* post(collecting.url, `${good(5)}\n${good(6)}\n"${"x".repeat(200)}"`, ndjson)
        assert.deepStrictEqual([long.status, long.body.accepted], [413, 2])
        assert.include(long.body.detail, "line 3")
        const bytes = yield* post(collecting.url, new Uint8Array([0x0a, 0xff, 0x0a]), ndjson)
        assert.deepStrictEqual([bytes.status, bytes.body.accepted, bytes.body.detail], [
          400,
          0,
          "line 2 is not text in UTF-8"
        ])
        assert.strictEqual((yield* post(collecting.url, "\n\n", ndjson)).status, 400)
        collecting.kill("SIGTERM")
        assert.strictEqual((yield* collecting.ended).code, 0)
        assert.deepStrictEqual(linesOf(`${directory}/e.ndjson`).map(({ order }) => order), [1, 2, 4, 5, 6])
      }))

    it.live("to wait for more of a stream than it tells of", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", port0)
        const long = yield* post(`${collecting.url}?wait=true`, "1\n".repeat(1001), ndjson)
        assert.deepStrictEqual([long.status, long.body.accepted, long.body.events.length], [413, 1000, 1000])
        const whole = yield* post(`${collecting.url}?wait=true`, "1\n".repeat(1000), ndjson)
        assert.deepStrictEqual([whole.status, whole.body.events.length], [200, 1000])
        const untold = yield* post(collecting.url, "1\n".repeat(1001), ndjson)
        assert.deepStrictEqual([untold.status, untold.body], [202, { accepted: 1001 }])
      }))

    it.live("whoever has no token or a wrong one", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ token: "s3cr3t-token\n" })
        for (
          const collecting of [
            yield* collect(directory, [...port0, "--token-file", "token"]),
            yield* collect(directory, port0, { CONVEYOR_TOKEN: "s3cr3t-token" })
          ]
        ) {
          const authorized = (value: string) => post(collecting.url, "{}", { authorization: value })
          const missing = yield* post(collecting.url, "{}")
          assert.deepStrictEqual([missing.status, missing.headers.get("www-authenticate")], [401, "Bearer"])
          for (
            const wrong of [
              "Bearer s3cr3t-toke",
              "Bearer s3cr3t-token2",
              "Bearer ",
              "s3cr3t-token",
              "Basic s3cr3t-token"
            ]
          ) {
            assert.strictEqual((yield* authorized(wrong)).status, 401, wrong)
          }
          assert.strictEqual((yield* send(collecting.at("/stats"), {})).status, 401)
          assert.strictEqual((yield* authorized("Bearer s3cr3t-token")).status, 202)
          assert.strictEqual((yield* authorized("bearer s3cr3t-token")).status, 202)
          assert.notInclude(collecting.printed.stderr + collecting.printed.stdout, "s3cr3t")
        }
        const odd = yield* collect("/", port0, { CONVEYOR_TOKEN: "a$$b${HOME}" })
        assert.strictEqual((yield* post(odd.url, "{}", { authorization: "Bearer a$$b${HOME}" })).status, 202)
      }))

    it.live("requests for another host where no token protects it", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", port0)
        const asked = (host: string) =>
          Effect.callback<number>((resume) => {
            const request = nodeRequest(collecting.at("/stats"), { headers: { host } }, (response) => {
              response.resume()
              resume(Effect.succeed(response.statusCode!))
            })
            request.end()
          })
        assert.strictEqual(yield* asked("attacker.example"), 421)
        assert.strictEqual(yield* asked("attacker.example:8080"), 421)
        assert.strictEqual(yield* asked("localhost"), 200)
        assert.strictEqual(yield* asked("127.0.0.1:99"), 200)
        assert.strictEqual(yield* asked("[::1]:99"), 200)
      }))
  })

  describe("refuses to start", () => {
    it.live("with 78 where others can reach it and no token is given", () =>
      Effect.gen(function*() {
        for (const listen of ["0.0.0.0:0", "[::]:0", "example.org:80"]) {
          const { code, stderr } = yield* run("/", ["collect", "--listen", listen])
          assert.strictEqual(code, 78, stderr)
          assert.include(stderr, "needs a token")
        }
        const directory = yield* directoryWith({
          "c.yaml": "collectors:\n  a:\n    listen: 0.0.0.0:0\n    consumers: { console: {} }\n"
        })
        const { code, stderr } = yield* run(directory, ["collect", "c.yaml"])
        assert.deepStrictEqual([code, stderr.startsWith("c.yaml:3:13: collectors.a.listen: ")], [78, true], stderr)
        const guarded = yield* collect(directory, ["--listen", "0.0.0.0:0"], { CONVEYOR_TOKEN: "t" })
        guarded.kill("SIGINT")
        assert.strictEqual((yield* guarded.ended).code, 0)
      }))

    it.live("with 69 where the port is in use", () =>
      Effect.gen(function*() {
        const port = yield* Effect.acquireRelease(
          Effect.callback<{ readonly close: () => void; readonly port: number }>((resume) => {
            const server = createServer()
            server.listen(0, "127.0.0.1", () =>
              resume(Effect.succeed({
                close: () => server.close(),
                port: (server.address() as { port: number }).port
              })))
          }),
          ({ close }) => Effect.sync(close)
        )
        const { code, stderr } = yield* run("/", ["collect", "--listen", `127.0.0.1:${port.port}`])
        assert.strictEqual(code, 69, stderr)
        assert.include(stderr, `cannot listen on 127.0.0.1:${port.port}: the port is in use`)
      }))

    it.live("with 69 where a consumer can never take anything", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({})
        const { code, stderr } = yield* run(directory, ["collect", ...port0, "--to", "ndjson:path=/dev"])
        assert.strictEqual(code, 69, stderr)
        assert.include(stderr, "name a file")
        assert.notInclude(stderr, "listens on")
      }))

    it.live("with 64 on flags that are wrong, naming them", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "c.yaml": "collectors: { a: { consumers: { console: {} } } }" })
        for (
          const [args, expected] of [
            [["--to", "ndjso:path=x"], "--to ndjso: unknown consumer `ndjso`, did you mean `ndjson`?"],
            [["--to", "ndjson"], "--to ndjson path: is missing"],
            [["--to", "ndjson:pth=x"], "--to ndjson: unknown key `pth`, did you mean `path`?"],
            [["--to", "ndjson:path"], "--to ndjson:path: expected TYPE or TYPE:KEY=VALUE"],
            [["--to", "ndjson:path=x,batch.size=0"], "--to ndjson batch.size: expected a whole number from 1 on"],
            [["--listen", "8080"], "--listen: expected HOST:PORT"],
            [["--max-body", "big"], "--max-body: expected a size"],
            [["--schema", "event.txt"], "cannot tell what the schema event.txt is"],
            [["c.yaml", "--listen", "127.0.0.1:0"], "leave out the file, or the flags"]
          ] as const
        ) {
          const { code, stderr } = yield* run(directory, ["collect", ...args])
          assert.deepStrictEqual([code, stderr.includes(expected)], [64, true], `${args.join(" ")}: ${stderr}`)
        }
      }))

    it.live("with 78 on a schema that is missing, wrong, or would not be enforced", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({
          "wrong.json": "{\n  \"type\": \"strnig\"\n}",
          "format.yaml": "properties:\n  mail:\n    format: email\n"
        })
        for (
          const [file, expected] of [
            ["none.json", "cannot read none.json"],
            ["wrong.json", "wrong.json:2:11: type: expected one of null"],
            ["format.yaml", "format.yaml:3:5: properties.mail.format: is only a note"]
          ] as const
        ) {
          const { code, stderr } = yield* run(directory, ["collect", ...port0, "--schema", file])
          assert.deepStrictEqual([code, stderr.includes(expected)], [78, true], stderr)
        }
      }))
  })

  describe("with a file", () => {
    const file = (consumers: string, keys = "") =>
      `collectors:\n  shop:\n    listen: 127.0.0.1:0\n${keys}    consumers: ${consumers}\n`
    const conveyors =
      "conveyors:\n  host:\n    every: 1h\n    producer: { type: host }\n    consumers: { csv: { path: host.csv } }\n"

    it.live("runs its collectors, whose keys and variables are those of a file", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({
          "c.yaml": file(
            "{ ndjson: { path: \"${OUT}\" } }",
            "    token: ${TOKEN}\n    maxConsumers: 7\n    minConsumers: 7\n"
          )
        })
        const collecting = yield* collect(directory, ["c.yaml"], { OUT: "o.ndjson", TOKEN: "very-s3cret" })
        const headers = { authorization: "Bearer very-s3cret" }
        assert.strictEqual((yield* post(`${collecting.url}?wait=true`, "{\"id\":1}", headers)).status, 200)
        assert.strictEqual((yield* send(collecting.at("/stats"), { headers })).body.consumers, 7)
        assert.deepStrictEqual(linesOf(`${directory}/o.ndjson`).map(({ id }) => id), [1])
        collecting.kill("SIGTERM")
        const { code, stderr } = yield* collecting.ended
        assert.strictEqual(code, 0)
        assert.include(stderr, "shop: 1 event accepted")
      }))

    it.live("leaves conveyors to run, which leaves collectors to collect", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({
          "both.yaml": `${conveyors}${file("{ console: {} }")}`,
          "collectors.yaml": file("{ console: {} }"),
          "conveyors.yaml": conveyors
        })
        const valid = yield* run(directory, ["validate", "both.yaml"])
        assert.deepStrictEqual([valid.code, valid.stdout], [
          0,
          "both.yaml: host is ok, goes to csv\nboth.yaml: shop is ok, takes events on 127.0.0.1:0, which go to console\n"
        ])
        const ran = yield* run(directory, ["run", "--once", "both.yaml"])
        assert.strictEqual(ran.code, 0, ran.stderr)
        assert.include(ran.stderr, "conveyor collect both.yaml")
        assert.isTrue(existsSync(`${directory}/host.csv`))
        const collecting = yield* collect(directory, ["both.yaml"])
        collecting.kill("SIGTERM")
        const collected = yield* collecting.ended
        assert.strictEqual(collected.code, 0)
        assert.notInclude(collected.stderr, "host")
        const onlyCollectors = yield* run(directory, ["run", "collectors.yaml"])
        assert.deepStrictEqual([onlyCollectors.code, onlyCollectors.stderr.includes("conveyor collect")], [64, true])
        const onlyConveyors = yield* run(directory, ["collect", "conveyors.yaml"])
        assert.deepStrictEqual([onlyConveyors.code, onlyConveyors.stderr.includes("conveyor run")], [64, true])
      }))

    it.live("starts all of its collectors or none", () =>
      Effect.gen(function*() {
        const one = (name: string, path: string) =>
          `  ${name}:\n    listen: 127.0.0.1:0\n    consumers: { ndjson: { path: ${path} } }\n`
        const directory = yield* directoryWith({ "c.yaml": `collectors:\n${one("a", "a.ndjson")}${one("b", "/dev")}` })
        const { code, stderr } = yield* run(directory, ["collect", "c.yaml"])
        assert.strictEqual(code, 69, stderr)
        assert.include(stderr, "b: not started")
        // The one that had started takes its leave in order, for it may have accepted something.
        assert.include(stderr, "a: has shut down")
      }))

    it.live("runs the example, and keeps the events of a key in order", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({
          "collect.yaml": example("collect.yaml").replace(":8080", ":0").replaceAll("examples/collect/", ""),
          "event.schema.json": example("event.schema.json")
        })
        const collecting = yield* collect(directory, ["collect.yaml"])
        const lines = Array.from({ length: 200 }, (_, i) => JSON.stringify({ type: "paid", order: 1, amount: i }))
        assert.strictEqual((yield* post(`${collecting.url}?wait=true`, lines.join("\n"), ndjson)).status, 200)
        assert.deepStrictEqual(
          linesOf(`${directory}/data/shop.ndjson`).map(({ amount }) => amount),
          lines.map((_, i) => i)
        )
      }))
  })

  describe("with -o", () => {
    it.live("keeps standard output to what the queue tells with ndjson", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", [...port0, "-o", "ndjson"])
        yield* post(`${collecting.url}?wait=true`, "{\"name\":\"first\"}")
        collecting.kill("SIGTERM")
        const { code, stderr, stdout } = yield* collecting.ended
        assert.strictEqual(code, 0)
        const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as any)
        assert.deepStrictEqual(events[0], { _tag: "Listening", queue: "events", url: collecting.at("") })
        assert.strictEqual(events.at(-1)._tag, "ShutDown")
        assert.strictEqual(events.at(-1).report.settled, 1)
        assert.include(stderr, "first")
      }))

    it.live("gives one document at the end with json", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", [...port0, "-o", "json", "--log-format", "json"])
        yield* post(`${collecting.url}?wait=true`, "{\"name\":\"first\"}")
        collecting.kill("SIGTERM")
        const { stdout } = yield* collecting.ended
        assert.deepStrictEqual(JSON.parse(stdout), {
          collectors: [{
            file: "the command line",
            collector: "events",
            outcome: "ended",
            accepted: 1,
            dropped: 0,
            consumers: [{ name: "console", delivered: 1, failed: 0, left: 0 }]
          }]
        })
      }))
  })

  it.live("describes itself", () =>
    Effect.gen(function*() {
      const { code, stdout } = yield* run("/", ["collect", "--help"])
      assert.strictEqual(code, 0)
      for (const text of ["--listen", "--to", "--schema", "--max-body", "--token-file", "CONVEYOR_TOKEN", "EXAMPLES"]) {
        assert.include(stdout, text)
      }
    }))
})
