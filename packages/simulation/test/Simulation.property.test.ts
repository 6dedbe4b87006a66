import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Pool, Queue, Ref, Schedule, Schema, Semaphore, Stream } from "effect"
import { type Outcome, Simulation } from "effect-simulation"

const increments = (increment: (counter: Ref.Ref<number>) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const counter = yield* Ref.make(0)
    yield* Fiber.joinAll(yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(increment(counter))))
    return yield* Ref.get(counter)
  })

const lostUpdate = increments((counter) => Effect.flatMap(Ref.get(counter), (read) => Ref.set(counter, read + 1)))

// Looks whether anybody has settled it, and then settles it: the look and the deed are two operations.
const doubleSettle = Effect.gen(function*() {
  const settled = yield* Ref.make(false)
  const times = yield* Ref.make(0)
  const settle = Effect.flatMap(
    Ref.get(settled),
    (already) => already ? Effect.void : Effect.andThen(Ref.set(settled, true), Ref.update(times, (count) => count + 1))
  )
  yield* Fiber.joinAll(yield* Effect.forEach([1, 2], () => Effect.forkChild(settle)))
  return yield* Ref.get(times)
})

// Looks at the flag, and then waits for a signal that wakes only those who wait already.
const lostWakeUp = Effect.gen(function*() {
  const ready = yield* Ref.make(false)
  const signal = yield* Latch.make(false)
  const waiter = yield* Effect.forkChild(Effect.flatMap(Ref.get(ready), (yes) => yes ? Effect.void : signal.await))
  yield* Ref.set(ready, true)
  yield* signal.release
  yield* Fiber.join(waiter)
})

const oppositeLocks = Effect.gen(function*() {
  const left = (yield* Semaphore.make(1)).withPermits(1)
  const right = (yield* Semaphore.make(1)).withPermits(1)
  const fibers = yield* Effect.forEach(
    [left(right(Effect.void)), right(left(Effect.void))],
    (both) => Effect.forkChild(both)
  )
  yield* Fiber.joinAll(fibers)
})

const operators: Record<string, Effect.Effect<unknown>> = {
  race: Effect.race(Effect.sleep(10), Effect.sleep(20)),
  "a timeout": Effect.timeoutOption(Effect.never, "1 second"),
  "a failure among many": Effect.exit(
    Effect.all([Effect.fail("no"), Effect.never, Effect.sleep(10)], { concurrency: "unbounded" })
  ),
  "bounded concurrency": Effect.forEach([5, 4, 3, 2, 1], (at) => Effect.sleep(at), { concurrency: 2 }),
  "a retry": Effect.exit(Effect.retry(Effect.fail("no"), { schedule: Schedule.exponential(10), times: 3 })),
  "a scope": Effect.scoped(Effect.andThen(Effect.forkScoped(Effect.forever(Effect.sleep(1))), Effect.sleep(5))),
  "an interrupted finalizer": Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.onInterrupt(Effect.never, () => Effect.sleep(5)))
    yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
  }),
  "a parallel stream": Stream.range(1, 8).pipe(
    Stream.mapEffect((number) => Effect.as(Effect.sleep(1), number), { concurrency: 3 }),
    Stream.groupedWithin(3, 100),
    Stream.runCollect
  ),
  "a pool": Effect.scoped(Effect.gen(function*() {
    const pool = yield* Pool.make({ acquire: Effect.acquireRelease(Effect.void, () => Effect.sleep(1)), size: 2 })
    const use = Effect.scoped(Effect.andThen(Pool.get(pool), Effect.sleep(3)))
    yield* Effect.all([use, use, use, use], { concurrency: "unbounded" })
  }))
}

const gives = <A>(expected: A) => (outcome: Outcome.Outcome<A, unknown>) =>
  Exit.isSuccess(outcome.exit) && outcome.exit.value === expected

// Operation 0 yields, 1 reads and writes, any other sleeps.
const operate = (ref: Ref.Ref<number>) => (operation: number): Effect.Effect<unknown> =>
  operation === 0
    ? Effect.yieldNow
    : operation === 1
    ? Effect.flatMap(Ref.get(ref), (read) => Ref.set(ref, read * 3 + 1))
    : Effect.sleep(operation)

describe("planted races", () => {
  it.effect("a lost update is found within 50 seeds", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(Simulation.check(lostUpdate, gives(3), { runs: 50 })))._tag, "CheckFailed")
    }))

  it.effect("a lost update never shows in Effect's own order", () =>
    Effect.gen(function*() {
      for (let time = 0; time < 200; time++) assert.strictEqual(yield* lostUpdate, 3)
    }))

  it.effect("a double settle is found within 50 seeds", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* Effect.flip(Simulation.check(doubleSettle, gives(1), { runs: 50 })))._tag,
        "CheckFailed"
      )
    }))

  it.effect("a lost wake-up is found within 150 seeds, as a deadlock", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Simulation.check(lostWakeUp, undefined, { runs: 150 }))
      assert.match(failed.message, /deadlock after \d+ steps/)
    }))

  it.effect("two locks taken in opposite order are found within 50 seeds", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Simulation.check(oppositeLocks, undefined, { runs: 50 }))
      assert.match(failed.message, /waiting: #1 .*, #\d .*, #\d /)
    }))

  it.effect("every strategy finds the lost update", () =>
    Effect.sync(() => {
      const found = new Set<string>()
      for (let seed = 0; seed < 300; seed++) {
        const outcome = Simulation.runSync(lostUpdate, { seed })
        if (!gives(3)(outcome)) found.add(outcome.strategy)
      }
      assert.deepStrictEqual([...found].sort(), ["oldest", "others", "priorities", "random"])
    }))
})

describe("correct programs", () => {
  it.effect(
    "an atomic update is never lost over 3 000 seeds",
    () =>
      Simulation.check(increments((counter) => Ref.update(counter, (count) => count + 1)), gives(3), { runs: 3000 }),
    2000
  )

  it.effect("a guarded read and write is never lost", () =>
    Simulation.check(
      Effect.gen(function*() {
        const guard = (yield* Semaphore.make(1)).withPermits(1)
        return yield* increments((counter) =>
          guard(Effect.flatMap(Ref.get(counter), (read) => Ref.set(counter, read + 1)))
        )
      }),
      gives(3)
    ))

  it.effect.each(Object.entries(operators))(
    "Effect's own operators hold: %s",
    ([, program]) => Simulation.check(program, undefined, { runs: 150 })
  )

  // A yield forced upon the interruption of a fiber that had not begun used to lose it: the fiber then began, for ever.
  it.effect("an interrupted fiber ends, begun or not", () =>
    Simulation.check(Effect.flatMap(Effect.forkChild(Effect.never), Fiber.interrupt), undefined, { runs: 2000 }))

  // Each number is a fiber: it sleeps, offers through a bounded queue, and signals; the main fiber takes all.
  it.effect.prop(
    "a queue hands over every element once, in each producer's order",
    [
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))).check(Schema.isMaxLength(6)),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
      Schema.Int
    ],
    ([sleeps, capacity, seed]) =>
      Effect.gen(function*() {
        const outcome = yield* Simulation.run(
          Effect.gen(function*() {
            const queue = yield* Queue.bounded<string>(capacity)
            const done = yield* Deferred.make<void>()
            yield* Effect.forEach(sleeps, (sleep, producer) =>
              Effect.forkChild(Effect.forEach([0, 1], (item) =>
                Effect.andThen(Effect.sleep(sleep), Queue.offer(queue, `${producer}.${item}`)))))
            const taken: Array<string> = []
            while (taken.length < sleeps.length * 2) {
              taken.push(yield* Queue.take(queue))
            }
            yield* Deferred.succeed(done, undefined)
            return taken
          }),
          { seed }
        )
        if (!Exit.isSuccess(outcome.exit) || outcome.leftover.length > 0) {
          return false
        }
        const taken = outcome.exit.value
        return new Set(taken).size === sleeps.length * 2 &&
          sleeps.every((_, producer) =>
            taken.indexOf(`${producer}.0`) < taken.indexOf(`${producer}.1`)
          )
      })
  )

  // A program is a list of fibers, a fiber a list of operations.
  it.effect.prop(
    "one seed gives one trace, whatever ran before it in the process",
    [
      Schema.Array(
        Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))).check(Schema.isMaxLength(5))
      )
        .check(Schema.isMaxLength(5)),
      Schema.Int
    ],
    ([fibers, seed]) =>
      Effect.sync(() => {
        const program = Effect.gen(function*() {
          const ref = yield* Ref.make(0)
          const forked = yield* Effect.forEach(fibers, (operations) =>
            Effect.forkChild(Effect.forEach(operations, operate(ref))))
          yield* Fiber.joinAll(forked)
          return yield* Ref.get(ref)
        })
        const first = Simulation.runSync(program, { seed })
        // Effect numbers fibers over the whole process: these numbers are not to be seen in the next run.
        Effect.runSync(Effect.forkDetach(Effect.void))
        const second = Simulation.runSync(program, { seed })
        return first.trace.digest === second.trace.digest && first.ending === "completed" &&
          String(first.exit) === String(second.exit)
      })
  )
})
