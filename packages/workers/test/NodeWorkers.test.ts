import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { NodeProcesses, NodeThreads, type WorkerHost } from "effect-workers"
import { ToWorker } from "../src/internal/messages.ts"
import { execArgv, moduleUrl, start } from "./support/NodeWorkerSuite.ts"

const hosts = {
  NodeThreads: {
    host: NodeThreads,
    isWhereItShouldBe: ({ pid, threadId }: WorkerHost.WorkerDetails) => pid === process.pid && threadId! > 0
  },
  NodeProcesses: {
    host: NodeProcesses,
    isWhereItShouldBe: ({ pid }: WorkerHost.WorkerDetails) => pid !== undefined && pid !== process.pid
  }
}

describe.each(Object.entries(hosts))("%s", (name, { host, isWhereItShouldBe }) => {
  it.effect("starts a worker, posts to it, and closes it", () =>
    Effect.gen(function*() {
      const { link, tell, value } = yield* start(host.layerEntry(moduleUrl("puppet"), { execArgv }))
      assert.isTrue(isWhereItShouldBe(link.details))
      tell("echo", { some: ["value", 1n, undefined] })
      assert.deepStrictEqual(yield* value, { some: ["value", 1n, undefined] })
      link.post([[ToWorker.Close]])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
      tell("echo", "nobody is there any more")
    }))

  it.effect("dies of a module that is no URL and no absolute path", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.scoped(start(host.layer("./tasks.js"))))
      assert.include(
        String(Exit.isFailure(exit) && exit.cause),
        `${name}.layer: module must be a URL or an absolute path, got "./tasks.js"`
      )
    }))

  it.effect("dies of a heap that is no number of bytes", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.scoped(start(host.layer(moduleUrl("puppet"), { maxHeapBytes: 0.5 }))))
      assert.include(
        String(Exit.isFailure(exit) && exit.cause),
        `${name}.layer: maxHeapBytes must be a whole number > 0, got 0.5`
      )
    }))
})
