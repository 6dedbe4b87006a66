import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Option, Random, Schema, Stream } from "effect"
import { Simulation } from "effect-simulation"
import { CurrentTask } from "effect-workers/CurrentTask"
import type { TaskError } from "effect-workers/TaskError"
import * as TaskModule from "effect-workers/TaskModule"
import type { TaskPolicy } from "effect-workers/TaskPolicy"
import * as TaskQueue from "effect-workers/TaskQueue"
import { Rpc, RpcGroup } from "effect/rpc"
import * as SimulatedHost from "./support/SimulatedHost.ts"

class Tasks extends RpcGroup.make(
  Rpc.make("work", { payload: { id: Schema.Finite, millis: Schema.Finite }, success: Schema.Finite }),
  Rpc.make("count", { payload: { id: Schema.Finite, millis: Schema.Finite }, success: Schema.Finite, stream: true }),
  Rpc.make("learn", { payload: Schema.Finite })
) {}

interface Begun {
  readonly id: number
  readonly worker: string
  /** The updates that the worker had applied. */
  readonly applied: ReadonlyArray<number>
}

/** What happened, as the handlers saw it. */
const watching = () => {
  const begun: Array<Begun> = []
  const perWorker: Array<Array<number>> = []
  let running = 0
  const module = TaskModule.make(
    Tasks,
    Tasks.toLayer(Effect.sync(() => {
      const applied: Array<number> = []
      perWorker.push(applied)
      const begins = (id: number) =>
        Effect.map(CurrentTask, (task) => {
          begun.push({ id, worker: task!.worker, applied: applied.slice() })
          running++
        })
      return {
        work: ({ id, millis }) =>
          Effect.as(
            Effect.acquireUseRelease(begins(id), () => Effect.sleep(millis), () => Effect.sync(() => running--)),
            id
          ),
        count: ({ id, millis }) =>
          Stream.unwrap(Effect.as(
            Effect.acquireRelease(begins(id), () => Effect.sync(() => running--)),
            Stream.tap(Stream.range(1, 20, 4), () => Effect.sleep(millis / 20))
          )),
        learn: (n) => Effect.andThen(Effect.sleep(n % 3), Effect.sync(() => void applied.push(n)))
      }
    }))
  )
  return { begun, module, perWorker, running: () => running }
}

const upTo = (n: number) => Random.nextIntBetween(0, n)
const chance = (probability: number) => Effect.map(Random.next, (n) => n < probability)
const perhaps = <A>(probability: number, value: A) => Effect.map(chance(probability), (yes) => yes ? value : undefined)

const policy = Effect.fnUntraced(function*() {
  const policy: TaskPolicy = {
    niceness: (yield* upTo(40)) - 20,
    series: yield* perhaps(0.5, (yield* chance(0.5)) ? "red" : "blue"),
    timeout: yield* perhaps(0.2, 5),
    deadline: yield* perhaps(0.2, 30),
    retryable: yield* chance(0.5),
    attempts: 1 + (yield* upTo(2))
  }
  return policy
})

interface Submitted {
  readonly id: number
  readonly policy: TaskPolicy
  /** The updates that were told before it was submitted. */
  readonly told: ReadonlyArray<number>
  readonly isStream: boolean
  settled: number
  exit: Exit.Exit<unknown, unknown> | undefined
}

/** A queue that has everything happen to it, until it is shut down. */
const history = Effect.gen(function*() {
  const watch = watching()
  const simulated = yield* SimulatedHost.make(watch.module, {
    slowestStart: yield* upTo(5),
    failingStarts: (yield* chance(0.3)) ? 0.2 : 0
  })
  const submitted: Array<Submitted> = []
  const told: Array<number> = []
  let isOver = false
  const max = 1 + (yield* upTo(2))
  const pool = {
    max,
    min: yield* upTo(max),
    concurrency: 1 + (yield* upTo(2)),
    prefetch: yield* upTo(20),
    idleTimeout: 5 + (yield* upTo(50)),
    recycleAfter: (yield* chance(0.3)) ? 2 : "unbounded" as const,
    grace: yield* upTo(3),
    restart: { intensity: "unbounded" as const, startAttempts: "unbounded" as const, backoff: 1, maxBackoff: 8 }
  }
  yield* Effect.scoped(Effect.gen(function*() {
    const queue = yield* TaskQueue.make(Tasks, {
      ...pool,
      capacity: 1 + (yield* upTo(20)),
      overflow: (yield* chance(0.3)) ? "refuse" : "suspend",
      quarantineAfter: 1 + (yield* upTo(3)),
      window: 1 + (yield* upTo(9)),
      drainTimeout: 1000
    })
    const submit = Effect.fnUntraced(function*(id: number) {
      const options = yield* policy()
      const millis = yield* upTo(8)
      const isStream = yield* chance(0.2)
      const one: Submitted = { id, policy: options, told: told.slice(), isStream, settled: 0, exit: undefined }
      const payload = { id, millis }
      const { call, callLast, callNext } = TaskQueue
      const calling = [call, callNext, callLast][yield* upTo(2)]!
      const run: Effect.Effect<unknown, TaskError> = isStream
        ? Effect.flatMap(
          upTo(20),
          (items) => Stream.runCollect(Stream.take(TaskQueue.stream(queue, "count", payload, options), items))
        )
        : calling(queue, "work", payload, options)
      yield* Effect.uninterruptibleMask((restore) => {
        submitted[id] = one
        return Effect.onExit(restore(run), (exit) =>
          Effect.sync(() => {
            one.settled++
            one.exit = exit
          }))
      })
    })
    const callers = Effect.forEach(
      Array.from({ length: 25 }, (_, id) => id),
      Effect.fnUntraced(function*(id) {
        yield* Effect.sleep(yield* upTo(4))
        const fiber = yield* Effect.forkChild(submit(id))
        if (yield* chance(0.15)) {
          yield* Effect.forkChild(Effect.andThen(Effect.sleep(yield* upTo(8)), Fiber.interrupt(fiber)))
        }
        return fiber
      })
    )
    const happens = (least: number, most: number, what: Effect.Effect<unknown>) =>
      Effect.forkChild(Effect.gen(function*() {
        while (!isOver) {
          yield* Effect.sleep(least + (yield* upTo(most)))
          yield* what
        }
      }))
    yield* happens(
      5,
      20,
      Effect.suspend(() => {
        const n = told.length + 1
        return Effect.andThen(TaskQueue.update(queue, "learn", n), Effect.sync(() => told.push(n)))
      })
    )
    yield* happens(5, 40, simulated.crash)
    yield* happens(20, 60, TaskQueue.cancelSeries(queue, "red"))
    yield* happens(
      10,
      30,
      Effect.andThen(TaskQueue.pause(queue), Effect.andThen(Effect.sleep(2), TaskQueue.resume(queue)))
    )
    yield* happens(
      10,
      30,
      Effect.scoped(Effect.andThen(TaskQueue.attach(queue, { ...pool, min: 1 }), Effect.sleep(10))).pipe(
        Effect.provide(SimulatedHost.layer(simulated))
      )
    )
    const fibers = yield* callers
    if (yield* chance(0.5)) yield* Effect.forEach(fibers, Fiber.await)
    isOver = true
    yield* TaskQueue.shutdown(queue, { timeout: yield* upTo(20) })
    const now = yield* Clock.currentTimeMillis
    yield* Effect.forEach(fibers, Fiber.await)
    assert.strictEqual(yield* Clock.currentTimeMillis, now, "a task settled after its queue was shut down")
  })).pipe(Effect.provide(SimulatedHost.layer(simulated)))
  yield* Effect.sleep(200)
  return { ...watch, submitted, simulated }
})

const errorOf = (exit: Exit.Exit<unknown, unknown> | undefined) =>
  exit !== undefined && Exit.isFailure(exit)
    ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) as TaskError | undefined
    : undefined

describe("TaskQueue", () => {
  it.effect("law: it settles every task once, begins none twice that may not, and forgets no update, whatever happens", () =>
    Simulation.check(history, (outcome) => {
      assert.strictEqual(outcome.ending, "completed")
      assert.isTrue(Exit.isSuccess(outcome.exit), String(outcome.exit))
      assert.deepStrictEqual(outcome.leftover, [])
      const { begun, perWorker, running, simulated, submitted } = (outcome.exit as Exit.Success<
        Effect.Success<typeof history>
      >).value
      assert.strictEqual(simulated.alive(), 0)
      assert.strictEqual(running(), 0)
      const times = new Map<number, number>()
      for (const { applied, id } of begun) {
        times.set(id, (times.get(id) ?? 0) + 1)
        const { told } = submitted[id]!
        assert.deepStrictEqual(applied.slice(0, told.length), told, `the updates before task ${id}`)
      }
      for (const applied of perWorker) {
        assert.deepStrictEqual(applied, applied.map((_, index) => index + 1), "the updates of a worker")
      }
      for (const { exit, id, isStream, policy, settled } of submitted.filter((one) => one !== undefined)) {
        assert.strictEqual(settled, 1)
        const begins = times.get(id) ?? 0
        if (policy.retryable !== true) assert.isAtMost(begins, 1, `the beginnings of task ${id}`)
        const error = errorOf(exit)
        if (exit !== undefined && Exit.isSuccess(exit)) {
          if (isStream) assert.deepStrictEqual(exit.value, (exit.value as Array<number>).map((_, index) => index + 1))
          else assert.strictEqual(exit.value, id)
        } else if (error === undefined) {
          assert.isTrue(Cause.hasInterruptsOnly((exit as Exit.Failure<unknown, unknown>).cause), String(exit))
        }
        switch (error?._tag) {
          case "TaskTimeout":
            assert.strictEqual(policy.timeout, 5)
            assert.isAtMost(error.attempts, policy.retryable === true ? policy.attempts! : 1)
            break
          case "TaskExpired":
            assert.strictEqual(policy.deadline, 30)
            break
          case "TaskCancelled":
            assert.strictEqual(policy.series, "red")
            break
          case "WorkerLost":
            assert.isTrue(policy.retryable !== true || isStream, "was lost, and may run twice")
            break
          case "TaskQuarantined":
            assert.isTrue(policy.retryable)
            assert.isAtLeast(simulated.crashes(), error.deaths)
            break
          case "NoWorkers":
            assert.fail("the pool gave up")
        }
      }
    }, { runs: 100 }))
})
