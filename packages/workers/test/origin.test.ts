import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import * as FiberWorkers from "effect-workers/FiberWorkers"
import type { QueueFull, TaskCancelled, TaskTimeout } from "effect-workers/TaskError"
import type { TaskEvent } from "effect-workers/TaskEvent"
import * as TaskQueue from "effect-workers/TaskQueue"
import type { TaskQueueOptions } from "effect-workers/TaskQueueOptions"
import { TestClock } from "effect/testing"
import tasks, { Refusal, SuiteTasks } from "./modules/suiteTasks.ts"
import * as SimulatedHost from "./support/SimulatedHost.ts"

// What AsynQueue, from which this package comes, was found to do wrong, by the numbers of those findings; where it takes a process or
// a thread to show it, in `origin.integration.test.ts`. The two that were mistakes in its README are shown here as rules.

const queueOf = (options: TaskQueueOptions = {}) =>
  Effect.provide(TaskQueue.make(SuiteTasks, { drainTimeout: 0, ...options }), FiberWorkers.layer(tasks))

const warm = (options?: TaskQueueOptions) => Effect.tap(queueOf(options), (queue) => TaskQueue.call(queue, "echo", 0))

/** Lets all that has come up be done. */
const turns = Effect.repeat(Effect.yieldNow, { times: 20 })

const begin = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("unlike its origin, a queue", () => {
  it.effect("2. times a task out, tries it again if it may, and lives on", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      for (const [retryable, attempts] of [[false, 1], [true, 2]] as const) {
        const call = TaskQueue.call(queue, "hang", { name: "a" }, { timeout: 100, retryable })
        const fiber = yield* begin(Effect.flip(call))
        yield* TestClock.adjust(1000)
        const error = (yield* Fiber.join(fiber)) as TaskTimeout
        assert.deepStrictEqual([error._tag, error.attempts], ["TaskTimeout", attempts])
      }
      assert.strictEqual(yield* TaskQueue.call(queue, "echo", 1), 1)
    }))

  it.effect("3. settles what is queued when it is shut down, and keeps to the time for that", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      const calls = yield* Effect.forEach(
        [2000, 1, 2, 3, 4, 5],
        (millis) => begin(Effect.result(TaskQueue.call(queue, "sleep", millis)))
      )
      const shutdown = yield* begin(TaskQueue.shutdown(queue, { timeout: 500 }))
      yield* TestClock.adjust(499)
      assert.isUndefined(shutdown.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(shutdown)
      for (const result of yield* Effect.forEach(calls, Fiber.join)) assert.strictEqual(result._tag, "Failure")
    }))

  it.effect("4. cancels all, or just one series, and tells those who wait", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      yield* TaskQueue.pause(queue)
      const calls = yield* Effect.forEach(
        ["red", "blue", "red", "blue", "red", "blue"],
        (series) => begin(Effect.flip(TaskQueue.call(queue, "note", { name: series }, { series })))
      )
      const ended = () => calls.map((fiber) => fiber.pollUnsafe() !== undefined)
      assert.strictEqual(yield* TaskQueue.cancelSeries(queue, "red"), 3)
      yield* Effect.yieldNow
      assert.deepStrictEqual(ended(), [true, false, true, false, true, false])
      assert.strictEqual(yield* TaskQueue.cancelAll(queue), 3)
      for (const call of calls) assert.strictEqual(((yield* Fiber.join(call)) as TaskCancelled)._tag, "TaskCancelled")
    }))

  it.effect("5. runs the next task after one that failed", () =>
    Effect.gen(function*() {
      const queue = yield* queueOf()
      yield* Effect.exit(TaskQueue.call(queue, "die", undefined))
      yield* Effect.exit(TaskQueue.call(queue, "refuse", { name: "no" }))
      assert.strictEqual(yield* TaskQueue.call(queue, "echo", 1), 1)
    }))

  it.effect("8. is not blocked by a series that nobody serves", () =>
    Effect.gen(function*() {
      const queue = yield* queueOf({ series: ["red"] })
      const waiting = yield* begin(TaskQueue.call(queue, "echo", 1, { series: "blue", niceness: -20 }))
      assert.strictEqual(yield* TaskQueue.call(queue, "echo", 2, { series: "red" }), 2)
      assert.strictEqual(yield* TaskQueue.call(queue, "echo", 3), 3)
      assert.isUndefined(waiting.pollUnsafe())
    }))

  it.effect("9. can be asked what it is, and how it does, while it runs", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      yield* begin(TaskQueue.call(queue, "sleep", 10))
      yield* turns
      assert.isTrue(TaskQueue.isTaskQueue(queue))
      assert.isFalse(TaskQueue.isTaskQueue(tasks))
      assert.strictEqual((yield* TaskQueue.stats(queue)).total.running, 1)
    }))

  it.effect("10. runs what is called next in the order in which it was called", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      yield* TaskQueue.pause(queue)
      const names = Array.from({ length: 12 }, (_, i) => `${i}`)
      const calls = yield* Effect.forEach(names, (name) => begin(TaskQueue.callNext(queue, "note", { name })))
      yield* TaskQueue.resume(queue)
      yield* Effect.forEach(calls, Fiber.join)
      assert.deepStrictEqual(yield* TaskQueue.call(queue, "history", undefined), names)
    }))

  it.effect("11. gives the handler the payload, and nothing of how it was called", () =>
    Effect.gen(function*() {
      const queue = yield* queueOf()
      const options = { niceness: 3, timeout: 1000, series: "red" }
      assert.deepStrictEqual(yield* TaskQueue.callNext(queue, "any", { a: 1 }, options), { a: 1 })
    }))

  it.effect("13. tells those who watch what went wrong", () =>
    Effect.gen(function*() {
      const simulated = yield* SimulatedHost.make(tasks)
      const queue = yield* Effect.provide(
        TaskQueue.make(SuiteTasks, { drainTimeout: 0 }),
        SimulatedHost.layer(simulated)
      )
      const events: Array<TaskEvent["_tag"]> = []
      yield* begin(Stream.runForEach(TaskQueue.events(queue), ({ _tag }) => Effect.sync(() => events.push(_tag))))
      yield* TaskQueue.call(queue, "echo", 0)
      yield* begin(TaskQueue.call(queue, "sleep", 1000, { retryable: true }))
      yield* TestClock.adjust(500)
      yield* simulated.crash
      yield* turns
      assert.deepStrictEqual(events, ["WorkerStarted", "WorkerEnded", "TaskRetried", "WorkerStarted"])
    }))

  it.effect("14. keeps a worker whose task failed", () =>
    Effect.gen(function*() {
      const queue = yield* queueOf()
      const name = yield* TaskQueue.call(queue, "workerName", undefined)
      yield* Effect.exit(TaskQueue.call(queue, "die", undefined))
      assert.strictEqual(yield* TaskQueue.call(queue, "workerName", undefined), name)
    }))

  it.effect("15. stops nothing because one task failed", () =>
    Effect.gen(function*() {
      const queue = yield* warm({ concurrency: 3 })
      const sleeping = yield* begin(TaskQueue.call(queue, "sleep", 10))
      const exits = yield* Effect.forEach(
        [1, 2, 3],
        () => Effect.exit(TaskQueue.call(queue, "refuse", { name: "no" })),
        { concurrency: 2 }
      )
      for (const exit of exits) assert.deepStrictEqual(exit, Exit.fail(new Refusal({ why: "no" })))
      yield* TestClock.adjust(10)
      assert.strictEqual(yield* Fiber.join(sleeping), 10)
    }))

  it.effect("16. adds no time of its own to that of a task", () =>
    Effect.gen(function*() {
      const queue = yield* warm()
      for (const millis of [1, 100, 1000]) {
        const call = yield* begin(TaskQueue.call(queue, "sleep", millis))
        yield* turns
        yield* TestClock.adjust(millis)
        yield* turns
        assert.deepStrictEqual(call.pollUnsafe(), Exit.succeed(millis))
      }
    }))

  it.effect("17. is bounded, forgets a call whose caller has gone, and says what it does", () =>
    Effect.gen(function*() {
      const queue = yield* warm({ capacity: 2, overflow: "refuse" })
      yield* TaskQueue.pause(queue)
      const calls = yield* Effect.forEach([1, 2], (n) => begin(TaskQueue.call(queue, "echo", n)))
      const refused = TaskQueue.call(queue, "echo", 3)
      assert.strictEqual(((yield* Effect.flip(refused)) as QueueFull)._tag, "QueueFull")
      yield* Fiber.interrupt(calls[0]!)
      assert.strictEqual((yield* TaskQueue.stats(queue)).total.queued, 1)
      yield* TaskQueue.resume(queue)
      assert.strictEqual(yield* refused, 3)
    }))

  it.effect("18. lets a handler that fails give back what it holds", () =>
    Effect.gen(function*() {
      const queue = yield* queueOf()
      yield* Effect.exit(TaskQueue.call(queue, "hold", { name: "it" }))
      assert.deepStrictEqual(yield* TaskQueue.call(queue, "history", undefined), ["it is acquired", "it is released"])
    }))

  it("19. has what its documentation names", async () => {
    const modules = Object.entries(await import("effect-workers"))
    for (const found of await Promise.all(modules.map(([name]) => import(`effect-workers/${name}`)))) {
      assert.include(modules.map(([, module]) => module), found)
    }
  })
})
