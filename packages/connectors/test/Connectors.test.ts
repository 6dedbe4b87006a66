import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { Consumer, Producer } from "effect-conveyor"
import {
  CommandProducer,
  Connector,
  Connectors,
  ConsoleConsumer,
  CsvConsumer,
  FileProducer,
  HostProducer,
  HttpConsumer,
  HttpProducer,
  NdjsonConsumer,
  SqliteConsumer
} from "effect-conveyor-connectors"

const examples: { readonly [type: string]: Record<string, unknown> } = {
  command: { command: ["df", "-k"] },
  file: { path: "/tmp/x" },
  host: {},
  http: { url: "http://localhost/" },
  console: {},
  csv: { path: "/tmp/x.csv", rotate: { size: "10 MB", every: "day" } },
  ndjson: { path: "/tmp/x.ndjson" },
  sqlite: { path: "/tmp/x.db", table: "t", busyTimeout: "5s" }
}

const kinds: ReadonlyArray<{
  readonly kind: string
  readonly connectors: { readonly [type: string]: Connector.Connector<unknown> }
  readonly modules: { readonly [type: string]: { readonly defaults: object } }
  readonly is: (u: unknown) => boolean
}> = [
  {
    kind: "producers",
    connectors: Connectors.producers,
    modules: { command: CommandProducer, file: FileProducer, host: HostProducer, http: HttpProducer },
    is: Producer.isProducer
  },
  {
    kind: "consumers",
    connectors: Connectors.consumers,
    modules: {
      console: ConsoleConsumer,
      csv: CsvConsumer,
      http: HttpConsumer,
      ndjson: NdjsonConsumer,
      sqlite: SqliteConsumer
    },
    is: Consumer.isConsumer
  }
]

for (const { connectors, is, kind, modules } of kinds) {
  describe(`Connectors.${kind}`, () => {
    for (const [type, connector] of Object.entries(connectors)) {
      it.effect(`loads ${type} and makes it from decoded options`, () =>
        Effect.gen(function*() {
          const module = yield* connector.load
          const options = yield* Schema.decodeUnknownEffect(module.options)(examples[type], {
            onExcessProperty: "error"
          })
          assert.isTrue(is(module.make(options)))
          assert.strictEqual(connector.type, type)
        }))

      it.effect(`describes every option of ${type}`, () =>
        Effect.gen(function*() {
          const options = Connector.describeOptions((yield* connector.load).options)
          assert.isAbove(options.length, 0)
          for (const option of options) {
            assert.notStrictEqual(option.description, "", option.name)
            assert.notInclude(["declaration", "unknown"], option.type)
          }
        }))

      it.effect(`states the defaults of ${type} as they are`, () =>
        Effect.gen(function*() {
          const module = yield* connector.load
          const stated = Connector.describeOptions(module.options).filter((option) => option.default !== undefined)
          assert.deepStrictEqual(
            Object.fromEntries(stated.map((option) => [option.name, option.default])),
            { ...modules[type]!.defaults }
          )
        }))
    }

    it("knows no type by accident", () => {
      assert.isUndefined(connectors["constructor"])
      assert.isUndefined(connectors["__proto__"])
    })
  })
}

describe("Connectors.consumers", () => {
  it.effect("say that they take batches when they do", () =>
    Effect.gen(function*() {
      for (const [type, connector] of Object.entries(Connectors.consumers)) {
        const module = yield* connector.load
        const options = yield* Schema.decodeUnknownEffect(module.options)(examples[type])
        const { takes } = module.make(type === "http" ? { ...options as object, send: "batch" } : options)
        assert.strictEqual(connector.batch === undefined, takes === "one", type)
      }
    }))
})

describe("options", () => {
  const decode = Schema.decodeUnknownEffect(CsvConsumer.Options)

  it.effect("take sizes in words and in bytes", () =>
    Effect.gen(function*() {
      const sizes = yield* Effect.forEach(["10 MB", "64KiB", 100], (size) => decode({ path: "x", rotate: { size } }))
      assert.deepStrictEqual(sizes.map((options) => options.rotate?.size), [10_000_000n, 65_536n, 100n] as never)
    }))

  it.effect.each(["10 megs", "-1 MB", "", -1, 1.5])("take no size of %j", (size) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(decode({ path: "x", rotate: { size } }))
      assert.include(error.message, "a size such as \"10 MB\"")
    }))

  it.effect.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5 min", 90_000],
    ["1 minute", 60_000],
    ["2 hours", 7_200_000],
    ["1d", 86_400_000]
  ])("take %s for a duration", ([text, millis]) =>
    Effect.gen(function*() {
      const options = yield* Schema.decodeUnknownEffect(SqliteConsumer.Options)({
        path: "x",
        table: "t",
        busyTimeout: text
      })
      assert.strictEqual(Duration.toMillis(Duration.fromInputUnsafe(options.busyTimeout!)), millis)
    }))

  it.effect.each(["soon", "-1 second", "Infinity", 5])(
    "take no duration of %j",
    (busyTimeout) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(
          Schema.decodeUnknownEffect(SqliteConsumer.Options)({ path: "x", table: "t", busyTimeout })
        )
        assert.strictEqual(exit._tag, "Failure")
      })
  )
})
