import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Cadence, Consumer, Conveyor, Lane, TestConveyor } from "effect-conveyor"
import { TestClock } from "effect/testing"

const everySecond = Cadence.every("1 second")

describe("TestConveyor", () => {
  it.effect("follows a script step by step and repeats its last step", () =>
    Effect.gen(function*() {
      const recorder = TestConveyor.recorder<string>()
      const conveyor = yield* Conveyor.make("script", {
        cadence: everySecond,
        producer: TestConveyor.script<string, "no">([
          { succeed: "a" },
          { fail: "no" },
          { die: "defect" },
          { succeed: "b", after: "200 millis" }
        ], { name: "scripted" }),
        consumers: [recorder.consumer],
        drainTimeout: 0
      })
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(recorder.payloads, ["a", "b", "b"])
      assert.strictEqual((yield* conveyor.stats).ticks.failed, 2)
    }))

  it.effect("tells of acquisitions and releases", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      yield* Effect.scoped(Conveyor.make("acquire", {
        cadence: everySecond,
        producer: TestConveyor.script([{ succeed: 1 }], {
          onAcquire: (n) => Effect.sync(() => log.push(`acquire ${n}`)),
          onRelease: (n) => Effect.sync(() => log.push(`release ${n}`))
        }),
        consumers: []
      }))
      assert.deepStrictEqual(log, ["acquire 1", "release 1"])
    }))

  it.effect("records what succeeded, and every attempt", () =>
    Effect.gen(function*() {
      const recorder = TestConveyor.recorder<number, "down">({
        steps: [{ fail: "down" }, { fail: new Consumer.Rejected({ reason: "no" }) }]
      })
      yield* Conveyor.make("record", {
        cadence: everySecond,
        producer: (tick) => Effect.succeed(tick.index),
        consumers: [Lane.configure(recorder.consumer, { backoff: { min: "10 millis" } })]
      })
      yield* TestClock.adjust("3500 millis")
      assert.deepStrictEqual(recorder.payloads, [1, 2])
      assert.deepStrictEqual(recorder.batches, [[1], [2]])
      assert.deepStrictEqual(recorder.attempts, [[0], [0], [1], [2]])
      assert.deepStrictEqual(recorder.dueAt, [2000, 3000])
      assert.deepStrictEqual(recorder.ticks.map(({ index }) => index), [1, 2])
    }))
})
