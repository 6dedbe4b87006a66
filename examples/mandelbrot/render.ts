// A picture, computed on workers: its rows are tasks, which end in any order and are put together in theirs.
import { Clock, Effect, Stream } from "effect"
import { TaskQueue } from "effect-workers"
import type { RpcGroup } from "effect/rpc"
import type { Picture } from "./Picture.ts"
import { Tasks } from "./tasks.ts"

export interface Rendering {
  /** The PNG file. */
  readonly png: Uint8Array
  readonly workers: number
  readonly calls: number
  readonly pixels: number
  readonly seconds: number
  /** Of all workers together, in their handlers. */
  readonly secondsInWorkers: number
}

export interface Options {
  readonly workers: number
  readonly steepness: number
  readonly onRow?: (rows: number) => Effect.Effect<void>
}

/**
 * The rows from the top, each as its pixels. At most five tasks for each worker are under way, counting rows that wait for an earlier
 * one: enough that no worker ever waits, and as much memory for a picture of any size.
 */
export const rows = (
  queue: TaskQueue.TaskQueue<RpcGroup.Rpcs<typeof Tasks>>,
  picture: Picture,
  { steepness, workers }: Options
) =>
  Stream.fromIterable(picture.rows()).pipe(
    Stream.mapEffect((row) => TaskQueue.call(queue, "row", { row, steepness }), { concurrency: 5 * workers })
  )

export const render = Effect.fn("render")(function*(picture: Picture, options: Options) {
  const { height, width } = picture
  const { onRow = () => Effect.void, steepness, workers } = options
  const queue = yield* TaskQueue.make(Tasks, { min: workers, max: workers })
  // Nobody wants to know how long it takes to start workers: with an answer, they are there.
  yield* TaskQueue.call(queue, "row", { row: picture.row(0), steepness })

  const begin = yield* Clock.currentTimeMillis
  const pixels = new Uint8Array(3 * width * height)
  let millis = 0
  let calls = 0
  yield* Stream.runForEach(rows(queue, picture, options), (row) => {
    pixels.set(row.pixels, 3 * width * calls++)
    millis += row.millis
    return onRow(calls)
  })
  const seconds = ((yield* Clock.currentTimeMillis) - begin) / 1000
  // Compressing takes a while, in which signals should be heard.
  const png = yield* TaskQueue.call(queue, "png", { width, height, pixels })
  return { png, workers, calls, pixels: width * height, seconds, secondsInWorkers: millis / 1000 }
}, Effect.scoped)
