import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Scope } from "effect"
import { TaskQueue, WorkerHost } from "effect-workers"
import { FromWorker, ToWorker } from "../src/internal/messages.ts"
import * as ScriptedHost from "./support/scriptedHost.ts"
import { answer, called, calling, make, outcome, pass, turn } from "./support/scriptedQueue.ts"

const crash: WorkerHost.WorkerEnd = { _tag: "Exited", code: 1, detail: "Error: oops" }

describe("a pool", () => {
  it.effect("starts min workers at once and others when there is work for them, up to max", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 1, max: 3 })
      assert.lengthOf(workers, 1)
      yield* calling(queue, 1)
      assert.lengthOf(workers, 1)
      yield* calling(queue, 2)
      assert.lengthOf(workers, 2)
      for (const n of [3, 4, 5]) yield* calling(queue, n)
      assert.lengthOf(workers, 3)
      assert.deepStrictEqual(workers.map(called), [[1], [2], [3]])
    }))

  it.effect("lets those above min leave when they have been idle for idleTimeout", () =>
    Effect.gen(function*() {
      const { events, queue, workers } = yield* make({ min: 1, max: 3, idleTimeout: "1 second" })
      for (const n of [1, 2, 3]) yield* calling(queue, n)
      for (const n of [1, 2, 3]) yield* answer(workers[n - 1]!, n)
      yield* pass(500)
      yield* calling(queue, 4)
      yield* answer(workers.find((worker) => called(worker).includes(4))!, 4)
      yield* pass(600)
      assert.lengthOf(workers.filter(({ posted }) => posted.some(([kind]) => kind === ToWorker.Close)), 2)
      yield* pass(5000)
      const ended = events.flatMap((event) => event._tag === "WorkerEnded" ? [[event.worker, event.expected]] : [])
      assert.deepStrictEqual(ended.length, 2)
      assert(ended.every(([, expected]) => expected))
    }))

  it.effect("replaces a worker after recycleAfter tasks, once it has answered what it has", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, concurrency: 2, recycleAfter: 2 })
      for (const n of [1, 2, 3]) yield* calling(queue, n)
      yield* answer(workers[0]!, 1)
      yield* answer(workers[0]!, 2)
      assert.deepStrictEqual(called(workers[0]), [1, 2, 3])
      assert.lengthOf(workers, 1)
      yield* calling(queue, 4)
      yield* answer(workers[0]!, 3)
      assert.deepStrictEqual(called(workers[1]), [4])
    }))

  it.effect("replaces a worker that holds more than recycleAbove", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, recycleAbove: 1000 })
      yield* calling(queue, 1)
      workers[0]!.post([FromWorker.Memory, 999])
      yield* answer(workers[0]!, 1)
      yield* calling(queue, 2)
      assert.lengthOf(workers, 1)
      workers[0]!.post([FromWorker.Memory, 1001])
      yield* calling(queue, 3)
      yield* answer(workers[0]!, 2)
      assert.deepStrictEqual(called(workers[1]), [3])
    }))

  it.effect("serves its series and those of none, or its series alone; what nobody serves blocks nobody", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1, series: ["a"] })
      const lonely = yield* calling(queue, 1, { series: "b" })
      yield* calling(queue, 2, { series: "a" })
      yield* answer(workers[0]!, 2)
      yield* calling(queue, 3)
      assert.deepStrictEqual(called(workers[0]), [2, 3])
      assert.isUndefined(outcome(lonely))

      const other = ScriptedHost.make()
      yield* TaskQueue.attach(queue, { max: 1, series: ["b"], exclusive: true }).pipe(
        Effect.provide(Layer.succeed(WorkerHost.WorkerHost, other.host))
      )
      yield* turn
      yield* calling(queue, 4)
      assert.deepStrictEqual(called(other.workers[0]), [1])
      yield* answer(other.workers[0]!, 1)
      assert.strictEqual(outcome(lonely), 1)
      assert.deepStrictEqual(called(other.workers[0]), [1])
    }))

  it.effect("replaces the first that crashes at once, the others after longer and longer waits, until one has been of use", () =>
    Effect.gen(function*() {
      const { workers } = yield* make({ min: 1, max: 1, restart: { backoff: 100 } })
      const crashAndCount = Effect.fnUntraced(function*(wait: number) {
        workers.at(-1)!.end(crash)
        yield* pass(wait)
        return workers.length
      })
      assert.strictEqual(yield* crashAndCount(0), 1)
      yield* turn
      assert.lengthOf(workers, 2)
      assert.strictEqual(yield* crashAndCount(90), 2)
      yield* pass(20)
      assert.lengthOf(workers, 3)
      assert.strictEqual(yield* crashAndCount(190), 3)
      yield* pass(20)
      assert.lengthOf(workers, 4)
    }))

  it.effect("forgets its back-off when a worker has answered a task", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 1, max: 1, restart: { backoff: "1 minute" } })
      for (let n = 0; n < 5; n++) {
        yield* calling(queue, n)
        yield* answer(workers.at(-1)!, n)
        workers.at(-1)!.end(crash)
        yield* turn
        assert.lengthOf(workers, n + 2)
      }
    }))

  it.effect("gives up when more workers end within a time than it puts up with, and fails what nobody else serves", () =>
    Effect.gen(function*() {
      const { events, queue, workers } = yield* make({
        min: 1,
        max: 1,
        restart: { intensity: 2, within: "10 seconds", backoff: 1 }
      })
      for (let i = 0; i < 2; i++) {
        workers.at(-1)!.end(crash)
        yield* pass(100)
      }
      yield* pass(11_000)
      for (let i = 0; i < 2; i++) {
        workers.at(-1)!.end(crash)
        yield* pass(100)
      }
      assert.lengthOf(workers, 5)
      yield* calling(queue, 1)
      const queued = yield* calling(queue, 2)
      workers.at(-1)!.end(crash)
      yield* pass(100)
      assert.strictEqual(outcome(queued), "NoWorkers")
      assert.strictEqual(outcome(yield* calling(queue, 3)), "NoWorkers")
      assert.lengthOf(workers, 5)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "PoolGaveUp").length, 1)
    }))

  it.effect("goes on with the workers it has when it has given up, as long as they last", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 2, max: 2, restart: { intensity: 0 } })
      workers[0]!.end(crash)
      yield* turn
      const [one, two, three] = yield* Effect.forEach([1, 2, 3], (n) => calling(queue, n))
      assert.deepStrictEqual(called(workers[1]), [1])
      yield* answer(workers[1]!, 1)
      assert.strictEqual(outcome(one!), 1)
      workers[1]!.post([FromWorker.Resigned])
      yield* answer(workers[1]!, 2)
      assert.strictEqual(outcome(two!), 2)
      assert.strictEqual(outcome(three!), "NoWorkers")
      assert.strictEqual(outcome(yield* calling(queue, 4)), "NoWorkers")
      assert.lengthOf(workers, 2)
    }))

  const refusing = (reason: WorkerHost.WorkerStartError["reason"], until = Infinity) => {
    let starts = 0
    const starting = Effect.suspend(() =>
      ++starts > until
        ? Effect.void
        : Effect.fail(new WorkerHost.WorkerStartError({ reason, worker: "w", detail: "no" }))
    )
    return { starting, starts: () => starts }
  }

  it.effect("gives up after startAttempts starts in a row that fail, with what went wrong", () =>
    Effect.gen(function*() {
      const { starting, starts } = refusing("Refused")
      const { events, queue } = yield* make({ max: 1, restart: { startAttempts: 3, backoff: 1 } }, { starting })
      const fiber = yield* calling(queue, 1)
      yield* pass(200)
      assert.strictEqual(starts(), 4)
      assert.strictEqual(outcome(fiber), "NoWorkers")
      assert.strictEqual(events.filter(({ _tag }) => _tag === "WorkerNotStarted").length, 4)
    }))

  it.effect("never tries again where it is not authorized, and always where there is no room yet", () =>
    Effect.gen(function*() {
      const unauthorized = refusing("Unauthorized")
      const refused = yield* make({ max: 1 }, { starting: unauthorized.starting })
      assert.strictEqual(outcome(yield* calling(refused.queue, 1)), "NoWorkers")
      assert.strictEqual(unauthorized.starts(), 1)

      const full = refusing("Full", 30)
      const { queue, workers } = yield* make({ max: 1, restart: { maxBackoff: "1 second" } }, {
        starting: full.starting
      })
      yield* calling(queue, 2)
      yield* pass(60_000)
      assert.deepStrictEqual(called(workers[0]), [2])
    }))

  it.effect("lets the workers of a pool that is detached finish, and begins elsewhere what may run twice", () =>
    Effect.gen(function*() {
      const other = ScriptedHost.make()
      const { queue, workers } = yield* make({ max: 1, drainTimeout: "1 second", series: ["here"] })
      const scope = yield* Scope.make()
      yield* TaskQueue.attach(queue, { max: 2 }).pipe(
        Effect.provide(Layer.succeed(WorkerHost.WorkerHost, other.host)),
        Scope.provide(scope)
      )
      yield* calling(queue, 0)
      const finishing = yield* calling(queue, 1)
      const again = yield* calling(queue, 2, { retryable: true })
      yield* calling(queue, 3)
      assert.deepStrictEqual(other.workers.map(called), [[1], [2]])
      yield* Effect.forkScoped(Scope.close(scope, Effect.runSyncExit(Effect.void)))
      yield* turn
      yield* answer(other.workers[0]!, 1)
      assert.strictEqual(outcome(finishing), 1)
      yield* pass(1500)
      assert.isUndefined(outcome(again))
      yield* answer(workers[0]!, 0)
      assert.deepStrictEqual(called(workers[0]), [0, 2])
    }))

  it.effect("tells what each worker does", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 2, max: 2 })
      yield* calling(queue, 1)
      yield* pass(1000)
      const busy = workers.find((worker) => called(worker).length === 1)!
      const before = yield* TaskQueue.stats(queue)
      assert.deepStrictEqual(before.workers.map(({ running }) => running).toSorted(), [0, 1])
      yield* answer(busy, 1)
      yield* pass(1000)
      const { total, workers: after } = yield* TaskQueue.stats(queue)
      assert.strictEqual(after.find(({ name }) => name === busy.name)!.done, 1)
      assert.approximately(after.find(({ name }) => name === busy.name)!.utilization, 0.5, 0.05)
      assert.deepInclude(total, { submitted: 1, queued: 0, running: 0 })
      assert.approximately(total.runTime.max, 1000, 100)
    }))
})
