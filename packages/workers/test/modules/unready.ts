import { Effect, Layer } from "effect"
import * as TaskModule from "effect-workers/TaskModule"
import { Rpc, RpcGroup } from "effect/rpc"

const Tasks = RpcGroup.make(Rpc.make("wait"))

// `Effect.never` would keep the worker alive by itself.
export default TaskModule.make(
  Tasks,
  Tasks.toLayer({ wait: () => Effect.void }).pipe(
    Layer.tap(() => Effect.promise(() => Promise.withResolvers().promise))
  )
)
