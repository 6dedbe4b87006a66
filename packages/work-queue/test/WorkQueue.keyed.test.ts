import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option } from "effect"
import { WorkQueue } from "effect-work-queue"
import { TestClock } from "effect/testing"

const isDone = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && Cause.isDone(Cause.squash(exit.cause))

/** Items are words; their first letter is their key. */
const make = (options: WorkQueue.WorkQueueOptions<string> = {}) =>
  WorkQueue.make<string>({ keyed: { by: (item) => item[0] }, ...options })

const pollAll = (queue: WorkQueue.WorkQueue<string>): Array<string> => {
  const items: Array<string> = []
  for (let item = WorkQueue.pollUnsafe(queue); item._tag === "Some"; item = WorkQueue.pollUnsafe(queue)) {
    items.push(item.value)
  }
  return items
}

const start = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

/** Lets every fiber that is ready run until it waits. */
const settle = TestClock.adjust(0)

const nameOf = (order: WorkQueue.Order<string>) => typeof order === "string" ? order : "priority"

describe("WorkQueue keyed", () => {
  describe("order", () => {
    for (
      const [order, expected] of [
        ["fifo", ["a1", "a2", "a3"]],
        ["lifo", ["a3", "a2", "a1"]],
        [{ priority: (item: string) => Number(item[1]) % 3 }, ["a3", "a1", "a2"]]
      ] as const
    ) {
      it.effect(`holds within a key: ${nameOf(order)}`, () =>
        Effect.gen(function*() {
          const queue = yield* make({ order })
          yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3"])
          for (const item of expected) {
            assert.strictEqual(yield* WorkQueue.peek(queue), item)
            assert.deepStrictEqual(pollAll(queue), [item])
            assert.isTrue(yield* WorkQueue.release(queue, item))
          }
        }))
    }

    it.effect("ages within a key", () =>
      Effect.gen(function*() {
        const queue = yield* make({ order: { priority: (item) => Number(item[1]), ageEvery: "10 seconds" } })
        yield* WorkQueue.offer(queue, "a3")
        yield* TestClock.adjust("31 seconds")
        yield* WorkQueue.offerAll(queue, ["a0", "b0"])
        assert.deepStrictEqual(pollAll(queue), ["a3", "b0"])
      }))
  })

  describe("turns", () => {
    it.effect("gives one item of each key in turn", () =>
      Effect.gen(function*() {
        const queue = yield* make({ keyed: { by: (item) => item[0], concurrency: "unbounded" } })
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "a4", "b1", "b2", "c1"])
        assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"])
        assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 0 })
      }))

    it.effect("lets a key that comes back stand behind those that wait", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "b1", "b2", "c1"])
        assert.strictEqual(yield* WorkQueue.take(queue), "a1")
        yield* WorkQueue.release(queue, "a1")
        assert.deepStrictEqual(pollAll(queue), ["b1", "c1", "a2"])
      }))

    it.effect("is as slow as its bound allows", () =>
      Effect.gen(function*() {
        // K = 4 keys, and n = 2 items before the last of z: (n + 1) (K - 1) = 9 others begin before it.
        const queue = yield* make({ keyed: { by: (item) => item[0], concurrency: "unbounded" } })
        const others = ["a", "b", "c"].flatMap((key) => [1, 2, 3, 4, 5].map((n) => `${key}${n}`))
        yield* WorkQueue.offerAll(queue, [...others, "z1", "z2", "z3"])
        const taken = yield* WorkQueue.takeAll(queue)
        assert.strictEqual(taken.slice(0, taken.indexOf("z3")).filter((item) => !item.startsWith("z")).length, 9)
      }))
  })

  describe("concurrency", () => {
    for (const concurrency of [1, 2, 3]) {
      it.effect(`gives at most ${concurrency} of a key until one is released`, () =>
        Effect.gen(function*() {
          const queue = yield* make({ keyed: { by: (item) => item[0], concurrency } })
          yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "a4", "b1"])
          const taken = pollAll(queue)
          assert.strictEqual(taken.length, concurrency + 1)
          assert.deepInclude(yield* WorkQueue.stats(queue), {
            depth: 4 - concurrency,
            ready: 0,
            held: concurrency + 1,
            keys: 2
          })
          assert.isTrue(yield* WorkQueue.release(queue, "a1"))
          assert.deepInclude(yield* WorkQueue.stats(queue), { ready: 1, held: concurrency })
          assert.strictEqual(pollAll(queue).length, 1)
        }))
    }

    it.effect("wakes the taker that waits for a release", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2"])
        assert.strictEqual(yield* WorkQueue.take(queue), "a1")
        const taker = yield* start(WorkQueue.take(queue))
        const peeker = yield* start(WorkQueue.peek(queue))
        yield* settle
        assert.isUndefined(taker.pollUnsafe())
        assert.isUndefined(peeker.pollUnsafe())
        assert.deepStrictEqual(yield* WorkQueue.poll(queue), Option.none())
        yield* WorkQueue.offer(queue, "a3")
        yield* settle
        assert.isUndefined(taker.pollUnsafe())
        yield* WorkQueue.release(queue, "a1")
        assert.strictEqual(yield* Fiber.join(taker), "a2")
        yield* WorkQueue.release(queue, "a2")
        assert.strictEqual(yield* Fiber.join(peeker), "a3")
      }))

    it.effect("compares keys as a Map does", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<unknown>({ keyed: { by: (item) => item } })
        yield* WorkQueue.offerAll(queue, [NaN, NaN, undefined, undefined, 0, -0, "0"])
        assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), [NaN, undefined, 0, "0"])
      }))
  })

  describe("release", () => {
    it.effect("does nothing for what is not held", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offer(queue, "a1")
        assert.isFalse(yield* WorkQueue.release(queue, "a1"))
        assert.isFalse(yield* WorkQueue.release(queue, "b1"))
        yield* WorkQueue.take(queue)
        assert.isTrue(yield* queue.pipe(WorkQueue.release("a1")))
        assert.isFalse(yield* WorkQueue.release(queue, "a1"))
        assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 0, ready: 0 })
        const plain = yield* WorkQueue.make<string>()
        yield* WorkQueue.offer(plain, "a1")
        yield* WorkQueue.take(plain)
        assert.isFalse(yield* WorkQueue.release(plain, "a1"))
        assert.deepInclude(yield* WorkQueue.stats(plain), { held: 0, keys: 0, ready: 0 })
      }))
  })

  describe("takeBetween", () => {
    it.effect("counts what may be taken now", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3"])
        const taker = yield* start(WorkQueue.takeBetween(queue, 2, 9))
        yield* settle
        assert.isUndefined(taker.pollUnsafe())
        yield* WorkQueue.offer(queue, "b1")
        assert.deepStrictEqual(yield* Fiber.join(taker), ["a1", "b1"])
      }))

    it.effect("is content with fewer while an offer waits for room", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 4 })
        const taker = yield* start(WorkQueue.takeBetween(queue, 2, 9))
        yield* WorkQueue.offerAll(queue, ["a1", "a2"])
        yield* settle
        assert.isUndefined(taker.pollUnsafe())
        const offer = yield* start(WorkQueue.offer(queue, "a3"))
        assert.deepStrictEqual(yield* Fiber.join(taker), ["a1"])
        assert.isTrue(yield* Fiber.join(offer))
      }))

    it.effect("is content with what is ready in a full queue", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2, overflow: "dropNewest" })
        yield* WorkQueue.offer(queue, "a1")
        yield* WorkQueue.take(queue)
        yield* WorkQueue.offerAll(queue, ["a2", "b1"])
        assert.deepStrictEqual(yield* WorkQueue.takeBetween(queue, 2, 2), ["b1"])
      }))
  })

  describe("capacity", () => {
    it.effect("is shared: one key takes half of it, the next half of the rest", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 8, overflow: "dropNewest" })
        const counts: Array<number> = []
        for (const key of ["a", "b", "c", "d", "e"]) {
          const refused = yield* WorkQueue.offerAll(queue, Array.from({ length: 9 }, (_, i) => `${key}${i}`))
          counts.push(9 - refused.length)
        }
        assert.deepStrictEqual(counts, [4, 2, 1, 1, 0])
        assert.isTrue(yield* WorkQueue.isFull(queue))
      }))

    it.effect("is shared alike by keys that press alike", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 900, overflow: "dropNewest" })
        for (let i = 0; i < 900; i++) yield* WorkQueue.offerAll(queue, [`a${i}`, `b${i}`])
        const items = yield* WorkQueue.clear(queue)
        assert.deepStrictEqual([items.length, items.filter((item) => item.startsWith("a")).length], [600, 300])
      }))

    it.effect("keeps offers of a hot key from holding up others", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 4 })
        const hot = yield* start(WorkQueue.offerAll(queue, ["a1", "a2", "a3", "a4"]))
        assert.isUndefined(hot.pollUnsafe())
        assert.isFalse(WorkQueue.offerUnsafe(queue, "a5"))
        assert.isTrue(WorkQueue.offerUnsafe(queue, "b1"))
        assert.isTrue(yield* WorkQueue.offer(queue, "c1"))
        assert.strictEqual(yield* WorkQueue.size(queue), 4)
        // Full: the cold one is let in before the hot one, which has waited for longer.
        const cold = yield* start(WorkQueue.offer(queue, "d1"))
        assert.strictEqual(yield* WorkQueue.take(queue), "a1")
        assert.isTrue(yield* Fiber.join(cold))
        assert.isUndefined(hot.pollUnsafe())
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["b1", "c1", "d1", "a2"])
        assert.deepStrictEqual(yield* Fiber.join(hot), [])
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a3", "a4"])
      }))

    it.effect("lets the offers of a key in in the order they came", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2, order: "lifo" })
        yield* WorkQueue.offer(queue, "a0")
        const offers = yield* Effect.forEach(["a1", "a2", "a3"], (item) => start(WorkQueue.offer(queue, item)))
        yield* Fiber.interrupt(offers[1]!)
        yield* WorkQueue.remove(queue, () => true)
        yield* settle
        assert.deepStrictEqual(offers.map((offer) => offer.pollUnsafe()?._tag), ["Success", "Failure", undefined])
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a1"])
        assert.isTrue(yield* Fiber.join(offers[2]!))
      }))

    it.effect("lets several items of one offer in in their own order", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2 })
        yield* WorkQueue.offer(queue, "a0")
        const mixed = yield* start(WorkQueue.offerAll(queue, ["a1", "b1", "c1", "a2"]))
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a0"])
        // a1 went in, and b1 after it: nobody else had a claim to the room.
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a1", "b1"])
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["c1", "a2"])
        assert.deepStrictEqual(yield* Fiber.join(mixed), [])
        assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, keys: 0, offered: 5 })
      }))

    it.effect("gives a later item of an offer no better place than others have", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2 })
        yield* WorkQueue.offerAll(queue, ["a0", "b0"])
        const mixed = yield* start(WorkQueue.offerAll(queue, ["c1", "d1"]))
        const waiting = yield* start(WorkQueue.offer(queue, "e1"))
        yield* WorkQueue.clear(queue)
        assert.isTrue(yield* Fiber.join(waiting))
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["c1", "e1"])
        assert.deepStrictEqual(yield* Fiber.join(mixed), [])
      }))

    it.effect("gives no later item of an offer more than the share of its key", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 6 })
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "c1", "d1"])
        const mixed = yield* start(WorkQueue.offerAll(queue, ["a3", "b1", "c2"]))
        yield* WorkQueue.remove(queue, (item) => item === "d1")
        assert.isUndefined(mixed.pollUnsafe())
        assert.deepStrictEqual((yield* WorkQueue.clear(queue)).sort(), ["a1", "a2", "a3", "b1", "c1"])
        assert.deepStrictEqual(yield* Fiber.join(mixed), [])
      }))

    it.effect("leaves nothing of an offer interrupted while it waits", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 1 })
        yield* WorkQueue.offer(queue, "a1")
        for (const items of [["b1"], ["b2", "c1"], ["a2"]]) {
          yield* Fiber.interrupt(yield* start(WorkQueue.offerAll(queue, items)))
        }
        assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 1)
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a1"])
        assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 0)
      }))
  })

  describe("overflow", () => {
    it.effect("drops the newest of a key over its share", () =>
      Effect.gen(function*() {
        const drops: Array<string> = []
        const queue = yield* make({ capacity: 4, overflow: "dropNewest", onDrop: (item) => drops.push(item) })
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "b1", "b2"])
        assert.deepStrictEqual(drops, ["a3", "b2"])
      }))

    for (const order of ["fifo", "lifo", { priority: (item: string) => -Number(item[1]) }] as const) {
      it.effect(`drops the oldest of a key over its share: ${nameOf(order)}`, () =>
        Effect.gen(function*() {
          const drops: Array<string> = []
          const queue = yield* make({ capacity: 4, overflow: "dropOldest", order, onDrop: (item) => drops.push(item) })
          yield* WorkQueue.offerAll(queue, ["b1", "a1", "a2", "a3", "b2"])
          assert.deepStrictEqual(drops, ["a1", "b1"])
          assert.strictEqual(yield* WorkQueue.size(queue), 3)
        }))
    }

    it.effect("drops the oldest of the longest key for a key that has none in a full queue", () =>
      Effect.gen(function*() {
        const drops: Array<string> = []
        const queue = yield* make({ capacity: 4, overflow: "dropOldest", onDrop: (item) => drops.push(item) })
        yield* WorkQueue.offerAll(queue, ["a1", "b1", "b2", "c1", "d1", "e1"])
        assert.deepStrictEqual(drops, ["b1", "a1"])
        assert.deepStrictEqual(pollAll(queue), ["b2", "c1", "d1", "e1"])
      }))

    it.effect("leaves a key its turn when its only item is dropped for another of it", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2, overflow: "dropOldest" })
        yield* WorkQueue.offerAll(queue, ["a1", "b1", "a2"])
        assert.deepStrictEqual(pollAll(queue), ["a2", "b1"])
        assert.deepInclude(yield* WorkQueue.stats(queue), { offered: 3, dropped: 1, taken: 2 })
      }))
  })

  describe("end", () => {
    it.effect("waits for the release of keys that still have items", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2"])
        assert.strictEqual(yield* WorkQueue.take(queue), "a1")
        yield* WorkQueue.end(queue)
        const end = yield* start(WorkQueue.awaitEnd(queue))
        const several = yield* start(WorkQueue.takeBetween(queue, 2, 2))
        yield* settle
        assert.strictEqual((yield* WorkQueue.stats(queue)).state, "Closing")
        assert.isUndefined(end.pollUnsafe())
        assert.isUndefined(several.pollUnsafe())
        yield* WorkQueue.release(queue, "a1")
        assert.deepStrictEqual(yield* Fiber.join(several), ["a2"])
        yield* Fiber.join(end)
        assert.isTrue(isDone(yield* Effect.exit(WorkQueue.take(queue))))
        assert.isTrue(yield* WorkQueue.release(queue, "a2"))
        assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 0)
      }))

    it.effect("gives everything back, whether it may be taken or not", () =>
      Effect.gen(function*() {
        for (const verb of [WorkQueue.clear, WorkQueue.shutdown]) {
          const queue = yield* make()
          yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "b1", "b2"])
          yield* WorkQueue.take(queue)
          assert.deepStrictEqual(yield* verb(queue), ["b1", "a2", "b2", "a3"])
          assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, ready: 0, held: 1, keys: 1 })
        }
      }))

    it.effect("refuses offers that wait when it is shut down", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2 })
        const offers = yield* Effect.forEach(
          [["a1", "a2", "b1"], ["b2"], ["c1", "a3"], ["d1"]],
          (items) => start(WorkQueue.offerAll(queue, items))
        )
        assert.deepStrictEqual(yield* WorkQueue.shutdown(queue), ["a1", "b2"])
        assert.deepStrictEqual(yield* Fiber.joinAll(offers), [["a2", "b1"], [], ["c1", "a3"], ["d1"]])
        assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 0)
      }))

    it.effect("lets offers in that wait already", () =>
      Effect.gen(function*() {
        const queue = yield* make({ capacity: 2 })
        const offer = yield* start(WorkQueue.offerAll(queue, ["a1", "a2", "b1"]))
        yield* WorkQueue.end(queue)
        const taken: Array<string> = []
        while (taken.length < 3) {
          const item = yield* WorkQueue.take(queue)
          taken.push(item)
          yield* WorkQueue.release(queue, item)
        }
        assert.deepStrictEqual(taken, ["a1", "b1", "a2"])
        assert.deepStrictEqual(yield* Fiber.join(offer), [])
        yield* WorkQueue.awaitEnd(queue)
      }))
  })

  describe("remove", () => {
    it.effect("takes out of every key in the order of turns", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "b1", "b2", "c1"])
        yield* WorkQueue.take(queue)
        assert.deepStrictEqual(yield* WorkQueue.remove(queue, (item) => item !== "a2" && item !== "b1"), [
          "c1",
          "b2",
          "a3"
        ])
        assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 2, ready: 1, keys: 2, removed: 3 })
        assert.deepStrictEqual(pollAll(queue), ["b1"])
      }))

    it.effect("changes nothing if the predicate throws", () =>
      Effect.gen(function*() {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "b1"])
        const exit = yield* Effect.exit(WorkQueue.remove(queue, (item) => {
          if (item === "b1") throw new Error("no")
          return true
        }))
        assert.isTrue(Exit.hasDies(exit))
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a1", "b1", "a2"])
      }))
  })

  describe("by", () => {
    it.effect("dies in the offerer when it throws, and leaves the queue whole", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<string>({
          capacity: 2,
          keyed: {
            by: (item) => {
              if (item === "bad") throw new Error("no key")
              return item[0]
            }
          }
        })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(WorkQueue.offer(queue, "bad"))))
        assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, keys: 0, offered: 0 })
        yield* WorkQueue.offer(queue, "a1")
        // The second of them has to wait: the third is asked for its key before it does.
        assert.isTrue(Exit.hasDies(yield* Effect.exit(WorkQueue.offerAll(queue, ["a2", "bad"]))))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(WorkQueue.release(queue, "bad"))))
        assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 1, ready: 1, keys: 1, offered: 1 })
        assert.deepStrictEqual(yield* WorkQueue.clear(queue), ["a1"])
      }))
  })

  describe("stats", () => {
    for (const order of ["fifo", "lifo", { priority: (item: string) => -Number(item[1]) }] as const) {
      it.effect(`knows the oldest age over all keys: ${nameOf(order)}`, () =>
        Effect.gen(function*() {
          const queue = yield* make({ order })
          for (const item of ["a1", "b1", "a2", "b2"]) {
            yield* WorkQueue.offer(queue, item)
            yield* TestClock.adjust("1 second")
          }
          const age = Effect.map(WorkQueue.stats(queue), ({ oldestAge }) => oldestAge)
          assert.strictEqual(yield* age, 4000)
          yield* WorkQueue.remove(queue, (item) => item === "a1")
          assert.strictEqual(yield* age, 3000)
          yield* WorkQueue.remove(queue, (item) => item.startsWith("b"))
          assert.strictEqual(yield* age, 2000)
          yield* WorkQueue.take(queue)
          assert.strictEqual(yield* age, 0)
        }))
    }
  })

  describe("make", () => {
    it.effect("dies when the concurrency is out of range", () =>
      Effect.gen(function*() {
        for (const concurrency of [0, -1, 1.5, NaN]) {
          const exit = yield* Effect.exit(make({ keyed: { by: (item) => item, concurrency } }))
          assert.include(
            String(exit._tag === "Failure" && Cause.squash(exit.cause)),
            `WorkQueue.make: keyed.concurrency must be a whole number >= 1 or "unbounded", got ${concurrency}`
          )
        }
      }))
  })
})
