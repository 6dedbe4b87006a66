import { Effect, Layer } from "effect"
import * as TaskModule from "effect-workers/TaskModule"
import { Rpc, RpcGroup } from "effect/rpc"

const Tasks = RpcGroup.make(Rpc.make("wait"))

// Nothing but the host keeps such a worker alive: `Effect.never` would.
export default TaskModule.make(
  Tasks,
  Tasks.toLayer({ wait: () => Effect.void }).pipe(
    Layer.tap(() => Effect.promise(() => Promise.withResolvers().promise))
  )
)
