import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { requires } from "../../../test/support/requires.ts"
import { directoryWith, moduleFile, mountSmall, run, start } from "./conveyorProcess.ts"

const host = (consumers: string, keys = "every: 100ms") =>
  `conveyors:\n  host:\n    ${keys}\n    producer: { type: host }\n    consumers: ${consumers}\n`

const linesOf = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n")

describe("conveyor run", () => {
  it.live("runs until SIGTERM, drains, tells what it did and ends with 0", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml": host(
          "{ console: {}, csv: { path: data/host.csv }, db: { type: sqlite, path: data/host.db, table: host } }"
        )
      })
      const conveyor = yield* start(directory, ["run"])
      yield* Effect.repeat(conveyor.awaitText("stdout", "cpuPercent"), { times: 1 })
      yield* Effect.sleep("1 second")
      conveyor.kill("SIGTERM")
      const { code, stderr, stdout } = yield* conveyor.ended
      assert.strictEqual(code, 0, stderr)
      const [, ticks] = /host: (\d+) ticks?, (\d+) missed/.exec(stderr)!
      assert.isAbove(Number(ticks), 3)
      // What was ticked was delivered: the header and a line for each.
      assert.lengthOf(linesOf(`${directory}/data/host.csv`), Number(ticks) + 1)
      assert.include(stderr, `csv      ${ticks} delivered, 0 dropped, 0 left  → data/host.csv`)
      assert.include(stderr, "→ data/host.db")
      assert.notInclude(stdout, "delivered")
    }))

  it.live("takes SIGINT for the same", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ console: {} }") })
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stdout", "cpuPercent")
      conveyor.kill("SIGINT")
      assert.strictEqual((yield* conveyor.ended).code, 0)
    }))

  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it.live(`ends at once with ${code} at a second ${signal}`, () =>
      Effect.gen(function*() {
        const conveyor = yield* start("/", ["run", moduleFile("stubborn")], { DRAIN_MILLIS: "60000" })
        yield* conveyor.awaitText("stderr", "hanging")
        conveyor.kill(signal)
        yield* Effect.sleep("300 millis")
        const before = performance.now()
        conveyor.kill(signal)
        assert.strictEqual((yield* conveyor.ended).code, code)
        assert.isBelow(performance.now() - before, 2000)
      }))
  }

  it.live("takes the same signal twice within a moment for one, as npm sends it", () =>
    Effect.gen(function*() {
      const conveyor = yield* start("/", ["run", moduleFile("stubborn")], { DRAIN_MILLIS: "500" })
      yield* conveyor.awaitText("stderr", "hanging")
      conveyor.kill("SIGINT")
      yield* Effect.sleep("20 millis")
      conveyor.kill("SIGINT")
      assert.strictEqual((yield* conveyor.ended).code, 0)
    }))

  it.live("outlives its drain timeout by no more than the grace, whatever ignores interruption", () =>
    Effect.gen(function*() {
      const conveyor = yield* start("/", ["run", moduleFile("stubborn")], { DRAIN_MILLIS: "500" })
      yield* conveyor.awaitText("stderr", "hanging")
      const before = performance.now()
      conveyor.kill("SIGTERM")
      assert.strictEqual((yield* conveyor.ended).code, 0)
      assert.isBelow(performance.now() - before, 4500)
    }))

  it.live("reports what a consumer that does not answer left", () =>
    Effect.gen(function*() {
      const server = yield* silentServer
      const directory = yield* directoryWith({
        "conveyor.yaml": host(
          `{ http: { url: "http://127.0.0.1:${server}/" } }`,
          "every: 100ms\n    drainTimeout: 500ms"
        )
      })
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stderr", "started")
      yield* Effect.sleep("1 second")
      const before = performance.now()
      conveyor.kill("SIGTERM")
      const { code, stderr } = yield* conveyor.ended
      assert.strictEqual(code, 0)
      assert.match(stderr, /http {2}0 delivered, 0 dropped, [1-9]\d* left/)
      assert.isBelow(performance.now() - before, 4500)
    }))

  it.live("reloads at SIGHUP what has changed, and nothing else", () =>
    Effect.gen(function*() {
      const one = (name: string, every: string) =>
        `  ${name}:\n    every: ${every}\n    producer: { type: host }\n    consumers: { csv: { path: ${name}.csv } }\n`
      const directory = yield* directoryWith({
        "conveyor.yaml": `conveyors:\n${one("same", "100ms")}${one("changed", "100ms")}${one("gone", "100ms")}`
      })
      const conveyor = yield* start(directory, ["run"])
      for (const name of ["same", "changed", "gone"]) yield* conveyor.awaitText("stderr", `${name}: started`)
      writeFileSync(
        `${directory}/conveyor.yaml`,
        `conveyors:\n${one("same", "100ms")}${one("changed", "200ms")}${one("new", "100ms")}`
      )
      conveyor.kill("SIGHUP")
      yield* conveyor.awaitText("stderr", "new: started")
      yield* conveyor.awaitText("stderr", "reloaded")

      writeFileSync(`${directory}/conveyor.yaml`, "conveyors: { same: { evry: 1s } }")
      conveyor.kill("SIGHUP")
      yield* conveyor.awaitText("stderr", "did you mean `every`?")
      rmSync(`${directory}/conveyor.yaml`)
      conveyor.kill("SIGHUP")
      yield* conveyor.awaitText("stderr", "cannot read conveyor.yaml")
      const before = linesOf(`${directory}/same.csv`).length
      yield* Effect.sleep("1 second")
      assert.isAbove(linesOf(`${directory}/same.csv`).length, before)

      conveyor.kill("SIGTERM")
      const { code, stderr } = yield* conveyor.ended
      assert.strictEqual(code, 0, stderr)
      const times = (text: string) => stderr.split(text).length - 1
      assert.deepStrictEqual(
        ["same", "changed", "gone", "new"].map((name) => [times(`${name}: started`), times(`${name}: `) > 0]),
        [[1, true], [2, true], [1, true], [1, true]]
      )
      assert.strictEqual(times("not reloaded, what ran before goes on"), 2)
    }))

  it.live("lets the others go on where one cannot start, and ends with 1", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml": `${
          host("{ csv: { path: /dev } }")
        }  fine:\n    every: 100ms\n    producer: { type: host }\n    consumers: { csv: { path: fine.csv } }\n`
      })
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stderr", "host: not started")
      yield* conveyor.awaitText("stderr", "fine: started")
      yield* Effect.sleep("500 millis")
      conveyor.kill("SIGTERM")
      const { code, stderr } = yield* conveyor.ended
      assert.strictEqual(code, 1, stderr)
      assert.isAbove(linesOf(`${directory}/fine.csv`).length, 2)
    }))

  it.live("ends with 69 at once where nothing can be written to", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ csv: { path: /dev } }"), "file": "" })
      const { code, stderr } = yield* run(directory, ["run"])
      assert.strictEqual(code, 69, stderr)
      assert.include(stderr, "name a file")
      writeFileSync(`${directory}/conveyor.yaml`, host("{ csv: { path: file/host.csv } }"))
      assert.strictEqual((yield* run(directory, ["run"])).code, 69)
    }))

  it.live("ends with 1 when the one tick of --once fails, and says why", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml":
          "conveyors:\n  a:\n    every: 1h\n    producer: { type: command, command: \"echo oh no >&2; exit 3\" }\n    consumers: { console: {} }\n"
      })
      const { code, stderr } = yield* run(directory, ["run", "--once"])
      assert.strictEqual(code, 1, stderr)
      assert.include(stderr, "oh no")
    }))

  it.live("ends with 69 when what --once made cannot be delivered", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml": host("{ http: { url: \"http://127.0.0.1:1/\" } }", "every: 1h\n    drainTimeout: 300ms")
      })
      const { code, stderr } = yield* run(directory, ["run", "--once"])
      assert.strictEqual(code, 69, stderr)
    }))

  it.live("runs one tick of each at once, whatever their cadences", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "a.yaml": host("{ csv: { path: a.csv } }", "every: 1d"),
        "b.toml": `[conveyors.b]\ncron = "0 0 1 1 *"\nproducer.type = "host"\nconsumers.csv.path = "b.csv"\n`,
        "c.json": JSON.stringify({
          conveyors: { c: { every: "1h", producer: { type: "host" }, consumers: { csv: { path: "c.csv" } } } }
        })
      })
      const { code, stderr } = yield* run(directory, ["run", "--once", "a.yaml", "b.toml", "c.json"])
      assert.strictEqual(code, 0, stderr)
      for (const name of ["a", "b", "c"]) assert.lengthOf(linesOf(`${directory}/${name}.csv`), 2)
    }))

  it.live("prints and writes nothing with --dry-run", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ csv: { path: data/a.csv } }") })
      const { code, stdout } = yield* run(directory, ["run", "--once", "--dry-run"])
      assert.strictEqual(code, 0)
      assert.include(stdout, "cpuPercent")
      assert.isFalse(existsSync(`${directory}/data`))
    }))

  it.live("keeps standard output to events with -o ndjson, and to one document with -o json", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ console: {} }") })
      const events = yield* run(directory, ["run", "--once", "-o", "ndjson"])
      const tags = events.stdout.trimEnd().split("\n").map((line) => (JSON.parse(line) as { _tag: string })._tag)
      assert.strictEqual(tags[0], "Started")
      assert.include(tags, "TickRun")
      assert.strictEqual(tags.at(-1), "Stopped")
      assert.include(events.stderr, "cpuPercent")
      const document = JSON.parse((yield* run(directory, ["run", "--once", "-o", "json"])).stdout)
      assert.deepStrictEqual(document.conveyors.map((one: any) => [one.conveyor, one.outcome, one.ticks.run]), [[
        "host",
        "ended",
        1
      ]])
    }))

  it.live("logs lines of JSON on request", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ console: {} }") })
      const { stderr } = yield* run(directory, ["run", "--once", "-o", "json", "--dry-run", "--log-format", "json"])
      const started = stderr.split("\n").find((line) => line.includes("started from"))
      assert.strictEqual(JSON.parse(started!).annotations.conveyor, "host")
    }))

  it.live("ends quietly when nobody reads its output any more", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml": host("{ console: { format: json }, csv: { path: a.csv } }")
      })
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stdout", "\n")
      conveyor.closeOutput()
      const { code, stderr } = yield* conveyor.ended
      assert.strictEqual(code, 0, stderr)
      assert.notInclude(stderr, "EPIPE")
      assert.notInclude(stderr, "ERROR")
      assert.match(stderr, /host: \d+ ticks?/)
    }))

  it.live("makes a file again that disappears", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "conveyor.yaml": host("{ console: {}, csv: { path: a.csv } }") })
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stdout", "cpuPercent")
      yield* Effect.sleep("500 millis")
      rmSync(`${directory}/a.csv`)
      yield* Effect.sleep("1 second")
      conveyor.kill("SIGTERM")
      assert.strictEqual((yield* conveyor.ended).code, 0)
      assert.match(linesOf(`${directory}/a.csv`)[0]!, /^dueAt,/)
    }))

  it.live("never logs a secret", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml":
          "conveyors:\n  a:\n    every: 1h\n    producer:\n      type: command\n      command: \"echo key is $API_TOKEN >&2; exit 1\"\n      environment: { API_TOKEN: \"${MY_TOKEN}\" }\n    consumers: { console: {} }\n"
      })
      for (const format of ["text", "json"]) {
        const { code, stderr, stdout } = yield* run(directory, [
          "run",
          "--once",
          "-o",
          "ndjson",
          "--log-format",
          format
        ], {
          MY_TOKEN: "s3cr3t-\"value\""
        })
        assert.strictEqual(code, 1)
        assert.include(stderr, "key is <redacted>")
        assert.include(stdout, "key is <redacted>")
        assert.notInclude(stderr + stdout, "s3cr3t")
      }
    }))

  describe("with a module", () => {
    it.live("launches the Layers it exports", () =>
      Effect.gen(function*() {
        const conveyor = yield* start("/", ["run", moduleFile("greeting")])
        yield* conveyor.awaitText("stdout", "hello")
        conveyor.kill("SIGTERM")
        const { code, stderr } = yield* conveyor.ended
        assert.strictEqual(code, 0, stderr)
      }))

    it.live("ends with 78 when there is none, or when it cannot be imported", () =>
      Effect.gen(function*() {
        const empty = yield* run("/", ["run", moduleFile("empty")])
        assert.deepStrictEqual([empty.code, empty.stderr.includes("exports no Layer")], [78, true])
        const directory = yield* directoryWith({ "bad.ts": "export const a: = 5" })
        const bad = yield* run(directory, ["run", "bad.ts"])
        assert.deepStrictEqual([bad.code, bad.stderr.includes("cannot be imported")], [78, true])
      }))

    it.live("refuses --once", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* run("/", ["run", "--once", moduleFile("greeting")])).code, 64)
      }))
  })

  it.live("runs the example", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const example = new URL("../../../examples/host/conveyor.yaml", import.meta.url).pathname
      const { code, stderr, stdout } = yield* run(directory, ["run", "--once", example])
      assert.strictEqual(code, 0, stderr)
      assert.include(stdout, "cpuPercent")
      assert.lengthOf(linesOf(`${directory}/data/host.csv`), 2)
      assert.isTrue(existsSync(`${directory}/data/host.db`))
    }))
})

requires("mount")("conveyor run on a full disk", () => {
  it.live("goes on when the disk is full, and delivers what waited when there is room", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({
        "conveyor.yaml": host(
          "{ csv: { path: disk/host.csv, retry: { minBackoff: 100ms, maxBackoff: 200ms } } }",
          "every: 50ms"
        )
      })
      mkdirSync(`${directory}/disk`)
      yield* mountSmall(`${directory}/disk`, "64k")
      writeFileSync(`${directory}/disk/ballast`, new Uint8Array(56 * 1024))
      const conveyor = yield* start(directory, ["run"])
      yield* conveyor.awaitText("stderr", "the disk is full")
      rmSync(`${directory}/disk/ballast`)
      yield* Effect.sleep("2 seconds")
      conveyor.kill("SIGTERM")
      const { code, stderr } = yield* conveyor.ended
      assert.strictEqual(code, 0, stderr)
      const [, ticks] = /host: (\d+) ticks?/.exec(stderr)!
      assert.include(stderr, `csv  ${ticks} delivered, 0 dropped, 0 left`)
      assert.lengthOf(linesOf(`${directory}/disk/host.csv`), Number(ticks) + 1)
    }))
})

/** The port of a server that takes requests and answers none. */
const silentServer = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer(() => {})
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  ),
  (server) => (server.address() as AddressInfo).port
)
