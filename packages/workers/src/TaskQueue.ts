/**
 * A priority queue of tasks, and the workers that run them: fibers of this process, threads, child processes, other machines.
 *
 * What a task is, an `RpcGroup` says; what workers there are, a `WorkerHost`, which a Layer provides. The queue decides what runs
 * next and where, keeps to timeouts and deadlines, replaces workers that are lost, and settles every task that it accepted exactly once.
 *
 * **Source** AsynQueue's `TaskQueue`: its niceness, series, `doNext` and `doLast`, `update` and worker pool. Typed errors, deadlines, cancelling,
 * bounds, streams that wait for their reader, the end of workers that do not listen, and that shutting down settles everything, are new.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Place } from "./internal/fairOrder.ts"
import { type Core, makeCore } from "./internal/queue.ts"
import type { TaskError } from "./TaskError.ts"
import type { TaskEvent } from "./TaskEvent.ts"
import type { TaskPolicy } from "./TaskPolicy.ts"
import type { PoolOptions, TaskQueueOptions } from "./TaskQueueOptions.ts"
import type { TaskStats } from "./TaskStats.ts"
import { WorkerHost } from "./WorkerHost.ts"

const TypeId = "~effect-workers/TaskQueue"

/**
 * A queue of the tasks `R`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskQueue<in out R extends Rpc.Any> {
  readonly [TypeId]: typeof TypeId
  readonly group: RpcGroup.RpcGroup<R>
}

interface Impl extends TaskQueue<any> {
  readonly core: Core
}

const core = (self: TaskQueue<any>): Core => (self as Impl).core

type Named<R extends Rpc.Any, Tag extends string> = Extract<R, { readonly _tag: Tag }>

/**
 * Tells whether a value is a queue of tasks.
 *
 * @category guards
 * @stability unstable
 * @since 0.1.0
 */
export const isTaskQueue = (u: unknown): u is TaskQueue<Rpc.Any> => Predicate.hasProperty(u, TypeId)

/**
 * Makes a queue of the tasks of a group, with a pool of workers on the `WorkerHost` that it is given.
 *
 * **Details**
 *
 * Workers are started when there is something for them to do, up to `max`, and `min` of them at once; a worker that cannot be
 * started is an event, and what fails is the tasks that nobody can run. When the Scope closes the queue is shut down: it goes on
 * with what was submitted for as long as `drainTimeout`, settles all the rest with `QueueClosed`, and ends its workers.
 *
 * Throws a `RangeError` if an option is out of range, and a `TypeError` if a task has middleware.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  options: TaskQueueOptions = {}
): Effect.Effect<TaskQueue<R>, never, Scope.Scope | WorkerHost> =>
  Effect.map(makeCore(group as unknown as RpcGroup.RpcGroup<Rpc.Any>, options), (core): TaskQueue<R> => {
    const impl: Impl = { [TypeId]: TypeId, group, core }
    return impl
  })

/**
 * A class that stands for a queue of the tasks of a group.
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export interface ServiceClass<Self, Key extends string, R extends Rpc.Any>
  extends Context.ServiceClass<Self, Key, TaskQueue<R>>
{
  readonly group: RpcGroup.RpcGroup<R>
}

/**
 * Declares a queue as a service.
 *
 * **Example** (A queue, and threads to run it)
 *
 * ```ts
 * class Jobs extends TaskQueue.Service<Jobs>()("app/Jobs", Tasks) {}
 * const JobsLive = TaskQueue.layer(Jobs, { max: 4 }).pipe(
 *   Layer.provide(NodeThreads.layer(new URL("./tasks.ts", import.meta.url)))
 * )
 * const doubled = Effect.flatMap(Jobs, (jobs) => TaskQueue.call(jobs, "double", { n: 21 }))
 * ```
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export const Service = <Self>() =>
<const Key extends string, R extends Rpc.Any>(
  key: Key,
  group: RpcGroup.RpcGroup<R>
): ServiceClass<Self, Key, R> => Object.assign(Context.Service<Self, TaskQueue<R>>()(key), { group })

/**
 * A declared queue as a Layer: it runs as long as the Layer lives.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = <Self, Key extends string, R extends Rpc.Any>(
  service: ServiceClass<Self, Key, R>,
  options?: TaskQueueOptions | undefined
): Layer.Layer<Self, never, WorkerHost> =>
  Layer.effect(service as Context.Service<Self, TaskQueue<R>>, make(service.group, options))

/**
 * Adds a pool of workers on another host, for as long as the Scope lives.
 *
 * **Details**
 *
 * A task goes to the first pool, in the order in which they were attached, that serves its series and has a worker free. When the
 * Scope closes the workers finish what they have, within the queue's `drainTimeout`; what they then still have begins again
 * elsewhere if it is retryable, and fails with `WorkerLost` if not.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const attach = <R extends Rpc.Any>(
  self: TaskQueue<R>,
  options: PoolOptions = {}
): Effect.Effect<void, never, Scope.Scope | WorkerHost> =>
  Effect.flatMap(WorkerHost, (host) => Effect.asVoid(core(self).attach(host, options)))

/**
 * Runs a task and gives what it gives, in the order of its niceness, of its series, and of its arrival.
 *
 * **Details**
 *
 * The payload is checked here: what does not fit its schema is a defect that says what was found where. Interrupting the call
 * takes the task out of the queue, or interrupts its handler and waits until its finalizers have run; a worker that does not listen
 * within its `grace` is terminated. A defect of the handler is a defect here and touches no other task.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const call = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy | undefined
): Effect.Effect<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError> =>
  calling(self, tag, payload, options, "inOrder")

/**
 * Runs a task before all others that are queued, and after those that were called next before it.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const callNext = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy | undefined
): Effect.Effect<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError> =>
  calling(self, tag, payload, options, "next")

/**
 * Runs a task when nothing else is queued, and after those that were called last before it.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const callLast = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy | undefined
): Effect.Effect<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError> =>
  calling(self, tag, payload, options, "last")

const calling = <R extends Rpc.Any, Tag extends string>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: unknown,
  options: TaskPolicy | undefined,
  place: Place
) =>
  core(self).call(tag, payload, options, place) as Effect.Effect<
    Rpc.Success<Named<R, Tag>>,
    Rpc.Error<Named<R, Tag>> | TaskError
  >

/**
 * What is known of a task that was submitted.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskReceipt<out A, out E> {
  /** Waits for what the task comes to, as often as one likes; interrupting it only ends the waiting. */
  readonly result: Effect.Effect<A, E | TaskError>
  readonly isSettled: Effect.Effect<boolean>
  /** Cancels the task, queued or running; false if it has settled. */
  readonly cancel: Effect.Effect<boolean>
}

/**
 * Submits a task without waiting for what it comes to.
 *
 * **Details**
 *
 * While the queue is full this waits, unless it refuses. A task that is queued is data, not a fiber: a million of them may wait. One
 * that cannot be accepted has a receipt all the same, whose `result` says why.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const submit = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy | undefined
): Effect.Effect<TaskReceipt<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>>>> =>
  core(self).submit(tag, payload, options) as Effect.Effect<
    TaskReceipt<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>>>
  >

/**
 * Runs a task that streams, and gives its items as they come.
 *
 * **Details**
 *
 * The task is submitted when the stream is run. At most `window` items are under way: a reader that stops reading stops the
 * handler in its worker, and one that has had enough interrupts it.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const stream = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy | undefined
): Stream.Stream<Rpc.SuccessChunk<Named<R, Tag>>, Rpc.ErrorExit<Named<R, Tag>> | TaskError> =>
  core(self).stream(tag, payload, options) as Stream.Stream<
    Rpc.SuccessChunk<Named<R, Tag>>,
    Rpc.ErrorExit<Named<R, Tag>> | TaskError
  >

/**
 * What an update may ask for.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface UpdateOptions {
  /** Whether workers that come later need not have it. Defaults to false. */
  readonly ephemeral?: boolean | undefined
  /** Of the updates with one key, workers that come later get the last only. Without, they get every one. */
  readonly key?: string | undefined
  /** Only for workers that serve the series. */
  readonly series?: string | undefined
}

/**
 * Runs a task on every worker there is, and on each that comes later before its first task; gives what came of it on those there
 * are, in no order.
 *
 * **Details**
 *
 * Updates are ordered with each other, and with the tasks of each worker: it begins no task assigned after an update before that
 * has ended, whatever came of it. A worker that is lost in the meantime counts with `WorkerLost`, and its replacement has all of them. Updates
 * go beside the queue: they do not wait for what is queued, only for what a worker runs. Those with no `key` and not
 * `ephemeral` are kept for as long as the queue lives.
 *
 * **Source** AsynQueue's `update`, which promised no order.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const update = <R extends Rpc.Any, const Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options: UpdateOptions = {}
): Effect.Effect<ReadonlyArray<Exit.Exit<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError>>> =>
  core(self).update(tag, payload, options) as Effect.Effect<
    ReadonlyArray<Exit.Exit<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError>>
  >

/**
 * A task that has not settled, as those see it who cancel.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PendingTask {
  readonly tag: string
  readonly series: string | undefined
  readonly niceness: number
  readonly state: "queued" | "assigned"
}

/**
 * Cancels the tasks that a predicate chooses, queued or running, and gives their number: they fail with `TaskCancelled`, but for those
 * that end by themselves in the meantime.
 *
 * @category cancelling
 * @stability unstable
 * @since 0.1.0
 */
export const cancel = <R extends Rpc.Any>(
  self: TaskQueue<R>,
  chosen: (task: PendingTask) => boolean
): Effect.Effect<number> => Effect.sync(() => core(self).engine.cancel(chosen as (task: object) => boolean))

/**
 * Cancels the tasks of a series, and gives their number.
 *
 * @category cancelling
 * @stability unstable
 * @since 0.1.0
 */
export const cancelSeries = <R extends Rpc.Any>(self: TaskQueue<R>, series: string): Effect.Effect<number> =>
  cancel(self, (task) => task.series === series)

/**
 * Cancels all tasks, and gives their number.
 *
 * @category cancelling
 * @stability unstable
 * @since 0.1.0
 */
export const cancelAll = <R extends Rpc.Any>(self: TaskQueue<R>): Effect.Effect<number> => cancel(self, () => true)

/**
 * Begins no more tasks; what runs goes on, and what is submitted is queued.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const pause = <R extends Rpc.Any>(self: TaskQueue<R>): Effect.Effect<void> =>
  Effect.sync(() => core(self).engine.pause())

/**
 * Begins tasks again.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const resume = <R extends Rpc.Any>(self: TaskQueue<R>): Effect.Effect<void> =>
  Effect.sync(() => core(self).engine.resume())

/**
 * Shuts the queue down: it takes nothing more, goes on with what was submitted for at most `timeout`, settles all the rest with
 * `QueueClosed`, and waits until its workers are gone. Calling it again can only shorten the wait.
 *
 * **Details**
 *
 * After `timeout` what runs is interrupted, and who does not listen is terminated and killed: with the rungs' `grace` and the
 * `closeTimeout` of the pools, the whole has an end. `timeout` defaults to the queue's `drainTimeout`.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const shutdown = <R extends Rpc.Any>(
  self: TaskQueue<R>,
  options: { readonly timeout?: Duration.Input | undefined } = {}
): Effect.Effect<void> => core(self).shutdown(options.timeout)

/**
 * What happens to the workers, and to tasks that do not simply run, from when it is run until the queue has ended. One that is
 * more than 1024 events behind misses the oldest.
 *
 * @category observing
 * @stability unstable
 * @since 0.1.0
 */
export const events = <R extends Rpc.Any>(self: TaskQueue<R>): Stream.Stream<TaskEvent> =>
  core(self).engine.broadcast.events

/**
 * What the queue has done and is doing, for all tasks, each task, each series, and each worker.
 *
 * @category observing
 * @stability unstable
 * @since 0.1.0
 */
export const stats = <R extends Rpc.Any>(self: TaskQueue<R>): Effect.Effect<TaskStats> =>
  Effect.sync(() => core(self).engine.stats())
