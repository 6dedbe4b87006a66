import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type WorkerEnd, type WorkerLink, WorkerStartError, type WorkerStartOptions } from "../../WorkerHost.ts"
import { close, type Connection } from "./connection.ts"
import { detailsOf, endOf, notStartedOf } from "./endings.ts"
import { type Framed, type Limits, make as frame } from "./framed.ts"
import { Frame, FrameFault, type FrameKind } from "./frames.ts"
import { fromWorker } from "./relayed.ts"

/**
 * The queue's side of an authenticated connection: asks for a worker, and is the way to it once it is ready. When the Scope closes the
 * worker is killed, and the connection closed.
 */
export const start = Effect.fnUntraced(function*(
  connection: Connection,
  address: string,
  { name, receive }: WorkerStartOptions,
  limits: Limits
): Effect.fn.Return<WorkerLink, WorkerStartError, Scope.Scope> {
  const worker = `${name} at ${address}`
  const ready = Deferred.makeUnsafe<WorkerLink["details"], WorkerStartError>()
  const ended = Deferred.makeUnsafe<WorkerEnd>()
  const end = (how: WorkerEnd): boolean => Deferred.doneUnsafe(ended, Effect.succeed(how))

  const take = (kind: FrameKind, body: Uint8Array): void => {
    // Nothing is received after the end.
    if (Deferred.isDoneUnsafe(ended)) return
    const value = framed.unpack(body, [])
    const isReady = Deferred.isDoneUnsafe(ready)
    if (isReady && kind === Frame.Batch) return receive(fromWorker(value))
    if (isReady && kind === Frame.Ended) {
      end(endOf(value))
      return connection.end()
    }
    if (!isReady && kind === Frame.Started) {
      Deferred.doneUnsafe(ready, Effect.succeed({ ...detailsOf(value), address }))
    } else if (!isReady && kind === Frame.NotStarted) {
      Deferred.doneUnsafe(ready, Effect.fail(new WorkerStartError({ worker, ...notStartedOf(value) })))
      connection.end()
    } else throw new FrameFault(`a frame of kind ${kind} has no place here`)
  }

  yield* Effect.addFinalizer(() => close(connection))
  const framed: Framed = yield* frame(connection, limits, take)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (end({ _tag: "Disconnected", detail: "the queue let it go" })) framed.send(Frame.Kill)
    })
  )
  yield* Effect.forkScoped(
    Effect.flatMap(framed.lost, (detail) =>
      Effect.sync(() => {
        Deferred.doneUnsafe(
          ready,
          Effect.fail(new WorkerStartError({ reason: "Unreachable", worker, detail: `while it started, ${detail}` }))
        )
        end({ _tag: "Disconnected", detail })
      })),
    { startImmediately: true }
  )
  framed.open()
  framed.send(Frame.Start, name)
  const details = yield* Deferred.await(ready)

  const send = (kind: FrameKind, value?: unknown): void => {
    if (!Deferred.isDoneUnsafe(ended)) framed.send(kind, value)
  }
  const scope = yield* Effect.scope
  return {
    details,
    post: (batch) => send(Frame.Batch, batch),
    ended: Deferred.await(ended),
    terminate: Effect.sync(() => send(Frame.Terminate)),
    // A host that cannot be reached kills the worker by itself when it misses us; whoever kills does not wait for that.
    kill: Effect.andThen(
      Effect.sync(() => send(Frame.Kill)),
      Deferred.await(ended).pipe(
        Effect.timeoutOption("1 second"),
        Effect.andThen(Effect.sync(connection.destroy)),
        Effect.forkIn(scope, { startImmediately: true })
      )
    )
  }
})
