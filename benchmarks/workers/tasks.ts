// The tasks, as ours are written.
import { Effect, Schema, Stream } from "effect"
import { TaskModule } from "effect-workers"
import { Rpc, RpcGroup } from "effect/rpc"
import { Transferable } from "effect/workers"
import { spin } from "./work.ts"

const Message = Schema.Struct({ id: Schema.Number, name: Schema.String })

/** What was noted, in the worker. */
export const noted: Array<number> = []

export class Tasks extends RpcGroup.make(
  Rpc.make("echo", { payload: Message, success: Message }),
  Rpc.make("note", { payload: Schema.Number }),
  Rpc.make("bytes", { payload: Transferable.Uint8Array, success: Transferable.Uint8Array }),
  Rpc.make("spin", { payload: Schema.Number, success: Schema.Number }),
  Rpc.make("count", { payload: Schema.Number, success: Schema.Number, stream: true }),
  Rpc.make("countOneByOne", { payload: Schema.Number, success: Schema.Number, stream: true })
) {}

export default TaskModule.make(
  Tasks,
  Tasks.toLayer({
    echo: Effect.succeed,
    note: (n) => {
      noted.push(n)
      return Effect.void
    },
    bytes: Effect.succeed,
    spin: (millis) => Effect.sync(() => spin(millis)),
    count: (items) => Stream.range(0, items - 1),
    countOneByOne: (items) => Stream.rechunk(Stream.range(0, items - 1), 1)
  })
)
