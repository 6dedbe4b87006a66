import { Deferred, Effect } from "effect"
import type * as WorkerHost from "effect-workers/WorkerHost"
import { FromWorker, type FromWorkerMessage, ToWorker, type ToWorkerMessage } from "../../src/internal/messages.ts"

/** A worker that does what a test tells it. */
export interface ScriptedWorker {
  readonly name: string
  readonly posted: Array<ToWorkerMessage>
  readonly transfers: Array<object>
  readonly post: (...batch: ReadonlyArray<FromWorkerMessage>) => void
  readonly end: (end: WorkerHost.WorkerEnd) => void
  /** What was done to it from outside: `terminate`, `kill`. */
  readonly done: Array<string>
}

export interface ScriptedHost {
  readonly host: WorkerHost.WorkerHost["Service"]
  readonly workers: Array<ScriptedWorker>
}

/** A host whose workers are started as `starting` says, and end when they are killed or closed with nothing to do. */
export const make = (options: {
  readonly starting?: Effect.Effect<void, WorkerHost.WorkerStartError>
  /** What workers post before the queue can know that they are ready. */
  readonly early?: ReadonlyArray<FromWorkerMessage>
  /** What workers do not listen to. */
  readonly deafTo?: ReadonlyArray<"Close" | "terminate">
} = {}): ScriptedHost => {
  const { deafTo = [], early = [], starting = Effect.void } = options
  const workers: Array<ScriptedWorker> = []
  return {
    workers,
    host: {
      kind: "thread",
      workers: 2,
      shares: false,
      start: ({ name, receive }) =>
        Effect.gen(function*() {
          yield* starting
          const ended = Deferred.makeUnsafe<WorkerHost.WorkerEnd>()
          const worker: ScriptedWorker = {
            name,
            posted: [],
            transfers: [],
            done: [],
            post: (...batch) => receive(batch),
            end: (end) => Deferred.doneUnsafe(ended, Effect.succeed(end))
          }
          workers.push(worker)
          if (early.length > 0) receive(early)
          const kill = Effect.sync(() => {
            if (Deferred.isDoneUnsafe(ended)) return
            worker.done.push("kill")
            worker.end({ _tag: "Signalled", signal: "SIGKILL" })
          })
          yield* Effect.addFinalizer(() => kill)
          return {
            details: { pid: 11, threadId: 12 },
            post: (batch, transfers = []) => {
              worker.posted.push(...batch)
              worker.transfers.push(...transfers)
              const closes = batch.some(([kind]) => kind === ToWorker.Close)
              if (closes && !deafTo.includes("Close")) worker.end({ _tag: "Closed" })
            },
            ended: Deferred.await(ended),
            terminate: Effect.sync(() => {
              worker.done.push("terminate")
              if (!deafTo.includes("terminate")) worker.end({ _tag: "Signalled", signal: "SIGTERM" })
            }),
            kill
          }
        })
    }
  }
}

export const call = (id: number, payload: unknown = null): ToWorkerMessage => [
  ToWorker.Call,
  id,
  "echo",
  payload,
  1,
  0,
  undefined
]

export const succeeded = (id: number, value: unknown = null): FromWorkerMessage => [FromWorker.Succeeded, id, 1, value]
