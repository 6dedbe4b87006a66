import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Stream } from "effect"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import * as TaskQueue from "effect-workers/TaskQueue"
import type { TaskQueueOptions } from "effect-workers/TaskQueueOptions"
import type { WorkerHost } from "effect-workers/WorkerHost"
import { Refusal, SuiteTasks } from "./modules/suiteTasks.ts"

const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
const execArgv = ["--conditions=conveyor-source"]

const hosts = {
  processes: NodeProcesses.layer(tasks, { execArgv }),
  threads: NodeThreads.layer(tasks, { execArgv })
}

const queueOn = (layer: Layer.Layer<WorkerHost>, options: TaskQueueOptions = {}) =>
  Effect.flatMap(
    Layer.build(layer),
    (host) => Effect.provideContext(TaskQueue.make(SuiteTasks, { max: 1, grace: "10 seconds", ...options }), host)
  )

const defectOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) as Error : assert.fail("succeeded")

for (const [name, layer] of Object.entries(hosts)) {
  describe(`unlike its origin, a queue on ${name}`, () => {
    it.live("1. ends every one of a burst of quick calls", () =>
      Effect.gen(function*() {
        const queue = yield* queueOn(layer, { capacity: "unbounded" })
        const results = yield* Effect.forEach(
          Array.from({ length: 100_000 }, (_, i) => i),
          (i) => TaskQueue.call(queue, "echo", i),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(results, Array.from({ length: 100_000 }, (_, i) => i))
      }))

    it.live("6. fails what cannot be sent there or back, or is lost, and runs the next task", () =>
      Effect.gen(function*() {
        const queue = yield* queueOn(layer)
        const worker = yield* TaskQueue.call(queue, "workerName", undefined)
        const there = yield* Effect.exit(TaskQueue.call(queue, "any", () => 1))
        assert.include(defectOf(there).message, "could not be cloned")
        const back = yield* Effect.exit(TaskQueue.call(queue, "giveFunction", undefined))
        assert.include(defectOf(back).message, "could not be cloned")
        assert.strictEqual(yield* TaskQueue.call(queue, "workerName", undefined), worker)
        assert.strictEqual((yield* Effect.flip(TaskQueue.call(queue, "exit", 1)))._tag, "WorkerLost")
        assert.strictEqual(yield* TaskQueue.call(queue, "echo", 2), 2)
      }))

    it.live("7. fails a stream that fails on its way, and keeps the worker", () =>
      Effect.gen(function*() {
        const queue = yield* queueOn(layer)
        const worker = yield* TaskQueue.call(queue, "workerName", undefined)
        const error = yield* Effect.flip(Stream.runDrain(TaskQueue.stream(queue, "countThenRefuse", 2)))
        assert.deepStrictEqual(error, new Refusal({ why: "enough" }))
        assert.strictEqual(yield* TaskQueue.call(queue, "workerName", undefined), worker)
      }))

    it.live("12. hands what a task streams to a consumer, item by item", () =>
      Effect.gen(function*() {
        const queue = yield* queueOn(layer)
        const items: Array<number> = []
        yield* Stream.runForEach(TaskQueue.stream(queue, "count", 40), (n) => Effect.sync(() => items.push(n)))
        assert.deepStrictEqual(items, Array.from({ length: 40 }, (_, i) => i + 1))
      }))
  })
}
