import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { Crew, FlowMetrics, WorkQueue } from "effect-work-queue"
import { TestClock } from "effect/testing"

/** A small generator of uniform numbers, so that a queueing system is the same on every run (mulberry32). */
const uniform = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const exponential = (random: () => number, mean: number) => -Math.log(1 - random()) * mean

/** Plays customers through `servers` servers, first come first served, and tells the flow what happens, in time order. */
const play = (
  flow: FlowMetrics.FlowMetrics,
  options: { readonly customers: number; readonly servers: number; readonly load: number; readonly seed: number }
): number => {
  const random = uniform(options.seed)
  const free = new Array<number>(options.servers).fill(0)
  const events: Array<readonly [at: number, tell: () => void]> = []
  let arrivedAt = 0
  let end = 0
  for (let i = 0; i < options.customers; i++) {
    arrivedAt += exponential(random, 1 / (options.load * options.servers))
    const server = free.indexOf(Math.min(...free))
    const beganAt = Math.max(arrivedAt, free[server]!)
    const settledAt = beganAt + exponential(random, 1)
    free[server] = settledAt
    end = Math.max(end, settledAt)
    const [a, b, s] = [arrivedAt, beganAt, settledAt]
    events.push(
      [a, () => FlowMetrics.arrivedUnsafe(flow, a)],
      [b, () => FlowMetrics.beganUnsafe(flow, b, a)],
      [s, () => FlowMetrics.settledUnsafe(flow, s, b, "succeeded")]
    )
  }
  FlowMetrics.resizedUnsafe(flow, 0, options.servers)
  for (const [, tell] of events.sort(([x], [y]) => x - y)) tell()
  return end
}

const about = (actual: number, expected: number, what: string) =>
  assert.closeTo(actual / expected, 1, 0.05, `${what}: ${actual} instead of ${expected}`)

/** The probability that an arrival has to wait in M/M/c. */
const erlangC = (servers: number, load: number): number => {
  const offered = servers * load
  let term = 1
  let sum = 0
  for (let k = 0; k < servers; k++) {
    sum += term
    term *= offered / (k + 1)
  }
  const queued = term / (1 - load)
  return queued / (sum + queued)
}

const day = "1 day"

describe("FlowMetrics", () => {
  for (const [servers, load, customers] of [[1, 0.5, 50_000], [1, 0.7, 80_000], [4, 0.7, 80_000]] as const) {
    it.effect(`agrees with M/M/${servers} at a load of ${load}`, () =>
      Effect.gen(function*() {
        const flow = yield* FlowMetrics.make({ window: day })
        const end = play(flow, { customers, servers, load, seed: 7 })
        yield* TestClock.adjust(end)
        const stats = yield* FlowMetrics.stats(flow)
        // One time unit, a millisecond here, is the mean service time.
        const wait = erlangC(servers, load) / (servers * (1 - load))
        about(stats.arrivalRate / 1000, servers * load, "arrival rate")
        about(stats.departureRate / 1000, servers * load, "departure rate")
        about(stats.serviceTime.mean, 1, "service time")
        about(stats.waitTime.mean, wait, "wait time")
        about(stats.utilization, load, "utilization")
        about(stats.wip, servers * load * (wait + 1), "L")
        // Nobody is left in the system, so Little's law holds exactly, but for rounding.
        assert.closeTo(stats.littleResidual, 0, 1e-6)
        assert.deepInclude(stats, { arrivals: customers, departures: customers, depth: 0, busy: 0, drainEstimate: 0 })
      }))
  }

  it.effect("measures what a queue and its crew do, exactly", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make<number>()
      const crew = yield* Crew.make(queue, { size: 2, work: (millis) => Effect.sleep(millis) })
      yield* WorkQueue.offerAll(queue, [100, 100, 200, 400])
      yield* TestClock.adjust("1 second")
      const { flow } = yield* Crew.stats(crew)
      // The first two begin at 0 and end at 100; the others begin at 100 and end at 300 and at 500.
      assert.deepInclude(flow, { arrivals: 4, departures: 4, arrivalRate: 4, departureRate: 4 })
      assert.deepStrictEqual(flow.waitTime, { mean: 50, p50: 0, p95: 100, p99: 100, max: 100 })
      assert.deepStrictEqual(flow.serviceTime, { mean: 200, p50: 100, p95: 400, p99: 400, max: 400 })
      assert.closeTo(flow.utilization, 800 / 2000, 1e-9)
      assert.closeTo(flow.wip, (4 * 100 + 2 * 200 + 200) / 1000, 1e-9)
      assert.closeTo(flow.littleResidual, 0, 1e-9)
    }))

  it.effect("lets nothing begin before it has come, though a settlement offers it", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make<number>()
      const crew: Crew.Crew<number> = yield* Crew.make(queue, {
        size: 1,
        work: () => Effect.void,
        onSettled: (n) => {
          // Takes time that the clock sees, as any callback does.
          const until = performance.now() + 2
          while (performance.now() < until);
          if (n > 0) WorkQueue.offerUnsafe(queue, n - 1)
        }
      })
      yield* WorkQueue.offer(queue, 5)
      yield* Crew.awaitIdle(crew)
      const { flow } = yield* Crew.stats(crew)
      assert.strictEqual(flow.arrivals, 6)
      assert.isAtLeast(flow.waitTime.mean, 0)
    }).pipe(TestClock.withLive))

  it.effect("shows a growing backlog as a residual", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make()
      for (let at = 0; at < 1000; at += 10) FlowMetrics.arrivedUnsafe(flow, at)
      FlowMetrics.beganUnsafe(flow, 990, 0)
      FlowMetrics.settledUnsafe(flow, 1000, 990, "failed")
      yield* TestClock.adjust("1 second")
      const stats = yield* FlowMetrics.stats(flow)
      assert.isAbove(Math.abs(stats.littleResidual), 10)
      assert.deepInclude(stats, { depth: 99, departureRate: 1, drainEstimate: 99_000 })
    }))

  it.effect("forgets what left the window", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ window: "60 seconds" })
      FlowMetrics.resizedUnsafe(flow, 0, 1)
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.beganUnsafe(flow, 0, 0)
      FlowMetrics.settledUnsafe(flow, 30_000, 0, "succeeded")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* FlowMetrics.stats(flow)).utilization, 1)
      yield* TestClock.adjust("29 seconds")
      assert.closeTo((yield* FlowMetrics.stats(flow)).utilization, 30 / 59, 1e-9)
      yield* TestClock.adjust("21 seconds")
      // The window begins at a whole sixtieth: it covers second 21 to second 80.
      assert.closeTo((yield* FlowMetrics.stats(flow)).utilization, 9 / 59, 1e-9)
      yield* TestClock.adjust("1 hour")
      const stats = yield* FlowMetrics.stats(flow)
      assert.deepInclude(stats, {
        arrivals: 1,
        departures: 1,
        arrivalRate: 0,
        departureRate: 0,
        utilization: 0,
        wip: 0
      })
      assert.strictEqual(stats.serviceTime.max, 30_000)
    }))

  it.effect("keeps integrals through a silence longer than the window", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ window: "1 second" })
      FlowMetrics.resizedUnsafe(flow, 0, 4)
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.beganUnsafe(flow, 0, 0)
      yield* TestClock.adjust("1 hour")
      const stats = yield* FlowMetrics.stats(flow)
      assert.closeTo(stats.utilization, 0.25, 1e-9)
      assert.closeTo(stats.wip, 1, 1e-9)
    }))

  it.effect("totals what has flowed through since the start, work in progress included", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ window: "60 seconds", warmup: "1 hour" })
      FlowMetrics.resizedUnsafe(flow, 0, 2)
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.beganUnsafe(flow, 0, 0)
      FlowMetrics.beganUnsafe(flow, 0, 0)
      yield* TestClock.adjust("2 seconds")
      FlowMetrics.settledUnsafe(flow, 2000, 0, "succeeded")
      // A silence longer than the window, with one still at work.
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(FlowMetrics.totalsUnsafe(flow), {
        now: 602_000,
        arrivals: 3,
        departures: 1,
        depth: 1,
        busy: 1,
        size: 2,
        busyTime: 604_000,
        serviceTime: 2000
      })
    }))

  it.effect("counts without a clock when it is not to measure", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ measured: false })
      const queue = yield* WorkQueue.make<number>({ capacity: 3, overflow: "dropOldest" })
      const crew = yield* Crew.make(queue, { size: 2, flow, work: (millis) => Effect.sleep(millis) })
      yield* WorkQueue.offerAll(queue, [0, 100, 200, 300, 400])
      yield* TestClock.adjust("250 millis")
      const { flow: stats } = yield* Crew.stats(crew)
      assert.deepInclude(stats, { arrivals: 5, departures: 3, depth: 0, busy: 2, size: 2 })
      assert.deepStrictEqual(stats.outcomes, { succeeded: 1, failed: 0, interrupted: 0, dropped: 2 })
      assert.deepInclude(stats, { arrivalRate: 0, departureRate: 0, oldestAge: 0, utilization: 0, wip: 0 })
      assert.deepStrictEqual(stats.serviceTime, { mean: 0, p50: 0, p95: 0, p99: 0, max: 0 })
      assert.deepStrictEqual(stats.waitTime, stats.serviceTime)
    }))

  it.effect("reads 0 during the warm-up, but for counts", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ warmup: "3 seconds" })
      FlowMetrics.arrivedUnsafe(flow, 0)
      FlowMetrics.beganUnsafe(flow, 0, 0)
      FlowMetrics.settledUnsafe(flow, 1000, 0, "succeeded")
      yield* TestClock.adjust("2999 millis")
      const cold = yield* FlowMetrics.stats(flow)
      assert.deepInclude(cold, { arrivals: 1, departures: 1, arrivalRate: 0, wip: 0, littleResidual: 0 })
      assert.strictEqual(cold.serviceTime.mean, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* FlowMetrics.stats(flow)).serviceTime.mean, 1000)
    }))

  it.effect("takes percentiles of the latest samples", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make({ samples: 100, window: day })
      const at = FlowMetrics.nowUnsafe(flow)
      for (let i = 1; i <= 300; i++) {
        FlowMetrics.arrivedUnsafe(flow, at)
        FlowMetrics.beganUnsafe(flow, at, at)
        FlowMetrics.settledUnsafe(flow, at + i, at, "succeeded")
      }
      const { serviceTime } = yield* FlowMetrics.stats(flow)
      assert.deepStrictEqual(serviceTime, { mean: 150.5, p50: 250, p95: 295, p99: 299, max: 300 })
    }))

  it.effect("dies when an option is out of range", () =>
    Effect.gen(function*() {
      for (
        const [options, message] of [
          [{ window: 0 }, "FlowMetrics.make: window must be > 0 and finite, got 0 millis"],
          [{ samples: 0 }, "FlowMetrics.make: samples must be a whole number >= 1, got 0"]
        ] as const
      ) {
        const exit = yield* Effect.exit(FlowMetrics.make(options))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), message)
      }
    }))
})
