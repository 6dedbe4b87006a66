import { Effect, Schema } from "effect"
import { TaskModule } from "effect-workers"
import { Rpc, RpcGroup } from "effect/rpc"

class Tasks extends RpcGroup.make(
  Rpc.make("double", { payload: Schema.Finite, success: Schema.Finite }),
  Rpc.make("sleep", { payload: Schema.Finite, success: Schema.String })
) {}

export default TaskModule.make(
  Tasks,
  Tasks.toLayer({
    double: (n) => Effect.succeed(2 * n),
    sleep: (millis) => Effect.as(Effect.sleep(millis), "slept")
  })
)
