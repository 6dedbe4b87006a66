import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem } from "effect"
import { CommandProducer } from "effect-conveyor-connectors"
import { readText, services, temporaryDirectory, tickAt } from "./fixtures.ts"

const run = (options: CommandProducer.Options) =>
  Effect.scoped(Effect.flatMap(CommandProducer.make(options).acquire, (produce) => produce(tickAt(0)))).pipe(
    Effect.provide(services)
  )

/** A process that has ended may wait for its parent to notice, which says nothing about us. */
const isAlive = (pid: number) =>
  readText(`/proc/${pid}/stat`).pipe(
    Effect.map((stat) => !/\) [ZX] /.test(stat)),
    Effect.orElseSucceed(() => false),
    Effect.provide(services)
  )

/** A script that writes its own process id and that of its child, and then waits. */
const family = (directory: string, trap = "") =>
  `${trap}\nsleep 60 &\necho $$ > ${directory}/parent\necho $! > ${directory}/child\nwait\nsleep 60`

const pidsIn = (directory: string) =>
  Effect.forEach(["parent", "child"], (name) => Effect.map(readText(`${directory}/${name}`), Number)).pipe(
    Effect.provide(services)
  )

describe("CommandProducer", () => {
  it.live.each([
    { format: "text" as const, script: "printf 'a\\nb\\n'", expected: "a\nb" },
    { format: "lines" as const, script: "printf 'a\\r\\n\\nb\\n'", expected: ["a", "", "b"] },
    { format: "lines" as const, script: "true", expected: [] },
    { format: "json" as const, script: "echo '{\"a\": [1]}'", expected: { a: [1] } },
    { format: "ndjson" as const, script: "printf '{\"a\":1}\\n\\n2\\n'", expected: [{ a: 1 }, 2] },
    {
      format: "csv" as const,
      script: "printf 'a,b,c\\n1,007,\"x,y\"\\n-1.5,1e3,\\n'",
      expected: [{ a: 1, b: "007", c: "x,y" }, { a: -1.5, b: "1e3", c: "" }]
    }
  ])("reads $format", ({ expected, format, script }) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run({ command: script, format }), expected)
    }))

  it.live("runs a list without a shell", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* run({ command: ["printf", "%s|", "a b", "$HOME", "*"] }), "a b|$HOME|*|")
    }))

  it.live("runs where and with what it is told, beside this process's environment", () =>
    Effect.gen(function*() {
      const directory = yield* Effect.provide(temporaryDirectory, services)
      const output = yield* run({
        command: "pwd; echo $COLOUR; test -n \"$PATH\"",
        directory,
        environment: { COLOUR: "red" }
      })
      assert.strictEqual(output, `${directory}\nred`)
    }))

  it.live("has no standard input to wait for", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* run({ command: "cat" }), "")
    }))

  it.live("tells exit code and the end of standard error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run({ command: "seq 1 10000 >&2; echo oops >&2; exit 3" }))
      assert.strictEqual(
        error.message,
        "seq 1 10000 >&2; echo oops >&2; exit 3: exit code 3: 9997\n9998\n9999\n10000\noops"
      )
    }))

  it.live("tells that a signal ended it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run({ command: "kill -9 $$" }))
      assert.include(error.message, "it was ended by a signal")
    }))

  it.live.each([
    {
      what: "no such command",
      options: { command: ["no-such-command", "x"] as const },
      says: "no-such-command x: there is no such command"
    },
    { what: "no such directory", options: { command: "true", directory: "/no/such" }, says: "or no such directory" },
    { what: "not executable", options: { command: ["/etc/passwd"] as const }, says: "it is not executable" }
  ])("tells of $what", ({ options, says }) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run(options))
      assert.strictEqual(error.reason._tag, "NotStarted")
      assert.include(error.message, says)
    }))

  it.live("tells of output that is not what was said", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run({ command: "echo no json", format: "json" }))
      assert.include(error.message, "echo no json: cannot read its output, it is not json")
      assert.include(error.message, "no json")
    }))

  it.live("stops a command that prints too much", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run({ command: ["yes"], maxOutputBytes: "100 kB" }))
      assert.strictEqual(error.reason._tag, "OutputTooLarge")
    }))

  it.live("reads all of a large output", () =>
    Effect.gen(function*() {
      const output = yield* run({ command: "head -c 5000000 /dev/zero | tr '\\0' 'x'" })
      assert.strictEqual(String(output).length, 5_000_000)
    }))

  it.live.each([{ what: "asked to", trap: "" }, { what: "made to", trap: "trap '' TERM" }])(
    "ends a command at its timeout with all it started, $what",
    ({ trap }) =>
      Effect.gen(function*() {
        const directory = yield* Effect.provide(temporaryDirectory, services)
        const error = yield* Effect.flip(run({
          command: family(directory, trap),
          timeout: "300 millis",
          killAfter: "200 millis"
        }))
        assert.include(error.message, "it was stopped after 300ms")
        for (const pid of yield* pidsIn(directory)) assert.isFalse(yield* isAlive(pid))
      })
  )

  it.live("ends a command when its tick is interrupted", () =>
    Effect.gen(function*() {
      const directory = yield* Effect.provide(temporaryDirectory, services)
      const fs = yield* FileSystem.FileSystem
      const fiber = yield* Effect.forkChild(run({ command: family(directory) }), { startImmediately: true })
      while (!(yield* fs.exists(`${directory}/child`))) yield* Effect.sleep("5 millis")
      yield* Effect.sleep("20 millis")
      yield* Fiber.interrupt(fiber)
      for (const pid of yield* pidsIn(directory)) assert.isFalse(yield* isAlive(pid))
    }).pipe(Effect.provide(services)))
})
