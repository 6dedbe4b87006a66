/**
 * A priority queue of tasks, and the workers that run them: fibers, threads, child processes, other machines.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { TaskError } from "./TaskError.ts"
import type { TaskPolicy } from "./TaskPolicy.ts"
import type { WorkerHost } from "./WorkerHost.ts"

export interface TaskQueue<in out R extends Rpc.Any> {
  readonly group: RpcGroup.RpcGroup<R>
}

export interface PoolOptions {
  /** Workers that are always there. Defaults to 0. */
  readonly min?: number | undefined
  /** Workers there are at most. Defaults to the number of processors the host offers (`availableParallelism`), 1 for fibers. */
  readonly max?: number | undefined
  /** How long a worker above `min` stays without a task. Defaults to 30 seconds. */
  readonly idleTimeout?: Duration.Input | undefined
  /** Tasks a worker runs at a time. Defaults to 1. */
  readonly concurrency?: number | undefined
  /** Tasks after which a worker is replaced by a fresh one. Defaults to never. */
  readonly recycleAfter?: number | undefined
  /** Bytes a worker may hold, after which it is replaced by a fresh one as soon as it has nothing to do. */
  readonly recycleAbove?: number | undefined
  /** Series the workers are qualified for; defaults to all. Tasks without a series are served too, unless `exclusive`. */
  readonly series?: ReadonlyArray<string> | undefined
  readonly exclusive?: boolean | undefined
  /** Tasks assigned beyond `concurrency` while they are quick: milliseconds of work in advance. Defaults to 1. */
  readonly prefetch?: Duration.Input | undefined
  /** Unexpected ends within a time after which the pool gives up; and how long it waits between: from `backoff`, doubled each time. */
  readonly restart?: {
    readonly intensity?: number | "unbounded" | undefined
    readonly within?: Duration.Input | undefined
    readonly backoff?: Duration.Input | undefined
    readonly maxBackoff?: Duration.Input | undefined
  } | undefined
  /** How long a worker has to listen to an interruption before it is terminated, and again before it is killed. 100 ms. */
  readonly grace?: Duration.Input | undefined
}

export interface TaskQueueOptions extends PoolOptions {
  /** Tasks that may be queued. Defaults to 100 000? / "unbounded". */
  readonly capacity?: number | "unbounded" | undefined
  /** What happens to a task over capacity: it waits outside ("suspend", the default) or fails with QueueFull ("refuse"). */
  readonly overflow?: "suspend" | "refuse" | undefined
  /** Deaths of workers after which a retryable task is quarantined. Defaults to 3. */
  readonly quarantineAfter?: number | undefined
  /** Items of a stream that may be under way. Defaults to 1024. */
  readonly window?: number | undefined
  /** How long shutdown waits for what is queued and running. */
  readonly drainTimeout?: Duration.Input | undefined
}

type Named<R extends Rpc.Any, Tag extends string> = Extract<R, { readonly _tag: Tag }>

export declare const make: <R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  options?: TaskQueueOptions
) => Effect.Effect<TaskQueue<R>, never, Scope.Scope | WorkerHost>

/** Adds workers of another host, with a pool of their own, for as long as the Scope lives. */
export declare const attach: <R extends Rpc.Any>(
  self: TaskQueue<R>,
  options?: PoolOptions
) => Effect.Effect<Pool, never, Scope.Scope | WorkerHost>

export interface Pool {
  readonly id: number
}

export declare const call: <R extends Rpc.Any, Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy
) => Effect.Effect<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError, Rpc.ServicesClient<Named<R, Tag>>>
export declare const callNext: typeof call
export declare const callLast: typeof call

export declare const stream: <R extends Rpc.Any, Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: TaskPolicy
) => Stream.Stream<
  Rpc.SuccessChunk<Named<R, Tag>>,
  Rpc.ErrorExit<Named<R, Tag>> | TaskError,
  Rpc.ServicesClient<Named<R, Tag>>
>

/** Runs a task on every worker there is, and on each that comes later, before its next task. Gives what came of it on those there are. */
export declare const update: <R extends Rpc.Any, Tag extends R["_tag"]>(
  self: TaskQueue<R>,
  tag: Tag,
  payload: Rpc.PayloadConstructor<Named<R, Tag>>,
  options?: { readonly ephemeral?: boolean; readonly key?: string; readonly series?: string }
) => Effect.Effect<
  ReadonlyArray<Exit.Exit<Rpc.Success<Named<R, Tag>>, Rpc.Error<Named<R, Tag>> | TaskError>>,
  TaskError
>

export declare const cancelSeries: (self: TaskQueue<any>, series: string) => Effect.Effect<number>
export declare const cancelAll: (self: TaskQueue<any>) => Effect.Effect<number>
export declare const shutdown: (self: TaskQueue<any>, options?: { readonly timeout?: Duration.Input }) => Effect.Effect<void>
export declare const stats: (self: TaskQueue<any>) => Effect.Effect<unknown>
export declare const events: (self: TaskQueue<any>) => Stream.Stream<unknown>
