/** What a machine tells those who watch it: events up to a last one, to as many as have subscribed. */
export * as Broadcast from "./Broadcast.ts"

/** The fibers that work a queue off: a size that may change at any moment, and one settlement for each item. */
export * as Crew from "./Crew.ts"

/** What flows through: rates, waiting and service times, load, and Little's law as a self-check. */
export * as FlowMetrics from "./FlowMetrics.ts"

/** A heap of objects that know their place in it: the schedulers' own. */
export * as IntrusiveHeap from "./IntrusiveHeap.ts"

/** A bounded queue in the order first-in first-out, last-in first-out, or by priority. */
export * as WorkQueue from "./WorkQueue.ts"

/** What a queue is made with: its order, its bound and its keys. */
export * as WorkQueueOptions from "./WorkQueueOptions.ts"
