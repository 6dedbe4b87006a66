import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { QueueShutDown } from "../CollectorError.ts"
import type { Publisher } from "../Publisher.ts"
import { CollectedEvent, type Origin } from "./event.ts"
import type { Settings } from "./settings.ts"

/**
 * Makes the publishers of a queue, which differ in priority alone. `arrived` is called once something has been accepted
 * into a queue that may have been empty.
 */
export const make = (
  { defaultPriority, queueType }: Settings,
  queue: WorkQueue.WorkQueue<CollectedEvent>,
  origin: Origin,
  arrived: () => void
): Publisher<unknown> => {
  const refused = Exit.fail(new QueueShutDown({ queue: origin.queue }))
  let sent = 0

  const publisher = (priority: number): Publisher<unknown> => ({
    send: (payload) =>
      Effect.suspend(() => {
        const event = new CollectedEvent(origin, ++sent, payload, priority)
        if (WorkQueue.offerUnsafe(queue, event)) arrived()
        // Full, and its sender waits; or closed.
        else if (!event.isSettled) {
          return Effect.flatMap(
            WorkQueue.offer(queue, event),
            (accepted) => accepted ? Exit.succeed(event) : refused
          )
        }
        return Exit.succeed(event)
      }),
    sendAll: (payloads) =>
      Effect.suspend(() => {
        const events = Array.from(payloads, (payload) => new CollectedEvent(origin, ++sent, payload, priority))
        // What follows one that has to wait waits behind it.
        let accepted = 0
        while (accepted < events.length) {
          const event = events[accepted]!
          if (!WorkQueue.offerUnsafe(queue, event) && !event.isSettled) break
          accepted++
        }
        arrived()
        if (accepted === events.length) return Exit.succeed(events)
        return Effect.flatMap(WorkQueue.offerAll(queue, events.slice(accepted)), (left) => {
          if (left.length === events.length) return refused
          for (const event of left) event.drop("shutDown")
          return Exit.succeed(events)
        })
      }),
    withPriority: (priority) => {
      const expect = (holds: boolean, expected: string) => {
        if (holds) return
        throw new RangeError(`CollectorQueue ${origin.queue}: withPriority needs ${expected}, got ${priority}`)
      }
      expect(queueType === "priority", `queueType "priority" instead of "${queueType}"`)
      expect(Number.isFinite(priority), "a finite number")
      return publisher(priority)
    }
  })
  return publisher(defaultPriority)
}
