import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { TaskQueue, WorkerHost } from "effect-workers"
import { FromWorker, ToWorker } from "../src/internal/messages.ts"
import * as ScriptedHost from "./support/scriptedHost.ts"
import { answer, calling, make, type ScriptedQueue, turn } from "./support/scriptedQueue.ts"

type Worker = ScriptedHost.ScriptedWorker

/** What a worker was posted, in order: `update 1`, `call 2`. */
const heard = ({ posted }: Worker): ReadonlyArray<string> =>
  posted.flatMap((message) =>
    message[0] === ToWorker.Update || message[0] === ToWorker.Call
      ? [`${message[0] === ToWorker.Update ? "update" : "call"} ${(message[3] as { readonly n: number }).n}`]
      : []
  )

const answerUpdates = (worker: Worker) =>
  Effect.andThen(
    Effect.sync(() => {
      for (const message of worker.posted) {
        if (message[0] === ToWorker.Update) worker.post([FromWorker.Succeeded, message[1], 1, 100])
      }
    }),
    turn
  )

const updating = Effect.fnUntraced(function*(
  queue: ScriptedQueue,
  n: number,
  options?: TaskQueue.UpdateOptions
) {
  const fiber = yield* Effect.forkScoped(TaskQueue.update(queue, "echo", { n }, options))
  yield* turn
  return fiber
})

describe("an update", () => {
  it.effect("goes to every worker there is, and gives what came of it on each", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 2, max: 2 })
      const fiber = yield* updating(queue, 1)
      assert.deepStrictEqual(workers.map(heard), [["update 1"], ["update 1"]])
      yield* answerUpdates(workers[0]!)
      assert.isUndefined(fiber.pollUnsafe())
      yield* answerUpdates(workers[1]!)
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed([Exit.succeed(100), Exit.succeed(100)]))
    }))

  it.effect("goes to each that comes later before its first task, in order", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 2 })
      for (const n of [1, 2]) assert.deepStrictEqual((yield* updating(queue, n)).pollUnsafe(), Exit.succeed([]))
      yield* calling(queue, 3)
      yield* updating(queue, 4)
      yield* calling(queue, 5)
      assert.deepStrictEqual(workers.map(heard), [
        ["update 1", "update 2", "call 3", "update 4"],
        ["update 1", "update 2", "update 4", "call 5"]
      ])
    }))

  it.effect("goes anew to the replacement of a worker that is lost, whose answer is that it was", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ min: 1, max: 1 })
      const fiber = yield* updating(queue, 1)
      workers[0]!.end({ _tag: "Exited", code: 1, detail: "" })
      yield* turn
      const exit = fiber.pollUnsafe()
      assert(exit !== undefined && Exit.isSuccess(exit))
      assert.match(String(exit.value[0]), /WorkerLost/)
      assert.deepStrictEqual(heard(workers[1]!), ["update 1"])
    }))

  it.effect("is remembered by its key, as the last one with it, or not at all", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1 })
      yield* updating(queue, 1, { key: "list" })
      yield* updating(queue, 2)
      yield* updating(queue, 3, { key: "list" })
      yield* updating(queue, 4, { ephemeral: true })
      yield* calling(queue, 5)
      assert.deepStrictEqual(heard(workers[0]!), ["update 2", "update 3", "call 5"])
    }))

  it.effect("goes only to those who serve its series", () =>
    Effect.gen(function*() {
      const other = ScriptedHost.make()
      const { queue, workers } = yield* make({ min: 1, max: 1, series: ["a"] })
      yield* TaskQueue.attach(queue, { min: 1, max: 1 }).pipe(
        Effect.provide(Layer.succeed(WorkerHost.WorkerHost, other.host))
      )
      yield* turn
      yield* updating(queue, 1, { series: "b" })
      assert.deepStrictEqual([...workers, ...other.workers].map(heard), [[], ["update 1"]])
    }))

  it.effect("does not disturb what a worker has", () =>
    Effect.gen(function*() {
      const { queue, workers } = yield* make({ max: 1 })
      const fiber = yield* calling(queue, 1)
      yield* updating(queue, 2)
      yield* answer(workers[0]!, 1)
      yield* answerUpdates(workers[0]!)
      assert.isDefined(fiber.pollUnsafe())
      yield* calling(queue, 3)
      assert.deepStrictEqual(heard(workers[0]!), ["call 1", "update 2", "call 3"])
    }))
})
