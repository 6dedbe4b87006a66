import * as Duration from "effect/Duration"
import { defaults } from "../WorkQueueOptions.ts"
import type { WorkQueueOptions } from "../WorkQueueOptions.ts"
import { Deque } from "./deque.ts"
import { Heap } from "./heap.ts"
import type { CoreOptions } from "./queueCore.ts"
import { Ring } from "./ring.ts"

/** The options of a queue, checked, each order with the structures that keep it. */
export const coreOptions = <A>(options: WorkQueueOptions<A>): CoreOptions<A> => {
  const { capacity = defaults.capacity, keyed, onDrop, order = defaults.order, overflow = defaults.overflow } = options
  const ageEvery = typeof order === "string" || order.ageEvery === undefined
    ? Infinity
    : Duration.toMillis(order.ageEvery)
  if (!(ageEvery > 0)) {
    throw new RangeError(`WorkQueue.make: ageEvery must be > 0, got ${ageEvery} millis`)
  }
  return {
    backlog: (now) => typeof order === "string" ? new Ring(order) : new Heap(ageEvery, now),
    items: (now) => typeof order === "string" ? new Deque(order) : new Heap(ageEvery, now),
    priority: typeof order === "string" ? undefined : order.priority,
    keyed: keyed && {
      by: keyed.by,
      concurrency: atMost("keyed.concurrency", keyed.concurrency ?? defaults.concurrency),
      pauses: keyed.pauses
    },
    capacity: atMost("capacity", capacity),
    overflow,
    onDrop
  }
}

const atMost = (option: string, value: number | "unbounded"): number => {
  if (value === "unbounded") return Infinity
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`WorkQueue.make: ${option} must be a whole number >= 1 or "unbounded", got ${value}`)
}
