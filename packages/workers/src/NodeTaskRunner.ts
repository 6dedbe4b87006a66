/**
 * What a thread or a child process runs to become a worker, for programs that are bundled.
 *
 * A host starts an entry of this package, which imports the task module by its URL. In a bundle neither of them is a file any more: write
 * an entry that imports the task module itself, let it be bundled as a file of its own, and give the URL of that file to
 * `NodeThreads.layerEntry` or `NodeProcesses.layerEntry`.
 *
 * **Example** (`worker.ts`)
 *
 * ```ts
 * import { NodeTaskRunner } from "effect-workers"
 * import tasks from "./tasks.ts"
 *
 * NodeTaskRunner.run(tasks)
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import { serve } from "./internal/NodeServe.ts"
import type { TaskModule } from "./TaskModule.ts"

/**
 * Makes this thread or process a worker.
 *
 * **Details** Builds the Layer of the module once, says that it is ready, and runs tasks until it is closed; then releases the Layer, and ends the
 * thread or process. An error that nobody catches, and a rejection that nobody handles, end it as they end every Node program, and their text
 * is part of how the worker ended. A child process ignores SIGINT and SIGHUP, which a terminal sends to all processes at once, and leaves
 * SIGTERM alone, by which it is terminated: a handler for that in a task module makes its workers harder to stop. When its parent
 * is gone, however it went, a child process releases its Layer, and is killed if that takes longer than a second, or if it is stuck.
 *
 * **Errors** Throws if no host started this program.
 *
 * **Source** The child side of AsynQueue's `ProcessUniverse`, which lived on when its parent was killed.
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const run = <R extends Rpc.Any>(module: TaskModule<R>): void =>
  serve(Effect.succeed(module as unknown as TaskModule<Rpc.Any>))
