import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Random, Schema, Scope } from "effect"
import * as FiberWorkers from "effect-workers/FiberWorkers"
import * as NodeRemoteHosts from "effect-workers/NodeRemoteHosts"
import * as NodeTaskHost from "effect-workers/NodeTaskHost"
import * as NodeThreads from "effect-workers/NodeThreads"
import * as TaskModule from "effect-workers/TaskModule"
import * as TaskQueue from "effect-workers/TaskQueue"
import { Rpc, RpcGroup } from "effect/rpc"
import * as ChaosProxy from "./support/chaosProxy.ts"
import { secret } from "./support/remote.ts"

class Tasks extends RpcGroup.make(
  Rpc.make("double", { payload: Schema.Finite, success: Schema.Finite }),
  Rpc.make("wait", { payload: Schema.Finite, success: Schema.Finite })
) {}

/** Hosts whose workers are fibers here, and which count what they begin. */
const hosting = (begun: Map<number, number>, options: Partial<NodeTaskHost.Options> = {}) => {
  const count = (n: number) => Effect.sync(() => begun.set(n, (begun.get(n) ?? 0) + 1))
  const handlers = Tasks.toLayer({
    double: (n) => Effect.as(Effect.andThen(count(n), Effect.sleep("1 millis")), 2 * n),
    wait: (n) => Effect.as(Effect.andThen(count(n), Effect.sleep("200 millis")), n)
  })
  return Effect.provide(
    NodeTaskHost.make({ listen: "tcp://127.0.0.1:0", secret, maxWorkers: 8, ...options }),
    FiberWorkers.layer(TaskModule.make(Tasks, handlers))
  )
}

const restart = {
  intensity: "unbounded",
  backoff: "5 millis",
  maxBackoff: "50 millis",
  startAttempts: "unbounded"
} as const

const queueOn = (addresses: readonly [string, ...ReadonlyArray<string>], options: TaskQueueOptions = {}) =>
  Effect.provide(
    TaskQueue.make(Tasks, { max: 4, restart, quarantineAfter: 1000, ...options }),
    NodeRemoteHosts.layer(addresses, { secret, heartbeatInterval: "50 millis", lostAfter: "300 millis" })
  )

type TaskQueueOptions = NonNullable<Parameters<typeof TaskQueue.make>[1]>

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe("a queue with hosts elsewhere", () => {
  it.live("loses nothing that may run twice when one of two hosts is gone under load", () =>
    Effect.gen(function*() {
      const begun = new Map<number, number>()
      const doomed = yield* Scope.make()
      const one = yield* Scope.provide(hosting(begun), doomed)
      const two = yield* hosting(begun)
      const queue = yield* queueOn([one.address, two.address])
      let done = 0
      const results = yield* Effect.forEach(
        numbers(600),
        (n) =>
          Effect.tap(
            TaskQueue.call(queue, "double", n, { retryable: true }),
            () => ++done === 100 ? Scope.close(doomed, Exit.void) : Effect.void
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results, numbers(600).map((n) => 2 * n))
    }))

  it.live("begins nothing twice that may run once only, and says of each what became of it", () =>
    Effect.gen(function*() {
      const begun = new Map<number, number>()
      const host = yield* hosting(begun)
      const proxy = yield* ChaosProxy.make(host.address)
      const queue = yield* queueOn([proxy.address])
      let done = 0
      const exits = yield* Effect.forEach(
        numbers(600),
        (n) =>
          Effect.tap(Effect.exit(TaskQueue.call(queue, "double", n)), () =>
            Effect.sync(() => {
              if (++done % 100 === 0) proxy.cut()
            })),
        { concurrency: "unbounded" }
      )
      const lost = exits.filter(Exit.isFailure)
      assert.isAbove(lost.length, 0)
      for (const exit of lost) assert.match(String(exit.cause), /WorkerLost/)
      for (const [n, exit] of exits.entries()) if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, 2 * n)
      assert.isTrue([...begun.values()].every((times) => times === 1))
    }))

  for (const seed of [1, 2, 3]) {
    it.live(`gets every answer right over a network that cuts, splits, delays and hangs (${seed})`, () =>
      Effect.gen(function*() {
        const begun = new Map<number, number>()
        const host = yield* hosting(begun, {
          heartbeatInterval: "50 millis",
          lostAfter: "300 millis",
          grace: "20 millis",
          maxWorkers: 32
        })
        const proxy = yield* ChaosProxy.make(host.address)
        const queue = yield* queueOn([proxy.address])
        const chaos = Effect.gen(function*() {
          yield* Effect.sleep(yield* Random.nextIntBetween(20, 150))
          switch (yield* Random.nextIntBetween(0, 4)) {
            case 0:
              proxy.cut()
              break
            case 1:
              proxy.piece = yield* Random.nextIntBetween(1, 20)
              proxy.delay = yield* Random.nextIntBetween(0, 3)
              break
            case 2:
              proxy.cutAfter = yield* Random.nextIntBetween(1, 2000)
              break
            case 3:
              proxy.delivers = false
              yield* Effect.sleep("400 millis")
              proxy.cut()
          }
          yield* Effect.sleep("50 millis")
          Object.assign(proxy, { piece: Infinity, delay: 0, cutAfter: Infinity, delivers: true })
        }).pipe(Effect.forever, Random.withSeed(seed))
        const work = Effect.forEach(
          numbers(1500),
          (n) => TaskQueue.call(queue, "double", n, { retryable: true }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* Effect.raceFirst(work, chaos), numbers(1500).map((n) => 2 * n))
      }))
  }

  it.live("loses nothing when a host is told to end, also of what may run once only and was assigned ahead", () =>
    Effect.gen(function*() {
      const begun = new Map<number, number>()
      const one = yield* hosting(begun)
      const two = yield* hosting(begun)
      const queue = yield* queueOn([one.address, two.address], { prefetch: "100 millis" })
      const half = Deferred.makeUnsafe<void>()
      let done = 0
      const draining = yield* Effect.forkChild(Effect.andThen(Deferred.await(half), one.drain))
      const results = yield* Effect.forEach(
        numbers(600),
        (n) =>
          Effect.tap(
            TaskQueue.call(queue, "double", n),
            () => ++done === 100 ? Deferred.succeed(half, undefined) : Effect.void
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results, numbers(600).map((n) => 2 * n))
      assert.isTrue([...begun.values()].every((times) => times === 1))
      yield* Effect.timeout(Fiber.join(draining), "5 seconds")
    }))

  it.live("uses hosts that are attached later beside its own workers", () =>
    Effect.gen(function*() {
      const here = new Map<number, number>()
      const there = new Map<number, number>()
      const host = yield* hosting(there)
      const own = yield* hosting(here)
      const queue = yield* queueOn([own.address], { max: 1 })
      yield* Effect.provide(
        TaskQueue.attach(queue, { max: 1, min: 1 }),
        NodeRemoteHosts.layer(host.address, { secret })
      )
      yield* Effect.forEach(numbers(40), (n) => TaskQueue.call(queue, "wait", n), { concurrency: "unbounded" })
      assert.isAbove(here.size, 0)
      assert.isAbove(there.size, 0)
    }))

  it.live("keeps the connection of a worker that computes and listens to nobody", () =>
    Effect.gen(function*() {
      const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
      const threads = NodeThreads.layer(tasks, { execArgv: ["--conditions=conveyor-source"] })
      const { SuiteTasks } = yield* Effect.promise(() => import("./modules/suiteTasks.ts"))
      const soon = { heartbeatInterval: "100 millis", lostAfter: "500 millis" } as const
      const host = yield* Effect.provide(
        NodeTaskHost.make({ listen: "tcp://127.0.0.1:0", secret, ...soon }),
        threads
      )
      const queue = yield* Effect.provide(
        TaskQueue.make(SuiteTasks, { max: 1, grace: "2 seconds" }),
        NodeRemoteHosts.layer(host.address, { secret, ...soon })
      )
      yield* TaskQueue.call(queue, "echo", 1)
      const error = yield* Effect.flip(TaskQueue.call(queue, "spin", undefined, { timeout: "1500 millis" }))
      // It would have been lost long before its time was over.
      assert.strictEqual(error._tag, "TaskTimeout")
    }))
})
