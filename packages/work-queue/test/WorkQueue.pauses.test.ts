import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Option, Random } from "effect"
import { Simulation } from "effect-simulation"
import { Crew, WorkQueue } from "effect-work-queue"
import { TestClock } from "effect/testing"
import { orders } from "./KeyedModel.ts"
import type { Item } from "./KeyedModel.ts"
import { KeyedWatch } from "./KeyedWatch.ts"

const start = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

/** Lets every fiber that is ready run until it waits. */
const settle = TestClock.adjust(0)

/** Items are words; their first letter is their key, which pauses with each item, unless it is written in capitals. */
const make = (options: Partial<NonNullable<WorkQueue.WorkQueueOptions<string>["keyed"]>> = {}) =>
  WorkQueue.make<string>({
    keyed: {
      by: (item) => item[0],
      concurrency: "unbounded",
      pauses: (item) => item === item.toLowerCase(),
      ...options
    }
  })

describe("WorkQueue pauses", () => {
  it.effect("keep the rest of a key until it is resumed, and nobody else's", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "B1", "B2"])
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["a1", "B1", "B2"])
      assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 2, ready: 0, keys: 1, paused: 1 })
      assert.deepStrictEqual(yield* WorkQueue.poll(queue), Option.none())
      assert.isTrue(yield* WorkQueue.resume(queue, "a"))
      assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 2, ready: 1, keys: 1, paused: 0 })
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["a2"])
    }))

  it.effect("are remembered of a key of which nothing waits", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      yield* WorkQueue.offer(queue, "a1")
      assert.strictEqual(yield* WorkQueue.take(queue), "a1")
      assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, keys: 1, paused: 1 })
      yield* WorkQueue.offer(queue, "a2")
      assert.deepStrictEqual(yield* WorkQueue.poll(queue), Option.none())
      yield* WorkQueue.clear(queue)
      assert.isTrue(WorkQueue.resumeUnsafe(queue, "a"))
      assert.deepInclude(yield* WorkQueue.stats(queue), { keys: 0, paused: 0 })
    }))

  it.effect("begin without an item as well", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make<string>({ keyed: { by: (item) => item[0], concurrency: 2 } })
      yield* WorkQueue.offerAll(queue, ["a1", "a2", "b1"])
      assert.isTrue(yield* WorkQueue.pause(queue, "a"))
      assert.isFalse(yield* WorkQueue.pause(queue, "a"))
      assert.isTrue(WorkQueue.pauseUnsafe(queue, "c"))
      yield* WorkQueue.offer(queue, "c1")
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["b1"])
      assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 3, ready: 0, paused: 2 })
      yield* WorkQueue.resume(queue, "c")
      yield* WorkQueue.resume(queue, "a")
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["c1", "a1", "a2"])
      assert.isFalse(yield* WorkQueue.pause(yield* WorkQueue.make(), "a"))
    }))

  it.effect("end with a resumption, which nobody else needs", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      yield* WorkQueue.offer(queue, "A1")
      assert.isFalse(yield* WorkQueue.resume(queue, "a"))
      assert.isFalse(yield* WorkQueue.resume(queue, "A"))
      assert.isFalse(yield* WorkQueue.resume(yield* WorkQueue.make(), "A"))
    }))

  it.effect("end for those who wait for an item", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      yield* WorkQueue.offerAll(queue, ["a1", "a2"])
      yield* WorkQueue.take(queue)
      const peeker = yield* start(WorkQueue.peek(queue))
      const taker = yield* start(WorkQueue.takeBetween(queue, 1, 5))
      yield* settle
      assert.isUndefined(taker.pollUnsafe())
      yield* WorkQueue.resume(queue, "a")
      assert.strictEqual(yield* Fiber.join(peeker), "a2")
      assert.deepStrictEqual(yield* Fiber.join(taker), ["a2"])
    }))

  it.effect("let a key have one item ready at a time, of which it may give several", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      yield* WorkQueue.offerAll(queue, ["A1", "A2", "A3"])
      assert.strictEqual((yield* WorkQueue.stats(queue)).ready, 1)
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["A1", "A2", "A3"])
    }))

  it.effect("bound a key beside its concurrency", () =>
    Effect.gen(function*() {
      const queue = yield* make({ concurrency: 2 })
      yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3"])
      const taken: Array<string> = []
      for (const _ of [1, 2, 3]) {
        taken.push(...Option.toArray(yield* WorkQueue.poll(queue)))
        yield* WorkQueue.resume(queue, "a")
      }
      assert.deepStrictEqual(taken, ["a1", "a2"])
      yield* WorkQueue.release(queue, "a1")
      assert.deepStrictEqual(yield* WorkQueue.poll(queue), Option.some("a3"))
      yield* WorkQueue.release(queue, "a2")
      yield* WorkQueue.release(queue, "a3")
      assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 1, paused: 1 })
    }))

  it.effect("keep a queue from its end until what waits is taken or cleared", () =>
    Effect.gen(function*() {
      for (const last of ["take", "clear"] as const) {
        const queue = yield* make()
        yield* WorkQueue.offerAll(queue, ["a1", "a2"])
        yield* WorkQueue.take(queue)
        yield* WorkQueue.end(queue)
        const taker = yield* start(Effect.exit(WorkQueue.take(queue)))
        const end = yield* start(WorkQueue.awaitEnd(queue))
        yield* settle
        assert.isUndefined(taker.pollUnsafe())
        assert.isUndefined(end.pollUnsafe())
        yield* last === "take" ? WorkQueue.resume(queue, "a") : WorkQueue.clear(queue)
        assert.strictEqual((yield* Fiber.join(taker))._tag, last === "take" ? "Success" : "Failure")
        yield* Fiber.join(end)
        assert.deepInclude(yield* WorkQueue.stats(queue), { state: "Done", depth: 0 })
      }
    }))

  it.effect("are asked for once about each item that is taken, and no other", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const queue = yield* make({
        by: (item) => item[0],
        concurrency: 3,
        pauses: (item) => {
          asked.push(item)
          return false
        }
      })
      yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3", "a4", "b1"])
      yield* WorkQueue.peek(queue)
      yield* WorkQueue.remove(queue, (item) => item === "a3")
      yield* WorkQueue.take(queue)
      yield* WorkQueue.takeBetween(queue, 1, 2)
      yield* WorkQueue.shutdown(queue)
      assert.deepStrictEqual(asked, ["a1", "b1", "a2"])
    }))

  it.effect("may look at the queue when they are asked for, and offer to it", () =>
    Effect.gen(function*() {
      const queue: WorkQueue.WorkQueue<string> = yield* make({
        by: (item) => item[0],
        concurrency: "unbounded",
        pauses: (item) => {
          assert.deepStrictEqual([WorkQueue.sizeUnsafe(queue), WorkQueue.pollUnsafe(queue)], [0, Option.none()])
          if (item !== "a3") WorkQueue.offerUnsafe(queue, `a${Number(item[1]) + 1}`)
          return false
        }
      })
      yield* WorkQueue.offer(queue, "a1")
      assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), ["a1", "a2", "a3"])
      assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 0)
    }))

  it.effect("that throw lose nothing, pause nothing, and are logged", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(...[message].flat()))
      yield* Effect.gen(function*() {
        const queue = yield* make({
          by: (item) => item[0],
          pauses: () => {
            throw new Error("no answer")
          }
        })
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "b1"])
        const settled: Array<string> = []
        const crew = yield* Crew.makeBatch(queue, {
          size: 1,
          batch: { size: 3, wait: "1 second" },
          work: () => Effect.void,
          onSettled: (items) => void settled.push(...items)
        })
        yield* Crew.drain(crew)
        assert.deepStrictEqual(settled, ["a1", "b1", "a2"])
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(logged.filter((message) => message === "WorkQueue: keyed.pauses threw").length, 3)
    }))

  for (const [name, order] of orders) {
    for (const concurrency of [1, 2, Infinity]) {
      it.effect(`law: nothing begins while its key is paused, the others are fair, and nothing is lost: ${name}, ${concurrency}`, () =>
        Simulation.check(pausingKeys(order, concurrency), undefined, { runs: 60 }))
    }
  }
})

/** A crew that works off a few keys which pause with most of their items, and somebody who resumes them. */
const pausingKeys = (order: WorkQueue.Order<Item>, concurrency: number) =>
  Effect.gen(function*() {
    const watch = new KeyedWatch(concurrency)
    const paused: Array<number> = []
    const settled: Array<number> = []
    const queue = yield* WorkQueue.make<Item>({
      order,
      capacity: "unbounded",
      keyed: {
        by: (item) => item.key,
        concurrency: concurrency === Infinity ? "unbounded" : concurrency,
        pauses: (item) => {
          watch.began(item)
          if (item.id % 4 === 0) return false
          watch.paused(item.key)
          paused.push(item.key)
          return true
        }
      }
    })
    const work = Effect.flatMap(Random.nextIntBetween(0, 4), (kind) =>
      kind === 0 ? Effect.yieldNow : kind === 1 ? Effect.fail("no") : Effect.sleep(kind))
    const options = {
      size: yield* Random.nextIntBetween(1, 5),
      work: () =>
        work
    }
    const over = (item: Item) => {
      settled.push(item.id)
      watch.released(item)
    }
    const crew = (yield* Random.nextBoolean)
      ? yield* Crew.make(queue, { ...options, onSettled: over })
      : yield* Crew.makeBatch(queue, {
        ...options,
        batch: { size: 3, wait: "2 millis" },
        onSettled: (items) => items.forEach(over)
      })
    let id = 0
    const produce = Effect.gen(function*() {
      for (let i = 0; i < 12; i++) {
        const key = yield* Random.nextIntBetween(0, 4)
        const priority = yield* Random.nextIntBetween(0, 3)
        yield* Effect.sync(() => {
          const item = { id: id++, key, priority }
          watch.arrived(item)
          WorkQueue.offerUnsafe(queue, item)
        })
        if (yield* Random.nextBoolean) yield* Effect.sleep(yield* Random.nextIntBetween(0, 3))
      }
    })
    const resume = Effect.forever(Effect.gen(function*() {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 4))
      yield* Effect.sync(() => {
        const key = paused.shift()
        if (key === undefined) return
        watch.resumed(key)
        assert.isTrue(WorkQueue.resumeUnsafe(queue, key))
      })
    }))
    yield* Effect.forkChild(resume)
    yield* Effect.all([produce, produce], { concurrency: 2 })
    const report = yield* Crew.drain(crew)
    assert.deepStrictEqual(watch.wrongs, [])
    assert.deepInclude(report, { settled: id, interrupted: 0 })
    assert.deepStrictEqual(settled.toSorted((a, b) => a - b), Array.from({ length: id }, (_, i) => i))
    for (const key of paused) WorkQueue.resumeUnsafe(queue, key)
    assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, held: 0, keys: 0, paused: 0, state: "Done" })
  }).pipe(Effect.scoped)
