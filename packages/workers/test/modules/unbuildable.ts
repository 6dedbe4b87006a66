import { Data, Effect, Layer } from "effect"
import * as TaskModule from "effect-workers/TaskModule"
import { Rpc, RpcGroup } from "effect/rpc"

class NoDatabase extends Data.TaggedError("NoDatabase")<{ readonly host: string }> {
  override get message(): string {
    return `nothing listens on ${this.host}`
  }
}

const Tasks = RpcGroup.make(Rpc.make("query"))

export default TaskModule.make(
  Tasks,
  Tasks.toLayer({ query: () => Effect.void }).pipe(
    Layer.tap(() => Effect.fail(new NoDatabase({ host: "db.example" })))
  )
)
