import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { CurrentTask, FiberWorkers, TaskModule, TaskQueue } from "effect-workers"
import { Rpc, RpcGroup } from "effect/rpc"

class Tasks extends RpcGroup.make(
  Rpc.make("who", { success: Schema.Struct({ worker: Schema.String, attempt: Schema.Number, tag: Schema.String }) }),
  Rpc.make("leave", { success: Schema.Boolean })
) {}

const current = Effect.map(CurrentTask.CurrentTask, (task) => task!)

const module = TaskModule.make(
  Tasks,
  Tasks.toLayer({
    who: () => Effect.map(current, ({ attempt, tag, worker }) => ({ worker, attempt, tag })),
    leave: () => Effect.as(Effect.flatMap(current, ({ resign }) => resign), true)
  })
)

describe("CurrentTask", () => {
  it.effect("tells a handler which task it runs, and where", () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue.make(Tasks, { max: 1 })
      assert.deepStrictEqual(yield* TaskQueue.call(queue, "who", undefined), {
        worker: "fiber-1.1",
        attempt: 1,
        tag: "who"
      })
      assert.isUndefined(yield* CurrentTask.CurrentTask)
    }).pipe(Effect.provide(FiberWorkers.layer(module))))

  it.effect("lets a worker resign, which is answered, replaced, and no failure", () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue.make(Tasks, { min: 1, max: 1, restart: { intensity: 0 } })
      for (const worker of ["fiber-1.1", "fiber-1.2", "fiber-1.3"]) {
        assert.deepInclude(yield* TaskQueue.call(queue, "who", undefined), { worker })
        assert.isTrue(yield* TaskQueue.call(queue, "leave", undefined))
      }
    }).pipe(Effect.provide(FiberWorkers.layer(module))))
})
