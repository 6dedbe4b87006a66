// What a queue of awaited events costs beside two queues of promises, and how far it is from the least that could be done.
import { Deferred, Effect, Queue, Scope } from "effect"
import { CollectorQueue } from "effect-collector"
import { setImmediate } from "node:timers/promises"
import type { Group } from "./harness.ts"
import { perSecond } from "./harness.ts"

const events = 50_000
const consumers = 8
const numbers = Array.from({ length: events }, (_, i) => i)

type Work = (n: number) => Effect.Effect<number>

const atOnce: Work = (n) => Effect.sync(() => n)
const afterATurn: Work = (n) => Effect.as(Effect.yieldNow, n)

/** What must have come back for the sample to count. */
const expected = events * (events - 1) / 2

const check = (sum: number): void => {
  if (sum !== expected) throw new Error(`results add up to ${sum} instead of ${expected}`)
}

interface Sending {
  readonly work: Work
  readonly measured?: boolean
  readonly inOne?: boolean
}

const ours = ({ inOne = false, measured = true, work }: Sending) => async () => {
  const rate = await perSecond(events, () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { publisher } = yield* CollectorQueue.make("bench", {
        collectors: [work],
        autoscale: false,
        maxConsumers: consumers,
        measured,
        logging: false
      })
      const receipts = inOne
        ? yield* publisher.sendAll(numbers)
        : yield* Effect.forEach(numbers, (n) => publisher.send(n))
      let sum = 0
      for (const receipt of receipts) sum += yield* receipt.first
      check(sum)
    }))))
  return [rate]
}

const pQueue = (work: (n: number) => Promise<number>) => async () => {
  const { default: PQueue } = await import("p-queue")
  const rate = await perSecond(events, async () => {
    const queue = new PQueue({ concurrency: consumers })
    const results = await Promise.all(numbers.map((n) => queue.add(() => work(n))))
    check(results.reduce((a, b) => a + b, 0))
  })
  return [rate]
}

const fastq = (work: (n: number) => Promise<number>) => async () => {
  const { default: fastq } = await import("fastq")
  const rate = await perSecond(events, async () => {
    const queue = fastq.promise(work, consumers)
    const results = await Promise.all(numbers.map((n) => queue.push(n)))
    check(results.reduce((a, b) => a + b, 0))
  })
  return [rate]
}

/** The least that Effect itself needs: a queue, eight fibers, a Deferred for each event. Not measured, not stopped in order. */
const floor = (work: Work) => async () => {
  const rate = await perSecond(events, () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const queue = yield* Queue.bounded<{ readonly n: number; readonly done: Deferred.Deferred<number> }>(1024)
      const consumer = Effect.forever(
        Effect.flatMap(Queue.take(queue), ({ done, n }) =>
          Effect.flatMap(work(n), (value) => Deferred.succeed(done, value)))
      )
      yield* Effect.forEach(Array.from({ length: consumers }), () =>
        Effect.forkScoped(consumer))
      const waiting = yield* Effect.forEach(numbers, (n) => {
        const done = Deferred.makeUnsafe<number>()
        return Effect.as(Queue.offer(queue, { n, done }), done)
      })
      let sum = 0
      for (const done of waiting) sum += yield* Deferred.await(done)
      check(sum)
    }))))
  return [rate]
}

const now = (n: number): Promise<number> => Promise.resolve(n)
const later = (n: number): Promise<number> => setImmediate(n)

/** Bytes of heap for each of so many that wait for a consumer that never comes. */
const weigh = async (fill: (count: number) => Promise<unknown>) => {
  const count = 200_000
  await fill(10)
  globalThis.gc!()
  const before = process.memoryUsage().heapUsed
  const held = await fill(count)
  globalThis.gc!()
  const after = process.memoryUsage().heapUsed
  if (held === undefined) throw new Error("nothing is held")
  return [(after - before) / count]
}

const ourWeight = () =>
  weigh((count) =>
    Effect.runPromise(
      Effect.gen(function*() {
        const { publisher } = yield* CollectorQueue.make("weight", {
          collectors: [() => Effect.never],
          autoscale: false,
          maxConsumers: 1,
          capacity: "unbounded",
          logging: false
        })
        return yield* Effect.forEach(Array.from({ length: count }, (_, i) => i), (n) => publisher.send(n))
      }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
    )
  )

const hanging = (): Promise<never> => new Promise(() => {})

const pQueueWeight = () =>
  weigh(async (count) => {
    const { default: PQueue } = await import("p-queue")
    const queue = new PQueue({ concurrency: 1 })
    return [queue, Array.from({ length: count }, () => queue.add(hanging))]
  })

const fastqWeight = () =>
  weigh(async (count) => {
    const { default: fastq } = await import("fastq")
    const queue = fastq.promise(hanging, 1)
    return [queue, Array.from({ length: count }, (_, i) => queue.push(i))]
  })

export const groups: ReadonlyArray<Group> = [
  {
    cases: [{ case: "50 000 awaited events, 8 consumers, work that ends at once", unit: "events/s", better: "more" }],
    subjects: {
      ours: ours({ work: atOnce }),
      "ours, sendAll": ours({ work: atOnce, inOne: true }),
      "ours, not measured": ours({ work: atOnce, measured: false }),
      "p-queue": pQueue(now),
      "fastq.promise": fastq(now),
      "bare Queue and Deferred": floor(atOnce)
    }
  },
  {
    cases: [{ case: "the same, work that gives up its turn once", unit: "events/s", better: "more" }],
    subjects: {
      ours: ours({ work: afterATurn }),
      "ours, sendAll": ours({ work: afterATurn, inOne: true }),
      "ours, not measured": ours({ work: afterATurn, measured: false }),
      "p-queue": pQueue(later),
      "fastq.promise": fastq(later),
      "bare Queue and Deferred": floor(afterATurn)
    }
  },
  {
    cases: [{ case: "heap for each of 200 000 waiting events", unit: "bytes", better: "less" }],
    subjects: { ours: ourWeight, "p-queue": pQueueWeight, "fastq.promise": fastqWeight }
  }
]
