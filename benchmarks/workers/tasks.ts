// The tasks, as ours are written. A worker loads no more than they need: the barrels cost a thread 50 MiB.
import * as TaskModule from "effect-workers/TaskModule"
import * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Transferable from "effect/workers/Transferable"
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
