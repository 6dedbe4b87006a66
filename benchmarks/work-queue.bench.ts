// What the ordered queue, its crew and the simulation cost beside Effect's own queues.
import { Effect, Fiber, Order, Queue, TxPriorityQueue } from "effect"
import { Simulation } from "effect-simulation"
import { Crew, WorkQueue } from "effect-work-queue"
import type { Group } from "./harness.ts"
import { perSecond } from "./harness.ts"

const items = 100_000

const times = <E>(count: number, effect: (i: number) => Effect.Effect<unknown, E>): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) yield* effect(i)
  })

/** One fiber offers what another takes. */
const across = <E>(offer: (item: number) => Effect.Effect<unknown>, take: Effect.Effect<unknown, E>) =>
  Effect.gen(function*() {
    const taker = yield* Effect.forkChild(times(items, () => take))
    yield* times(items, offer)
    yield* Fiber.join(taker)
  })

const ours = (order: "fifo" | "lifo") => () =>
  perSecond(items, () =>
    Effect.runPromise(Effect.gen(function*() {
      const queue = yield* WorkQueue.make<number>({ order, capacity: 1024 })
      yield* across((item) => WorkQueue.offer(queue, item), WorkQueue.take(queue))
    }))).then((rate) => [rate])

const effects = () =>
  perSecond(items, () =>
    Effect.runPromise(Effect.gen(function*() {
      const queue = yield* Queue.bounded<number>(1024)
      yield* across((item) => Queue.offer(queue, item), Queue.take(queue))
    }))).then((rate) => [rate])

const depth = 10_000

// Scattered, and the same in every run.
const priority = (i: number): number => Math.imul(i, 0x9e37_79b1) >>> 0

const ourPriority = async () => {
  const queue = await Effect.runPromise(
    WorkQueue.make<number>({ order: { priority: (item) => item }, capacity: "unbounded" })
  )
  await Effect.runPromise(times(depth, (i) => WorkQueue.offer(queue, priority(i))))
  let next = depth
  const pair = () => Effect.andThen(WorkQueue.offer(queue, priority(next++)), WorkQueue.take(queue))
  return [await perSecond(items, () => Effect.runPromise(times(items, pair)))]
}

const effectsPriority = async () => {
  const few = 500
  const queue = await Effect.runPromise(TxPriorityQueue.empty<number>(Order.Number))
  await Effect.runPromise(TxPriorityQueue.offerAll(queue, Array.from({ length: depth }, (_, i) => priority(i))))
  let next = depth
  const pair = () => Effect.andThen(TxPriorityQueue.offer(queue, priority(next++)), TxPriorityQueue.take(queue))
  return [await perSecond(few, () => Effect.runPromise(times(few, pair)))]
}

const crew = () =>
  perSecond(items, () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const queue = yield* WorkQueue.make<number>()
      const workers = yield* Crew.make(queue, { size: 8, work: () => Effect.void })
      yield* times(items, (item) => WorkQueue.offer(queue, item))
      yield* WorkQueue.end(queue)
      yield* Crew.awaitEnd(workers)
    })))).then((rate) => [rate])

/** The bare equivalent: eight fibers that take and do nothing, not measured, not to be stopped in order. */
const eightFibers = () =>
  perSecond(items, () =>
    Effect.runPromise(Effect.gen(function*() {
      const queue = yield* Queue.bounded<number>(1024)
      const share = times(items / 8, () => Effect.andThen(Queue.take(queue), Effect.void))
      const fibers = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.forkChild(share))
      yield* times(items, (item) => Queue.offer(queue, item))
      yield* Fiber.joinAll(fibers)
    }))).then((rate) => [rate])

/** Three fibers that hand ten items on through a small queue, with a delay. */
const small = Effect.gen(function*() {
  const queue = yield* Queue.bounded<number>(2)
  const produce = times(10, (i) => Effect.andThen(Effect.sleep(10), Queue.offer(queue, i)))
  const fibers = yield* Effect.forEach([0, 1], () => Effect.forkChild(times(5, () => Queue.take(queue))))
  yield* produce
  yield* Fiber.joinAll(fibers)
})

const simulations = () => {
  const runs = 1000
  let seed = 0
  return perSecond(runs, () => {
    for (let i = 0; i < runs; i++) Simulation.runSync(small, { seed: seed++ })
    return Promise.resolve()
  }).then((rate) => [rate])
}

export const groups: ReadonlyArray<Group> = [
  {
    cases: [{ case: "fifo, offer and take across two fibers", unit: "items/s", better: "more" }],
    subjects: { ours: ours("fifo"), effect: effects }
  },
  {
    cases: [{ case: "lifo, beside a fifo of Effect's", unit: "items/s", better: "more" }],
    subjects: { ours: ours("lifo"), effect: effects }
  },
  {
    cases: [{ case: "priority, offer and take at depth 10 000", unit: "items/s", better: "more" }],
    subjects: { ours: ourPriority, effect: effectsPriority }
  },
  {
    cases: [{ case: "crew of 8 on empty work, metrics on, beside 8 bare fibers", unit: "items/s", better: "more" }],
    subjects: { ours: crew, effect: eightFibers }
  },
  {
    cases: [{ case: "simulation of 3 fibers, 10 items, a small queue", unit: "runs/s", better: "more" }],
    subjects: { ours: simulations }
  }
]
