/**
 * What a worker that is not a fiber of this process loads: a module whose default export is a group of tasks and the Layer of
 * their handlers.
 *
 * **Example** (`tasks.ts`, for threads, processes and remote hosts alike)
 *
 * ```ts
 * export class Tasks extends RpcGroup.make(
 *   Rpc.make("double", { payload: { n: Schema.Number }, success: Schema.Number })
 * ) {}
 *
 * export default TaskModule.make(Tasks, Tasks.toLayer({ double: ({ n }) => Effect.succeed(2 * n) }))
 * ```
 *
 * **Source** AsynQueue's `WireWorkerUniverse`, whose public methods could be called with anything that can be pickled. Here the
 * contract is a group of schemas.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"

const TypeId = "~effect-workers/TaskModule"

/**
 * A group of tasks and the Layer of their handlers.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskModule<in out R extends Rpc.Any> {
  readonly [TypeId]: typeof TypeId
  readonly group: RpcGroup.RpcGroup<R>
  /** Built once for every worker, so that workers share nothing that it makes. */
  readonly layer: Layer.Layer<Rpc.ToHandler<R> | Rpc.ServicesServer<R>, unknown>
}

/**
 * Tells whether a value is a task module.
 *
 * @category guards
 * @stability unstable
 * @since 0.1.0
 */
export const isTaskModule = (u: unknown): u is TaskModule<Rpc.Any> => Predicate.hasProperty(u, TypeId)

/**
 * Makes a task module.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <R extends Rpc.Any, E>(
  group: RpcGroup.RpcGroup<R>,
  layer: Layer.Layer<Rpc.ToHandler<R> | Rpc.ServicesServer<R>, E>
): TaskModule<R> => ({ [TypeId]: TypeId, group, layer })
