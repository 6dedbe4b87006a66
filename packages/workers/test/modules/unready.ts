import { Effect, Layer } from "effect"
import * as TaskModule from "effect-workers/TaskModule"
import { Rpc, RpcGroup } from "effect/rpc"

const Tasks = RpcGroup.make(Rpc.make("wait"))

export default TaskModule.make(
  Tasks,
  Tasks.toLayer({ wait: () => Effect.void }).pipe(Layer.tap(() => Effect.never))
)
