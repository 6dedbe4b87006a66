import { Deferred, Effect, Layer, Random } from "effect"
import * as FiberWorkers from "effect-workers/FiberWorkers"
import type * as TaskModule from "effect-workers/TaskModule"
import { type WorkerEnd, WorkerHost, WorkerStartError } from "effect-workers/WorkerHost"
import type { Rpc } from "effect/rpc"

// Workers in this heap that crash: those of `FiberWorkers`, behind a link that can be cut at any moment. What a worker says
// after that is not heard, and what it was told before may or may not have been.

export interface SimulatedHost {
  readonly host: WorkerHost["Service"]
  /** Ends one of the workers that are alive, as if its process had exited; tells whether there was one. */
  readonly crash: Effect.Effect<boolean>
  /** Workers that have been started, and have not ended. */
  readonly alive: () => number
  readonly crashes: () => number
}

export interface Options {
  /** Milliseconds that a start takes at most. */
  readonly slowestStart?: number
  /** How often a start fails, from 0 to 1. */
  readonly failingStarts?: number
}

export const make = <R extends Rpc.Any>(
  module: TaskModule.TaskModule<R>,
  { failingStarts = 0, slowestStart = 0 }: Options = {}
): Effect.Effect<SimulatedHost> =>
  Effect.gen(function*() {
    const inner = yield* Effect.provide(WorkerHost, FiberWorkers.layer(module), { local: true })
    const alive = new Set<() => void>()
    let crashes = 0
    const start: WorkerHost["Service"]["start"] = Effect.fnUntraced(function*(options) {
      if (slowestStart > 0) yield* Effect.sleep(yield* Random.nextIntBetween(0, slowestStart))
      if ((yield* Random.next) < failingStarts) {
        return yield* new WorkerStartError({ reason: "Exited", worker: options.name, detail: "as was decided" })
      }
      const ended = Deferred.makeUnsafe<WorkerEnd>()
      let hasEnded = false
      const link = yield* inner.start({
        ...options,
        receive: (batch) => {
          if (!hasEnded) options.receive(batch)
        }
      })
      const end = (how: WorkerEnd): void => {
        if (hasEnded) return
        hasEnded = true
        alive.delete(cut)
        Deferred.doneUnsafe(ended, Effect.succeed(how))
      }
      const cut = (): void => {
        end({ _tag: "Exited", code: 1, detail: "" })
        Effect.runForkWith(context)(link.kill)
      }
      const context = yield* Effect.context<never>()
      yield* Effect.addFinalizer(() => Effect.sync(() => end({ _tag: "Signalled", signal: "SIGKILL" })))
      yield* Effect.forkScoped(Effect.map(link.ended, end))
      alive.add(cut)
      return {
        ...link,
        details: {},
        post: (batch, transfers) => {
          if (!hasEnded) link.post(batch, transfers)
        },
        ended: Deferred.await(ended),
        terminate: link.terminate,
        kill: link.kill
      }
    })
    return {
      host: { ...inner, start },
      crash: Effect.suspend(() => {
        if (alive.size === 0) return Effect.succeed(false)
        return Effect.map(Random.nextIntBetween(0, alive.size - 1), (index) => {
          crashes++
          Array.from(alive)[index]!()
          return true
        })
      }),
      alive: () => alive.size,
      crashes: () => crashes
    }
  })

export const layer = (self: SimulatedHost): Layer.Layer<WorkerHost> => Layer.succeed(WorkerHost)(self.host)
