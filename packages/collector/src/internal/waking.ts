import type * as Scheduler from "effect/Scheduler"
import type { CollectedEvent } from "./event.ts"

/**
 * Wakes those who wait for events, all that have settled since the last time in one task: nobody is resumed inside the step
 * of the consumer that settled the event.
 */
export const make = (dispatcher: Scheduler.SchedulerDispatcher): (event: CollectedEvent) => void => {
  let settled: Array<CollectedEvent> = []
  const wake = () => {
    const events = settled
    settled = []
    for (const event of events) event.release()
  }
  return (event) => {
    if (settled.push(event) === 1) dispatcher.scheduleTask(wake, 0)
  }
}
