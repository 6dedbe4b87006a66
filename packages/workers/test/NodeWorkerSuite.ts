import { Effect, Exit, Layer, Queue, Scope } from "effect"
import * as WorkerHost from "effect-workers/WorkerHost"
import { type FromWorkerMessage, ToWorker } from "../src/internal/messages.ts"

/** Workers that run the sources, whatever runs the tests. */
export const execArgv = ["--conditions=conveyor-source"]

export const moduleUrl = (name: string): URL => new URL(`modules/${name}.ts`, import.meta.url)

type Tell = (tag: string, payload?: unknown, transfers?: ReadonlyArray<object>) => void

/** A worker, and what it has posted. */
export interface Started {
  readonly link: WorkerHost.WorkerLink
  readonly received: Array<FromWorkerMessage>
  /** Posts a call and does not wait. */
  readonly tell: Tell
  /** Takes the value of the next message, whichever call it belongs to. */
  readonly value: Effect.Effect<any>
  /** Ends the Scope of the worker. */
  readonly close: Effect.Effect<void>
}

export const start = (host: Layer.Layer<WorkerHost.WorkerHost>) =>
  Effect.gen(function*() {
    const parent = yield* Effect.scope
    const scope = yield* Scope.fork(parent)
    const received: Array<FromWorkerMessage> = []
    const queue = yield* Queue.unbounded<FromWorkerMessage>()
    const service = yield* Effect.provide(WorkerHost.WorkerHost, host)
    const link = yield* Scope.provide(
      service.start({
        name: "worker-1",
        encoded: true,
        receive: (batch) => {
          received.push(...batch)
          for (const message of batch) Queue.offerUnsafe(queue, message)
        }
      }),
      scope
    )
    let id = 0
    const tell: Tell = (tag, payload, transfers) =>
      link.post([[ToWorker.Call, ++id, tag, payload, 1, 0, undefined]], transfers)
    return {
      link,
      received,
      tell: (tag, payload, transfers) => link.post([[ToWorker.Call, ++id, tag, payload, 1, 0, undefined]], transfers),
      value: Effect.map(Queue.take(queue), (message) => message[3]),
      close: Scope.close(scope, Exit.void)
    } satisfies Started
  })
