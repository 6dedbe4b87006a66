import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Random, Schema } from "effect"
import { Simulation } from "effect-simulation"
import { Crew, WorkQueue } from "effect-work-queue"
import * as Pace from "../../src/internal/pace.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Step = Schema.Struct({ after: between(0, 60), key: between(0, 2), delay: between(0, 40) })

/** The most that begin in any window that includes its first instant and not its last. */
const most = (begun: ReadonlyArray<number>, interval: number): number =>
  Math.max(0, ...begun.map((from) => begun.filter((at) => at >= from && at < from + interval).length))

describe("pace laws", () => {
  it.prop(
    "law: at most `limit` begin in any interval, none sooner than the delay, and none must wait for longer",
    {
      steps: Schema.Array(Step),
      limit: between(1, 4),
      interval: between(1, 200),
      isFixed: Schema.Boolean,
      rated: Schema.Boolean
    },
    ({ interval, isFixed, limit, rated, steps }) => {
      let delay = 20
      const register = Pace.makeRegister({
        delay: isFixed ? delay : () => delay,
        rate: rated ? { limit, interval } : undefined
      })
      const history = new Map<string, Array<number>>()
      // The naive register forgets nothing.
      const naive = (key: string): number => {
        const begun = history.get(key) ?? []
        if (begun.length === 0) return -Infinity
        const byRate = rated && begun.length >= limit ? begun.at(-limit)! + interval : -Infinity
        return Math.max(byRate, begun.at(-1)! + delay)
      }
      const inFlight: Array<string> = []
      let now = 0
      for (const step of steps) {
        now += step.after / 7
        const key = `${step.key}`
        // A delay that grows after a key was forgotten is not its business: what is in flight is not forgotten.
        if (!isFixed && inFlight.includes(key)) delay = step.delay
        if (isFixed || inFlight.includes(key)) {
          assert.strictEqual(Math.max(now, register.next(key)), Math.max(now, naive(key)))
        }
        if (register.next(key) <= now) {
          history.set(key, [...history.get(key) ?? [], now])
          assert.strictEqual(register.begin(key, now), naive(key))
          inFlight.push(key)
        }
        if (step.after % 3 === 0 && inFlight.length > 0) {
          const settled = inFlight.shift()!
          assert.strictEqual(Math.max(now, register.settle(settled)), Math.max(now, naive(settled)))
        }
      }
      for (const begun of history.values()) {
        if (rated) assert.isAtMost(most(begun, interval), limit)
        if (isFixed) assert.isTrue(begun.every((at, i) => i === 0 || at >= begun[i - 1]! + delay))
      }
    }
  )

  it("remembers no more keys than a few times those that are restrained or in flight", () => {
    for (const settles of [true, false]) {
      const register = Pace.makeRegister({ delay: 10, rate: { limit: 3, interval: 50 } })
      let largest = 0
      for (let now = 0; now < 20_000; now++) {
        register.begin(`${now}`, now)
        if (settles || now >= 100) register.settle(`${now}`)
        if (now > 500) largest = Math.max(largest, register.size())
      }
      assert.isBelow(largest, settles ? 4 * 50 : 4 * 150)
      if (!settles) { for (let key = 0; key < 100; key++) assert.strictEqual(register.settle(`${key}`), key + 10) }
    }
  })

  it.effect("law: a crew that works off a paced queue keeps the pace, and leaves nothing", () =>
    Simulation.check(crawlPaced, undefined, { runs: 200 }))
})

/** Few keys, a delay that is another for each answer, a rate, and a crew: what the crawl does with a pace. */
const crawlPaced = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const limit = yield* Random.nextIntBetween(1, 5)
  const interval = yield* Random.nextIntBetween(1, 60)
  const concurrency = yield* Random.nextIntBetween(1, 3)
  const delays = new Map<string, number>()
  const begun = new Map<string, Array<{ readonly at: number; readonly delay: () => number }>>()
  const wrongs: Array<string> = []
  const queue: WorkQueue.WorkQueue<string> = yield* WorkQueue.make<string>({
    capacity: "unbounded",
    keyed: {
      by: (item) => item[0],
      concurrency,
      pauses: (item) => {
        const key = item[0]!
        const at = clock.currentTimeMillisUnsafe()
        const before = begun.get(key) ?? []
        const last = before.at(-1)
        // What the delay was when the last settled, or is, if several of a key are in flight.
        if (last !== undefined && at - last.at < last.delay()) wrongs.push(`${item} began too soon`)
        begun.set(key, [...before, { at, delay: () => delays.get(key) ?? 5 }])
        return pace.pauses(key)
      }
    }
  })
  const pace = yield* Pace.make({ delay: (key) => Duration.millis(delays.get(key) ?? 5), rate: { limit, interval } }, {
    pause: (key) => assert.isTrue(WorkQueue.pauseUnsafe(queue, key)),
    resume: (key) => assert.isTrue(WorkQueue.resumeUnsafe(queue, key))
  })
  const settled: Array<string> = []
  const crew = yield* Crew.make(queue, {
    size: yield* Random.nextIntBetween(1, 6),
    work: (item) =>
      Effect.gen(function*() {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 30))
        delays.set(item[0]!, yield* Random.nextIntBetween(0, 40))
      }),
    onSettled: (item) => {
      settled.push(item)
      pace.settled(item[0]!)
    }
  })
  const items = Array.from({ length: 24 }, (_, i) => `${"aaab"[i % 4]}${i}`)
  yield* WorkQueue.offerAll(queue, items)
  const report = yield* Crew.drain(crew)
  assert.deepInclude(report, { settled: items.length, interrupted: 0, abandoned: 0 })
  assert.sameMembers(settled, items)
  // With one of a key in flight, the delay that its answer gave holds for the next.
  if (concurrency === 1) assert.deepStrictEqual(wrongs, [])
  for (const of of begun.values()) assert.isAtMost(most(of.map(({ at }) => at), interval), limit)
  yield* Effect.sleep("1 second")
  assert.strictEqual((yield* WorkQueue.stats(queue)).keys, 0)
}).pipe(Effect.scoped)
