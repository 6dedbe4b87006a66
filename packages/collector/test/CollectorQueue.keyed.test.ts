import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Random } from "effect"
import { CollectorQueue } from "effect-collector"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"

interface Order {
  readonly customer: string
  readonly n: number
}

const of = (customer: string, count: number): ReadonlyArray<Order> =>
  Array.from({ length: count }, (_, n) => ({ customer, n }))

const keyed = (options: CollectorQueue.Options<Order>) =>
  ({
    autoscale: false,
    logging: false,
    ...options,
    keyed: { by: ({ customer }: Order) => customer, ...options.keyed }
  }) as const

/** A collector that waits until the test lets it go. */
const gated = Effect.map(Deferred.make<void>(), (gate) => {
  const begun: Array<string> = []
  return {
    begun,
    collect: ({ customer, n }: Order) =>
      Effect.andThen(Effect.sync(() => begun.push(`${customer}${n}`)), Deferred.await(gate)),
    open: Deferred.succeed(gate, undefined)
  }
})

describe("CollectorQueue keyed", () => {
  it.effect("law: events of a key are collected in the order of sending, one at a time, beside those of others", () => {
    let together = 0
    return Effect.andThen(
      Simulation.check(
        () =>
          Effect.scoped(Effect.gen(function*() {
            const begun = new Map<string, Array<number>>()
            const atWork = new Set<string>()
            const queue = yield* CollectorQueue.make("keyed", {
              ...keyed({ maxConsumers: 4, capacity: yield* Random.choice([8, 50, "unbounded"] as const) }),
              collectors: [({ customer, n }: Order) =>
                Effect.gen(function*() {
                  assert.isFalse(atWork.has(customer))
                  atWork.add(customer)
                  together = Math.max(together, atWork.size)
                  begun.set(customer, [...(begun.get(customer) ?? []), n])
                  if (yield* Random.nextBoolean) yield* Effect.sleep(yield* Random.nextIntBetween(0, 20))
                  else yield* Effect.yieldNow
                  atWork.delete(customer)
                  if ((yield* Random.next) < 0.2) return yield* Effect.fail("no")
                  if ((yield* Random.next) < 0.1) return yield* Effect.die("defect")
                  if ((yield* Random.next) < 0.1) return yield* Effect.interrupt
                })]
            })
            yield* Effect.forEach(["a", "b", "c"], (customer) =>
              Effect.gen(function*() {
                for (const order of of(customer, 6)) {
                  yield* (yield* Random.nextBoolean) ? queue.publisher.send(order) : queue.publisher.sendAll([order])
                }
              }), { concurrency: "unbounded" })
            yield* queue.awaitIdle
            for (const customer of ["a", "b", "c"]) assert.deepStrictEqual(begun.get(customer), [0, 1, 2, 3, 4, 5])
          })),
        undefined,
        { runs: 150 }
      ),
      Effect.sync(() => assert.isAtLeast(together, 3))
    )
  })

  it.effect("are served in turn, so that a busy key delays no other", () =>
    Effect.gen(function*() {
      const { begun, collect, open } = yield* gated
      const queue = yield* CollectorQueue.make("fair", { ...keyed({ maxConsumers: 1 }), collectors: [collect] })
      yield* queue.publisher.sendAll(of("busy", 100))
      yield* TestClock.adjust(0)
      yield* queue.publisher.sendAll([...of("calm", 2), ...of("other", 1)])
      yield* open
      yield* queue.awaitIdle
      assert.deepStrictEqual(begun.slice(0, 7), ["busy0", "calm0", "other0", "busy1", "calm1", "busy2", "busy3"])
      assert.strictEqual(begun.length, 103)
    }))

  it.effect("hold each key to its concurrency, and no key to another's", () =>
    Effect.gen(function*() {
      const { begun, collect, open } = yield* gated
      const queue = yield* CollectorQueue.make("two", {
        ...keyed({ maxConsumers: 5, keyed: { by: ({ customer }) => customer, concurrency: 2 } }),
        collectors: [collect]
      })
      yield* queue.publisher.sendAll([...of("a", 5), ...of("b", 1)])
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(begun.toSorted(), ["a0", "a1", "b0"])
      assert.strictEqual((yield* queue.metrics).qsize, 3)
      yield* open
      yield* queue.awaitIdle
      assert.strictEqual(begun.length, 6)
    }))

  it.effect("are only fair without a bound on their concurrency", () =>
    Effect.gen(function*() {
      const { begun, collect, open } = yield* gated
      const queue = yield* CollectorQueue.make("unbounded", {
        ...keyed({ maxConsumers: 3, keyed: { by: ({ customer }) => customer, concurrency: "unbounded" } }),
        collectors: [collect]
      })
      yield* queue.publisher.sendAll(of("a", 5))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(begun, ["a0", "a1", "a2"])
      yield* open
    }))

  it.effect("keep the queue's order within a key", () =>
    Effect.gen(function*() {
      for (
        const [queueType, expected] of [["lifo", ["a0", "a3", "a2", "a1"]], ["priority", [
          "a0",
          "a3",
          "a1",
          "a2"
        ]]] as const
      ) {
        const { begun, collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("ordered", {
          ...keyed({ maxConsumers: 3, queueType }),
          collectors: [collect]
        })
        const [zero, one, two, three] = of("a", 4)
        yield* queue.publisher.send(zero!)
        yield* TestClock.adjust(0)
        yield* queue.publisher.sendAll([one!, two!])
        yield* (queueType === "priority" ? queue.publisher.withPriority(1) : queue.publisher).send(three!)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [...expected])
      }
    }))

  it.effect("settle what they drop, and all that was accepted when the queue ends", () =>
    Effect.gen(function*() {
      for (const overflow of ["dropNewest", "dropOldest", "suspend"] as const) {
        const queue = yield* CollectorQueue.make("dropping", {
          ...keyed({ maxConsumers: 2, capacity: 6, overflow, consumerShutdownTimeout: "1 second" }),
          collectors: [({ customer }: Order) => customer === "stuck" ? Effect.never : Effect.sleep("10 millis")]
        })
        const sending = yield* Effect.forkChild(
          Effect.forEach([...of("stuck", 3), ...of("calm", 3), ...of("more", 3)], queue.publisher.send)
        )
        yield* TestClock.adjust("500 millis")
        yield* Effect.forkChild(queue.shutDown)
        yield* TestClock.adjust("2 seconds")
        const report = yield* queue.awaitEnd
        const receipts = yield* Fiber.join(sending)
        assert.isTrue(receipts.every((receipt) => receipt.isSettled), overflow)
        const exits = yield* Effect.forEach(receipts, (receipt) => Effect.exit(receipt.first))
        assert.strictEqual(exits.filter(Exit.isSuccess).length, report.settled)
        assert.strictEqual(report.interrupted, 1)
        assert.strictEqual(
          (yield* queue.metrics).outcomes.dropped + report.settled + report.interrupted + report.left,
          9
        )
      }
    }))

  it.effect("refuse a payload whose key throws, and go on", () =>
    Effect.gen(function*() {
      const queue = yield* CollectorQueue.make("throws", {
        autoscale: false,
        logging: false,
        maxConsumers: 2,
        keyed: {
          by: ({ customer }: Order) => {
            if (customer === "") throw new Error("no customer")
            return customer
          }
        },
        collectors: [({ n }: Order) => Effect.succeed(n)]
      })
      const exit = yield* Effect.exit(queue.publisher.send({ customer: "", n: 1 }))
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("no customer"))
      assert.strictEqual(yield* (yield* queue.publisher.send({ customer: "a", n: 2 })).first, 2)
      assert.strictEqual((yield* queue.metrics).eventCount, 1)
    }))
})
