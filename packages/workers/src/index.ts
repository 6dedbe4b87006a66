/** How a task fails that is no fault of its handler. */
export * as TaskError from "./TaskError.ts"

/** What a worker loads: a group of tasks and the Layer of their handlers. */
export * as TaskModule from "./TaskModule.ts"

/** How a task is treated: niceness, series, timeout, deadline, and whether it may run twice. */
export * as TaskPolicy from "./TaskPolicy.ts"

/** A priority queue of tasks, and the workers that run them. */
export * as TaskQueue from "./TaskQueue.ts"

/** Where the workers of a queue come from. */
export * as WorkerHost from "./WorkerHost.ts"
