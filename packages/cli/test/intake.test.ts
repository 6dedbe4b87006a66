import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { CollectorPlan } from "conveyor"
import { Effect, Exit, Fiber, Latch, Layer, Option } from "effect"
import { Consumer } from "effect-conveyor"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import * as Intake from "../src/internal/intake.ts"
import { decodeCollectors } from "./fixtures.ts"

const Services = Layer.mergeAll(NodeServices.layer, FetchHttpClient.layer)

/** An intake before a consumer that takes events once its gate is open, and what that got. */
const make = Effect.fnUntraced(function*(queue: CollectorPlan.QueueOptions) {
  const got: Array<unknown> = []
  const gate = Latch.makeUnsafe(false)
  const [plan] = yield* decodeCollectors("collectors: { shop: { consumers: { console: {} } } }")
  const consumer = Consumer.fromFunction(
    "fake",
    ({ value }: { readonly value: unknown }) => Effect.andThen(gate.await, Effect.sync(() => void got.push(value)))
  )
  const intake = yield* Intake.make({
    ...plan!,
    queue: { autoscale: false, maxConsumers: 1, ...queue },
    consumers: [{ ...plan!.consumers[0]!, consumer: consumer as never }]
  })
  return { got, gate, intake }
})

const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

describe("Intake", () => {
  it.effect("accepts all of some events or none, as there is room", () =>
    Effect.gen(function*() {
      const { gate, got, intake } = yield* make({ capacity: 3 })
      yield* intake.submit([0])
      yield* settle
      // The consumer has one, so three may wait.
      const full = (events: ReadonlyArray<unknown>) => Effect.map(Effect.exit(intake.submit(events)), Exit.isFailure)
      assert.isTrue(yield* full([1, 2, 3, 4]))
      assert.lengthOf(yield* intake.submit([1, 2]), 2)
      assert.isTrue(yield* full([3, 4]))
      assert.isFalse(yield* full([3]))
      assert.isTrue(yield* full([4]))
      yield* gate.open
      yield* settle
      assert.isFalse(yield* full([4, 5, 6]))
      yield* settle
      assert.deepStrictEqual(got, [0, 1, 2, 3, 4, 5, 6])
      assert.strictEqual((yield* intake.metrics).eventCount, 7)
    }).pipe(Effect.provide(Services)))

  it.effect("has no room for more of a key than its share, and keeps some for others", () =>
    Effect.gen(function*() {
      const { gate, got, intake } = yield* make({ capacity: 4, keyed: { by: (event) => String(event)[0] } })
      const isFull = (...events: ReadonlyArray<string>) =>
        Effect.timeoutOption(Effect.map(Effect.exit(intake.submit(events)), Exit.isFailure), 0)
      yield* intake.submit(["a0"])
      yield* settle
      // One is being taken; of four places a key has another while fewer of it wait than places are left.
      assert.deepStrictEqual(yield* isFull("a1", "a2", "a3"), Option.some(true))
      assert.deepStrictEqual(yield* isFull("a1", "a2"), Option.some(false))
      assert.deepStrictEqual(yield* isFull("a3"), Option.some(true))
      assert.deepStrictEqual(yield* isFull("b1"), Option.some(false))
      assert.deepStrictEqual(yield* isFull("b2"), Option.some(true))
      yield* gate.open
      yield* settle
      assert.deepStrictEqual(yield* isFull("a3", "a4"), Option.some(false))
      yield* settle
      assert.sameMembers(got, ["a0", "a1", "a2", "b1", "a3", "a4"])
    }).pipe(Effect.provide(Services)))

  it.effect("feeds events as there is room, and says how many are in when it is stopped", () =>
    Effect.gen(function*() {
      const { gate, got, intake } = yield* make({ capacity: 3 })
      const accepted: Array<Intake.Accepted> = []
      const feeding = yield* Effect.forkChild(
        Effect.exit(intake.feed([0, 1, 2, 3, 4, 5, 6, 7], (one) => accepted.push(one))),
        { startImmediately: true }
      )
      yield* settle
      assert.lengthOf(accepted, 4)
      const stopping = yield* Effect.forkChild(intake.stop, { startImmediately: true })
      assert.isTrue(Exit.isFailure(yield* Fiber.join(feeding)))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(intake.submit([9]))))
      yield* gate.open
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(got, [0, 1, 2, 3])
      assert.lengthOf(accepted, 4)
      assert.isTrue(accepted.every(({ receipt }) => receipt.isSettled))
      assert.deepStrictEqual(intake.counts(), [{ name: "console", delivered: 4, failed: 0 }])
    }).pipe(Effect.provide(Services)))

  it.effect("says how many are in when it is stopped while a key waits for its share of the room", () =>
    Effect.gen(function*() {
      const { gate, got, intake } = yield* make({ capacity: 4, keyed: { by: (event) => String(event)[0] } })
      const accepted: Array<Intake.Accepted> = []
      const feeding = yield* Effect.forkChild(
        Effect.exit(intake.feed(["a0", "a1", "a2", "a3", "a4"], (one) => accepted.push(one))),
        { startImmediately: true }
      )
      yield* settle
      assert.lengthOf(accepted, 3)
      const stopping = yield* Effect.forkChild(intake.stop, { startImmediately: true })
      assert.isTrue(Exit.isFailure(yield* Fiber.join(feeding)))
      yield* gate.open
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(got, ["a0", "a1", "a2"])
      assert.lengthOf(accepted, 3)
    }).pipe(Effect.provide(Services)))

  it.effect("makes no long pauses between attempts while it ends", () =>
    Effect.gen(function*() {
      const [plan] = yield* decodeCollectors("collectors: { shop: { consumers: { console: {} } } }")
      let isDown = true
      const consumer = Consumer.fromFunction("fake", () => isDown ? Effect.fail("down") : Effect.void)
      const intake = yield* Intake.make({
        ...plan!,
        consumers: [{
          ...plan!.consumers[0]!,
          consumer: consumer as never,
          lane: { backoff: { min: "1 second", max: "1 hour" } }
        }]
      })
      yield* intake.submit([1])
      yield* TestClock.adjust("1 minute")
      const stopping = yield* Effect.forkChild(intake.stop, { startImmediately: true })
      isDown = false
      yield* TestClock.adjust("1 second")
      const { interrupted, settled } = yield* Fiber.join(stopping)
      assert.deepStrictEqual([settled, interrupted], [1, 0])
    }).pipe(Effect.provide(Services)))

  it.effect("leaves nothing behind of who feeds and goes away", () =>
    Effect.gen(function*() {
      const { gate, got, intake } = yield* make({ capacity: 2 })
      const feeding = yield* Effect.forkChild(intake.feed([0, 1, 2, 3, 4], () => {}), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(feeding)
      yield* gate.open
      yield* settle
      assert.deepStrictEqual(got, [0, 1, 2])
      // The room is what it was.
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(intake.submit([5, 6]))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(intake.submit([7, 8, 9]))))
    }).pipe(Effect.provide(Services)))

  it.effect("drops instead of waiting where it is told to, and settles what it drops", () =>
    Effect.gen(function*() {
      for (const [overflow, kept] of [["dropNewest", [0, 1, 2]], ["dropOldest", [0, 5, 9]]] as const) {
        const { gate, got, intake } = yield* make({ capacity: 2, overflow })
        yield* intake.submit([0])
        yield* settle
        const accepted: Array<Intake.Accepted> = []
        yield* intake.feed([1, 2, 3, 4, 5], (one) => accepted.push(one))
        const dropped = accepted.filter(({ receipt }) => receipt.isSettled)
        assert.lengthOf(dropped, 3, overflow)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(dropped[0]!.receipt.results)))
        // All or nothing holds only where room is not made by dropping.
        assert.strictEqual(Exit.isSuccess(yield* Effect.exit(intake.submit([9]))), overflow === "dropOldest")
        yield* gate.open
        yield* settle
        assert.deepStrictEqual(got, [...kept])
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(intake.submit([6, 7]))))
      }
    }).pipe(Effect.provide(Services)))

  it.effect("finds the receipt of what it accepted", () =>
    Effect.gen(function*() {
      const { gate, intake } = yield* make({})
      yield* gate.open
      const [one, other] = yield* intake.submit([1, 2])
      assert.strictEqual(intake.find(one!.id), one!.receipt)
      assert.strictEqual(intake.find(other!.id), other!.receipt)
      assert.isUndefined(intake.find(`${one!.id}0`))
    }).pipe(Effect.provide(Services)))
})
