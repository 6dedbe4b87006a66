import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { NodeProcesses } from "effect-workers"
import { awaitResources, execArgv, links, moduleUrl, refusal, resources, start } from "./support/NodeWorkerSuite.ts"

const puppet = (options?: NodeProcesses.Options) =>
  NodeProcesses.layerEntry(moduleUrl("puppet"), { execArgv, ...options })

describe("NodeProcesses", () => {
  links(NodeProcesses.layerEntry)

  for (const signal of ["SIGSEGV", "SIGABRT", "SIGKILL", "SIGTERM"]) {
    it.live(`tells that it was ended by ${signal}`, () =>
      Effect.gen(function*() {
        const { link, tell } = yield* start(puppet({ stderr: "ignore" }))
        tell("signal", signal)
        assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal })
      }))
  }

  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    it.live(`leaves ${signal} to its parent`, () =>
      Effect.gen(function*() {
        const { link, tell, value } = yield* start(puppet())
        process.kill(link.details.pid!, signal)
        tell("signal", signal)
        yield* value
        yield* Effect.sleep("50 millis")
        tell("echo", "still here")
        assert.strictEqual(yield* value, "still here")
      }))
  }

  it.live("copies bytes, which stay what they were", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet())
      const bytes = new Uint8Array([1, 2, 3])
      tell("echo", bytes, [bytes.buffer])
      assert.strictEqual(bytes.byteLength, 3)
      assert.deepStrictEqual(yield* value, new Uint8Array([1, 2, 3]))
    }))

  it.live("counts the memory of the process", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet())
      tell("memory")
      const before: number = yield* value
      tell("keep", 50_000_000)
      yield* value
      tell("memory")
      assert.isAtLeast(yield* value, before + 40_000_000)
    }))

  it.live("runs in the directory and the environment it is given", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet({ cwd: "/", env: { ONLY: "this" } }))
      tell("surroundings")
      assert.deepStrictEqual(yield* value, ["/", "this", undefined])
    }))

  it.live("does not start one in a directory that is not there", () =>
    Effect.gen(function*() {
      const error = yield* refusal(puppet({ cwd: "/no/such/directory" }))
      assert.strictEqual(error.reason, "Exited")
      assert.include(error.detail, "ENOENT")
    }))

  it.live("does not start one with options that Node refuses", () =>
    Effect.gen(function*() {
      const error = yield* refusal(puppet({ execArgv: ["--no-such-option"], stderr: "ignore" }))
      assert.strictEqual(error.reason, "Exited")
      assert.match(error.detail, /^it ended with code 9 before it was ready: .*bad option: --no-such-option/)
    }))

  it.live("does not wait for a process it left behind", () =>
    Effect.gen(function*() {
      const before = resources()
      const { link, tell } = yield* start(puppet())
      tell("leave", 10)
      const [elapsed, end] = yield* Effect.timed(link.ended)
      assert.deepStrictEqual(end, { _tag: "Exited", code: 2, detail: "" })
      assert.isBelow(Duration.toMillis(elapsed), 5000)
      // Nor does it keep this one alive.
      yield* awaitResources(before)
    }))
})
