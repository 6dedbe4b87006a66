import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer, PlatformError, Sink, Stdio, Stream } from "effect"
import { type Consumer, Tick } from "effect-conveyor"
import { HttpClient, HttpClientResponse } from "effect/http"
import type { HttpClientRequest } from "effect/http"

/** Noon on a Saturday. */
export const start = Date.parse("2026-11-21T12:00:00Z")

export const day = 86_400_000

export const tickAt = (index: number, dueAt = start + index * 1000): Tick.Tick =>
  Tick.make({ index, dueAt, startedAt: dueAt, missed: 0 })

export const delivery = <A>(payload: A, index: number, dueAt?: number): Consumer.Delivery<A> => ({
  payload,
  tick: tickAt(index, dueAt),
  attempt: 1
})

export type Deliver<A, E> = (
  ...batch: ReadonlyArray<Consumer.Delivery<A>>
) => Effect.Effect<void, E | Consumer.Rejected>

/** Acquires a consumer for as long as the Scope lasts; each call of what it gives is one batch. */
export const acquire = <A, E, R>(consumer: Consumer.Consumer<A, E, R>) =>
  Effect.gen(function*() {
    const consume = yield* consumer.acquire
    const context = yield* Effect.context<R>()
    return ((first, ...rest) =>
      first === undefined
        ? Effect.void
        : Effect.provideContext(consume([first, ...rest]), context)) satisfies Deliver<A, E> as Deliver<A, E>
  })

/** Acquires a consumer, uses it and lets it go, as a conveyor does between a start and a stop. */
export const session = <A, E, R, B, E2, R2>(
  consumer: Consumer.Consumer<A, E, R>,
  use: (deliver: Deliver<A, E>) => Effect.Effect<B, E2, R2>
) => Effect.scoped(Effect.flatMap(acquire(consumer), use))

/** The same consumer with its requirements met. */
export const provideTo = <A, E, R>(
  self: Consumer.Consumer<A, E, R>,
  layer: Layer.Layer<R>
): Consumer.Consumer<A, E> => ({
  ...self,
  acquire: Effect.gen(function*() {
    const context = yield* Layer.build(layer)
    const consume = yield* Effect.provideContext(self.acquire, context)
    return (batch) => Effect.provideContext(consume(batch), context)
  })
})

export const services = NodeServices.layer

export const temporaryDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.makeTempDirectoryScoped({ prefix: "connectors-" })
)

export const readText = (path: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path))

export const writeText = (path: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.writeFileString(path, text))

export const namesIn = (directory: string) =>
  Effect.map(Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readDirectory(directory)), (names) => names.toSorted())

const systemFailure = (method: string, code: string) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "FileSystem",
    method,
    cause: Object.assign(new Error(code), { code })
  })

/** The real file system, on a disk that can be made to be full: half of what is then appended is written. */
export const fillableDisk = Effect.map(FileSystem.FileSystem, (fs) => {
  const disk = { full: false, truncatable: true }
  const fileSystem: FileSystem.FileSystem = {
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) => ({
        [FileSystem.FileTypeId]: FileSystem.FileTypeId,
        stat: file.stat,
        sync: file.sync,
        seek: (offset, from) => file.seek(offset, from),
        read: (buffer, options) => file.read(buffer, options),
        readAlloc: (size, options) => file.readAlloc(size, options),
        truncate: (length) =>
          Effect.suspend(() =>
            disk.truncatable ? file.truncate(length) : Effect.fail(systemFailure("truncate", "EIO"))
          ),
        write: (buffer) => file.write(buffer),
        writeAll: (buffer) =>
          Effect.suspend(() =>
            disk.full
              ? Effect.andThen(
                file.writeAll(buffer.subarray(0, Math.ceil(buffer.length / 2))),
                Effect.fail(systemFailure("writeAll", "ENOSPC"))
              )
              : file.writeAll(buffer)
          )
      }))
  }
  return { disk, layer: Layer.succeed(FileSystem.FileSystem, fileSystem) }
})

/** Standard output kept as text, which can be made to fail. */
export const captureStdout = (options?: { readonly terminal?: boolean }) => {
  const state = { text: "", broken: false }
  const layer = Layer.succeed(
    Stdio.Stdio,
    Stdio.make({
      args: Effect.succeed([]),
      stdin: Stream.empty,
      stderr: () => Sink.drain,
      stdout: () =>
        Sink.forEach((chunk: string | Uint8Array) =>
          Effect.suspend(() => {
            if (state.broken) return Effect.fail(systemFailure("stdout", "EIO"))
            state.text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)
            return Effect.void
          })
        ),
      stdoutIsTerminal: Effect.succeed(options?.terminal ?? false)
    })
  )
  return { state, layer }
}

/** A server in this process, as a client of which every request is seen. */
export const fakeServer = (
  respond: (request: HttpClientRequest.HttpClientRequest, body: string) => Response
): Layer.Layer<HttpClient.HttpClient> =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.sync(() => {
        const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
        return HttpClientResponse.fromWeb(request, respond(request, body))
      })
    )
  )
