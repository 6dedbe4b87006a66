import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer, Sink, Stdio } from "effect"
import { type Consumer, Tick } from "effect-conveyor"

/** Noon on a Saturday. */
export const start = Date.parse("2026-11-21T12:00:00Z")

export const second = 1000
export const day = 86_400_000

/** The tick that was due so many seconds after the start. */
export const tickAt = (index: number, dueAt = start + index * second): Tick.Tick =>
  Tick.make({ index, dueAt, startedAt: dueAt, missed: 0 })

export const delivery = <A>(payload: A, index: number, attempt = 1): Consumer.Delivery<A> => ({
  payload,
  tick: tickAt(index),
  attempt
})

export const temporaryDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.makeTempDirectoryScoped({ prefix: "connectors-" })
)

/** Acquires a consumer until the Scope closes; each call of what it gives is one delivery. */
export const acquire = <A, E, R>(consumer: Consumer.Consumer<A, E, R>) =>
  Effect.map(
    consumer.acquire,
    (consume) => (...batch: ReadonlyArray<Consumer.Delivery<A>>) => {
      const [first, ...rest] = batch
      return first === undefined ? Effect.void : consume([first, ...rest])
    }
  )

/** Acquires a consumer for the length of one effect, as a conveyor does between a start and a stop. */
export const session = <A, E, R, B, E2, R2>(
  consumer: Consumer.Consumer<A, E, R>,
  use: (
    consume: (...batch: ReadonlyArray<Consumer.Delivery<A>>) => Effect.Effect<void, E | Consumer.Rejected, R>
  ) => Effect.Effect<B, E2, R2>
) => Effect.scoped(Effect.flatMap(acquire(consumer), use))

export const services = NodeServices.layer

/** Standard output kept as text. */
export const captureStdout = (options?: { readonly terminal?: boolean }) => {
  const chunks: Array<string> = []
  const layer = Layer.succeed(
    Stdio.Stdio,
    Stdio.make({
      args: Effect.succeed([]),
      stdin: undefined as never,
      stdout: () =>
        Sink.forEach((chunk: string | Uint8Array) =>
          Effect.sync(() => {
            chunks.push(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk))
          })
        ),
      stderr: () => Sink.drain,
      stdoutIsTerminal: Effect.succeed(options?.terminal ?? false)
    })
  )
  return { layer, text: () => chunks.join("") }
}
