import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Rpc from "effect/rpc/Rpc"
import { isTaskModule, type TaskModule } from "../TaskModule.ts"
import { FromWorker } from "./messages.ts"
import { errorText } from "./NodeErrorText.ts"
import * as NodeWorkerPort from "./NodeWorkerPort.ts"
import * as TaskServer from "./taskServer.ts"

/** The tasks cannot be had, and why. */
class Refused extends Data.TaggedError("Refused")<{ readonly detail: string }> {}

/** The task module that is the default export of the module at a URL. */
export const load = (url: string): Effect.Effect<TaskModule<Rpc.Any>, Refused> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: (): Promise<{ readonly default?: unknown }> => import(url),
      catch: (error) => new Refused({ detail: `${url} could not be loaded: ${errorText(error)}` })
    }),
    (module) =>
      isTaskModule(module.default)
        ? Effect.succeed(module.default)
        : Effect.fail(
          new Refused({
            detail: "default" in module
              ? `the default export of ${url} is not what TaskModule.make returns`
              : `${url} has no default export; it must be what TaskModule.make returns`
          })
        )
  )

/** Makes this thread or process a worker: builds the handlers, and runs tasks until it is closed or its parent is gone. */
export const serve = (module: Effect.Effect<TaskModule<Rpc.Any>, Refused>): void => {
  const port = NodeWorkerPort.open()
  if (port === undefined) {
    throw new Error(
      "NodeTaskRunner.run: no host started this program; give its URL to NodeThreads.layerEntry or NodeProcesses.layerEntry"
    )
  }
  const main = Effect.scoped(Effect.flatMap(module, (module) => work(module, port))).pipe(
    // Interrupted, it releases what it holds.
    Effect.raceFirst(Effect.callback<void>((resume) => port.onOrphaned(() => resume(Effect.void)))),
    Effect.catchTag("Refused", ({ detail }) => Effect.sync(() => port.post([[FromWorker.Refused, detail]])))
  )
  // A defect is left uncaught, and ends the worker as one of its tasks' would.
  void Effect.runPromise(main).then(() => port.exit(0))
}

const work = Effect.fnUntraced(function*(module: TaskModule<Rpc.Any>, port: NodeWorkerPort.NodeWorkerPort) {
  const handlers = yield* Effect.catchCause(
    Layer.build(module.layer),
    (cause) => Effect.fail(new Refused({ detail: `its Layer failed: ${Cause.pretty(cause)}` }))
  )
  const closed = Deferred.makeUnsafe<void>()
  // After the handlers' Layer in the Scope, hence closed before it.
  const server = yield* Effect.acquireRelease(
    Effect.provide(
      TaskServer.make(module.group, {
        post: port.post,
        onClose: () => Deferred.doneUnsafe(closed, Exit.void),
        shares: false,
        memory: port.memory
      }),
      handlers
    ),
    (server) => server.close
  )
  port.listen(server.receive)
  port.post([[FromWorker.Ready, [...module.group.requests.keys()]]])
  yield* Deferred.await(closed)
})
