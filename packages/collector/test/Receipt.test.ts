import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { Collector, CollectorQueue, Router } from "effect-collector"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"

const quiet = { autoscale: false, maxConsumers: 1, logging: false } as const

/** A queue whose second of three collectors waits for the test. */
const three = Effect.gen(function*() {
  const gate = yield* Deferred.make<string, "refused">()
  const queue = yield* CollectorQueue.make("three", {
    ...quiet,
    consumerShutdownTimeout: 0,
    collectors: [
      Collector.fromFunction("a", (n: number) => Effect.succeed(n)),
      Collector.fromFunction("b", () => Deferred.await(gate)),
      Collector.fromFunction("c", () => Effect.succeed(true))
    ]
  })
  return { gate, receipt: yield* queue.publisher.send(7), queue }
})

describe("Receipt", () => {
  it.effect("is settled when the last collector has ended, and not before", () =>
    Effect.gen(function*() {
      const { gate, receipt } = yield* three
      const waiting = yield* Effect.forEach(
        [receipt.results, receipt.first, receipt.all, receipt.results],
        (view: Effect.Effect<unknown, unknown>) => Effect.forkChild(view)
      )
      yield* TestClock.adjust("1 minute")
      assert.isFalse(receipt.isSettled)
      assert.isTrue(waiting.every((fiber) => fiber.pollUnsafe() === undefined))
      yield* Deferred.succeed(gate, "x")
      const results = [Exit.succeed(7), Exit.succeed("x"), Exit.succeed(true)] as const
      assert.deepStrictEqual(yield* Effect.forEach(waiting, Fiber.join), [results, 7, [7, "x", true], results])
      assert.isTrue(receipt.isSettled)
      assert.deepStrictEqual(yield* receipt.results, results)
      assert.strictEqual(yield* receipt.first, 7)
      assert.deepStrictEqual(yield* receipt.all, [7, "x", true])
    }))

  it.effect("gives the failure of the first that failed, and every Exit", () =>
    Effect.gen(function*() {
      const { gate, receipt } = yield* three
      yield* Deferred.fail(gate, "refused")
      assert.strictEqual(yield* Effect.flip(receipt.all), "refused")
      assert.strictEqual(yield* receipt.first, 7)
      assert.deepStrictEqual(yield* receipt.results, [
        Exit.succeed(7),
        Exit.fail("refused" as const),
        Exit.succeed(true)
      ])
    }))

  it.effect("may be waited for by a view that was taken before it settled", () =>
    Effect.gen(function*() {
      const { gate, receipt } = yield* three
      const { all, first, results } = receipt
      yield* Deferred.succeed(gate, "x")
      assert.deepStrictEqual(yield* all, [7, "x", true])
      assert.deepStrictEqual(yield* all, [7, "x", true])
      assert.strictEqual(yield* first, 7)
      assert.strictEqual((yield* results).length, 3)
    }))

  it.effect("does not mind who stops waiting, and lets the others go", () =>
    Effect.gen(function*() {
      for (const interrupted of [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]]) {
        const { gate, receipt } = yield* three
        const waiting = yield* Effect.forEach([0, 1, 2], () => Effect.forkChild(receipt.first))
        yield* TestClock.adjust(0)
        for (const i of interrupted) yield* Fiber.interrupt(waiting[i]!)
        yield* Deferred.succeed(gate, "x")
        for (const i of [0, 1, 2]) {
          const exit = yield* Fiber.await(waiting[i]!)
          assert.strictEqual(Exit.isSuccess(exit), !interrupted.includes(i))
        }
        assert.strictEqual(yield* receipt.first, 7)
      }
    }))

  it.effect("resumes nobody inside the step of the consumer that settles the event", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const queue = yield* CollectorQueue.make("apart", {
        ...quiet,
        collectors: [(n: number) => n === 1 ? Deferred.await(gate) : Effect.sync(() => order.push(`collected ${n}`))]
      })
      const [one] = yield* queue.publisher.sendAll([1, 2, 3])
      const waiter = yield* Effect.forkChild(Effect.andThen(one!.first, Effect.sync(() => order.push("resumed"))))
      yield* TestClock.adjust(0)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(waiter)
      yield* queue.awaitIdle
      assert.deepStrictEqual(order, ["collected 2", "collected 3", "resumed"])
    }))

  it.effect("law: everybody who waits is let go, whoever leaves and whenever", () =>
    Simulation.check(
      ({ seed }) =>
        Effect.scoped(Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("law", {
            ...quiet,
            maxConsumers: 2,
            collectors: [
              (n: number) => Effect.as(n % 2 === 0 ? Effect.yieldNow : Effect.void, n),
              () => Effect.yieldNow
            ]
          })
          const receipts = yield* queue.publisher.sendAll([1, 2, 3, 4])
          const waiting = yield* Effect.forEach(
            [...receipts, ...receipts, ...receipts],
            (receipt) => Effect.forkChild(receipt.first, { startImmediately: seed % 2 === 0 })
          )
          const leaving = yield* Effect.forEach(
            waiting.filter((_, i) => (i + seed) % 3 === 0),
            (fiber) => Effect.forkChild(Fiber.interrupt(fiber))
          )
          yield* Fiber.awaitAll(leaving)
          for (const [i, fiber] of waiting.entries()) {
            const exit = yield* Fiber.await(fiber)
            if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, receipts[i % 4]!.id)
            else assert.isTrue((i + seed) % 3 === 0 && Cause.hasInterruptsOnly(exit.cause))
          }
        })),
      undefined,
      { runs: 200 }
    ))

  it.effect("numbers events in the order of sending", () =>
    Effect.gen(function*() {
      const queue = yield* CollectorQueue.make("ids", { ...quiet, collectors: [Effect.succeed] })
      const one = yield* queue.publisher.send("x")
      const more = yield* queue.publisher.sendAll(["y", "z"])
      assert.deepStrictEqual([one.id, ...more.map(({ id }) => id)], [1, 2, 3])
    }))

  it.effect("gives the first of the chosen, where the router chose", () =>
    Effect.gen(function*() {
      const queue = yield* CollectorQueue.make("chosen", {
        ...quiet,
        collectors: [() => Effect.fail("a"), () => Effect.fail("b"), () => Effect.succeed("c")],
        router: Router.make((n: number, collectors) => collectors.slice(n))
      })
      const [one, two, three] = yield* queue.publisher.sendAll([1, 2, 3])
      assert.strictEqual(yield* Effect.flip(one!.first), "b")
      assert.strictEqual(yield* two!.first, "c")
      assert.deepStrictEqual(yield* two!.all, [undefined, undefined, "c"])
      assert.strictEqual(((yield* Effect.flip(three!.first)) as { readonly _tag: string })._tag, "Unroutable")
    }))
})
