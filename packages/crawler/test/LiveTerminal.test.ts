import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as LiveTerminal from "../src/LiveTerminal.ts"
import { FakeTerminal } from "./internal/display/fakeTerminal.ts"

const setup = (options?: ConstructorParameters<typeof FakeTerminal>[0]) => {
  const fake = new FakeTerminal(options)
  return { fake, terminal: LiveTerminal.make(fake.port) }
}
const lines = (...shown: ReadonlyArray<string>) => () => Effect.succeed(shown)
/** The exit it is shown last, of which it makes a line. */
const ended = <A, E>(_: LiveTerminal.Size, exit: Exit.Exit<A, E> | undefined) =>
  Effect.succeed([
    exit === undefined
      ? "running"
      : Exit.isSuccess(exit)
      ? "succeeded"
      : Exit.hasInterrupts(exit)
      ? "interrupted"
      : "failed"
  ])

describe("LiveTerminal", () => {
  it.effect("draws at once, and ten times a second", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      let drawn = 0
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, () => Effect.sync(() => [`frame ${++drawn}`])))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(fake.seen(), ["frame 1"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(fake.seen(), ["frame 11"])
      assert.strictEqual(fake.writes.length, 11)
    }))

  it.effect("writes nothing while nothing changes", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines("a", "b")))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(fake.writes.length, 1)
    }))

  it.effect("rewrites only the lines that change", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      let second = "b"
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, () => Effect.succeed(["a", second, "c"])))
      yield* TestClock.adjust("1 second")
      second = "changed"
      yield* TestClock.adjust("1 second")
      assert.strictEqual(fake.writes.length, 2)
      assert.notMatch(fake.writes[1]!, /[ac]\r\n/)
      assert.deepStrictEqual(fake.seen(), ["a", "changed", "c"])
    }))

  for (
    const [how, effect] of [
      ["succeeded", Effect.sleep("1 second")],
      ["failed", Effect.andThen(Effect.sleep("1 second"), Effect.fail("no"))],
      ["interrupted", Effect.andThen(Effect.sleep("1 second"), Effect.interrupt)]
    ] as const
  ) {
    it.effect(`leaves the last frame and shows the cursor when the effect ${how}`, () =>
      Effect.gen(function*() {
        const { fake, terminal } = setup()
        const fiber = yield* Effect.forkChild(terminal.drawWhile(effect as Effect.Effect<void, string>, ended))
        yield* TestClock.adjust("500 millis")
        assert.isFalse(fake.screen.isCursorShown)
        assert.strictEqual(fake.atExit.size, 1)
        yield* TestClock.adjust("500 millis")
        const exit = yield* Fiber.await(fiber)
        assert.strictEqual(Exit.isSuccess(exit), how === "succeeded")
        assert.deepStrictEqual(fake.seen(), [how])
        assert.isTrue(fake.screen.isCursorShown)
        assert.strictEqual(fake.atExit.size, 0)
        yield* TestClock.adjust("1 minute")
        yield* terminal.print("after")
        assert.deepStrictEqual(fake.seen(), [how, "after"])
      }))
  }

  it.effect("leaves the last frame and shows the cursor when it is interrupted", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      const fiber = yield* Effect.forkChild(terminal.drawWhile(Effect.never, ended))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(fake.seen(), ["interrupted"])
      assert.isTrue(fake.screen.isCursorShown)
    }))

  it.effect("shows the cursor when a frame dies, and interrupts the effect", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      const interrupted = yield* Deferred.make<void>()
      const exit = yield* Effect.exit(terminal.drawWhile(
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)),
        () => Effect.die("a bug")
      ))
      assert.isTrue(Exit.hasDies(exit))
      yield* Deferred.await(interrupted)
      assert.isTrue(fake.screen.isCursorShown)
      yield* terminal.print("after")
      assert.deepStrictEqual(fake.seen(), ["after"])
    }))

  it.effect("leaves the terminal in order when the process ends meanwhile", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines("frame")))
      yield* TestClock.adjust("1 second")
      yield* terminal.print("printed last")
      const [last] = fake.atExit
      fake.screen.write(last!())
      assert.isTrue(fake.screen.isCursorShown)
      assert.deepStrictEqual(fake.seen(), ["printed last", "frame"])
      // A signal, and then the exit.
      assert.strictEqual(last!(), "")
    }))

  it.effect("prints above what is drawn, in order, with the next frame", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      yield* terminal.print("before")
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines("frame 1", "frame 2")))
      yield* TestClock.adjust(0)
      yield* terminal.print("one\ntwo\n")
      yield* terminal.print("three \u001B[2J\u001B[31mred")
      assert.deepStrictEqual(fake.seen(), ["before", "frame 1", "frame 2"])
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), ["before", "one", "two", "three ␛[2Jred", "frame 1", "frame 2"])
      assert.strictEqual(fake.writes.length, 3)
    }))

  it.effect("does not keep more than a screen or ten of what is printed", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines("frame")))
      yield* TestClock.adjust(0)
      for (let i = 0; i < 1000; i++) yield* terminal.print(`line ${i}`)
      assert.isAtLeast(fake.seen().length, 700)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), [...Array.from({ length: 1000 }, (_, i) => `line ${i}`), "frame"])
      assert.isAtMost(fake.writes.length, 6)
    }))

  it.effect("prints what is still to be printed when it ends, before the last frame", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      yield* terminal.drawWhile(Effect.andThen(Effect.sleep(0), terminal.print("last words")), lines("frame")).pipe(
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(fake.seen(), ["last words", "frame"])
    }))

  it.effect("follows the size of the terminal", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ columns: 60, rows: 12 })
      yield* Effect.forkChild(
        terminal.drawWhile(Effect.never, ({ columns, rows }) => Effect.succeed([`${columns} x ${rows}`]))
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(fake.seen(), ["60 x 11"])
      fake.screen.resize(40, 5)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), ["40 x 4"])
    }))

  it.effect("never draws higher than the terminal", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ rows: 5 })
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines(..."abcdefgh")))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(fake.seen(), [..."abcd"])
    }))

  it.effect("shares the terminal between two that draw at once", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ rows: 9 })
      const first = yield* Effect.forkChild(
        terminal.drawWhile(Effect.never, ({ rows }) => Effect.succeed(["first", `${rows}`]))
      )
      yield* TestClock.adjust(0)
      const second = yield* Effect.forkChild(
        terminal.drawWhile(Effect.never, ({ rows }) => Effect.succeed(["second", `${rows}`]))
      )
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), ["first", "4", "second", "4"])
      yield* Fiber.interrupt(first)
      assert.isFalse(fake.screen.isCursorShown)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), ["first", "4", "second", "8"])
      yield* terminal.print("between")
      yield* Fiber.interrupt(second)
      assert.isTrue(fake.screen.isCursorShown)
      assert.deepStrictEqual(fake.seen(), ["first", "4", "between", "second", "8"])
    }))

  it.effect("draws anew, no higher than the terminal, when the process was stopped and goes on", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ rows: 5 })
      const sizes: Array<number> = []
      const draw = ({ rows }: LiveTerminal.Size) => {
        sizes.push(rows)
        return Effect.succeed(Array.from({ length: rows }, (_, row) => `row ${row} of ${rows}`))
      }
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, draw))
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, draw))
      yield* TestClock.adjust("1 second")
      for (const last of fake.atExit) fake.screen.write(last())
      assert.isTrue(fake.screen.isCursorShown)
      fake.screen.write("a prompt\r\n")
      yield* TestClock.adjust("1 second")
      assert.isAtMost(Math.max(...sizes), 4)
      const two = ["row 0 of 2", "row 1 of 2"]
      assert.deepStrictEqual(fake.seen(), [...two, ...two, "a prompt", ...two, ...two])
      assert.isFalse(fake.screen.isCursorShown)
    }))

  it.effect("cuts what is wider than the terminal", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ columns: 5 })
      yield* Effect.forkChild(terminal.drawWhile(Effect.never, lines("123456", "\u001B[31m123456")))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(fake.seen(), ["1234…", "1234…"])
    }))

  it.effect("just prints where nothing can be drawn", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup({ isLive: false })
      const result = yield* terminal.drawWhile(Effect.as(terminal.print("as\tit is\u001B[31m"), 7), () =>
        Effect.die("drawn"))
      assert.strictEqual(result, 7)
      assert.deepStrictEqual(fake.writes, ["as\tit is\u001B[31m\n"])
    }))

  it.effect("prints the log above what is drawn", () =>
    Effect.gen(function*() {
      const { fake, terminal } = setup()
      const logged = Layer.provide(
        LiveTerminal.layerLogger(Logger.make(({ logLevel, message }) => `${logLevel}: ${String(message)}`)),
        Layer.succeed(LiveTerminal.LiveTerminal, terminal)
      )
      const work = Effect.andThen(Effect.logInfo("a line"), Effect.never)
      yield* Effect.forkChild(Effect.provide(terminal.drawWhile(work, lines("frame")), logged))
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(fake.seen(), ["Info: a line", "frame"])
    }))
})
