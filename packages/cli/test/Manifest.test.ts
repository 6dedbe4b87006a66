import { assert, describe, it } from "@effect/vitest"
import { ConveyorPlan, type Interpolation, Manifest } from "conveyor"
import { DateTime, Duration, Effect, FileSystem, Result, Schema } from "effect"
import { Cadence } from "effect-conveyor"
import { Connector, Connectors } from "effect-conveyor-connectors"
import { stringify } from "yaml"
import { conveyorKeys, laneKeys } from "../src/internal/conveyorSchema.ts"
import { decode, problemsOf, withKeys } from "./fixtures.ts"

const full = {
  conveyors: {
    host: {
      every: "30 seconds",
      offset: "5s",
      anchor: "clock",
      jitter: "1s",
      missedTicks: { catchUp: 3 },
      timeout: "20s",
      maxSilence: "unbounded",
      restart: { after: 2, minBackoff: "500ms", maxBackoff: "1 minute", maxRestarts: 0, period: "1h" },
      drainTimeout: "3s",
      producer: { type: "host", disk: "/" },
      consumers: {
        console: {},
        history: {
          type: "csv",
          path: "data/host.csv",
          rotate: { size: "10 MB" },
          capacity: 10,
          overflow: "dropNewest",
          attempts: "unbounded",
          retry: { minBackoff: "2s", maxBackoff: "1 minute" },
          batch: { size: 7, wait: "1s" },
          concurrency: 1
        }
      }
    }
  }
}

describe("Manifest", () => {
  describe("decode", () => {
    it.effect("reads every key", () =>
      Effect.gen(function*() {
        const [plan] = yield* decode(stringify(full))
        assert.strictEqual(plan!.name, "host")
        assert.deepStrictEqual(
          plan!.cadence,
          Cadence.every("30 seconds", { offset: "5 seconds", anchor: "clock", jitter: "1 second" })
        )
        assert.deepStrictEqual(plan!.missedTicks, { _tag: "CatchUp", max: 3 })
        assert.deepStrictEqual(plan!.timeout, Duration.seconds(20))
        assert.strictEqual(plan!.maxSilence, "unbounded")
        assert.deepStrictEqual(plan!.restart, {
          after: 2,
          minBackoff: Duration.millis(500),
          maxBackoff: Duration.minutes(1),
          maxRestarts: 0,
          period: Duration.hours(1)
        })
        assert.deepStrictEqual(plan!.drainTimeout, Duration.seconds(3))
        const [console, history] = plan!.consumers
        assert.deepStrictEqual([console!.name, console!.type, console!.path], ["console", "console", undefined])
        assert.deepStrictEqual([history!.name, history!.type, history!.path], ["history", "csv", "data/host.csv"])
        assert.deepStrictEqual(history!.lane, {
          capacity: 10,
          overflow: "dropNewest",
          attempts: "unbounded",
          backoff: { min: Duration.seconds(2), max: Duration.minutes(1) },
          batch: { size: 7, wait: Duration.seconds(1) },
          concurrency: 1
        })
      }))

    it.effect("reads the same from JSON and from TOML", () =>
      Effect.gen(function*() {
        const toml = `[conveyors.host]
every = "30 seconds"
offset = "5s"
anchor = "clock"
jitter = "1s"
missedTicks = { catchUp = 3 }
timeout = "20s"
maxSilence = "unbounded"
restart = { after = 2, minBackoff = "500ms", maxBackoff = "1 minute", maxRestarts = 0, period = "1h" }
drainTimeout = "3s"
producer = { type = "host", disk = "/" }
consumers.console = {}
[conveyors.host.consumers.history]
type = "csv"
path = "data/host.csv"
rotate.size = "10 MB"
capacity = 10
overflow = "dropNewest"
attempts = "unbounded"
retry = { minBackoff = "2s", maxBackoff = "1 minute" }
batch = { size = 7, wait = "1s" }
concurrency = 1
`
        const [a] = yield* decode(stringify(full))
        const [b] = yield* decode(JSON.stringify(full), { format: "json" })
        const [c] = yield* decode(toml, { format: "toml" })
        assert.strictEqual(b!.fingerprint, a!.fingerprint)
        assert.deepStrictEqual(c!.shown, a!.shown)
      }))

    it.effect("needs no more than a cadence, a producer and a consumer", () =>
      Effect.gen(function*() {
        const [plan] = yield* decode(
          "conveyors:\n  a:\n    every: 5s\n    producer: { type: host }\n    consumers:\n      console:\n"
        )
        assert.deepStrictEqual(plan!.consumers[0]!.lane.batch, undefined)
        assert.deepStrictEqual(plan!.missedTicks, { _tag: "Skip" })
      }))

    it.effect("gives a consumer that takes batches its connector's batch", () =>
      Effect.gen(function*() {
        const [plan] = yield* decode(withKeys("every: 5s").replace("console: {}", "csv: { path: x.csv }"))
        assert.deepStrictEqual(plan!.consumers[0]!.lane.batch, Connectors.consumers["csv"]!.batch)
      }))

    it.effect("gives none to a consumer that its options make take payloads singly", () =>
      Effect.gen(function*() {
        const lane = (send: string) =>
          Effect.map(
            decode(withKeys("every: 5s").replace("console: {}", `http: { url: "http://h/", send: ${send} }`)),
            ([plan]) => plan!.consumers[0]!.lane.batch
          )
        assert.isUndefined(yield* lane("payload"))
        assert.deepStrictEqual(yield* lane("batch"), Connectors.consumers["http"]!.batch)
      }))

    it.effect("reads cron in a zone", () =>
      Effect.gen(function*() {
        const [plan] = yield* decode(withKeys("cron: \"30 6 * * *\"\nzone: Europe/Zurich"))
        const next = Cadence.first(plan!.cadence, Date.UTC(2026, 6, 1))
        assert.strictEqual(DateTime.formatIso(DateTime.makeUnsafe(next)), "2026-07-01T04:30:00.000Z")
      }))

    it.effect("reads every form of missedTicks", () =>
      Effect.gen(function*() {
        const read = (form: string) =>
          Effect.map(decode(withKeys(`every: 5s\nmissedTicks: ${form}`)), ([plan]) => plan!.missedTicks)
        assert.deepStrictEqual(yield* read("skip"), { _tag: "Skip" })
        assert.deepStrictEqual(yield* read("coalesce"), { _tag: "Coalesce" })
        assert.deepStrictEqual(yield* read("{ catchUp: unbounded }"), { _tag: "CatchUp", max: "unbounded" })
        assert.deepStrictEqual(yield* read("{ overlap: 4 }"), { _tag: "Overlap", max: 4 })
      }))

    it.effect("leaves keys that begin with x- to the author", () =>
      Effect.gen(function*() {
        const plans = yield* decode(
          "x-lane: &lane { capacity: 5 }\nconveyors:\n  a:\n    every: 5s\n    producer: { type: host }\n    consumers:\n      console: { <<: *lane }\n"
        )
        assert.strictEqual(plans[0]!.consumers[0]!.lane.capacity, 5)
      }))

    it.effect("tells all problems at once, in the order of the file", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          yield* problemsOf(`conveyors:
  host:
    intervall: 5s
    timeout: 5 sx
    producer: { type: hots }
    consumers:
      console: { fromat: table }
      csv: { path: "\${NOPE}/x.csv", capacity: 0 }
      history: {}
  "bad name": { every: 1s, producer: 7 }
stor: 1
store: x
`),
          [
            "c.yaml:3:5: conveyors.host: unknown key `intervall`, did you mean `every`?",
            "c.yaml:4:14: conveyors.host.timeout: expected a duration such as \"30s\" or \"1 minute\", or \"unbounded\", found \"5 sx\"",
            "c.yaml:5:23: conveyors.host.producer.type: unknown producer `hots`, did you mean `host`?",
            "c.yaml:7:18: conveyors.host.consumers.console: unknown key `fromat`, did you mean `format`?",
            "c.yaml:8:20: conveyors.host.consumers.csv.path: needs the environment variable NOPE, which is not set; set it, or give a default: ${NOPE:-default}",
            "c.yaml:8:47: conveyors.host.consumers.csv.capacity: expected a whole number from 1 on, or \"unbounded\", found 0",
            `c.yaml:9:7: conveyors.host.consumers.history: unknown consumer \`history\`, known: ${
              Object.keys(Connectors.consumers).join(", ")
            }; to choose the name freely add its \`type\``,
            "c.yaml:10:3: conveyors: \"bad name\" cannot name a conveyor; use up to 64 letters, digits, `_`, `-` and `.`",
            "c.yaml:10:3: conveyors.\"bad name\".consumers: names no consumer; add one, such as `console: {}`",
            "c.yaml:10:38: conveyors.\"bad name\".producer: expected a table of keys, found 7",
            "c.yaml:11:1: unknown key `stor`, known: conveyors, collectors",
            "c.yaml:12:1: store: belongs to a later version, with durable lanes; remove it"
          ]
        )
      }))

    const refused: ReadonlyArray<readonly [keys: string, place: string, message: string]> = [
      ["every: 5s\ncron: \"* * * * *\"", "6:11", "stands beside `every`"],
      ["every: 30", "5:12", "expected a duration"],
      ["every: 0s", "5:12", "more than 0"],
      ["every: -5s", "5:12", "expected a duration"],
      ["every: 5s\noffset: 5s", "6:13", "≥ 0 and < interval"],
      ["every: 5s\nzone: UTC", "6:11", "goes with `cron`"],
      ["cron: \"* * * * *\"\noffset: 5s", "6:13", "goes with `every`"],
      ["cron: \"61 * * * *\"", "5:11", "a cron expression"],
      ["cron: \"* * * * *\"\nzone: Europe/Zuerich", "6:11", "a known time zone"],
      ["every: 5s\nmissedTicks: never", "6:18", "skip, coalesce"],
      ["every: 5s\nmissedTicks: { catchUp: 0 }", "6:29", "a whole number from 1 on"],
      ["every: 5s\nrestart: { maxBackof: 1s }", "6:16", "did you mean `maxBackoff`?"],
      ["every: 5s\nrestart: { minBackoff: 2h }", "6:14", "at least minBackoff"],
      ["every: 5s\nrestart: { maxRestarts: 1.5 }", "6:29", "a whole number from 0 on"],
      ["every: 5s\ntimeout: 0s", "6:14", "expected a duration"],
      ["every: 5s\ndrainTimeout: [1]", "6:19", "found a list"],
      ["every: 5s\nanchor: wall", "6:13", "\"clock\" or \"start\""]
    ]
    it.effect.each(refused)("refuses %j at %s", ([keys, place, message]) =>
      Effect.gen(function*() {
        const [first, ...others] = yield* problemsOf(withKeys(keys))
        assert.deepStrictEqual(others, [])
        assert.include(first, `c.yaml:${place}: `)
        assert.include(first, message)
      }))

    it.effect("refuses a batch for a consumer that takes payloads singly", () =>
      Effect.gen(function*() {
        const [problem] = yield* problemsOf(
          withKeys("every: 5s").replace("console: {}", "console: { batch: { size: 2 } }")
        )
        assert.include(problem, "takes one payload at a time")
      }))

    it.effect("reads a lone reference as what is expected there", () =>
      Effect.gen(function*() {
        const text = withKeys("every: 5s").replace(
          "console: {}",
          "csv: { path: \"${DIGITS}\", capacity: \"${DIGITS}\", concurrency: \"${MANY:-2}\" }"
        )
        const [plan] = yield* decode(text, { environment: { DIGITS: "12345" } })
        assert.strictEqual(plan!.consumers[0]!.path, "12345")
        assert.strictEqual(plan!.consumers[0]!.lane.capacity, 12345)
        assert.strictEqual(plan!.consumers[0]!.lane.concurrency, 2)
        const [problem] = yield* problemsOf(text, { environment: { DIGITS: "12.5" } })
        assert.include(problem, "found what ${DIGITS} gives")
      }))

    it.effect("says of a variable that is missing no more than that", () =>
      Effect.gen(function*() {
        const text = withKeys("every: \"${EVERY}\"").replace("console: {}", "csv: { path: \"${WHERE}\" }")
        const problems = yield* problemsOf(text)
        assert.lengthOf(problems, 2)
        for (const problem of problems) assert.include(problem, "is not set")
      }))

    it.effect("never shows a secret", () =>
      Effect.gen(function*() {
        const http = (more: string) =>
          withKeys("every: 5s").replace(
            "console: {}",
            `http: { url: "http://me:\${PASSWORD}@host/", headers: { Authorization: "Bearer \${TOKEN}" }${more} }`
          )
        const environment = { PASSWORD: "hunter22", TOKEN: "tok-tok" }
        const [plan] = yield* decode(http(""), { environment })
        const shown = JSON.stringify(plan!.shown)
        assert.notInclude(shown, "hunter22")
        assert.notInclude(shown, "tok-tok")
        assert.includeMembers([...plan!.secrets], ["hunter22", "Bearer tok-tok"])
        const wrong = (yield* problemsOf(http(", timeout: \"${PASSWORD}\", method: { token: 1 }"), { environment }))
          .join("\n")
        assert.include(wrong, "timeout")
        assert.notInclude(wrong, "hunter22")
      }))

    it.effect("bounds what it prints", () =>
      Effect.gen(function*() {
        const keys = Array.from({ length: 500 }, (_, i) => `nonsense${i}: 1`).join("\n")
        const problems = yield* problemsOf(withKeys(`every: 5s\n${keys}`))
        assert.lengthOf(problems, 21)
        assert.strictEqual(problems.at(-1), "and 480 more")
      }))

    it.effect("finds no connector in what every object has", () =>
      Effect.gen(function*() {
        const [problem] = yield* problemsOf(withKeys("every: 5s").replace("type: host", "type: constructor"))
        assert.include(problem, "unknown producer `constructor`")
      }))

    it.effect.prop(
      "gives plans or problems for any value",
      { value: Schema.Json },
      ({ value }) =>
        Effect.gen(function*() {
          for (
            const document of [{ conveyors: value }, { conveyors: { a: value } }, {
              conveyors: { a: { every: value, producer: value, consumers: { console: value } } }
            }]
          ) {
            assert.isArray(yield* problemsOf(JSON.stringify(document), { format: "json" }))
          }
        })
    )

    it.effect.prop("suggests the key that was meant when one letter is missing or doubled", {
      key: Schema.Literals(conveyorKeys.filter((key) => key.length > 4) as [string, ...Array<string>]),
      at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })),
      doubled: Schema.Boolean
    }, ({ at, doubled, key }) =>
      Effect.gen(function*() {
        const i = at % key.length
        const typo = doubled ? key.slice(0, i + 1) + key.slice(i) : key.slice(0, i) + key.slice(i + 1)
        const problems = yield* problemsOf(withKeys(`every: 5s\n${typo}: x`))
        assert.include(problems.join("\n"), `unknown key \`${typo}\`, did you mean \`${key}\`?`)
      }))
  })

  describe("combine", () => {
    it.effect("refuses one name in two files", () =>
      Effect.gen(function*() {
        const load = (file: string) =>
          Effect.result(Manifest.decode({ file, format: "yaml", text: withKeys("every: 5s"), environment: {} }))
        const both = Manifest.combine([yield* load("a.yaml"), yield* load("b.yaml")])
        assert(Result.isFailure(both))
        assert.strictEqual(
          both.failure.message,
          "b.yaml:1:1: conveyors.host: the name `host` is taken by a conveyor in a.yaml; choose another"
        )
      }))
  })

  describe("load", () => {
    const load = (file: Partial<FileSystem.FileSystem>, environment: Interpolation.Environment = {}) =>
      Manifest.load({ file: "c.yaml", format: "yaml", environment }).pipe(Effect.provide(FileSystem.layerNoop(file)))
    const bytes = (content: Uint8Array): Partial<FileSystem.FileSystem> => ({
      stat: () => Effect.succeed({ size: BigInt(content.length) } as FileSystem.File.Info),
      readFile: () => Effect.succeed(content)
    })

    it.effect("says that a file is missing", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load({}))
        assert.strictEqual(error._tag, "ManifestUnreadable")
      }))

    it.effect("tells bytes that are not text", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load(bytes(new Uint8Array([0xff, 0xfe, 0x41]))))
        assert.strictEqual(error._tag, "ManifestNotText")
      }))

    it.effect("takes a byte order mark", () =>
      Effect.gen(function*() {
        const { conveyors } = yield* load(bytes(new TextEncoder().encode(`\uFEFF${withKeys("every: 5s")}`)))
        assert.lengthOf(conveyors, 1)
      }))

    it.effect("does not read a file that is too large", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load({
          stat: () => Effect.succeed({ size: 10_000_000n } as FileSystem.File.Info)
        }))
        assert.include(error.message, "is larger than")
      }))
  })

  describe("keys", () => {
    it.effect("are none that a connector has too", () =>
      Effect.gen(function*() {
        for (const connector of Object.values(Connectors.consumers)) {
          const { options } = yield* connector.load
          const names = Connector.describeOptions(options).map(({ name }) => name)
          assert.deepStrictEqual(names.filter((name) => name === "type" || laneKeys.includes(name)), [], connector.type)
        }
      }))
  })
})

describe("ConveyorPlan", () => {
  it.effect("runs once at once, without a second try", () =>
    Effect.gen(function*() {
      const [plan] = yield* decode(withKeys("cron: \"0 4 * * *\"\nrestart: { after: 9 }"))
      const once = ConveyorPlan.once(plan!, 0)
      assert.strictEqual(Cadence.first(once.cadence, 123_456), 123_456)
      assert.deepStrictEqual(Cadence.interval(once.cadence, 0), Cadence.interval(Cadence.every("1 day"), 0))
      assert.deepStrictEqual(once.restart, { after: 1, maxRestarts: 0 })
      assert.strictEqual(once.maxTicks, 1)
    }))
})
