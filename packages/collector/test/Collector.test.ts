import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Collector, CollectorQueue } from "effect-collector"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const fixed = (consumers: number) => ({ autoscale: false, maxConsumers: consumers, logging: false }) as const

describe("Collector", () => {
  it("tells a collector from the service that holds one", () => {
    class Audit extends Collector.Service<Audit, number>()("test/Audit") {}
    assert.isTrue(Collector.isCollector(Collector.fromFunction("x", Effect.succeed)))
    assert.isFalse(Collector.isCollector(Audit))
    assert.isFalse(Collector.isCollector(Effect.succeed))
    assert.isFalse(Collector.isCollector(null))
  })

  describe("layer", () => {
    class Sign extends Context.Service<Sign, { readonly sign: string }>()("test/Sign") {}
    class Label extends Collector.Service<Label, number, string>()("test/Label") {}

    it.effect("gives the collector what its own Layer had, whoever runs the queue", () =>
      Effect.gen(function*() {
        const live = Collector.layer(
          Label,
          Effect.map(Sign, ({ sign }) => (n: number) => Effect.map(Sign, (again) => `${sign}${n}${again.sign}`))
        ).pipe(Layer.provide(Layer.succeed(Sign, { sign: "inner" })))
        const program = Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("label", { ...fixed(1), collectors: [Label] })
          return yield* (yield* queue.publisher.send(1)).first
        })
        const label = yield* program.pipe(Effect.provide(live), Effect.provideService(Sign, { sign: "outer" }))
        assert.strictEqual(label, "inner1inner")
      }))

    it.effect("releases what the set-up acquired with the queue, not with the Layer", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const live = Collector.layer(
          Label,
          Effect.as(
            Effect.acquireRelease(Effect.sync(() => order.push("+")), () => Effect.sync(() => order.push("-"))),
            () => Effect.succeed("label")
          )
        )
        yield* Effect.gen(function*() {
          yield* Effect.scoped(CollectorQueue.make("released", { ...fixed(1), collectors: [Label] }))
          order.push("layer is still there")
        }).pipe(Effect.provide(live))
        assert.deepStrictEqual(order, ["+", "-", "layer is still there"])
      }))
  })

  describe("makeBatch", () => {
    /** A queue whose only collector notes its batches. */
    const batched = (
      batch: Collector.BatchOptions,
      consumers: number,
      collect: (payloads: ReadonlyArray<number>) => Effect.Effect<unknown, string> = () => Effect.void,
      options: CollectorQueue.Options<number> = {}
    ) =>
      Effect.gen(function*() {
        const batches: Array<ReadonlyArray<number>> = []
        const queue = yield* CollectorQueue.make("batched", {
          ...fixed(consumers),
          ...options,
          collectors: [Collector.makeBatch(
            "batch",
            batch,
            Effect.succeed((payloads: ReadonlyArray<number>) =>
              Effect.andThen(
                Effect.sync(() => batches.push(payloads)),
                Effect.suspend(() => collect(payloads))
              )
            )
          )]
        })
        return { batches, queue }
      })

    it.effect("collects what the consumers hold, up to the size, and gives each payload the batch's Exit", () =>
      Effect.gen(function*() {
        const { batches, queue } = yield* batched(
          { size: 3, wait: "1 second" },
          10,
          (payloads) => payloads.includes(4) ? Effect.fail("four") : Effect.succeed(payloads.length)
        )
        const receipts = yield* queue.publisher.sendAll(numbers(7))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(batches, [[1, 2, 3], [4, 5, 6], [7]])
        const exits = yield* Effect.forEach(receipts, (receipt) => Effect.exit(receipt.first))
        const three = Exit.succeed(3)
        const four = Exit.fail("four")
        assert.deepStrictEqual(exits, [three, three, three, four, four, four, Exit.succeed(1)])
      }))

    it.effect("waits for others no longer than it was told", () =>
      Effect.gen(function*() {
        const { batches, queue } = yield* batched({ size: 10, wait: "1 second" }, 10)
        yield* queue.publisher.send(1)
        yield* TestClock.adjust("999 millis")
        yield* queue.publisher.send(2)
        assert.deepStrictEqual(batches, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(batches, [[1, 2]])
      }))

    it.effect("is no larger than the number of consumers", () =>
      Effect.gen(function*() {
        const { batches, queue } = yield* batched({ size: 10, wait: "1 second" }, 2)
        yield* queue.publisher.sendAll(numbers(4))
        for (let i = 0; i < 3; i++) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(batches, [[1, 2], [3, 4]])
      }))

    it.effect("collects one batch at a time", () =>
      Effect.gen(function*() {
        let atOnce = 0
        let most = 0
        const { batches, queue } = yield* batched({ size: 2, wait: 0 }, 6, () =>
          Effect.gen(function*() {
            most = Math.max(most, ++atOnce)
            yield* Effect.sleep("1 second")
            atOnce--
          }))
        yield* queue.publisher.sendAll(numbers(6))
        yield* TestClock.adjust("500 millis")
        assert.isAtMost(batches.length, 1)
        for (let i = 0; i < 6; i++) yield* TestClock.adjust("1 second")
        assert.strictEqual(most, 1)
        assert.deepStrictEqual(batches.flat(), numbers(6))
      }))

    it.effect.each([
      { name: "dies", collect: () => Effect.die("defect") },
      {
        name: "throws",
        collect: (): Effect.Effect<never> => {
          throw new Error("defect")
        }
      }
    ])("gives each payload the defect of a batch that $name, and goes on", ({ collect }) =>
      Effect.gen(function*() {
        const { queue } = yield* batched(
          { size: 2, wait: 0 },
          2,
          (payloads): Effect.Effect<unknown> => payloads.includes(1) ? collect() : Effect.succeed("fine")
        )
        const bad = yield* queue.publisher.sendAll([1, 2])
        for (const receipt of bad) yield* Effect.exit(receipt.first)
        const [one] = yield* Effect.forEach(bad, (receipt) => Effect.exit(receipt.first))
        assert.isTrue(Exit.isFailure(one!) && Cause.hasDies(one.cause))
        assert.strictEqual(yield* (yield* queue.publisher.send(3)).first, "fine")
      }))

    it.effect("lets go of a payload that is interrupted while it waits, and of no other", () =>
      Effect.gen(function*() {
        const { batches, queue } = yield* batched({ size: 10, wait: "5 seconds" }, 3, undefined, {
          consumerShutdownTimeout: "1 second"
        })
        const receipts = yield* queue.publisher.sendAll([1, 2, 3])
        yield* TestClock.adjust(0)
        yield* Effect.forkChild(queue.shutDown)
        yield* TestClock.adjust("1 second")
        const report = yield* queue.awaitEnd
        assert.strictEqual(report.interrupted, 3)
        assert.deepStrictEqual(batches, [])
        assert.isTrue(receipts.every(({ isSettled }) => isSettled))
      }))

    it.effect("leaves a payload out that its set-up's user has interrupted", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const batches: Array<ReadonlyArray<number>> = []
        const collector = Collector.makeBatch(
          "direct",
          { size: 3, wait: "1 second" },
          Effect.succeed((payloads: ReadonlyArray<number>) => Effect.sync(() => batches.push(payloads)))
        )
        const collect = yield* collector.setup.pipe(Scope.provide(scope))
        const waiting = yield* Effect.forEach([1, 2], (n) => Effect.forkChild(collect(n), { startImmediately: true }))
        yield* Fiber.interrupt(waiting[0]!)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(batches, [[2]])
        yield* Fiber.join(waiting[1]!)
      }))

    it.effect("collects what waits before the queue ends", () =>
      Effect.gen(function*() {
        const { batches, queue } = yield* batched({ size: 10, wait: "2 seconds" }, 3)
        const receipts = yield* queue.publisher.sendAll(numbers(5))
        yield* Effect.forkChild(queue.shutDown)
        for (let i = 0; i < 5; i++) yield* TestClock.adjust("1 second")
        const report = yield* queue.awaitEnd
        assert.strictEqual(report.settled, 5)
        assert.deepStrictEqual(batches.flat(), numbers(5))
        assert.isTrue(receipts.every(({ isSettled }) => isSettled))
      }))

    it.effect("does not hold up the end when a batch ignores its interruption", () =>
      Effect.gen(function*() {
        const outcome = yield* Simulation.run(
          Effect.scoped(Effect.gen(function*() {
            const { queue } = yield* batched(
              { size: 2, wait: 0 },
              2,
              () => Effect.uninterruptible(Effect.sleep("1 hour")),
              { consumerShutdownTimeout: "10 seconds" }
            )
            const receipts = yield* queue.publisher.sendAll([1, 2])
            yield* Effect.sleep("1 second")
            const [elapsed] = yield* Effect.timed(queue.shutDown)
            assert.isTrue(receipts.every(({ isSettled }) => isSettled))
            yield* Effect.sleep("2 hours")
            return Duration.toMillis(elapsed)
          })),
          { seed: 1 }
        )
        assert.isAtMost(yield* outcome.exit, 11_000)
        assert.deepStrictEqual(outcome.leftover, [])
      }))

    it.effect("releases its resource after the last batch", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const gate = yield* Deferred.make<void>()
        yield* Effect.scoped(Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("resource", {
            ...fixed(2),
            collectors: [Collector.makeBatch(
              "resource",
              { size: 2, wait: 0 },
              Effect.as(
                Effect.acquireRelease(Effect.sync(() => order.push("+")), () => Effect.sync(() => order.push("-"))),
                (payloads: ReadonlyArray<number>) =>
                  Effect.andThen(Deferred.await(gate), Effect.sync(() => order.push(`${payloads.length}`)))
              )
            )]
          })
          yield* queue.publisher.send(1)
          yield* TestClock.adjust(0)
          yield* Deferred.succeed(gate, undefined)
        }))
        assert.deepStrictEqual(order, ["+", "1", "-"])
      }))

    it.effect("dies when its size is out of range, and names it", () =>
      Effect.gen(function*() {
        for (const size of [0, 1.5, NaN]) {
          const exit = yield* Effect.exit(batched({ size, wait: 0 }, 1))
          assert.isTrue(
            Exit.isFailure(exit) &&
              Cause.pretty(exit.cause).includes(`batch.size must be a whole number >= 1, got ${size}`)
          )
        }
      }))

    it.effect("law: each payload is in one batch, and settles with it", () =>
      Simulation.check(
        ({ seed }) =>
          Effect.scoped(Effect.gen(function*() {
            const { batches, queue } = yield* batched(
              { size: 1 + seed % 4, wait: seed % 3 * 5 },
              1 + seed % 5,
              (payloads) =>
                Effect.andThen(
                  Effect.sleep(seed % 7),
                  payloads.some((n) => n % 5 === 0)
                    ? Effect.fail("five")
                    : Effect.succeed(payloads.length)
                )
            )
            const began = yield* Clock.currentTimeMillis
            const receipts = yield* queue.publisher.sendAll(numbers(12))
            const exits = yield* Effect.forEach(receipts, (receipt) => Effect.exit(receipt.first))
            assert.deepStrictEqual(batches.flat().toSorted((a, b) => a - b), numbers(12))
            for (const [i, exit] of exits.entries()) {
              const batch = batches.find((each) => each.includes(i + 1))!
              assert.deepStrictEqual(
                exit,
                batch.some((n) => n % 5 === 0) ? Exit.fail("five") : Exit.succeed(batch.length)
              )
            }
            assert.isAtMost((yield* Clock.currentTimeMillis) - began, 12 * 20)
          })),
        undefined,
        { runs: 200 }
      ))
  })
})
