import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TaskQueue, type WorkerHost } from "effect-workers"
import { FromWorker, ToWorker } from "../src/internal/messages.ts"
import type { ScriptedWorker } from "./support/scriptedHost.ts"
import { answer, answerInterrupted, called, calling, make, outcome, pass, turn } from "./support/scriptedQueue.ts"

const crash: WorkerHost.WorkerEnd = { _tag: "Exited", code: 1, detail: "Error: oops" }
const cut: WorkerHost.WorkerEnd = { _tag: "Disconnected", detail: "no heartbeat" }

const interrupts = ({ posted }: ScriptedWorker): number => posted.filter(([kind]) => kind === ToWorker.Interrupt).length

const settledAs = Effect.fnUntraced(function*(fiber: Fiber.Fiber<any, any>, expected: unknown) {
  yield* turn
  assert.strictEqual(outcome(fiber), expected)
})

describe("the order of a queue", () => {
  it.effect("is by niceness and arrival, with what is called next before and what is called last after all", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, prefetch: 0 })
      yield* calling(queue, 0)
      yield* calling(queue, 1)
      yield* calling(queue, 2, { niceness: -20 })
      yield* calling(queue, 3)
      yield* Effect.forkScoped(TaskQueue.callLast(queue, "echo", { n: 4 }))
      yield* Effect.forkScoped(TaskQueue.callNext(queue, "echo", { n: 5 }))
      yield* Effect.forkScoped(TaskQueue.callNext(queue, "echo", { n: 6 }))
      yield* turn
      for (const n of [0, 5, 6, 2, 1, 3, 4]) yield* answer(workers[0]!, n)
      assert.deepStrictEqual(called(workers[0]), [0, 5, 6, 2, 1, 3, 4])
    }))

  it.effect("is not begun while the queue is paused", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 1, max: 1 })
      yield* TaskQueue.pause(queue)
      const fiber = yield* calling(queue, 1)
      assert.deepStrictEqual(called(workers[0]), [])
      yield* TaskQueue.resume(queue)
      yield* turn
      yield* answer(workers[0]!, 1)
      yield* settledAs(fiber, 1)
    }))

  it.effect("assigns ahead of time what is quick, up to the time it may, and nothing slow", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, prefetch: "1 millis" })
      for (let n = 0; n < 20; n++) yield* calling(queue, n)
      assert.deepStrictEqual(called(workers[0]), [0])
      yield* answer(workers[0]!, 0, 0.3)
      // The one that runs, and others for as long as a millisecond of them.
      assert.deepStrictEqual(called(workers[0]), [0, 1, 2, 3])
      for (const n of [1, 2, 3]) yield* answer(workers[0]!, n, 50)
      assert.deepStrictEqual(called(workers[0]), [0, 1, 2, 3, 4])
    }))
})

describe("a bound of a queue", () => {
  it.effect("refuses what is over it, if it is to", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, capacity: 2, overflow: "refuse" })
      for (const n of [1, 2, 3]) yield* calling(queue, n)
      yield* settledAs(yield* calling(queue, 4), "QueueFull")
      yield* answer(workers[0]!, 1)
      assert.isUndefined(outcome(yield* calling(queue, 5)))
      const { total } = yield* TaskQueue.stats(queue)
      assert.deepInclude(total, { submitted: 4, refused: 1, queued: 2, running: 1 })
    }))

  it.effect("makes what is over it wait outside, in the order of arrival whatever its niceness, and lets go what is cancelled", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, capacity: 1, prefetch: 0 })
      for (const n of [1, 2, 3]) yield* calling(queue, n)
      const first = yield* calling(queue, 4, { niceness: -20 })
      yield* calling(queue, 5)
      yield* Fiber.interrupt(first)
      for (const n of [1, 2, 3]) yield* answer(workers[0]!, n)
      assert.deepStrictEqual(called(workers[0]), [1, 2, 3, 5])
    }))

  it.effect("does not let what nobody serves keep outside what somebody does", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, capacity: 1, series: ["served"] })
      yield* calling(queue, 1)
      yield* calling(queue, 2, { series: "lonely" })
      yield* calling(queue, 3, { series: "lonely" })
      yield* calling(queue, 4, { series: "served" })
      yield* calling(queue, 5)
      for (const n of [1, 4, 5]) yield* answer(workers[0]!, n)
      assert.deepStrictEqual(called(workers[0]), [1, 4, 5])
      assert.strictEqual(yield* TaskQueue.cancelAll(queue), 2)
    }))

  it.effect("makes a submission wait, and not the task", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, capacity: 1 })
      const receipts = yield* Effect.forEach([1, 2], (n) => Effect.tap(TaskQueue.submit(queue, "echo", { n }), turn))
      const third = yield* Effect.forkScoped(TaskQueue.submit(queue, "echo", { n: 3 }))
      yield* turn
      assert.isUndefined(third.pollUnsafe())
      yield* answer(workers[0]!, 1)
      assert.strictEqual(yield* receipts[0]!.result, 1)
      assert.isTrue(yield* receipts[0]!.isSettled)
      const receipt = yield* Fiber.join(third)
      assert.isFalse(yield* receipt.isSettled)
      assert.isTrue(yield* receipt.cancel)
      assert.isFalse(yield* receipt.cancel)
      assert.strictEqual((yield* Effect.flip(receipt.result))._tag, "TaskCancelled")
    }))
})

describe("the end of a task", () => {
  it.effect("comes with its timeout, from when it began, and its worker's answer", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, grace: "100 millis" })
      yield* calling(queue, 1)
      const fiber = yield* calling(queue, 2, { timeout: "1 second" })
      yield* pass(2000)
      assert.isUndefined(outcome(fiber))
      yield* answer(workers[0]!, 1)
      yield* pass(990)
      assert.strictEqual(interrupts(workers[0]!), 0)
      yield* pass(20)
      assert.strictEqual(interrupts(workers[0]!), 1)
      assert.isUndefined(outcome(fiber))
      yield* answerInterrupted(workers[0]!, 2)
      yield* settledAs(fiber, "TaskTimeout")
      assert.deepStrictEqual(workers[0]!.done, [])
    }))

  it.effect("is what the worker answers all the same, if that is a result", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, grace: "100 millis" })
      const fiber = yield* calling(queue, 2, { timeout: "1 second" })
      yield* pass(1010)
      yield* answer(workers[0]!, 2)
      yield* settledAs(fiber, 2)
    }))

  it.effect("comes after the grace if the worker does not listen, which is terminated, killed, and replaced at once", () =>
    Effect.gen(function*() {
      const { events, queue, workers } = yield* make(
        { max: 1, grace: "100 millis" },
        { deafTo: ["terminate", "Close"] }
      )
      const stuck = yield* calling(queue, 1, { timeout: "1 second" })
      const next = yield* calling(queue, 2)
      yield* pass(1090)
      assert.isUndefined(outcome(stuck))
      yield* pass(20)
      yield* settledAs(stuck, "TaskTimeout")
      assert.deepStrictEqual(workers[0]!.done, ["terminate"])
      assert.deepStrictEqual(called(workers[1]), [2])
      yield* pass(100)
      assert.deepStrictEqual(workers[0]!.done, ["terminate", "kill"])
      yield* answer(workers[1]!, 2)
      yield* settledAs(next, 2)
      assert.deepInclude(events.find(({ _tag }) => _tag === "WorkerTerminated"), { task: "echo" })
      yield* Effect.forkScoped(TaskQueue.shutdown(queue))
      yield* pass(200)
    }))

  it.effect("is another beginning if it may run twice, but only when its worker is gone, and only so often", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make(
        { max: 1, grace: "100 millis" },
        { deafTo: ["terminate"] }
      )
      const fiber = yield* calling(queue, 1, { timeout: "1 second", retryable: true, attempts: 2 })
      yield* pass(1150)
      assert.isFalse(workers.slice(1).some((worker) => called(worker).length > 0))
      yield* pass(100)
      assert.deepStrictEqual(called(workers[1]), [1])
      yield* pass(1010)
      yield* answerInterrupted(workers[1]!, 1)
      yield* settledAs(fiber, "TaskTimeout")
    }))

  it.effect("comes with its deadline, queued or running", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, grace: "100 millis" })
      const running = yield* calling(queue, 1, { deadline: "1 second" })
      const queued = yield* calling(queue, 2, { deadline: "500 millis" })
      yield* pass(510)
      yield* settledAs(queued, "TaskExpired")
      yield* pass(500)
      yield* answerInterrupted(workers[0]!, 1)
      yield* settledAs(running, "TaskExpired")
    }))

  it.effect("is the cancelling of what was chosen, and of nothing else", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, grace: "100 millis" })
      const fibers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (n) =>
        calling(queue, n, { series: n % 2 === 0 ? "even" : "odd" }))
      assert.strictEqual(yield* TaskQueue.cancelSeries(queue, "odd"), 3)
      yield* answerInterrupted(workers[0]!, 1)
      for (const n of [2, 4, 6]) {
        yield* answer(workers[0]!, n)
      }
      assert.deepStrictEqual(fibers.map(outcome), ["TaskCancelled", 2, "TaskCancelled", 4, "TaskCancelled", 6])
      assert.deepStrictEqual(called(workers[0]), [1, 2, 4, 6])
      assert.strictEqual(yield* TaskQueue.cancelAll(queue), 0)
    }))

  it.effect("waits for the worker when the caller is interrupted, but not for ever", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, grace: "100 millis" })
      const fiber = yield* calling(queue, 1)
      const ending = yield* Effect.forkScoped(Fiber.interrupt(fiber))
      yield* turn
      assert.strictEqual(interrupts(workers[0]!), 1)
      assert.isUndefined(ending.pollUnsafe())
      yield* pass(110)
      assert.isDefined(ending.pollUnsafe())
    }))
})

describe("the loss of a worker", () => {
  it.effect("fails what may not run twice, and begins again before all others what may", () =>
    Effect.gen(function*() {
      const { events, queue, workers } = yield* make({ max: 1, concurrency: 2 })
      const once = yield* calling(queue, 1)
      const twice = yield* calling(queue, 2, { retryable: true })
      const other = yield* calling(queue, 3, { niceness: -20 })
      workers[0]!.end(crash)
      yield* turn
      yield* settledAs(once, "WorkerLost")
      assert.deepStrictEqual(called(workers[1]), [2, 3])
      for (const n of [2, 3]) yield* answer(workers[1]!, n)
      yield* settledAs(twice, 2)
      yield* settledAs(other, 3)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "TaskRetried").length, 1)
    }))

  it.effect("puts a task into quarantine of which so many have died, and no other", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, quarantineAfter: 3, restart: { backoff: 1 } })
      const poison = yield* calling(queue, 1, { retryable: true })
      const other = yield* calling(queue, 2, { retryable: true })
      for (let i = 0; i < 3; i++) {
        assert.deepStrictEqual(called(workers.at(-1)), [1])
        workers.at(-1)!.end(crash)
        yield* pass(100)
      }
      yield* settledAs(poison, "TaskQuarantined")
      yield* answer(workers.at(-1)!, 2)
      yield* settledAs(other, 2)
    }))

  it.effect("puts nothing behind a task of which a worker has died", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1 })
      yield* calling(queue, 0)
      yield* answer(workers[0]!, 0, 0.01)
      const suspect = yield* calling(queue, 1, { retryable: true })
      yield* Effect.forEach([2, 3], (n) => calling(queue, n, { retryable: true }))
      workers[0]!.end(crash)
      yield* turn
      assert.deepStrictEqual(called(workers[1]), [1])
      yield* answer(workers[1]!, 1, 0.01)
      yield* settledAs(suspect, 1)
      assert.deepStrictEqual(called(workers[1]), [1, 2, 3])
    }))

  it.effect("puts a task of which a worker has died behind nothing", () =>
    Effect.gen(function*() {
      let starts = 0
      const { queue, workers } = yield* make(
        { max: 2 },
        { starting: Effect.suspend(() => ++starts > 2 ? Effect.never : Effect.void) }
      )
      yield* calling(queue, 0)
      yield* answer(workers[0]!, 0, 0.01)
      yield* calling(queue, 1, { retryable: true })
      for (const n of [2, 3, 4]) yield* calling(queue, n)
      const died = workers.find((worker) => called(worker).includes(1))!
      const other = workers.find((worker) => worker !== died)!
      yield* answer(other, 2, 0.01)
      died.end(crash)
      yield* turn
      yield* answer(other, 3, 0.01)
      assert.deepStrictEqual(called(other), [2, 3, 4])
      yield* answer(other, 4, 0.01)
      assert.deepStrictEqual(called(other), [2, 3, 4, 1])
    }))

  it.effect("holds nothing against a task if the worker was only cut off, or terminated for another", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, concurrency: 2, quarantineAfter: 1, grace: "100 millis" })
      const innocent = yield* calling(queue, 1, { retryable: true })
      workers[0]!.end(cut)
      yield* turn
      const stuck = yield* calling(queue, 2, { timeout: "1 second" })
      yield* pass(1200)
      yield* settledAs(stuck, "TaskTimeout")
      yield* answer(workers[2]!, 1)
      yield* settledAs(innocent, 1)
    }))

  it.effect("fails a stream that has emitted, even if it may run twice, and begins one that has not again", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 2 })
      const items: Array<number> = []
      const run = Effect.forkScoped(Effect.result(
        Stream.runForEach(
          TaskQueue.stream(queue, "count", { n: 3 }, { retryable: true }),
          (n) => Effect.sync(() => items.push(n))
        )
      ))
      const fiber = yield* run
      yield* turn
      workers[0]!.end(crash)
      yield* turn
      const [, id] = workers[1]!.posted.find(([kind]) => kind === ToWorker.Call)!
      workers[1]!.post([FromWorker.Chunk, id as number, [1, 2]])
      yield* turn
      workers[1]!.end(crash)
      yield* settledAs(fiber, "WorkerLost")
      assert.deepStrictEqual(items, [1, 2])
    }))
})

describe("a stream", () => {
  it.effect("grants anew what was read, half a window at a time, and nothing that was not", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, window: 4 })
      const pull = yield* Stream.toPull(TaskQueue.stream(queue, "count", { n: 9 }))
      const first = yield* Effect.forkScoped(pull)
      yield* turn
      const [, id, , , , window] = workers[0]!.posted.find(([kind]) => kind === ToWorker.Call)!
      assert.strictEqual(window, 4)
      const grants = () => workers[0]!.posted.filter(([kind]) => kind === ToWorker.Grant).map((grant) => grant[2])
      workers[0]!.post([FromWorker.Chunk, id as number, [1]])
      assert.deepStrictEqual(yield* Fiber.join(first), [1])
      workers[0]!.post([FromWorker.Chunk, id as number, [2]])
      workers[0]!.post([FromWorker.Chunk, id as number, [3]])
      yield* turn
      assert.deepStrictEqual(grants(), [])
      assert.deepStrictEqual(yield* pull, [2, 3])
      yield* turn
      assert.deepStrictEqual(grants(), [3])
      workers[0]!.post([FromWorker.Chunk, id as number, [4]], [FromWorker.Succeeded, id as number, 1, undefined])
      assert.deepStrictEqual(yield* pull, [4])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(pull)))
    }))
})

describe("the end of a queue", () => {
  it.effect("goes on with what was submitted, refuses the rest, and closes the workers", () =>
    Effect.gen(function*() {
      const { events, queue, workers } = yield* make({ max: 1 })
      const fibers = yield* Effect.forEach([1, 2], (n) => calling(queue, n))
      const ending = yield* Effect.forkScoped(TaskQueue.shutdown(queue, { timeout: "1 minute" }))
      yield* turn
      yield* settledAs(yield* calling(queue, 3), "QueueClosed")
      for (const n of [1, 2]) yield* answer(workers[0]!, n)
      yield* turn
      assert.deepStrictEqual(fibers.map(outcome), [1, 2])
      assert.isDefined(ending.pollUnsafe())
      assert.strictEqual(workers[0]!.posted.at(-1)![0], ToWorker.Close)
      assert.strictEqual(events.at(-1)!._tag, "Ended")
    }))

  it.effect("settles at the timeout whatever is left, and has an end whatever the workers do", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make(
        { max: 50, grace: "100 millis", closeTimeout: "1 second" },
        { deafTo: ["Close", "terminate"] }
      )
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }, (_, n) => n), (n) => calling(queue, n))
      const ending = yield* Effect.forkScoped(TaskQueue.shutdown(queue, { timeout: "1 second" }))
      yield* pass(1010)
      assert.deepStrictEqual(fibers.slice(50).map(outcome), Array.from({ length: 50 }, () => "QueueClosed"))
      yield* pass(300)
      assert.deepStrictEqual(fibers.map(outcome), Array.from({ length: 100 }, () => "QueueClosed"))
      assert.isDefined(ending.pollUnsafe())
      assert(workers.every(({ done }) => done.includes("kill")))
    }))

  it.effect("can be hurried", () =>
    Effect.gen(function*() {
      const { queue } = yield* make({ max: 1 })
      const fiber = yield* calling(queue, 1)
      yield* Effect.forkScoped(TaskQueue.shutdown(queue, { timeout: "1 hour" }))
      yield* turn
      yield* Effect.forkScoped(TaskQueue.shutdown(queue, { timeout: 0 }))
      yield* pass(100)
      yield* settledAs(fiber, "QueueClosed")
    }))
})
