import { assert, describe, it } from "@effect/vitest"
import * as ScalingPolicy from "../src/ScalingPolicy.ts"

const at = (now: number, sample: Partial<ScalingPolicy.Sample> = {}): ScalingPolicy.Sample => ({
  now,
  arrivals: 0,
  departures: 0,
  depth: 0,
  busy: 0,
  size: 0,
  busyTime: 0,
  serviceTime: 0,
  min: 1,
  max: 100,
  ...sample
})

/** `rate` events per second, of `service` milliseconds each, for `lasts` milliseconds, all of them begun at once. */
const flow = (policy: ScalingPolicy.ScalingPolicy, rate: number, service: number, lasts: number) => {
  let decision = policy.start(at(0))
  for (let now = 10; now <= lasts; now += 10) {
    const arrivals = Math.floor(rate * now / 1000)
    const departures = Math.floor(rate * Math.max(0, now - service) / 1000)
    const busy = arrivals - departures
    decision = decision.next(at(now, { arrivals, departures, busy, busyTime: rate * service / 1000 * now }))
  }
  return decision
}

describe("ScalingPolicy", () => {
  describe("make", () => {
    const wanting = (...sizes: ReadonlyArray<number>) =>
      ScalingPolicy.make({
        name: "scripted",
        initial: () => 0,
        decide: (asked) => ({ state: asked + 1, size: sizes[asked]! })
      })

    it("asks about the first sample, and hands the state on", () => {
      const first = wanting(3, 5).start(at(0))
      assert.strictEqual(first.size, 3)
      assert.strictEqual(first.next(at(10)).size, 5)
    })

    it("rounds up, and keeps within the bounds of the sample", () => {
      assert.strictEqual(wanting(2.1).start(at(0)).size, 3)
      assert.strictEqual(wanting(-4).start(at(0)).size, 1)
      assert.strictEqual(wanting(Infinity).start(at(0)).size, 100)
      assert.strictEqual(wanting(50, 50).start(at(0)).next(at(10, { max: 20 })).size, 20)
    })

    it("shows 0 for what is not a finite number", () => {
      const seen: Array<ScalingPolicy.Sample> = []
      const policy = ScalingPolicy.make({
        name: "watching",
        initial: () => 0,
        decide: (state, sample) => {
          seen.push(sample)
          return { state, size: 1 }
        }
      })
      policy.start(at(NaN, { depth: 7, busy: -Infinity })).next(at(10, { arrivals: Infinity, departures: 2 }))
      assert.deepStrictEqual(seen, [at(0, { depth: 7 }), at(10, { departures: 2 })])
    })

    it("keeps the previous size instead of NaN, and min at the start", () => {
      assert.strictEqual(wanting(7, NaN).start(at(0)).next(at(10)).size, 7)
      assert.strictEqual(wanting(NaN).start(at(0, { min: 2 })).size, 2)
    })

    it("answers the same however often it is asked", () => {
      const first = wanting(3, 5).start(at(0))
      assert.strictEqual(first.next(at(10)).size, first.next(at(10)).size)
    })
  })

  describe("little", () => {
    it("gives the load of a steady flow and its margin", () => {
      // 100 events per second of 100 ms keep 10 busy; 11.5 are needed, and what chance explains is not shrunk away.
      assert.strictEqual(flow(ScalingPolicy.little(), 100, 100, 60_000).size, 12)
      assert.strictEqual(flow(ScalingPolicy.little({ wipMargin: 0.5 }), 100, 100, 60_000).size, 15)
      assert.strictEqual(flow(ScalingPolicy.little({ wipMargin: 1 }), 100, 100, 60_000).size, 20)
    })

    it("gives each event a consumer as long as nothing has departed", () => {
      const first = ScalingPolicy.little().start(at(0, { depth: 7, arrivals: 7 }))
      assert.strictEqual(first.size, 7)
      assert.strictEqual(first.next(at(10, { arrivals: 12, busy: 7, depth: 5, busyTime: 70 })).size, 12)
    })

    it("adds what begins a backlog within clearWithin", () => {
      // 100 ms each: with a second, 10 rounds of work; with 100 ms, one.
      const steady = (clearWithin: number) => flow(ScalingPolicy.little({ clearWithin }), 100, 100, 60_000)
      const behind = at(60_010, { arrivals: 6001, departures: 5991, busy: 10, depth: 53, busyTime: 600_100 })
      // 10 + 53 · 100 / (100 + 1000) = 14.8
      assert.strictEqual(steady(1000).next(behind).size, 15)
      // 10 + 53 · 100 / (100 + 100) = 36.5
      assert.strictEqual(steady(100).next(behind).size, 37)
    })

    it("shrinks one coolDown after the last need for more, and not before", () => {
      let decision = ScalingPolicy.little({ coolDown: "5 seconds" }).start(at(0, { depth: 40, arrivals: 40 }))
      decision = decision.next(at(100, { arrivals: 40, departures: 40, busyTime: 1000 }))
      assert.strictEqual(decision.next(at(4999, { arrivals: 40, departures: 40, busyTime: 1000 })).size, 40)
      assert.strictEqual(decision.next(at(5000, { arrivals: 40, departures: 40, busyTime: 1000 })).size, 1)
    })

    it("counts what came between two samples of one instant", () => {
      const policy = ScalingPolicy.little()
      let decision = policy.start(at(0))
      for (let now = 10; now <= 60_000; now += 10) {
        const totals = { arrivals: now, departures: now, busy: 5, busyTime: 5 * now }
        decision = decision.next(at(now - 10, totals)).next(at(now, totals))
      }
      // 1000 per second of 5 ms.
      assert.strictEqual(decision.size, 6)
    })

    it("names the option that is out of range", () => {
      assert.throws(
        () => ScalingPolicy.little({ wipMargin: 2 }),
        RangeError,
        "ScalingPolicy.little: wipMargin must be between 0 and 1, got 2"
      )
      assert.throws(
        () => ScalingPolicy.little({ wipMargin: NaN }),
        RangeError,
        "ScalingPolicy.little: wipMargin must be between 0 and 1, got NaN"
      )
      assert.throws(
        () => ScalingPolicy.little({ clearWithin: 0 }),
        RangeError,
        "ScalingPolicy.little: clearWithin must be > 0 and finite, got 0 millis"
      )
      assert.throws(
        () => ScalingPolicy.little({ coolDown: "10 millis" }),
        RangeError,
        "ScalingPolicy.little: coolDown must be at least clearWithin and finite, got 10 millis"
      )
      assert.throws(
        () => ScalingPolicy.little({ coolDown: Infinity }),
        RangeError,
        "ScalingPolicy.little: coolDown must be at least clearWithin and finite, got Infinity millis"
      )
    })
  })

  describe("gradient", () => {
    it("begins with 4, or min if that is more", () => {
      const start = (min: number) => ScalingPolicy.gradient().start(at(0, { depth: 50, arrivals: 50, min }))
      assert.strictEqual(start(1).size, 4)
      assert.strictEqual(start(6).size, 6)
    })

    it("gives what little gives, if the service time does not rise", () => {
      assert.strictEqual(flow(ScalingPolicy.gradient(), 100, 100, 60_000).size, 12)
    })

    it("names the option that is out of range", () => {
      assert.throws(
        () => ScalingPolicy.gradient({ tolerance: 1 }),
        RangeError,
        "ScalingPolicy.gradient: tolerance must be more than 1 and finite, got 1"
      )
      assert.throws(
        () => ScalingPolicy.gradient({ tolerance: Infinity }),
        RangeError,
        "ScalingPolicy.gradient: tolerance must be more than 1 and finite, got Infinity"
      )
      assert.throws(
        () => ScalingPolicy.gradient({ wipMargin: -1 }),
        RangeError,
        "ScalingPolicy.gradient: wipMargin must be between 0 and 1, got -1"
      )
    })
  })
})
