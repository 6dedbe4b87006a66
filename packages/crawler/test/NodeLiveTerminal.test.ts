import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Writable } from "node:stream"
import * as LiveTerminal from "../src/LiveTerminal.ts"
import * as NodeLiveTerminal from "../src/NodeLiveTerminal.ts"

class FakeStream extends Writable {
  readonly isTTY: boolean
  readonly columns: number | undefined
  readonly rows: number | undefined
  text = ""
  constructor(isTTY: boolean, columns?: number, rows?: number) {
    super()
    this.isTTY = isTTY
    this.columns = columns
    this.rows = rows
  }
  hasColors(): boolean {
    return true
  }
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

const terminal = (stream: FakeStream, options: NodeLiveTerminal.Options = {}) =>
  Effect.provide(
    Effect.service(LiveTerminal.LiveTerminal),
    NodeLiveTerminal.layer({ ...options, stream: stream as unknown as NodeJS.WriteStream })
  )

const names = ["CI", "TERM", "NO_COLOR"]

/** What a terminal is, with these variables and none of the others that matter. */
const withEnv = (variables: Record<string, string>, options?: NodeLiveTerminal.Options, isTTY = true) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = names.map((name) => [name, process.env[name]] as const)
      for (const name of names) delete process.env[name]
      Object.assign(process.env, variables)
      return before
    }),
    () => Effect.map(terminal(new FakeStream(isTTY, 80, 24), options), ({ colors, isLive }) => ({ colors, isLive })),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

describe("NodeLiveTerminal", () => {
  it.effect("draws on a terminal that somebody looks at", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* withEnv({}), { colors: true, isLive: true })
      assert.deepStrictEqual(yield* withEnv({ CI: "false", NO_COLOR: "" }), { colors: true, isLive: true })
      assert.deepStrictEqual(yield* withEnv({ CI: "true" }), { colors: true, isLive: false })
      assert.deepStrictEqual(yield* withEnv({ TERM: "dumb" }), { colors: true, isLive: false })
      assert.deepStrictEqual(yield* withEnv({ NO_COLOR: "1" }), { colors: false, isLive: true })
      assert.deepStrictEqual(yield* withEnv({ NO_COLOR: "0" }), { colors: false, isLive: true })
      assert.deepStrictEqual(yield* withEnv({}, {}, false), { colors: false, isLive: false })
    }))

  it.effect("does as it is told", () =>
    Effect.gen(function*() {
      const told = { colors: true, live: true }
      assert.deepStrictEqual(yield* withEnv({ CI: "1", NO_COLOR: "1" }, told, false), { colors: true, isLive: true })
      assert.deepStrictEqual(yield* withEnv({}, { colors: false, live: false }), { colors: false, isLive: false })
    }))

  it.effect("takes a terminal that does not know its size for one of 80 columns and 24 rows", () =>
    Effect.gen(function*() {
      for (const stream of [new FakeStream(true), new FakeStream(true, 0, 0)]) {
        const { drawWhile } = yield* terminal(stream, { live: true })
        yield* drawWhile(Effect.void, ({ columns, rows }) => Effect.succeed([`${columns} x ${rows}`]))
        assert.include(stream.text, "80 x 23")
      }
    }))

  it.effect("bears that the terminal is closed, and leaves no listeners", () =>
    Effect.gen(function*() {
      const count = () =>
        ["exit", "SIGINT", "SIGTERM", "SIGHUP", "SIGTSTP"].reduce((sum, event) => sum + process.listenerCount(event), 0)
      const before = count()
      const stream = new FakeStream(true, 80, 24)
      yield* Effect.gen(function*() {
        const { drawWhile } = yield* LiveTerminal.LiveTerminal
        const work = Effect.sync(() => {
          stream.emit("error", new Error("write EIO"))
          assert.strictEqual(count(), before + 5)
        })
        yield* drawWhile(work, () => Effect.succeed([]))
      }).pipe(Effect.provide(NodeLiveTerminal.layer({ live: true, stream: stream as unknown as NodeJS.WriteStream })))
      assert.strictEqual(stream.listenerCount("error"), 0)
      assert.strictEqual(count(), before)
    }))

  it.effect("leaves a signal to those who listen for it", () =>
    Effect.gen(function*() {
      const stream = new FakeStream(true, 80, 24)
      const { drawWhile } = yield* terminal(stream, { live: true })
      let heard = 0
      const hear = () => heard++
      yield* drawWhile(
        Effect.acquireUseRelease(
          Effect.sync(() => process.on("SIGTERM", hear)),
          () =>
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => {
                process.emit("SIGTERM", "SIGTERM")
                assert.strictEqual(heard, 1)
                assert.notInclude(stream.text, "\u001B[?25h")
              })
            ),
          () => Effect.sync(() => process.off("SIGTERM", hear))
        ),
        () => Effect.succeed(["frame"])
      )
      assert.include(stream.text, "\u001B[?25h")
    }))
})
