// What workers do: read one log each, and tell what they find as they find it.
import * as TaskModule from "effect-workers/TaskModule"
import * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"
import { pipeline } from "node:stream"
import { createGunzip } from "node:zlib"
import * as Analysis from "./Analysis.ts"
import * as Lines from "./lines.ts"

/** A log that cannot be read, or not to its end. */
export class LogUnreadable extends Schema.TaggedError<LogUnreadable>()("LogUnreadable", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

export class Tasks extends RpcGroup.make(
  Rpc.make("analyze", {
    payload: { path: Schema.String },
    success: Analysis.Finding,
    error: LogUnreadable,
    stream: true
  }),
  Rpc.make("ignore", { payload: { addresses: Schema.Array(Schema.String) } })
) {}

const pieceSize = 256 * 1024

const pieces = (path: string): Stream.Stream<Buffer, LogUnreadable> =>
  Stream.suspend(() => {
    const file = createReadStream(path, { highWaterMark: pieceSize })
    // The pipeline destroys either when the other fails, and the stream destroys both when it is interrupted.
    const source = path.endsWith(".gz") ? pipeline(file, createGunzip({ chunkSize: pieceSize }), () => {}) : file
    return Stream.fromAsyncIterable<Buffer, LogUnreadable>(
      source,
      (error) => new LogUnreadable({ detail: error instanceof Error ? error.message : String(error) })
    )
  })

export default TaskModule.make(
  Tasks,
  Tasks.toLayer(Effect.sync(() => {
    // Each worker has its own, which an update of the queue fills.
    const ignored = new Set<string>()
    return {
      analyze: ({ path }) =>
        Stream.suspend(() => {
          const lines = Lines.make()
          const analysis = Analysis.make((address) => ignored.has(address))
          return pieces(path).pipe(
            Stream.map((piece) => analysis.add(lines.push(piece))),
            Stream.concat(Stream.sync(() => [...analysis.add(lines.end()), ...analysis.end()])),
            Stream.flattenIterable
          )
        }),
      ignore: ({ addresses }) =>
        Effect.sync(() => {
          for (const address of addresses) ignored.add(address)
        })
    }
  }))
)
