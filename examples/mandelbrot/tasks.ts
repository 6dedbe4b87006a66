// What workers do. A row is computed and painted where its pixels are, and only they come back. Every worker loads this module,
// whatever its kind.
import * as TaskModule from "effect-workers/TaskModule"
import * as TaskPolicy from "effect-workers/TaskPolicy"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as Transferable from "effect/workers/Transferable"
import { encode } from "fast-png"
import { paint } from "./palette.ts"
import { Row, rowValues } from "./Row.ts"

export class Tasks extends RpcGroup.make(
  // Bytes are moved to threads and back, and not copied.
  Rpc.make("row", {
    payload: { row: Row, steepness: Schema.Finite },
    success: Schema.Struct({ pixels: Transferable.Uint8Array, millis: Schema.Finite })
  }),
  Rpc.make("png", {
    payload: { width: Schema.Int, height: Schema.Int, pixels: Transferable.Uint8Array },
    success: Transferable.Uint8Array
  })
  // When a worker dies, another begins its row anew: no harm is done if a row is computed twice.
).annotateRpcs(TaskPolicy.Policy, { retryable: true }) {}

export default TaskModule.make(
  Tasks,
  Tasks.toLayer({
    row: ({ row, steepness }) =>
      Effect.sync(() => paint(rowValues(row), row.iterations, steepness)).pipe(
        Effect.timed,
        Effect.map(([duration, pixels]) => ({ pixels, millis: Duration.toMillis(duration) }))
      ),
    png: ({ height, pixels, width }) =>
      Effect.sync(() => new Uint8Array(encode({ width, height, channels: 3, data: pixels })))
  })
)
