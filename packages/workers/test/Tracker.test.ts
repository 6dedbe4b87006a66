import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Random, Scope, Stream } from "effect"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"
import type { TrackerCore } from "../src/internal/trackerCore.ts"
import * as Tracker from "../src/Tracker.ts"

/** What it holds: fibers, and those who wait or read. */
const held = <A, E>(tracker: Tracker.Tracker<A, E>): number => {
  const { any, fewer, fibers, readers } = tracker as unknown as TrackerCore<A, E>
  return any.size + fewer.size + fibers.size + readers.size
}

const values = (exits: ReadonlyArray<Exit.Exit<number, string>>): ReadonlyArray<unknown> =>
  exits.map((exit) => Exit.isSuccess(exit) ? exit.value : Cause.squash(exit.cause))

const after = (millis: number) => Effect.as(Effect.sleep(millis), millis)

describe("Tracker", () => {
  describe("track", () => {
    it.effect("begins at once and gives the fiber, whose result is its own", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number, string>()
        let begun = false
        const ok = yield* Tracker.track(
          tracker,
          Effect.suspend(() => {
            begun = true
            return after(1)
          })
        )
        assert.isTrue(begun)
        const failed = yield* Tracker.track(tracker, Effect.fail("no"))
        const died = yield* Tracker.track(tracker, Effect.die("bug"))
        assert.strictEqual(yield* Tracker.size(tracker), 1)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* Fiber.await(ok), Exit.succeed(1))
        assert.deepStrictEqual(yield* Fiber.await(failed), Exit.fail("no"))
        assert.isTrue(Exit.hasDies(yield* Fiber.await(died)))
        assert.strictEqual(held(tracker), 0)
      }))

    it.effect("begins what does not end with its caller", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        const caller = yield* Effect.forkChild(Tracker.track(tracker, after(10)))
        const tracked = yield* Fiber.join(caller)
        yield* TestClock.adjust(10)
        assert.strictEqual(yield* Fiber.join(tracked), 10)
      }))

    it.effect("gives an interrupted fiber after the end, and runs nothing", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.end(tracker)
        let begun = false
        const fiber = yield* Tracker.track(tracker, Effect.sync(() => begun = true).pipe(Effect.as(1)))
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        assert.isFalse(begun)
        assert.strictEqual(yield* Tracker.size(tracker), 0)
      }))

    it.effect("interrupts what is left when the Scope closes, and waits for it", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const tracker = yield* Tracker.make<number>().pipe(Scope.provide(scope))
        let released = 0
        const fibers = yield* Effect.forEach([1, 2, 3], () =>
          Tracker.track(
            tracker,
            Effect.never.pipe(Effect.onInterrupt(() => Effect.andThen(Effect.sleep(10), Effect.sync(() => released++))))
          ))
        const exits = yield* Effect.forkChild(Stream.runCollect(Tracker.asCompleted(tracker)))
        yield* Effect.yieldNow
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        // All at the same time, not one after the other.
        yield* TestClock.adjust(10)
        yield* Fiber.join(closing)
        assert.strictEqual(released, 3)
        assert.isTrue(fibers.every((fiber) => fiber.pollUnsafe() !== undefined))
        assert.strictEqual((yield* Fiber.join(exits)).length, 3)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(yield* Tracker.track(tracker, Effect.succeed(1)))))
      }))
  })

  describe("awaitAll", () => {
    it.effect("returns at once if nothing is tracked", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.awaitAll(tracker)
        yield* Tracker.track(tracker, Effect.succeed(1))
        yield* Tracker.awaitAll(tracker)
      }))

    it.effect("waits for all, also for what is tracked in the meantime", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Effect.forEach([10, 30, 20], (millis) => Tracker.track(tracker, after(millis)))
        const waiting = yield* Effect.forkChild(Tracker.awaitAll(tracker))
        yield* TestClock.adjust(29)
        yield* Tracker.track(tracker, after(10))
        yield* TestClock.adjust(9)
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust(1)
        assert.isDefined(waiting.pollUnsafe())
      }))

    it.effect("leaves nothing behind when its time is out", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.track(tracker, Effect.never)
        const waiting = yield* Effect.forkChild(Effect.all([
          Effect.timeoutOption(Tracker.awaitAll(tracker), "1 second"),
          Effect.timeoutOption(Tracker.awaitFewerThan(tracker, 1), "1 second"),
          Effect.timeoutOption(Tracker.awaitAny(tracker), "1 second"),
          Effect.timeoutOption(Stream.runDrain(Tracker.asCompleted(tracker)), "1 second")
        ], { concurrency: "unbounded" }))
        yield* Effect.yieldNow
        assert.strictEqual(held(tracker), 4)
        yield* TestClock.adjust("1 second")
        assert.isTrue((yield* Fiber.join(waiting)).every((outcome) => outcome._tag === "None"))
        assert.strictEqual(held(tracker), 1)
      }))
  })

  describe("awaitAny", () => {
    it.effect("gives none if nothing is tracked now", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.track(tracker, Effect.succeed(1))
        assert.deepStrictEqual(yield* Tracker.awaitAny(tracker), Option.none())
      }))

    it.effect("gives all who wait the next that settles, and the one after to those who come later", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number, string>()
        yield* Tracker.track(tracker, after(20))
        yield* Tracker.track(tracker, Effect.andThen(Effect.sleep(10), Effect.fail("no")))
        const first = yield* Effect.forkChild(Tracker.awaitAny(tracker))
        const second = yield* Effect.forkChild(Tracker.awaitAny(tracker))
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(yield* Fiber.join(first), Option.some(Exit.fail("no")))
        assert.deepStrictEqual(yield* Fiber.join(second), Option.some(Exit.fail("no")))
        const third = yield* Effect.forkChild(Tracker.awaitAny(tracker))
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(yield* Fiber.join(third), Option.some(Exit.succeed(20)))
      }))
  })

  describe("awaitFewerThan", () => {
    it.effect("keeps at most so many under way", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        let most = 0
        const producer = yield* Effect.forkChild(Effect.forEach(Array.from({ length: 100 }, (_, i) => i), (i) =>
          Effect.gen(function*() {
            yield* Tracker.awaitFewerThan(tracker, 7)
            yield* Tracker.track(tracker, after(1 + (i * 7) % 5))
            most = Math.max(most, yield* Tracker.size(tracker))
          })))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(producer)
        assert.strictEqual(most, 7)
        assert.strictEqual(held(tracker), 0)
      }))

    it.effect("wakes at its own number, and nobody before", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Effect.forEach([10, 20, 30], (millis) => Tracker.track(tracker, after(millis)))
        const woken: Array<number> = []
        yield* Effect.forEach([3, 2, 1, 2], (n) =>
          Effect.forkChild(Effect.andThen(Tracker.awaitFewerThan(tracker, n), Effect.sync(() => woken.push(n)))))
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(woken, [3])
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(woken, [3, 2, 2])
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(woken, [3, 2, 2, 1])
      }))

    it.effect("does not go on inside the fiber that settles", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<void>()
        const gate = yield* Deferred.make<void>()
        yield* Tracker.track(tracker, Deferred.await(gate))
        const seen: Array<string> = []
        const note = (what: string) => <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.tap(effect, () => Effect.sync(() => seen.push(what)))
        yield* Effect.forkChild(note("all")(Tracker.awaitAll(tracker)), { startImmediately: true })
        yield* Effect.forkChild(note("any")(Tracker.awaitAny(tracker)), { startImmediately: true })
        Deferred.doneUnsafe(gate, Exit.void)
        assert.deepStrictEqual(seen, [])
        yield* Effect.yieldNow
        assert.deepStrictEqual(seen.toSorted(), ["all", "any"])
      }))

    for (const n of [0, -1, 1.5, NaN, Infinity]) {
      it.effect(`refuses ${n}`, () =>
        Effect.gen(function*() {
          const tracker = yield* Tracker.make<number>()
          const exit = yield* Effect.exit(Tracker.awaitFewerThan(tracker, n))
          assert.strictEqual(
            Exit.isFailure(exit) && (Cause.squash(exit.cause) as Error).message,
            `Tracker.awaitFewerThan: n must be a whole number >= 1, got ${n}`
          )
        }))
    }
  })

  describe("asCompleted", () => {
    it.effect("gives each exit once, in the order in which they settle, and ends after the last", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number, string>()
        yield* Tracker.track(tracker, after(30))
        const reader = yield* Effect.forkChild(Stream.runCollect(Tracker.asCompleted(tracker)), {
          startImmediately: true
        })
        yield* Tracker.track(tracker, after(10))
        yield* Tracker.track(tracker, Effect.andThen(Effect.sleep(20), Effect.fail("no")))
        yield* Tracker.track(tracker, Effect.succeed(0))
        yield* TestClock.adjust(10)
        yield* Tracker.end(tracker)
        assert.isUndefined(reader.pollUnsafe())
        yield* TestClock.adjust(20)
        assert.deepStrictEqual(values(yield* Fiber.join(reader)), [0, 10, "no", 30])
        assert.strictEqual(held(tracker), 0)
      }))

    it.effect("is over at once if all has settled and nothing more may come", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.track(tracker, Effect.succeed(1))
        yield* Tracker.end(tracker)
        assert.deepStrictEqual(yield* Stream.runCollect(Tracker.asCompleted(tracker)), [])
      }))

    it.effect("keeps what settles from the subscription on, and gives all to each reader", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Tracker.track(tracker, Effect.succeed(1))
        const one = yield* Tracker.subscribe(tracker)
        yield* Tracker.track(tracker, Effect.succeed(2))
        const other = yield* Tracker.subscribe(tracker)
        yield* Tracker.track(tracker, Effect.succeed(3))
        yield* Tracker.end(tracker)
        assert.deepStrictEqual(values(yield* Stream.runCollect(one)), [2, 3])
        assert.deepStrictEqual(values(yield* Stream.runCollect(other)), [3])
      }))

    it.effect("keeps nothing for a reader that has gone, nor if nobody reads", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        yield* Effect.scoped(Effect.andThen(
          Tracker.subscribe(tracker),
          Effect.sync(() => assert.strictEqual(held(tracker), 1))
        ))
        yield* Effect.forEach([1, 2, 3], (n) => Tracker.track(tracker, Effect.succeed(n)))
        assert.strictEqual(held(tracker), 0)
      }))

    it.effect("has what ends the tracker itself", () =>
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number>()
        const exits = yield* Tracker.subscribe(tracker)
        yield* Tracker.track(
          tracker,
          Effect.gen(function*() {
            yield* Tracker.end(tracker)
            return yield* Tracker.size(tracker)
          })
        )
        assert.deepStrictEqual(values(yield* Stream.runCollect(exits)), [1])
      }))
  })

  it.effect("loses no wake-up, whatever settles, begins and is interrupted in between", () =>
    Simulation.check(
      Effect.gen(function*() {
        const tracker = yield* Tracker.make<number, string>()
        const exits = yield* Tracker.subscribe(tracker)
        const work = Effect.gen(function*() {
          const millis = yield* Random.nextIntBetween(0, 4)
          if (millis > 0) yield* Effect.sleep(millis)
          return millis === 3 ? yield* Effect.fail("no") : millis
        })
        let most = 0
        let tracked = 0
        const produce = Effect.gen(function*() {
          for (let i = 0; i < 6; i++) {
            yield* Tracker.awaitFewerThan(tracker, 3)
            yield* Effect.uninterruptible(Effect.andThen(Tracker.track(tracker, work), Effect.sync(() => tracked++)))
            most = Math.max(most, yield* Tracker.size(tracker))
          }
        })
        const producers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(produce))
        const waiters = yield* Effect.forEach([1, 2, 3], (n) =>
          Effect.forkChild(Effect.andThen(Tracker.awaitAny(tracker), Tracker.awaitFewerThan(tracker, n))))
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 5))
        yield* Fiber.interrupt(producers[0]!)
        yield* Fiber.interrupt(waiters[0]!)
        // Each of these hangs the simulation if a wake-up is lost.
        yield* Effect.forEach(producers, Fiber.await)
        yield* Effect.forEach(waiters, Fiber.await)
        yield* Tracker.awaitAll(tracker)
        yield* Tracker.end(tracker)
        assert.strictEqual((yield* Stream.runCollect(exits)).length, tracked)
        assert.isAtMost(most, 3 + producers.length - 1)
        assert.strictEqual(held(tracker), 0)
      }).pipe(Effect.scoped),
      undefined,
      { runs: 300 }
    ))
})
