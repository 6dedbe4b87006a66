/** What a handler may know of the task it runs. */
export * as CurrentTask from "./CurrentTask.ts"

/** Workers that are fibers of this process. */
export * as FiberWorkers from "./FiberWorkers.ts"

/** Workers that are child processes. */
export * as NodeProcesses from "./NodeProcesses.ts"

/** Workers on other machines. */
export * as NodeRemoteHosts from "./NodeRemoteHosts.ts"

/** Hosts workers for the queues of other machines. */
export * as NodeTaskHost from "./NodeTaskHost.ts"

/** Runs a task module as a worker, for those who bundle their workers themselves. */
export * as NodeTaskRunner from "./NodeTaskRunner.ts"

/** Workers that are threads of this process. */
export * as NodeThreads from "./NodeThreads.ts"

/** How a task fails that is no fault of its handler. */
export * as TaskError from "./TaskError.ts"

/** What a queue tells those who watch it. */
export * as TaskEvent from "./TaskEvent.ts"

/** What a worker loads: a group of tasks and the Layer of their handlers. */
export * as TaskModule from "./TaskModule.ts"

/** How a task is treated: niceness, series, timeout, deadline, and whether it may run twice. */
export * as TaskPolicy from "./TaskPolicy.ts"

/** A priority queue of tasks, and the workers that run them. */
export * as TaskQueue from "./TaskQueue.ts"

/** What a queue, and each of its pools of workers, is made with. */
export * as TaskQueueOptions from "./TaskQueueOptions.ts"

/** What a queue has done and is doing. */
export * as TaskStats from "./TaskStats.ts"

/** Fibers that are waited for together: all, any, fewer than so many, or as they complete. */
export * as Tracker from "./Tracker.ts"

/** Where the workers of a queue come from. */
export * as WorkerHost from "./WorkerHost.ts"
