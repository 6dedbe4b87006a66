import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"
import * as Alarm from "../../src/internal/alarm.ts"

const alarm = Effect.contextWith((context: Parameters<typeof Alarm.of>[0]) => Effect.succeed(Alarm.of(context)))

describe("alarm", () => {
  it.effect("wakes everybody at their instant, in the order of instants", () =>
    Effect.gen(function*() {
      const { at } = yield* alarm
      const woken: Array<string> = []
      for (const [instant, name] of [[2000, "c"], [1000, "a"], [1000, "b"]] as const) {
        at(instant, () => woken.push(name))
      }
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(woken, [])
      yield* TestClock.adjust("1 milli")
      assert.deepStrictEqual(woken, ["a", "b"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(woken, ["a", "b", "c"])
    }))

  it.effect("does not wake who has cancelled", () =>
    Effect.gen(function*() {
      const { at } = yield* alarm
      const woken: Array<string> = []
      at(1000, () => woken.push("kept"))
      at(1000, () => woken.push("cancelled"))()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(woken, ["kept"])
    }))

  it.effect("wakes for an instant that has passed, but not before it returns", () =>
    Effect.gen(function*() {
      const { at } = yield* alarm
      let woken = false
      at(-1, () => {
        woken = true
      })
      assert.isFalse(woken)
      yield* TestClock.adjust(0)
      assert.isTrue(woken)
    }))

  it.effect("notices a wall clock that was set forward within half a minute", () =>
    Simulation.check(() =>
      Effect.gen(function*() {
        const { at } = yield* alarm
        let woken = false
        at(3_600_000, () => {
          woken = true
        })
        yield* Simulation.adjustWallClock("2 hours")
        yield* Effect.sleep("31 seconds")
        return woken
      }), ({ exit, leftover }) => {
      assert.deepStrictEqual(exit._tag === "Success" && exit.value, true)
      assert.strictEqual(leftover.length, 0)
    }, { runs: 20 }))

  it.effect("leaves no fiber when the last one cancels", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          const { at } = yield* alarm
          const cancels = [at(1000, () => {}), at(1000, () => {})]
          yield* Effect.sleep("10 millis")
          for (const cancel of cancels) cancel()
        }),
      undefined,
      { runs: 20 }
    ))
})
