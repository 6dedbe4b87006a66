import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Random, Scope, Stream } from "effect"
import { Simulation } from "effect-simulation"
import { Broadcast } from "effect-work-queue"

const last = -1
const make = Effect.sync(() => Broadcast.make<number>((event) => event === last))

describe("Broadcast", () => {
  it.effect("gives every subscriber the events from its subscription to the last", () =>
    Effect.gen(function*() {
      const { events, isWatched, publish, subscribe } = yield* make
      publish(0)
      assert.isFalse(isWatched())
      const early = yield* subscribe
      assert.isTrue(isWatched())
      publish(1)
      const late = yield* subscribe
      for (const event of [2, last, 3]) publish(event)
      assert.deepStrictEqual(yield* Stream.runCollect(early), [1, 2, last])
      assert.deepStrictEqual(yield* Stream.runCollect(late), [2, last])
      assert.deepStrictEqual(yield* Stream.runCollect(events), [])
    }))

  it.effect("ends who subscribes after a last event that nobody watched", () =>
    Effect.gen(function*() {
      const { events, publish } = yield* make
      publish(last)
      assert.deepStrictEqual(yield* Stream.runCollect(events), [])
    }))

  it.effect("lets who is far behind miss the oldest, and never the last", () =>
    Effect.gen(function*() {
      const { publish, subscribe } = yield* make
      const events = yield* subscribe
      for (let i = 0; i < 3000; i++) publish(i)
      publish(last)
      for (let i = 0; i < 3000; i++) publish(i)
      const seen = yield* Stream.runCollect(events)
      assert.lengthOf(seen, 1024)
      assert.deepStrictEqual(seen.slice(-2), [2999, last])
    }))

  it.effect("runs no subscriber inside the step that publishes", () =>
    Effect.gen(function*() {
      const { events, publish } = yield* make
      const seen: Array<number> = []
      const reader = yield* Effect.forkChild(
        Stream.runForEach(events, (event) => Effect.sync(() => seen.push(event))),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      for (const event of [1, 2, last]) {
        publish(event)
        assert.deepStrictEqual(seen, [])
      }
      yield* Fiber.join(reader)
      assert.deepStrictEqual(seen, [1, 2, last])
    }))

  it.effect("ends a subscription with its Scope", () =>
    Effect.gen(function*() {
      const { publish, subscribe } = yield* make
      const scope = yield* Scope.make()
      const events = yield* Scope.provide(subscribe, scope)
      const reader = yield* Effect.forkChild(Stream.runCollect(events), { startImmediately: true })
      publish(1)
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      publish(2)
      assert.deepStrictEqual(yield* Fiber.join(reader), [1])
    }))

  it.effect("law: every subscription ends, with the last event or empty, whenever it is made", () =>
    Simulation.check(
      Effect.gen(function*() {
        const { events, publish } = yield* make
        const readers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Stream.runCollect(events)))
        for (const event of [0, 1, last, 2]) {
          yield* Effect.yieldNow
          publish(event)
        }
        return yield* Effect.forEach(readers, Fiber.join)
      }),
      (outcome) => {
        assert.strictEqual(outcome.exit._tag, "Success")
        if (outcome.exit._tag !== "Success") return
        for (const seen of outcome.exit.value) assert.deepStrictEqual(seen, [0, 1, last].slice(3 - seen.length))
      },
      { runs: 300 }
    ))

  it.effect("law: who stands in the Scope before the last event gets it, even if not yet told so", () =>
    Simulation.check(
      Effect.gen(function*() {
        const { publish, subscribe } = yield* make
        const scope = yield* Scope.make()
        const reader = yield* Effect.forkChild(Effect.flatMap(Scope.provide(subscribe, scope), Stream.runCollect))
        for (let i = yield* Random.nextIntBetween(0, 4); i > 0; i--) yield* Effect.yieldNow
        const isSubscribed = yield* Effect.sync(() => {
          publish(last)
          return scope.state._tag !== "Empty"
        })
        const seen = yield* Fiber.join(reader)
        assert.isTrue(seen.length === 1 || !isSubscribed, "subscribed, and missed the last event")
      }),
      (outcome) => assert.strictEqual(outcome.exit._tag, "Success"),
      { runs: 300 }
    ))
})
