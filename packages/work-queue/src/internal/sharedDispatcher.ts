import type * as Scheduler from "effect/Scheduler"

const dispatchers = new WeakMap<Scheduler.Scheduler, Scheduler.SchedulerDispatcher>()

/**
 * The one dispatcher through which all queues and crews of a scheduler wake fibers. Each dispatcher asks the event loop for a turn of
 * its own, and thousands of queues that wake at one instant would ask thousands of times.
 */
export const sharedDispatcher = (scheduler: Scheduler.Scheduler): Scheduler.SchedulerDispatcher => {
  const shared = dispatchers.get(scheduler) ?? scheduler.makeDispatcher()
  dispatchers.set(scheduler, shared)
  return shared
}
