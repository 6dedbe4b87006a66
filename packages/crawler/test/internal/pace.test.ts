import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Pace from "../../src/internal/pace.ts"

/** A pace, and what it did when, in whole milliseconds. */
const made = (limits: Pace.Limits) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const log: Array<string> = []
    const note = (what: string) => (key: string) => void log.push(`${clock.currentTimeMillisUnsafe()} ${what} ${key}`)
    const pace = yield* Pace.make(limits, { pause: note("pause"), resume: note("resume") })
    return { pace, log }
  })

describe("pace", () => {
  it.effect("resumes each key when its delay is over", () =>
    Effect.gen(function*() {
      const { log, pace } = yield* made({ delay: (key) => key === "slow" ? "3 seconds" : "1 second" })
      assert.isTrue(pace.pauses("slow"))
      assert.isTrue(pace.pauses("a"))
      yield* TestClock.adjust("500 millis")
      assert.isTrue(pace.pauses("b"))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(log, ["1000 resume a", "1500 resume b", "3000 resume slow"])
    }))

  it.effect("pauses nothing without limits, and what has not reached its rate", () =>
    Effect.gen(function*() {
      const free = yield* made({})
      assert.isFalse(free.pace.pauses("a"))
      assert.isFalse(free.pace.pauses("a"))
      const { log, pace } = yield* made({ rate: { limit: 3, interval: "10 seconds" } })
      assert.isFalse(pace.pauses("a"))
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(pace.pauses("a"))
      assert.isFalse(pace.pauses("b"))
      assert.isTrue(pace.pauses("a"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["10000 resume a"])
    }))

  it.effect("obeys the delay and the rate, whichever is longer", () =>
    Effect.gen(function*() {
      const { log, pace } = yield* made({ delay: "1 second", rate: { limit: 2, interval: "10 seconds" } })
      assert.isTrue(pace.pauses("a"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(pace.pauses("a"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["1000 resume a", "10000 resume a"])
    }))

  it.effect("waits on if the delay has grown in the meantime", () =>
    Effect.gen(function*() {
      let delay: Duration.Input = "1 second"
      const { log, pace } = yield* made({ delay: () => delay })
      assert.isTrue(pace.pauses("a"))
      delay = "5 seconds"
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("1 milli")
      assert.deepStrictEqual(log, ["5000 resume a"])
    }))

  it.effect("pauses a key whose delay has grown by the time an item settles", () =>
    Effect.gen(function*() {
      let delay: Duration.Input = "1 second"
      const { log, pace } = yield* made({ delay: () => delay })
      assert.isTrue(pace.pauses("a"))
      yield* TestClock.adjust("2 seconds")
      delay = "1 minute"
      pace.settled("a")
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(log, ["1000 resume a", "2000 pause a", "60000 resume a"])
    }))

  it.effect("pauses a key for good whose delay has become infinite", () =>
    Effect.gen(function*() {
      let delay: Duration.Input = 0
      const { log, pace } = yield* made({ delay: () => delay })
      assert.isFalse(pace.pauses("a"))
      delay = Duration.infinity
      pace.settled("a")
      yield* TestClock.adjust("365 days")
      assert.deepStrictEqual(log, ["0 pause a"])
    }))

  it.effect("resumes a key sooner whose delay has shrunk by the time an item settles, and once", () =>
    Effect.gen(function*() {
      let delay: Duration.Input = Duration.infinity
      const { log, pace } = yield* made({ delay: () => delay })
      assert.isTrue(pace.pauses("a"))
      assert.isTrue(pace.pauses("b"))
      yield* TestClock.adjust("2 seconds")
      delay = "1 minute"
      pace.settled("a")
      delay = "1 second"
      pace.settled("b")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("30 seconds")
      pace.settled("a")
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(log, ["2000 resume b", "32000 resume a"])
    }))

  it.effect("sleeps in one fiber whatever the number of keys, and in none while nothing is paused", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let sleeping = 0
      let sleeps = 0
      const counting: Clock.Clock = Object.assign(Object.create(clock), {
        sleep: (duration: Duration.Duration) =>
          Effect.suspend(() => {
            sleeping++
            sleeps++
            return Effect.ensuring(clock.sleep(duration), Effect.sync(() => sleeping--))
          })
      })
      const { log, pace } = yield* Effect.provideService(
        made({ delay: (key) => Duration.millis(1000 + Number(key)) }),
        Clock.Clock,
        counting
      )
      assert.strictEqual(sleeping, 0)
      for (let key = 100; key < 200; key++) pace.pauses(`${key}`)
      for (let key = 99; key >= 0; key--) pace.pauses(`${key}`)
      yield* Effect.yieldNow
      assert.strictEqual(sleeping, 1)
      yield* TestClock.adjust("1050 millis")
      assert.strictEqual(sleeping, 1)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(log, 200)
      assert.strictEqual(sleeping, 0)
      // One for each instant, and for each key that was earlier than all before it.
      assert.isAtMost(sleeps, 300)
    }))

  it.effect("resumes nobody after its Scope has closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { log, pace } = yield* Scope.provide(
        made({ delay: (key) => key === "a" ? "2 seconds" : "1 second" }),
        scope
      )
      pace.pauses("a")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(pace.pauses("b"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, [])
    }))

  it.effect("logs a delay that throws, and goes on without one", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(...[message].flat()))
      let answers = true
      const { log, pace } = yield* Effect.provide(
        made({
          delay: () => {
            if (answers) return "1 second"
            throw new Error("no answer")
          }
        }),
        Logger.layer([logger])
      )
      assert.isTrue(pace.pauses("a"))
      answers = false
      assert.isFalse(pace.pauses("b"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["1000 resume a"])
      assert.isAbove(logged.filter((message) => message === "Crawler: keyed.delay threw").length, 1)
    }))

  it("counts what begins too early", () => {
    const { begin } = Pace.makeRegister({ rate: { limit: 2, interval: 100 } })
    assert.deepStrictEqual([0, 1, 2, 50].map((now) => begin("a", now)), [0, 100, 101, 102])
  })

  it("refuses a rate that is none", () => {
    for (const limit of [0, 1.5, NaN, Infinity]) {
      assert.throws(
        () => Pace.makeRegister({ rate: { limit, interval: "1 second" } }),
        `Crawler: keyed.rate.limit must be a whole number >= 1, got ${limit}`
      )
    }
    assert.throws(
      () => Pace.makeRegister({ rate: { limit: 1, interval: 0 } }),
      "Crawler: keyed.rate.interval must be > 0, got 0 millis"
    )
  })
})
