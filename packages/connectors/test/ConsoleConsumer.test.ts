import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Queue, Terminal } from "effect"
import { ConsoleConsumer } from "effect-conveyor-connectors"
import { suite } from "./ConsumerSuite.ts"
import { acquire, captureStdout, delivery, provideTo } from "./fixtures.ts"

const terminalOf = (columns: number) =>
  Layer.succeed(
    Terminal.Terminal,
    Terminal.make({
      columns: Effect.succeed(columns),
      rows: Effect.succeed(24),
      size: Queue.bounded(1),
      readInput: Queue.bounded(1),
      readLine: Effect.succeed(""),
      display: () => Effect.void
    })
  )

const setup = (options: ConsoleConsumer.Options, width = 80, terminal = false) =>
  Effect.gen(function*() {
    const { layer, state } = captureStdout({ terminal })
    const deliver = yield* Effect.provide(acquire(ConsoleConsumer.make(options)), [layer, terminalOf(width)])
    return { deliver, state }
  })

suite<never>(
  "ConsoleConsumer",
  Effect.sync(() => {
    const { layer, state } = captureStdout()
    return {
      consumer: provideTo(ConsoleConsumer.make({ format: "json" }), Layer.merge(layer, terminalOf(0))),
      arrived: Effect.sync(() => state.text.split("\n").slice(0, -1).map((line) => JSON.parse(line).n)),
      breakTarget: Effect.sync(() => {
        state.broken = true
      }),
      repairTarget: Effect.sync(() => {
        state.broken = false
      }),
      repeated: "twice" as const
    }
  }),
  (effect) => effect
)

describe("ConsoleConsumer", () => {
  describe("as a table", () => {
    it.effect("prints the columns asked for, in their order", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({ columns: ["x", "name", "absent"] })
        yield* deliver(delivery([{ name: "a", n: 1, x: 1.5 }], 0))
        assert.strictEqual(state.text.replaceAll(/ +$/gm, ""), "  x  name  absent\n1.5  a\n")
      }))

    it.effect("aligns columns, numbers to the right", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({})
        yield* deliver(delivery([{ name: "a", n: 1, x: 1.23456 }, { name: "bcdefg", n: 1000, x: 2 }], 0))
        assert.strictEqual(
          state.text,
          [
            "dueAt                     name  n      x",
            "2026-11-21T12:00:00.000Z  a     1  1.235",
            "dueAt                     name       n      x",
            "2026-11-21T12:00:00.000Z  bcdefg  1000      2",
            ""
          ].join("\n")
        )
      }))

    it.effect("repeats the header every 20 lines and when columns change", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({})
        for (let n = 10; n < 51; n++) yield* deliver(delivery({ n }, n))
        const headers = () => state.text.split("\n").flatMap((line, i) => line.startsWith("dueAt") ? [i] : [])
        assert.deepStrictEqual(headers(), [0, 21, 42])
        yield* deliver(delivery({ m: 1 }, 51))
        assert.deepStrictEqual(headers(), [0, 21, 42, 44])
      }))

    it.effect("keeps a column to the left once it held text", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({})
        yield* deliver(delivery([{ v: "text" }, { v: 1 }], 0))
        assert.deepStrictEqual(state.text.split("\n").slice(1), [
          "2026-11-21T12:00:00.000Z  text",
          "2026-11-21T12:00:00.000Z  1",
          ""
        ])
      }))

    it.effect("lists names and values when the terminal is too narrow", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({}, 40)
        yield* deliver(delivery({ temperature: 21.5, place: "cellar" }, 0))
        yield* deliver(delivery({ n: 1 }, 1))
        assert.strictEqual(
          state.text,
          [
            "dueAt        2026-11-21T12:00:00.000Z",
            "temperature  21.5",
            "place        cellar",
            "",
            "dueAt                     n",
            "2026-11-21T12:00:01.000Z  1",
            ""
          ].join("\n")
        )
      }))

    it.effect("takes 100 columns where there is no terminal", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({}, 0)
        yield* deliver(delivery({ a: "x".repeat(74) }, 0))
        yield* deliver(delivery({ a: "x".repeat(75) }, 1))
        assert.deepStrictEqual(state.text.split("\n").map((line) => line.length), [27, 100, 31, 82, 0, 0])
      }))

    it.effect("counts wide characters as the terminal does", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({})
        yield* deliver(delivery([{ a: "温度計", b: "x" }], 0))
        assert.deepStrictEqual(state.text.split("\n"), [
          "dueAt                     a       b",
          "2026-11-21T12:00:00.000Z  温度計  x",
          ""
        ])
      }))

    it.effect("shows control characters and does not obey them", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({}, 80, true)
        yield* deliver(delivery({ "a\u001b[2J": "x\ny\u001b[31m\u009b" }, 0))
        assert.include(state.text, "a\\u001b[2J")
        assert.include(state.text, "x\\ny\\u001b[31m?")
      }))

    it.effect("emphasises the header on a terminal only", () =>
      Effect.gen(function*() {
        const onTerminal = yield* setup({}, 80, true)
        yield* onTerminal.deliver(delivery({ n: 1 }, 0))
        const inPipe = yield* setup({}, 80, false)
        yield* inPipe.deliver(delivery({ n: 1 }, 0))
        assert.isTrue(onTerminal.state.text.startsWith("\u001b[1mdueAt"))
        assert.notInclude(inPipe.state.text, "\u001b")
      }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))))

    it.effect("emphasises nothing when NO_COLOR is set", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({}, 80, true)
        yield* deliver(delivery({ n: 1 }, 0))
        assert.notInclude(state.text, "\u001b")
      }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ NO_COLOR: "1" })))))

    it.effect("shows nothing for null", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({})
        yield* deliver(delivery({ a: null, b: true }, 0))
        assert.strictEqual(state.text.split("\n")[1], "2026-11-21T12:00:00.000Z     true")
      }))
  })

  describe("as JSON", () => {
    it.effect("prints one line for each record, nesting kept", () =>
      Effect.gen(function*() {
        const { deliver, state } = yield* setup({ format: "json" })
        yield* deliver(delivery([{ a: { b: [1] } }, 2], 0))
        assert.strictEqual(
          state.text,
          `{"dueAt":"2026-11-21T12:00:00.000Z","a":{"b":[1]}}\n{"dueAt":"2026-11-21T12:00:00.000Z","value":2}\n`
        )
      }))
  })
})
