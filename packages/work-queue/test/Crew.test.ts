import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { Crew, FlowMetrics, WorkQueue } from "effect-work-queue"
import { TestClock } from "effect/testing"

type Settled = readonly [item: unknown, how: "succeeded" | "failed" | "died" | "interrupted"]

const howOf = (exit: Exit.Exit<unknown, unknown>): Settled[1] =>
  exit._tag === "Success"
    ? "succeeded"
    : Cause.hasInterruptsOnly(exit.cause)
    ? "interrupted"
    : Cause.hasDies(exit.cause)
    ? "died"
    : "failed"

/** A queue and a crew of it that writes down how each item was settled. */
const setup = <E>(options: {
  readonly size: number
  readonly work: (item: number) => Effect.Effect<unknown, E>
  readonly capacity?: number
  readonly order?: WorkQueue.Order<number>
}) =>
  Effect.gen(function*() {
    const settled: Array<Settled> = []
    const { size, work, ...queueOptions } = options
    const queue = yield* WorkQueue.make<number>(queueOptions)
    const crew = yield* Crew.make(queue, {
      size,
      work,
      onSettled: (item, exit) => {
        settled.push([item, howOf(exit)])
      }
    })
    return { queue, crew, settled }
  })

const second = () => Effect.sleep("1 second")

/** Lets every fiber that is ready run until it waits. */
const settle = TestClock.adjust(0)

describe("Crew", () => {
  describe("work", () => {
    it.effect("settles each item with its own exit and goes on", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({
          size: 1,
          work: (n): Effect.Effect<number, "odd"> => {
            if (n === 2) throw new Error("thrown")
            if (n === 3) return Effect.die("defect")
            if (n === 4) return Effect.interrupt
            return n % 2 === 0 ? Effect.sync(() => n) : Effect.fail("odd")
          }
        })
        yield* WorkQueue.offerAll(queue, [0, 1, 2, 3, 4, 5, 6])
        const report = yield* Crew.drain(crew)
        assert.deepStrictEqual(settled, [
          [0, "succeeded"],
          [1, "failed"],
          [2, "died"],
          [3, "died"],
          [4, "interrupted"],
          [5, "failed"],
          [6, "succeeded"]
        ])
        assert.deepStrictEqual(report, { settled: 6, interrupted: 1, left: [], abandoned: 0 })
      }))

    it.effect("settles an item whose work is no Effect, or has none inside, and goes on", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({
          size: 1,
          work: (n) => {
            if (n === 1) return 5 as never
            if (n === 2) return Effect.flatMap(Effect.yieldNow, () => undefined as never)
            return Effect.succeed(n)
          }
        })
        yield* WorkQueue.offerAll(queue, [0, 1, 2, 3])
        const report = yield* Crew.drain(crew)
        assert.deepStrictEqual(settled, [[0, "succeeded"], [1, "died"], [2, "died"], [3, "succeeded"]])
        assert.deepStrictEqual(report, { settled: 4, interrupted: 0, left: [], abandoned: 0 })
      }))

    it.effect("outlives an item that interrupts the fiber it runs in", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({
          size: 2,
          work: (n) =>
            n === 1
              ? Effect.withFiber((fiber) => {
                fiber.interruptUnsafe()
                return Effect.never
              })
              : Effect.yieldNow
        })
        yield* WorkQueue.offerAll(queue, [1, 2, 1, 3, 1, 4])
        yield* Crew.drain(crew)
        assert.deepStrictEqual(
          settled.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, how]) => how),
          ["interrupted", "interrupted", "interrupted", "succeeded", "succeeded", "succeeded"]
        )
      }))

    it.effect("has the services of whoever made the crew", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const scope = yield* Scope.make()
        const seen: Array<boolean> = []
        const crew = yield* Crew.make(queue, {
          size: 1,
          work: () => Effect.map(Effect.service(Scope.Scope), (inner) => seen.push(inner === scope))
        }).pipe(Effect.provideService(Scope.Scope, scope))
        yield* WorkQueue.offer(queue, 1)
        yield* Crew.drain(crew)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(seen, [true])
      }))

    it.effect("takes by the queue's order", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({ size: 0, order: "lifo", work: () => Effect.yieldNow })
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        yield* Crew.resize(crew, 1)
        yield* Crew.drain(crew)
        assert.deepStrictEqual(settled.map(([item]) => item), [3, 2, 1])
      }))
  })

  describe("onSettled", () => {
    it.effect("finishes its effect before the next item", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const queue = yield* WorkQueue.make<number>()
        const crew = yield* Crew.make(queue, {
          size: 1,
          work: (n) => Effect.sync(() => log.push(`work ${n}`)),
          onSettled: (n) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`settled ${n}`)))
        })
        yield* WorkQueue.offerAll(queue, [1, 2])
        yield* Crew.awaitIdle(crew)
        assert.deepStrictEqual(log, ["work 1", "settled 1", "work 2", "settled 2"])
      }))

    it.effect("may die without stopping the crew", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const calls: Array<number> = []
        const crew = yield* Crew.make(queue, {
          size: 1,
          work: () => Effect.void,
          onSettled: (n) => {
            calls.push(n)
            if (n === 1) throw new Error("thrown")
            return n === 2 ? Effect.die("defect") : undefined
          }
        })
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        const report = yield* Crew.drain(crew)
        assert.deepStrictEqual(calls, [1, 2, 3])
        assert.strictEqual(report.settled, 3)
      }))
  })

  describe("resize", () => {
    it.effect("grows and shrinks, letting busy ones finish", () =>
      Effect.gen(function*() {
        let running = 0
        const { crew, queue, settled } = yield* setup({
          size: 0,
          work: () =>
            Effect.ensuring(
              Effect.suspend(() => {
                running++
                return Effect.sleep("1 second")
              }),
              Effect.sync(() => running--)
            )
        })
        yield* WorkQueue.offerAll(queue, Array.from({ length: 20 }, (_, i) => i))
        yield* settle
        assert.strictEqual(running, 0)
        yield* Crew.resize(crew, 4)
        yield* settle
        assert.strictEqual(running, 4)
        yield* Crew.resize(crew, 2)
        yield* settle
        assert.strictEqual(running, 4)
        assert.strictEqual(yield* Crew.size(crew), 2)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(running, 2)
        yield* Crew.resize(crew, 3)
        yield* settle
        assert.strictEqual(running, 3)
        yield* Crew.resize(crew, 0)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(running, 0)
        assert.strictEqual(settled.length, 7)
        assert.strictEqual((yield* Crew.stats(crew)).flow.depth, 13)
      }))

    it.effect("sends idle ones home at once", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({ size: 3, work: () => Effect.void })
        yield* settle
        yield* Crew.resize(crew, 0)
        yield* settle
        yield* WorkQueue.offer(queue, 1)
        yield* settle
        assert.deepStrictEqual(settled, [])
        yield* Crew.resize(crew, 1)
        yield* settle
        assert.deepStrictEqual(settled, [[1, "succeeded"]])
      }))

    it.effect("dies when the size is not a whole number", () =>
      Effect.gen(function*() {
        const { crew } = yield* setup({ size: 0, work: () => Effect.void })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(Crew.resize(crew, -1))))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(setup({ size: 1.5, work: () => Effect.void }))))
      }))
  })

  describe("drain", () => {
    it.effect("finishes what is accepted and refuses the rest", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({ size: 2, work: second })
        yield* WorkQueue.offerAll(queue, [1, 2, 3, 4])
        const drain = yield* Effect.forkChild(Crew.drain(crew), { startImmediately: true })
        assert.isFalse(yield* WorkQueue.offer(queue, 5))
        assert.strictEqual((yield* Crew.stats(crew)).state, "Draining")
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.join(drain), { settled: 4, interrupted: 0, left: [], abandoned: 0 })
        assert.strictEqual(settled.length, 4)
        assert.strictEqual((yield* Crew.stats(crew)).state, "Ended")
      }))

    it.effect("interrupts at the deadline and hands back what never began", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({ size: 1, work: () => Effect.sleep("4 seconds") })
        yield* WorkQueue.offerAll(queue, [1, 2, 3, 4])
        const drain = yield* Effect.forkChild(Crew.drain(crew, { deadline: "6 seconds" }), { startImmediately: true })
        yield* TestClock.adjust("6 seconds")
        assert.deepStrictEqual(yield* Fiber.join(drain), { settled: 1, interrupted: 1, left: [3, 4], abandoned: 0 })
        assert.deepStrictEqual(settled.toSorted(([a], [b]) => Number(a) - Number(b)), [
          [1, "succeeded"],
          [2, "interrupted"],
          [3, "interrupted"],
          [4, "interrupted"]
        ])
      }))

    it.effect("goes on when the wait for it is interrupted, and a kill hastens it", () =>
      Effect.gen(function*() {
        const { crew, queue } = yield* setup({ size: 1, work: () => Effect.never })
        yield* WorkQueue.offerAll(queue, [1, 2])
        const drain = yield* Effect.forkChild(Crew.drain(crew), { startImmediately: true })
        yield* Fiber.interrupt(drain)
        yield* settle
        assert.isFalse(yield* WorkQueue.offer(queue, 3))
        const report = yield* Crew.kill(crew)
        assert.deepStrictEqual(report, { settled: 0, interrupted: 1, left: [2], abandoned: 0 })
        assert.deepStrictEqual(yield* Crew.drain(crew), report)
        assert.deepStrictEqual(yield* Crew.awaitEnd(crew), report)
      }))

    it.effect("takes the data-last form", () =>
      Effect.gen(function*() {
        const { crew, queue } = yield* setup({ size: 1, work: () => Effect.void })
        yield* WorkQueue.offer(queue, 1)
        assert.strictEqual(
          (yield* Effect.flatMap(Effect.succeed(crew), Crew.drain({ deadline: "1 second" }))).settled,
          1
        )
      }))
  })

  describe("stop", () => {
    it.effect("finishes what runs and settles what waits as interrupted", () =>
      Effect.gen(function*() {
        const { crew, queue, settled } = yield* setup({ size: 1, work: second, capacity: 2 })
        const offer = yield* Effect.forkChild(WorkQueue.offerAll(queue, [1, 2, 3, 4]), { startImmediately: true })
        yield* settle
        const stop = yield* Effect.forkChild(Crew.stop(crew), { startImmediately: true })
        yield* settle
        assert.deepStrictEqual(settled, [[2, "interrupted"], [3, "interrupted"]])
        assert.deepStrictEqual(yield* Fiber.join(offer), [4])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(stop), { settled: 1, interrupted: 0, left: [2, 3], abandoned: 0 })
        assert.deepStrictEqual(settled.at(-1), [1, "succeeded"])
      }))

    it.effect("runs the settlements of what waits that are effects", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const settled: Array<number> = []
        const crew = yield* Crew.make(queue, {
          size: 0,
          work: () => Effect.void,
          onSettled: (n) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => settled.push(n)))
        })
        yield* WorkQueue.offerAll(queue, [1, 2])
        const stop = yield* Effect.forkChild(Crew.stop(crew), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(settled, [1])
        assert.isUndefined(stop.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* Fiber.join(stop)).left, [1, 2])
        assert.deepStrictEqual(settled, [1, 2])
      }))
  })

  describe("kill", () => {
    it.effect("abandons work that ignores it once the grace is over", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const release = yield* Deferred.make<void>()
        const { crew, queue, settled } = yield* setup({
          size: 2,
          work: (n) => n === 1 ? Effect.uninterruptible(Deferred.await(release)) : Effect.never
        }).pipe(Effect.provideService(Scope.Scope, scope))
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        yield* settle
        const kill = yield* Effect.forkChild(Crew.kill(crew), { startImmediately: true })
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(kill.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* Fiber.join(kill), { settled: 0, interrupted: 1, left: [3], abandoned: 1 })
        assert.deepStrictEqual(settled, [[3, "interrupted"], [2, "interrupted"], [1, "interrupted"]])
        // Closing the Scope waits for the abandoned fiber, and the late exit settles nothing again.
        const close = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        assert.isUndefined(close.pollUnsafe())
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(close)
        assert.strictEqual(settled.length, 3)
      }))

    it.effect("may be called by the work of the crew itself", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const crew: Crew.Crew<number> = yield* Crew.make(queue, {
          size: 1,
          work: (): Effect.Effect<unknown> => Effect.suspend(() => Crew.kill(crew))
        })
        yield* WorkQueue.offerAll(queue, [1, 2])
        assert.deepStrictEqual(yield* Crew.awaitEnd(crew), { settled: 0, interrupted: 1, left: [2], abandoned: 0 })
      }))
  })

  describe("end", () => {
    it.effect("comes when somebody ends the queue, also of a paused crew", () =>
      Effect.gen(function*() {
        for (const size of [0, 2]) {
          const { crew, queue } = yield* setup({ size, work: () => Effect.void })
          yield* settle
          yield* WorkQueue.end(queue)
          assert.strictEqual((yield* Crew.awaitEnd(crew)).settled, 0)
          yield* Crew.resize(crew, 5)
          assert.strictEqual(yield* Crew.size(crew), 0)
        }
      }))

    it.effect("comes with the Scope, which settles everything", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { queue, settled } = yield* Effect.provideService(
          setup({ size: 1, work: () => Effect.never }),
          Scope.Scope,
          scope
        )
        yield* WorkQueue.offerAll(queue, [1, 2])
        yield* settle
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(settled, [[2, "interrupted"], [1, "interrupted"]])
        assert.isFalse(yield* WorkQueue.offer(queue, 3))
      }))
  })

  describe("awaitIdle", () => {
    it.effect("waits for what waits and what runs", () =>
      Effect.gen(function*() {
        const { crew, queue } = yield* setup({ size: 1, work: second })
        yield* Crew.awaitIdle(crew)
        yield* WorkQueue.offerAll(queue, [1, 2])
        const idle = yield* Effect.forkChild(Crew.awaitIdle(crew), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        assert.isUndefined(idle.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(idle)
      }))

    it.effect("notices that the queue of a paused crew is cleared", () =>
      Effect.gen(function*() {
        const { crew, queue } = yield* setup({ size: 0, work: second })
        yield* WorkQueue.offerAll(queue, [1, 2])
        const idle = yield* Effect.forkChild(Crew.awaitIdle(crew), { startImmediately: true })
        yield* settle
        assert.isUndefined(idle.pollUnsafe())
        yield* WorkQueue.clear(queue)
        yield* Fiber.join(idle)
      }))
  })

  describe("flow", () => {
    it.effect("is one for all crews of a queue", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        const flow = yield* FlowMetrics.make()
        yield* WorkQueue.offer(queue, 0)
        const first = yield* Crew.make(queue, { size: 2, work: second, flow })
        yield* Crew.make(queue, { size: 1, work: second })
        yield* WorkQueue.offerAll(queue, [1, 2, 3, 4])
        yield* settle
        const stats = yield* FlowMetrics.stats(flow)
        assert.deepInclude(stats, { arrivals: 5, busy: 3, depth: 2, size: 3, oldestAge: 0 })
        assert.strictEqual((yield* Crew.stats(first)).busy, 2)
        const other = yield* FlowMetrics.make()
        assert.isTrue(Exit.hasDies(yield* Effect.exit(Crew.make(queue, { size: 1, work: second, flow: other }))))
      }))

    it.effect("counts how items left", () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 3, overflow: "dropNewest" })
        const crew = yield* Crew.make(queue, { size: 0, work: (n) => n === 1 ? Effect.fail("no") : Effect.void })
        yield* WorkQueue.offerAll(queue, [0, 1, 2, 3])
        yield* WorkQueue.remove(queue, (n) => n === 2)
        yield* Crew.resize(crew, 1)
        yield* Crew.awaitIdle(crew)
        yield* Crew.resize(crew, 0)
        yield* settle
        yield* WorkQueue.offer(queue, 4)
        yield* Crew.stop(crew)
        const { flow } = yield* Crew.stats(crew)
        assert.deepStrictEqual(flow.outcomes, { succeeded: 1, failed: 1, interrupted: 1, dropped: 1 })
        assert.deepInclude(flow, { arrivals: 4, departures: 4, depth: 0, busy: 0, size: 0 })
      }))
  })

  describe("makeBatch", () => {
    const batches = (options: { readonly size: number; readonly capacity?: number }) =>
      Effect.gen(function*() {
        const log: Array<readonly [ReadonlyArray<number>, Settled[1]]> = []
        const queue = yield* WorkQueue.make<number>({ capacity: options.capacity })
        const crew = yield* Crew.makeBatch(queue, {
          size: options.size,
          batch: { size: 3, wait: "5 seconds" },
          work: () => Effect.void,
          onSettled: (items, exit) => {
            log.push([items, howOf(exit)])
          }
        })
        return { queue, crew, log }
      })

    it.effect("begins a full batch at once and a partial one after the wait", () =>
      Effect.gen(function*() {
        const { log, queue } = yield* batches({ size: 1 })
        yield* WorkQueue.offerAll(queue, [1, 2, 3, 4])
        yield* settle
        assert.deepStrictEqual(log, [[[1, 2, 3], "succeeded"]])
        yield* TestClock.adjust("4 seconds")
        yield* WorkQueue.offer(queue, 5)
        yield* settle
        assert.strictEqual(log.length, 1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log[1], [[4, 5], "succeeded"])
        yield* WorkQueue.offer(queue, 6)
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(log.length, 2)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log[2], [[6], "succeeded"])
      }))

    it.effect("gives each batch its own wait when others took the last", () =>
      Effect.gen(function*() {
        const { log, queue } = yield* batches({ size: 2 })
        yield* settle
        // Both see the first item and wait beside it; one of them takes it.
        yield* WorkQueue.offer(queue, 1)
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(log, [[[1], "succeeded"]])
        yield* WorkQueue.offer(queue, 2)
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(log.length, 1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log[1], [[2], "succeeded"])
      }))

    it.effect("begins what is there when the queue is full or ends", () =>
      Effect.gen(function*() {
        const { crew, log, queue } = yield* batches({ size: 1, capacity: 2 })
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        yield* settle
        assert.deepStrictEqual(log, [[[1, 2], "succeeded"]])
        yield* Crew.drain(crew)
        assert.deepStrictEqual(log[1], [[3], "succeeded"])
      }))

    it.effect("holds nothing while it waits, and settles what is left in batches", () =>
      Effect.gen(function*() {
        const { crew, log, queue } = yield* batches({ size: 1 })
        yield* WorkQueue.offerAll(queue, [1, 2])
        yield* settle
        assert.strictEqual(yield* WorkQueue.size(queue), 2)
        yield* Crew.resize(crew, 0)
        yield* settle
        yield* WorkQueue.offerAll(queue, [3, 4])
        const report = yield* Crew.stop(crew)
        assert.deepStrictEqual(report.left, [1, 2, 3, 4])
        assert.deepStrictEqual(log, [[[1, 2, 3], "interrupted"], [[4], "interrupted"]])
      }))
  })
})
