import { Effect, type Fiber, Layer, Schema, Stream } from "effect"
import { type TaskEvent, TaskQueue, type TaskQueueOptions, WorkerHost } from "effect-workers"
import { Rpc, RpcGroup } from "effect/rpc"
import { TestClock } from "effect/testing"
import { FromWorker, ToWorker } from "../../src/internal/messages.ts"
import * as ScriptedHost from "./scriptedHost.ts"

class Tasks extends RpcGroup.make(
  Rpc.make("echo", { payload: { n: Schema.Number }, success: Schema.Number }),
  Rpc.make("count", { payload: { n: Schema.Number }, success: Schema.Number, stream: true })
) {}

type Worker = ScriptedHost.ScriptedWorker

export type ScriptedQueue = TaskQueue.TaskQueue<RpcGroup.Rpcs<typeof Tasks>>

/** Lets everything happen that needs no time: fibers, and what waits for the end of the platform's turn. */
export const turn: Effect.Effect<void> = Effect.gen(function*() {
  for (let i = 0; i < 5; i++) {
    yield* Effect.yieldNow
    yield* Effect.promise(() => Promise.resolve())
  }
})

/** Lets time pass in small steps, so that one thing may lead to another. */
export const pass = Effect.fnUntraced(function*(millis: number) {
  const step = millis > 10_000 ? 1000 : 10
  for (let left = millis; left > 0; left -= step) {
    yield* TestClock.adjust(Math.min(step, left))
    yield* turn
  }
})

/** A queue on workers that do what a test tells them. */
export const make = Effect.fnUntraced(function*(
  options: TaskQueueOptions.TaskQueueOptions = {},
  hosting: Parameters<typeof ScriptedHost.make>[0] = {}
) {
  const scripted = ScriptedHost.make(hosting)
  const provided = Layer.succeed(WorkerHost.WorkerHost, scripted.host)
  const queue = yield* Effect.provide(
    TaskQueue.make(Tasks, { drainTimeout: 0, grace: 0, closeTimeout: 0, ...options }),
    provided
  )
  const events: Array<TaskEvent.TaskEvent> = []
  yield* Effect.forkScoped(Stream.runForEach(TaskQueue.events(queue), (event) => Effect.sync(() => events.push(event))))
  yield* turn
  return { queue, events, workers: scripted.workers }
})

/** Calls without waiting, and gives the fiber that waits. */
export const calling = Effect.fnUntraced(function*(
  queue: ScriptedQueue,
  n: number,
  options: Parameters<typeof TaskQueue.call>[3] = {}
) {
  const fiber = yield* Effect.forkScoped(
    Effect.result(TaskQueue.call(queue, "echo", { n }, options))
  )
  yield* turn
  return fiber
})

/** The payloads of the calls that a worker was posted, in order. */
export const called = (worker: Worker | undefined): ReadonlyArray<unknown> =>
  (worker?.posted ?? []).flatMap((message) =>
    message[0] === ToWorker.Call ? [(message[3] as { readonly n: number }).n] : []
  )

const idOf = (worker: Worker, n: number): number => {
  const calls = worker.posted.filter((message) =>
    message[0] === ToWorker.Call && (message[3] as { readonly n: number }).n === n
  )
  return calls.at(-1)![1] as number
}

/** Answers the call with this payload, after so many milliseconds of work. */
export const answer = (worker: Worker, n: number, millis = 50): Effect.Effect<void> =>
  Effect.andThen(Effect.sync(() => worker.post([FromWorker.Succeeded, idOf(worker, n), millis, n])), turn)

/** Answers that the call was interrupted. */
export const answerInterrupted = (worker: Worker, n: number): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(() =>
      worker.post([FromWorker.Failed, idOf(worker, n), 50, {
        _tag: "Failure",
        cause: [{ _tag: "Interrupt", fiberId: null }]
      }])
    ),
    turn
  )

/** What a fiber of `calling` has come to: a number, the tag of an error, or `undefined` if it still waits. */
export const outcome = (fiber: Fiber.Fiber<any, any>): unknown => {
  const exit = fiber.pollUnsafe()
  if (exit === undefined) return undefined
  if (exit._tag === "Failure") return exit.cause.toString()
  return exit.value._tag === "Success" ? exit.value.success : exit.value.failure._tag
}
