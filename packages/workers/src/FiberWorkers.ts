/**
 * Workers that are fibers of this process: for tasks that wait rather than compute, for tests, and for a queue that shall be the
 * same on one's own machine and on many.
 *
 * Each worker has its own handlers: the Layer of the module is built once for each, and released with it. Values are passed as they
 * are, without being encoded or copied; a worker must not change what it is given. A task that computes without pause blocks
 * all the others, and the queue, which cannot end it; threads are for that.
 *
 * **Source** AsynQueue's `AsyncWorker`, which was dead after the first exception of a task.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Rpc from "effect/rpc/Rpc"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type { ToWorkerMessage } from "./internal/messages.ts"
import * as TaskServer from "./internal/taskServer.ts"
import type { TaskModule } from "./TaskModule.ts"
import { type WorkerEnd, WorkerHost, type WorkerLink, WorkerStartError, type WorkerStartOptions } from "./WorkerHost.ts"

/**
 * Starts workers as fibers of this process.
 *
 * **Details**
 *
 * A pool has one worker unless it is told otherwise, with as many tasks at a time as its `concurrency`. A worker that is terminated or
 * killed has ended at once: its tasks are interrupted, and what they hold and what the handlers hold is released meanwhile,
 * however long that takes.
 *
 * **Example** (A queue of two workers)
 *
 * ```ts
 * const queue = TaskQueue.make(Tasks, { min: 2, max: 2 }).pipe(Effect.provide(FiberWorkers.layer(tasks)))
 * ```
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = <R extends Rpc.Any>(module: TaskModule<R>): Layer.Layer<WorkerHost> =>
  Layer.succeed(WorkerHost)(
    WorkerHost.of({ kind: "fiber", workers: 1, shares: true, start: (options) => start(module, options) })
  )

const start = <R extends Rpc.Any>(
  { group, layer }: TaskModule<R>,
  { encoded, name, receive }: WorkerStartOptions
): Effect.Effect<WorkerLink, WorkerStartError, Scope.Scope> =>
  Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
    const context = yield* Effect.context<Scope.Scope>()
    const scope = Scope.makeUnsafe()
    const worker = new FiberWorker(context, receive, scope)
    worker.server = yield* restore(Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope)).pipe(
      Effect.flatMap((handlers) =>
        Effect.provideContext(
          TaskServer.make(group, { post: worker.reply, onClose: worker.onClose, shares: !encoded }),
          // Of what the host is started with only references are seen: the clock, the scheduler.
          Context.merge(context, handlers)
        )
      ),
      Effect.catchCause((cause) => Effect.andThen(Scope.close(scope, Exit.failCause(cause)), refused(name, cause)))
    )
    yield* Effect.addFinalizer(() => worker.release)
    return worker
  }))

const refused = (worker: string, cause: Cause.Cause<unknown>): Effect.Effect<never, WorkerStartError> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const error = Cause.squash(cause)
  return Effect.fail(
    new WorkerStartError({ reason: "Refused", worker, detail: error instanceof Error ? error.message : String(error) })
  )
}

class FiberWorker implements WorkerLink {
  readonly details = {}
  server: TaskServer.TaskServer | undefined
  private readonly context: Context.Context<never>
  private readonly scope: Scope.Closeable
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly receive: WorkerStartOptions["receive"]
  private readonly end = Deferred.makeUnsafe<WorkerEnd>()
  private inbox: Array<ReadonlyArray<ToWorkerMessage>> = []
  private hasEnded = false

  constructor(context: Context.Context<never>, receive: WorkerStartOptions["receive"], scope: Scope.Closeable) {
    this.context = context
    this.scope = scope
    this.receive = receive
    this.dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
  }

  // What the worker says comes from turns that the server was given by its dispatcher, never from within a post.
  readonly reply: TaskServer.TaskServerOptions["post"] = (batch) => {
    if (!this.hasEnded) this.receive(batch)
  }

  readonly post: WorkerLink["post"] = (batch) => {
    if (this.hasEnded) return
    this.inbox.push(batch)
    if (this.inbox.length === 1) this.dispatcher.scheduleTask(this.deliver, 0)
  }

  readonly onClose = (): void => {
    Effect.runForkWith(this.context)(Scope.close(this.scope, Exit.void)).addObserver(() =>
      this.ends({ _tag: "Closed" })
    )
  }

  readonly ended = Deferred.await(this.end)
  readonly terminate = this.signalled("SIGTERM")
  readonly kill = this.signalled("SIGKILL")

  /** Waits for what a worker holds that has not been ended before. */
  readonly release: Effect.Effect<void> = Effect.suspend(() => {
    if (this.hasEnded) return Effect.void
    this.ends({ _tag: "Signalled", signal: "SIGKILL" })
    return this.releaseAll
  })

  private readonly releaseAll = Effect.suspend(() =>
    Effect.ensuring(this.server?.close ?? Effect.void, Scope.close(this.scope, Exit.void))
  )

  private readonly deliver = (): void => {
    const batches = this.inbox
    this.inbox = []
    for (const batch of batches) this.server?.receive(batch)
  }

  private signalled(signal: string): Effect.Effect<void> {
    return Effect.sync(() => {
      if (this.hasEnded) return
      this.ends({ _tag: "Signalled", signal })
      Effect.runForkWith(this.context)(this.releaseAll)
    })
  }

  private ends(end: WorkerEnd): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.inbox = []
    Deferred.doneUnsafe(this.end, Exit.succeed(end))
  }
}
