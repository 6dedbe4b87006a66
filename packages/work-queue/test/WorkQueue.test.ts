import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option } from "effect"
import { WorkQueue } from "effect-work-queue"
import { TestClock } from "effect/testing"

const isDone = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && Cause.isDone(Cause.squash(exit.cause))

describe("WorkQueue", () => {
  describe("order", () => {
    it.effect("takes the lowest priority first and equals in order", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<readonly [number, string]>({ order: { priority: ([n]) => n } })
        yield* WorkQueue.offerAll(queue, [[2, "c"], [1, "a"], [2, "d"], [1, "b"]])
        assert.deepStrictEqual((yield* WorkQueue.takeAll(queue)).map(([, name]) => name), ["a", "b", "c", "d"])
      }))

    it.effect("takes the newest first when lifo", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ order: "lifo" })
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        assert.strictEqual(yield* WorkQueue.peek(queue), 3)
        assert.deepStrictEqual(yield* WorkQueue.takeBetween(queue, 1, 2), [3, 2])
      }))

    it.effect("lets an aged item overtake a newer urgent one", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ order: { priority: (n) => n, ageEvery: "10 seconds" } })
        yield* WorkQueue.offer(queue, 3)
        yield* TestClock.adjust("29 seconds")
        yield* WorkQueue.offer(queue, 0)
        assert.strictEqual(yield* WorkQueue.peek(queue), 0)
        yield* WorkQueue.take(queue)
        yield* TestClock.adjust("2 seconds")
        yield* WorkQueue.offer(queue, 0)
        assert.strictEqual(yield* WorkQueue.take(queue), 3)
      }))

    it.effect("dies when a priority is NaN and stays whole", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ order: { priority: (n) => n } })
        const exit = yield* Effect.exit(WorkQueue.offer(queue, NaN))
        assert.isTrue(Exit.hasDies(exit))
        assert.strictEqual(yield* WorkQueue.size(queue), 0)
      }))
  })

  describe("overflow", () => {
    it.effect("suspends an offer until there is room", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 1 })
        yield* WorkQueue.offer(queue, 1)
        assert.isTrue(yield* WorkQueue.isFull(queue))
        assert.isFalse(WorkQueue.offerUnsafe(queue, 2))
        const offer = yield* Effect.forkChild(WorkQueue.offer(queue, 2), { startImmediately: true })
        assert.isUndefined(offer.pollUnsafe())
        assert.strictEqual(yield* WorkQueue.take(queue), 1)
        assert.isTrue(yield* Fiber.join(offer))
        assert.strictEqual(yield* WorkQueue.take(queue), 2)
      }))

    it.effect("leaves nothing of an offer interrupted while it waits", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 1 })
        yield* WorkQueue.offer(queue, 1)
        const offer = yield* Effect.forkChild(WorkQueue.offer(queue, 2), { startImmediately: true })
        yield* Fiber.interrupt(offer)
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), [1])
        assert.isTrue(yield* WorkQueue.isEmpty(queue))
      }))

    it.effect("drops the newest and says so", () =>
      Effect.gen(function*() {
        const drops: Array<unknown> = []
        const queue = yield* WorkQueue.make<number>({
          capacity: 2,
          overflow: "dropNewest",
          onDrop: (item, reason) => drops.push([item, reason])
        })
        assert.deepStrictEqual(yield* WorkQueue.offerAll(queue, [1, 2, 3]), [3])
        assert.isFalse(yield* WorkQueue.offer(queue, 4))
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), [1, 2])
        assert.deepStrictEqual(drops, [[3, "dropNewest"], [4, "dropNewest"]])
      }))

    for (const order of ["fifo", "lifo", { priority: (n: number) => -n }] as const) {
      it.effect(`drops what waited longest, ${typeof order === "string" ? order : "priority"}`, () =>
        Effect.gen(function*() {
          const drops: Array<number> = []
          const queue = yield* WorkQueue.make<number>({
            order,
            capacity: 3,
            overflow: "dropOldest",
            onDrop: (item) => drops.push(item)
          })
          assert.deepStrictEqual(yield* WorkQueue.offerAll(queue, [1, 2, 3, 4, 5]), [])
          assert.deepStrictEqual(drops, [1, 2])
          assert.deepStrictEqual((yield* WorkQueue.clear(queue)).sort(), [3, 4, 5])
          assert.strictEqual((yield* WorkQueue.stats(queue)).dropped, 2)
        }))
    }
  })

  describe("offerAll", () => {
    it.effect("waits for room for the rest, in order", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 2 })
        const offer = yield* Effect.forkChild(WorkQueue.offerAll(queue, [1, 2, 3, 4, 5]), { startImmediately: true })
        const taken: Array<number> = []
        for (let i = 0; i < 5; i++) taken.push(yield* WorkQueue.take(queue))
        assert.deepStrictEqual(taken, [1, 2, 3, 4, 5])
        assert.deepStrictEqual(yield* Fiber.join(offer), [])
      }))

    it.effect("gives back what a shutdown refuses", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 2 })
        const offer = yield* Effect.forkChild(WorkQueue.offerAll(queue, [1, 2, 3, 4]), { startImmediately: true })
        assert.deepStrictEqual(yield* WorkQueue.shutdown(queue), [1, 2])
        assert.deepStrictEqual(yield* Fiber.join(offer), [3, 4])
        assert.deepStrictEqual(yield* WorkQueue.shutdown(queue), [])
      }))
  })

  describe("takeBetween", () => {
    it.effect("waits for the minimum", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const take = yield* Effect.forkChild(WorkQueue.takeBetween(queue, 3, 4), { startImmediately: true })
        yield* WorkQueue.offerAll(queue, [1, 2])
        yield* Effect.yieldNow
        assert.isUndefined(take.pollUnsafe())
        yield* WorkQueue.offerAll(queue, [3, 4, 5])
        assert.deepStrictEqual(yield* Fiber.join(take), [1, 2, 3, 4])
      }))

    it.effect("caps the minimum at the capacity", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 2 })
        yield* WorkQueue.offerAll(queue, [1, 2])
        assert.deepStrictEqual(yield* WorkQueue.takeBetween(queue, 5, 9), [1, 2])
      }))

    it.effect("gives the remainder of a queue that ends while it waits", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const take = yield* Effect.forkChild(WorkQueue.takeBetween(queue, 3, 4), { startImmediately: true })
        yield* WorkQueue.offer(queue, 1)
        yield* WorkQueue.end(queue)
        assert.deepStrictEqual(yield* Fiber.join(take), [1])
        assert.isTrue(isDone(yield* Effect.exit(WorkQueue.takeBetween(queue, 1, 1))))
      }))
  })

  describe("end", () => {
    it.effect("drains, then is done", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        yield* WorkQueue.offer(queue, 1)
        const end = yield* Effect.forkChild(WorkQueue.awaitEnd(queue), { startImmediately: true })
        assert.isTrue(yield* WorkQueue.end(queue))
        assert.isFalse(yield* WorkQueue.end(queue))
        assert.isFalse(yield* WorkQueue.offer(queue, 2))
        assert.deepStrictEqual(yield* WorkQueue.offerAll(queue, [2, 3]), [2, 3])
        assert.isUndefined(end.pollUnsafe())
        assert.strictEqual(yield* WorkQueue.take(queue), 1)
        assert.isTrue(isDone(yield* Effect.exit(WorkQueue.take(queue))))
        assert.isTrue(isDone(yield* Effect.exit(WorkQueue.peek(queue))))
        yield* Fiber.join(end)
        yield* WorkQueue.await(queue)
      }))

    it.effect("lets offers in that wait already", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 1 })
        const offer = yield* Effect.forkChild(WorkQueue.offerAll(queue, [1, 2, 3]), { startImmediately: true })
        yield* WorkQueue.end(queue)
        assert.deepStrictEqual([yield* WorkQueue.take(queue), yield* WorkQueue.take(queue)], [1, 2])
        assert.strictEqual(yield* WorkQueue.take(queue), 3)
        assert.deepStrictEqual(yield* Fiber.join(offer), [])
        assert.isTrue(isDone(yield* Effect.exit(WorkQueue.take(queue))))
      }))

    it.effect("wakes every taker", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const takers = yield* Effect.forEach(
          [1, 2, 3],
          () => Effect.forkChild(Effect.exit(WorkQueue.take(queue)), { startImmediately: true })
        )
        yield* WorkQueue.offer(queue, 1)
        yield* WorkQueue.end(queue)
        const exits = yield* Fiber.joinAll(takers)
        assert.deepStrictEqual(exits.map(isDone), [false, true, true])
      }))

    it.effect("fails takers with the queue's error once it is drained", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number, "boom">()
        yield* WorkQueue.offer(queue, 1)
        yield* WorkQueue.fail(queue, "boom")
        assert.strictEqual(yield* WorkQueue.take(queue), 1)
        assert.deepStrictEqual(yield* Effect.exit(WorkQueue.take(queue)), Exit.fail("boom" as const))
        assert.deepStrictEqual(yield* Effect.exit(WorkQueue.awaitEnd(queue)), Exit.fail("boom" as const))
      }))
  })

  describe("remove", () => {
    for (const order of ["fifo", "lifo", { priority: (n: number) => n % 5 }] as const) {
      it.effect(`takes matches out in order, ${typeof order === "string" ? order : "priority"}`, () =>
        Effect.gen(function*() {
          const all = Array.from({ length: 40 }, (_, i) => i)
          const queue = yield* WorkQueue.make<number>({ order })
          const twin = yield* WorkQueue.make<number>({ order })
          yield* WorkQueue.offerAll(queue, all)
          yield* WorkQueue.offerAll(twin, all)
          const sequence = yield* WorkQueue.clear(twin)
          const removed = yield* WorkQueue.remove(queue, (n) => n % 3 === 0)
          assert.deepStrictEqual(removed, sequence.filter((n) => n % 3 === 0))
          assert.deepStrictEqual(yield* WorkQueue.clear(queue), sequence.filter((n) => n % 3 !== 0))
        }))

      it.effect(`changes nothing if the predicate throws, ${typeof order === "string" ? order : "priority"}`, () =>
        Effect.gen(function*() {
          const queue = yield* WorkQueue.make<number>({ order })
          yield* WorkQueue.offerAll(queue, [1, 2, 3])
          const exit = yield* Effect.exit(WorkQueue.remove(queue, (n) => {
            if (n === 2) throw new Error("no")
            return true
          }))
          assert.isTrue(Exit.hasDies(exit))
          assert.deepStrictEqual((yield* WorkQueue.clear(queue)).sort(), [1, 2, 3])
        }))
    }

    it.effect("makes room for an offer that waits", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 1 })
        yield* WorkQueue.offer(queue, 1)
        const offer = yield* Effect.forkChild(WorkQueue.offer(queue, 2), { startImmediately: true })
        assert.deepStrictEqual(yield* WorkQueue.remove(queue, () => true), [1])
        assert.isTrue(yield* Fiber.join(offer))
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), [2])
      }))
  })

  describe("poll", () => {
    it.effect("gives none when nothing waits", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number | undefined>()
        assert.deepStrictEqual(yield* WorkQueue.poll(queue), Option.none())
        assert.isUndefined(WorkQueue.takeUnsafe(queue))
        yield* WorkQueue.offer(queue, undefined)
        assert.deepStrictEqual(WorkQueue.pollUnsafe(queue), Option.some(undefined))
      }))
  })

  describe("stats", () => {
    for (const order of ["fifo", "lifo", { priority: (n: number) => -n }] as const) {
      it.effect(`knows the oldest age, ${typeof order === "string" ? order : "priority"}`, () =>
        Effect.gen(function*() {
          const queue = yield* WorkQueue.make<number>({ order })
          assert.strictEqual((yield* WorkQueue.stats(queue)).oldestAge, 0)
          yield* WorkQueue.offer(queue, 1)
          yield* TestClock.adjust("2 seconds")
          yield* WorkQueue.offer(queue, 2)
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* WorkQueue.stats(queue)).oldestAge, 3000)
          yield* WorkQueue.remove(queue, (n) => n === 1)
          assert.strictEqual((yield* WorkQueue.stats(queue)).oldestAge, 1000)
        }))
    }
  })

  describe("make", () => {
    it.effect("dies when an option is out of range", () =>
      Effect.gen(function*() {
        for (
          const [options, message] of [
            [{ capacity: 0 }, "WorkQueue.make: capacity must be a whole number >= 1 or \"unbounded\", got 0"],
            [{ order: { priority: () => 0, ageEvery: 0 } }, "WorkQueue.make: ageEvery must be > 0, got 0 millis"]
          ] as const
        ) {
          const exit = yield* Effect.exit(WorkQueue.make<number>(options))
          assert.include(String(exit._tag === "Failure" && Cause.squash(exit.cause)), message)
        }
      }))

    it.effect("has the verbs in the data-last form", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        yield* queue.pipe(WorkQueue.offerAll([1, 2]))
        yield* queue.pipe(WorkQueue.offer(3))
        assert.deepStrictEqual(yield* queue.pipe(WorkQueue.takeBetween(1, 9)), [1, 2, 3])
        assert.isTrue(WorkQueue.isWorkQueue(queue))
        assert.isFalse(WorkQueue.isWorkQueue({}))
      }))
  })
})
