import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import * as ScalingPolicy from "../src/ScalingPolicy.ts"
import * as ScalingReplay from "../src/ScalingReplay.ts"

const fixed = (size: number) =>
  ScalingPolicy.make({ name: "fixed", initial: () => undefined, decide: (state) => ({ state, size }) })

const scripted = (sizeAt: (now: number) => number) =>
  ScalingPolicy.make({
    name: "scripted",
    initial: () => undefined,
    decide: (state, { now }) => ({ state, size: sizeAt(now) })
  })

const arrivals = (...list: ReadonlyArray<readonly [at: number, service: number]>) =>
  list.map(([at, service]) => ({ at, service }))

const poisson = (rate: number, service: number, seconds: number, seed: number) =>
  Effect.runSync(
    ScalingReplay.arrivals([{ lasts: `${seconds} seconds`, rate, service }]).pipe(Random.withSeed(seed))
  )

/** The mean wait of an M/M/c queue in milliseconds, by Erlang's C formula. */
const erlangWait = (rate: number, service: number, size: number): number => {
  const load = rate * service / 1000
  let blocked = 1
  for (let servers = 1; servers <= size; servers++) blocked = load * blocked / (servers + load * blocked)
  const waits = blocked / (1 - load / size * (1 - blocked))
  return waits * service / (size - load)
}

describe("ScalingReplay", () => {
  describe("arrivals", () => {
    it.effect("spaces even arrivals by the rate, phase after phase", () =>
      Effect.gen(function*() {
        const load = yield* ScalingReplay.arrivals([
          { lasts: "1 second", rate: 4, service: 50 },
          { lasts: "1 second", rate: 0, service: 50 },
          { lasts: "1 second", rate: 2, service: 80 }
        ], "even")
        assert.deepStrictEqual(
          load.map(({ at, service }) => [Math.round(at), service]),
          [[250, 50], [500, 50], [750, 50], [2000, 80], [2500, 80]]
        )
      }))

    it.effect("spaces a rising rate ever more closely", () =>
      Effect.gen(function*() {
        const load = yield* ScalingReplay.arrivals([{ lasts: "10 seconds", rate: [0, 20], service: 50 }], "even")
        // Half of the arrivals, 50, have come when t² is half of its end.
        assert.approximately(load[49]!.at, 10_000 * Math.SQRT1_2, 1e-6)
        assert.isTrue(load.every(({ at }, i) => i === 0 || at > load[i - 1]!.at))
      }))

    it("draws Poisson arrivals and exponential service times, the same for a seed", () => {
      const load = poisson(100, 50, 100, 7)
      assert.deepStrictEqual(load, poisson(100, 50, 100, 7))
      assert.notDeepEqual(load, poisson(100, 50, 100, 8))
      const gaps = load.map(({ at }, i) => at - (load[i - 1]?.at ?? 0))
      for (const [values, mean] of [[gaps, 10], [load.map(({ service }) => service), 50]] as const) {
        const average = values.reduce((sum, value) => sum + value) / values.length
        const squares = values.reduce((sum, value) => sum + value ** 2, 0) / values.length
        assert.approximately(average, mean, mean * 0.05)
        // An exponential distribution has its mean as its deviation.
        assert.approximately(Math.sqrt(squares - average ** 2), mean, mean * 0.05)
      }
    })
  })

  describe("run", () => {
    it("serves in order of arrival, as many at once as the crew is large", () => {
      const { left, maxDepth, points, service, settled, wait } = ScalingReplay.run({
        policy: fixed(2),
        arrivals: arrivals([0, 100], [0, 50], [10, 30], [20, 30]),
        max: 2,
        pointEvery: 10,
        lasts: 200
      })
      // Ends: 100, 50; begun at 50 and 80, so waits of 0, 0, 40, 60.
      assert.deepStrictEqual([wait.mean, wait.max, service.mean, settled, left, maxDepth], [25, 60, 52.5, 4, 0, 2])
      assert.deepStrictEqual(points.slice(0, 11).map(({ busy }) => busy), [2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 0])
      assert.deepStrictEqual(points.slice(0, 8).map(({ depth }) => depth), [1, 2, 2, 2, 1, 1, 1, 0])
    })

    it("measures the longest backlog, also one that does not end", () => {
      const run = (lasts: number) =>
        ScalingReplay.run({
          policy: fixed(1),
          arrivals: arrivals([0, 100], [10, 100], [500, 1000], [510, 10]),
          max: 1,
          lasts
        }).longestBacklog
      assert.strictEqual(run(505), 90)
      assert.strictEqual(run(1000), 490)
      assert.strictEqual(run(2000), 990)
    })

    it("begins what waits when the crew grows, and finishes what is begun when it shrinks", () => {
      const { changes, meanSize, points, utilization, wait } = ScalingReplay.run({
        policy: scripted((now) => now >= 100 && now < 200 ? 3 : 1),
        arrivals: arrivals([0, 400], [0, 400], [0, 400], [0, 400]),
        max: 3,
        pointEvery: 100,
        lasts: 600
      })
      assert.deepStrictEqual(changes, [{ at: 100, from: 1, to: 3 }, { at: 200, from: 3, to: 1 }])
      assert.deepStrictEqual(points.map(({ busy }) => busy), [3, 3, 3, 2, 1, 1])
      assert.strictEqual(wait.max, 500)
      assert.strictEqual(meanSize, (100 + 300 + 400) / 600)
      assert.strictEqual(utilization, (400 + 2 * 400 + 100) / 800)
    })

    it("slows all work in progress, and stops it", () => {
      const ends = (slowdown: (at: number, busy: number) => number) =>
        ScalingReplay.run({
          policy: fixed(2),
          arrivals: arrivals([0, 100], [0, 200]),
          max: 2,
          slowdown,
          lasts: 5000
        }).service
      assert.deepStrictEqual([ends(() => 2).p50, ends(() => 2).max], [200, 400])
      // Two at once at half the speed each: 200 for the first, and what is left of the second at full speed.
      assert.deepStrictEqual([ends((_, busy) => busy).p50, ends((_, busy) => busy).max], [200, 300])
      assert.deepStrictEqual(
        ScalingReplay.run({ policy: fixed(1), arrivals: arrivals([10, 0]), max: 1, slowdown: () => Infinity }).settled,
        1
      )
      const hung = ends((at) => at >= 50 && at < 1050 ? Infinity : 1)
      assert.deepStrictEqual([hung.p50, hung.max], [1100, 1200])
    })

    it("shows the policy totals that agree with each other", () => {
      const seen: Array<ScalingPolicy.Sample> = []
      const policy = ScalingPolicy.make({
        name: "watching",
        initial: () => undefined,
        decide: (state, sample) => {
          seen.push(sample)
          return { state, size: 3 }
        }
      })
      ScalingReplay.run({ policy, arrivals: poisson(100, 25, 20, 1), max: 5, min: 2, lasts: 30_000 })
      assert.strictEqual(seen.length, 3001)
      for (const sample of seen) {
        assert.strictEqual(sample.arrivals, sample.departures + sample.depth + sample.busy)
        assert.isTrue(sample.busy === 0 || sample.busyTime > 0)
        assert.deepStrictEqual([sample.min, sample.max], [2, 5])
      }
      const last = seen.at(-1)!
      assert.approximately(last.busyTime, last.serviceTime, 1e-6)
      assert.strictEqual(last.arrivals, last.departures)
    })

    it("agrees with Erlang's formula", () => {
      for (const [rate, service, size] of [[80, 25, 3], [80, 25, 5], [200, 50, 12]] as const) {
        const { wait } = ScalingReplay.run({
          policy: fixed(size),
          arrivals: poisson(rate, service, 600, 3),
          min: size,
          max: size,
          monitorInterval: "1 second"
        })
        const expected = erlangWait(rate, service, size)
        assert.approximately(wait.mean, expected, 0.15 * expected, `${rate} ${service} ${size}`)
      }
    })

    it("agrees with Little's law", () => {
      const { points, wait } = ScalingReplay.run({
        policy: fixed(3),
        arrivals: poisson(80, 25, 120, 5),
        min: 3,
        max: 3,
        monitorInterval: "1 second",
        pointEvery: 5,
        lasts: 120_000
      })
      const meanDepth = points.reduce((sum, { depth }) => sum + depth, 0) / points.length
      const rate = points.reduce((sum, { rate }) => sum + rate, 0) / points.length
      assert.approximately(meanDepth, rate * wait.mean / 1000, 0.03 * meanDepth)
    })

    it("gives the same result each time", () => {
      const run = () =>
        ScalingReplay.run({ policy: ScalingPolicy.gradient(), arrivals: poisson(100, 50, 20, 1), max: 50 })
      assert.deepStrictEqual(run(), run())
    })

    it("goes on where a rest of work is less than the clock can tell apart", () => {
      const { settled } = ScalingReplay.run({
        policy: fixed(1),
        arrivals: Array.from({ length: 200 }, (_, i) => ({ at: 1e7 + i * 0.7, service: 1 / 3 })),
        max: 1,
        monitorInterval: "1 hour",
        pointEvery: "1 hour"
      })
      assert.strictEqual(settled, 200)
    })

    it("replays a load of nothing", () => {
      const { meanSize, settled, wait } = ScalingReplay.run({ policy: fixed(1), arrivals: [], max: 1 })
      assert.deepStrictEqual([meanSize, settled, wait.mean, wait.p99], [1, 0, 0, 0])
    })

    it("names the option that is out of range", () => {
      const dies = (options: Partial<ScalingReplay.ReplayOptions>, message: string) =>
        assert.throws(
          () => ScalingReplay.run({ policy: fixed(1), arrivals: [], max: 1, ...options }),
          RangeError,
          `ScalingReplay.run: ${message}`
        )
      dies({ min: -1 }, "min must be an integer ≥ 0, got -1")
      dies({ max: 0 }, "max must be an integer ≥ 1 and ≥ min, got 0")
      dies({ max: 2, min: 3 }, "max must be an integer ≥ 1 and ≥ min, got 2")
      dies({ monitorInterval: 0 }, "monitorInterval must be > 0, got 0 millis")
      dies({ pointEvery: 0 }, "pointEvery must be > 0, got 0 millis")
      dies({ lasts: Infinity }, "lasts must be finite, got Infinity millis")
      dies({ arrivals: arrivals([0, 10]), slowdown: () => 0 }, "slowdown must give a number > 0, got 0")
    })
  })
})
