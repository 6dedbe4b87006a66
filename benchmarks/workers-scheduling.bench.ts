// What it costs to queue and to schedule tasks that do nothing: beside a queue with priorities, and beside fibers alone.
import { Effect, Fiber } from "effect"
import type { Group } from "./harness.ts"
import { median } from "./harness.ts"

/** Scattered over −20 … 20, and the same in every run. */
const niceness = (i: number): number => (Math.imul(i, 0x9e37_79b1) >>> 0) % 41 - 20

interface Scheduler {
  /** Queues so many; none of them runs yet. */
  readonly queue: (count: number) => void
  /** Runs them all, and gives their numbers in the order in which they ran. */
  readonly run: () => Promise<ReadonlyArray<number>>
}

/** What all orders have in common: none is lost, the nicer come later by and large, and equals in the order in which they were queued. */
const check = (order: ReadonlyArray<number>, count: number): void => {
  if (new Set(order).size !== count) throw new Error(`${order.length} of ${count} ran`)
  const places = Map.groupBy(order.keys(), (place) => niceness(order[place]!))
  if (median(places.get(-20)!) >= median(places.get(20)!)) throw new Error("not by niceness")
  for (const equals of places.values()) {
    if (equals.some((place, i) => i > 0 && order[place]! < order[equals[i - 1]!]!)) throw new Error("not in order")
  }
}

/** Tasks per second, of queueing and running them; and bytes of heap of each that is queued. */
const scheduled = (count: number, make: () => Promise<Scheduler>) => async () => {
  const round = async (count: number) => {
    const { queue, run } = await make()
    globalThis.gc!()
    const empty = process.memoryUsage().heapUsed
    const from = performance.now()
    queue(count)
    const queueing = performance.now() - from
    globalThis.gc!()
    const bytes = (process.memoryUsage().heapUsed - empty) / count
    const began = performance.now()
    const order = await run()
    const running = performance.now() - began
    check(order, count)
    return [count * 1000 / (queueing + running), bytes]
  }
  await round(20_000)
  await round(20_000)
  return round(count)
}

const ours = (waiting: "nobody waits" | "fibers wait") => async (): Promise<Scheduler> => {
  const { scheduling } = await import("./workers/ours.ts")
  return scheduling(waiting)(niceness)
}

const pQueue = async (): Promise<Scheduler> => {
  const { default: PQueue } = await import("p-queue")
  const queue = new PQueue({ concurrency: 1, autoStart: false })
  const order: Array<number> = []
  return {
    queue: (count) => {
      for (let i = 0; i < count; i++) {
        void queue.add(() => void order.push(i), { priority: -niceness(i) })
      }
    },
    run: async () => {
      queue.start()
      await queue.onIdle()
      return order
    }
  }
}

/** No queue: fibers that wait, and are told to go on in the right order. */
const fibers = (): Promise<Scheduler> => {
  const waiting: Array<{ readonly nice: number; readonly go: () => void }> = []
  const order: Array<number> = []
  let all: ReadonlyArray<Fiber.Fiber<void>> = []
  return Promise.resolve({
    queue: (count) => {
      all = Array.from({ length: count }, (_, i) => {
        const nice = niceness(i)
        return Effect.runFork(Effect.map(
          Effect.callback<void>((resume) => {
            waiting.push({ nice, go: () => resume(Effect.void) })
          }),
          () => void order.push(i)
        ))
      })
    },
    run: async () => {
      waiting.sort((a, b) => a.nice - b.nice)
      for (const { go } of waiting) go()
      await Effect.runPromise(Fiber.awaitAll(all))
      return order
    }
  })
}

export const groups: ReadonlyArray<Group> = [
  {
    cases: [
      { case: "100 000 empty tasks by niceness", unit: "tasks/s", better: "more" },
      { case: "100 000 empty tasks, heap of each that is queued", unit: "bytes", better: "less" }
    ],
    // The p-queue inserts into a sorted array: a million of them would take it minutes.
    subjects: {
      ours: scheduled(100_000, ours("nobody waits")),
      "ours, and a fiber that waits for each": scheduled(100_000, ours("fibers wait")),
      "p-queue": scheduled(100_000, pQueue),
      "floor: fibers alone": scheduled(100_000, fibers)
    }
  },
  {
    cases: [
      { case: "1 000 000 empty tasks by niceness", unit: "tasks/s", better: "more" },
      { case: "1 000 000 empty tasks, heap of each that is queued", unit: "bytes", better: "less" }
    ],
    subjects: {
      ours: scheduled(1_000_000, ours("nobody waits")),
      "ours, and a fiber that waits for each": scheduled(1_000_000, ours("fibers wait")),
      "floor: fibers alone": scheduled(1_000_000, fibers)
    }
  }
]
