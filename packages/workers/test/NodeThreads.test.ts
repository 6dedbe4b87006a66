import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { NodeThreads } from "effect-workers"
import { ToWorker } from "../src/internal/messages.ts"
import { execArgv, moduleUrl, start } from "./support/NodeWorkerSuite.ts"

const puppet = NodeThreads.layerEntry(moduleUrl("puppet"), { execArgv })

describe("NodeThreads", () => {
  it.effect("starts a thread, posts to it, and closes it", () =>
    Effect.gen(function*() {
      const { link, tell, value } = yield* start(puppet)
      assert.strictEqual(link.details.pid, process.pid)
      assert.isAbove(link.details.threadId!, 0)
      tell("echo", { some: ["value", 1n, undefined] })
      assert.deepStrictEqual(yield* value, { some: ["value", 1n, undefined] })
      link.post([[ToWorker.Close]])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
      tell("echo", "nobody is there any more")
    }))

  it.effect("dies of a module that is no URL and no absolute path", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.scoped(start(NodeThreads.layer("./tasks.js"))))
      assert.include(
        String(Exit.isFailure(exit) && exit.cause),
        "NodeThreads.layer: module must be a URL or an absolute path, got \"./tasks.js\""
      )
    }))

  it.effect("dies of a heap that is no number of bytes", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.scoped(start(NodeThreads.layer(moduleUrl("puppet"), { maxHeapBytes: 0.5 })))
      )
      assert.include(
        String(Exit.isFailure(exit) && exit.cause),
        "NodeThreads.layer: maxHeapBytes must be a whole number > 0, got 0.5"
      )
    }))
})
