import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, type Exit, Fiber, Latch } from "effect"
import { Consumer, type Lane } from "effect-conveyor"
import { TestClock } from "effect/testing"
import * as Deliverer from "../src/internal/deliverer.ts"
import * as HeldConsumer from "../src/internal/heldConsumer.ts"
import { type Origin, Submission } from "../src/internal/submission.ts"

const origin: Origin = { run: "run", consumers: 1, keyOf: () => undefined, waiting: 0, waitingOf: new Map() }

const submissions = (...events: ReadonlyArray<unknown>) =>
  events.map((event, i) => new Submission(origin, i + 1, event, 1000))

interface Call {
  readonly at: number
  readonly payloads: ReadonlyArray<any>
  readonly attempt: number
}

/** A deliverer to a consumer that does as it is told, and what was brought to that. */
const make = (
  consume: (call: Call) => Effect.Effect<unknown, string | Consumer.Rejected>,
  lane: Lane.LaneOptions = {}
) => {
  const calls: Array<Call> = []
  const held: Array<string> = []
  const hurrying = Latch.makeUnsafe(false)
  const consumer = Consumer.makeBatch(
    "fake",
    Effect.acquireRelease(
      Effect.sync(() => {
        held.push("acquired")
        return Effect.fnUntraced(function*(batch: ReadonlyArray<Consumer.Delivery<unknown>>) {
          const call = {
            at: yield* Clock.currentTimeMillis,
            payloads: batch.map(({ payload }) => payload),
            attempt: batch[0]!.attempt
          }
          calls.push(call)
          yield* consume(call)
        })
      }),
      () => Effect.sync(() => void held.push("released"))
    )
  )
  return { calls, held, hurrying, ...Deliverer.make({ name: "fake", lane }, HeldConsumer.make(consumer), hurrying) }
}

const outcomes = (settlements: ReadonlyArray<Exit.Exit<void, unknown>>) => settlements.map(({ _tag }) => _tag)

describe("Deliverer", () => {
  it.effect("gives a consumer events with their receipts, the time they came and the number of the attempt", () =>
    Effect.gen(function*() {
      const { calls, counts, deliver } = make(() => Effect.void)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        outcomes(yield* deliver(submissions({ id: 1 }, 7, { receipt: "own", receipt_2: 1, id: 2 }, [1]))),
        ["Success", "Success", "Success", "Success"]
      )
      assert.deepStrictEqual(calls, [{
        at: 5000,
        payloads: [
          { receipt: "run-1", id: 1 },
          { receipt: "run-2", value: 7 },
          { receipt: "run-3", receipt_3: "own", receipt_2: 1, id: 2 },
          { receipt: "run-4", value: [1] }
        ],
        attempt: 1
      }])
      assert.deepStrictEqual(counts(), { delivered: 4, failed: 0 })
    }))

  it.effect("tries again after pauses that double up to the longest, as a lane does", () =>
    Effect.gen(function*() {
      const { calls, deliver } = make(({ attempt }) => attempt < 6 ? Effect.fail("down") : Effect.void, {
        backoff: { min: "1 second", max: "5 seconds" }
      })
      const fiber = yield* Effect.forkChild(deliver(submissions(1)), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(outcomes(yield* Fiber.join(fiber)), ["Success"])
      assert.deepStrictEqual(calls.map(({ at }) => at), [0, 1000, 3000, 7000, 12_000, 17_000])
    }))

  it.effect("acquires the consumer afresh after three failures in a row", () =>
    Effect.gen(function*() {
      const { deliver, held } = make(({ attempt }) => attempt < 5 ? Effect.fail("down") : Effect.void)
      const fiber = yield* Effect.forkChild(deliver(submissions(1)), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(held, ["acquired", "released", "acquired"])
    }))

  it.effect("gives up after the attempts it has", () =>
    Effect.gen(function*() {
      const { calls, counts, deliver } = make(() => Effect.fail("down"), { attempts: 2 })
      const fiber = yield* Effect.forkChild(deliver(submissions(1, 2)), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(outcomes(yield* Fiber.join(fiber)), ["Failure", "Failure"])
      assert.deepStrictEqual([calls.length, counts()], [2, { delivered: 0, failed: 2 }])
    }))

  it.effect("brings the events of a rejected batch one by one, and tries none again that is at fault", () =>
    Effect.gen(function*() {
      const isPoison = ({ payloads }: Call) => payloads.some(({ value }) => value === 2)
      const { calls, counts, deliver } = make((call) =>
        isPoison(call) ? Effect.fail(new Consumer.Rejected({ reason: "poison" })) : Effect.void
      )
      assert.deepStrictEqual(outcomes(yield* deliver(submissions(1, 2, 3))), ["Success", "Failure", "Success"])
      assert.deepStrictEqual(calls.map(({ payloads }) => payloads.map(({ value }) => value)), [[1, 2, 3], [1], [2], [
        3
      ]])
      assert.deepStrictEqual(counts(), { delivered: 2, failed: 1 })
    }))

  it.effect("gives a consumer that does not answer a minute, and then tries it again", () =>
    Effect.gen(function*() {
      const { calls, deliver } = make(({ attempt }) => attempt === 1 ? Effect.never : Effect.void)
      const fiber = yield* Effect.forkChild(deliver(submissions(1)), { startImmediately: true })
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(outcomes(yield* Fiber.join(fiber)), ["Success"])
      assert.deepStrictEqual(calls.map(({ at }) => at), [0, 61_000])
    }))

  it.effect("takes defects for failures", () =>
    Effect.gen(function*() {
      const { deliver } = make(({ attempt }) => attempt === 1 ? Effect.die(new Error("bug")) : Effect.void)
      const fiber = yield* Effect.forkChild(deliver(submissions(1)), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(outcomes(yield* Fiber.join(fiber)), ["Success"])
    }))

  it.effect("makes no long pauses any more once it must hurry", () =>
    Effect.gen(function*() {
      const { calls, deliver, hurrying } = make(({ attempt }) => attempt < 9 ? Effect.fail("down") : Effect.void, {
        backoff: { min: "100 millis", max: "1 hour" }
      })
      const fiber = yield* Effect.forkChild(deliver(submissions(1)), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(calls, 5)
      yield* hurrying.open
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(calls.at(-1)!.at, 2400)
    }))

  it.effect("forgets an event when its last consumer is through", () =>
    Effect.sync(() => {
      const submission = new Submission({ ...origin, consumers: 2 }, 1, { id: 1 }, 0)
      submission.settle()
      assert.deepStrictEqual(submission.event, { id: 1 })
      submission.settle()
      assert.isUndefined(submission.event)
    }))
})
