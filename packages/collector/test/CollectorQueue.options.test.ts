import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Logger, type Scope, Stream } from "effect"
import { CollectorQueue, type MessageBus, type Receipt, ScalingPolicy } from "effect-collector"
import { TestClock } from "effect/testing"

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const succeed = (n: number) => Effect.succeed(n)
const fixed = (consumers: number) => ({ autoscale: false, maxConsumers: consumers, logging: false }) as const

const failure = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? Cause.pretty(exit.cause).split("\n")[0]! : `success ${exit.value}`

/** A collector that waits until the test lets it go. */
const gated = Effect.map(Deferred.make<void>(), (gate) => {
  const begun: Array<number> = []
  return {
    begun,
    collect: (n: number) => Effect.andThen(Effect.sync(() => begun.push(n)), Effect.as(Deferred.await(gate), n)),
    open: Deferred.succeed(gate, undefined)
  }
})

/** A queue with one consumer, which holds event 1. */
const blocked = (options: CollectorQueue.Options<number>) =>
  Effect.gen(function*() {
    const { begun, collect, open } = yield* gated
    const queue = yield* CollectorQueue.make("full", { ...fixed(1), ...options, collectors: [collect] })
    const first = yield* queue.publisher.send(1)
    yield* TestClock.adjust(0)
    return { begun, first, open, queue }
  })

const reasonOf = (receipt: Receipt.Receipt) =>
  Effect.map(
    Effect.exit(receipt.results),
    (exit) => Exit.isSuccess(exit) ? "collected" : (Cause.squash(exit.cause) as { readonly reason: string }).reason
  )

const policy = (size: (events: number) => number) =>
  ScalingPolicy.make({
    name: "test",
    initial: () => undefined,
    decide: (_, { busy, depth }) => ({ state: undefined, size: size(depth + busy) })
  })

const scalings = (queue: CollectorQueue.CollectorQueue<never>) =>
  Effect.gen(function*(): Effect.fn.Return<ReadonlyArray<MessageBus.BusEvent>, never, Scope.Scope> {
    const events: Array<MessageBus.BusEvent> = []
    yield* Effect.forkScoped(
      Stream.runForEach(queue.messageBus.events, (event) => Effect.sync(() => events.push(event))),
      { startImmediately: true }
    )
    return events
  })

describe("CollectorQueue options", () => {
  it("default to those of event_collector where it has them", () => {
    const {
      avgLoadInterval,
      consumerShutdownTimeout,
      metricsCollectorWindowSize,
      metricsWarmupInterval,
      monitorInterval
    } = CollectorQueue.defaults
    assert.deepStrictEqual(
      [avgLoadInterval, consumerShutdownTimeout, metricsCollectorWindowSize, metricsWarmupInterval, monitorInterval]
        .map((duration) => Duration.toMillis(duration)),
      [60_000, 10_000, 60_000, 3_000, 10]
    )
    const { autoscale, defaultPriority, eventServiceDataWindowSize, logging, reportInterval, wipMargin } =
      CollectorQueue.defaults
    assert.deepStrictEqual(
      [autoscale, defaultPriority, eventServiceDataWindowSize, logging, reportInterval, wipMargin],
      [
        true,
        100,
        500,
        true,
        0,
        0.15
      ]
    )
    const { capacity, maxConsumers, measured, minConsumers, overflow, queueType } = CollectorQueue.defaults
    assert.deepStrictEqual([minConsumers, maxConsumers, capacity, overflow, queueType, measured], [
      1,
      100,
      1024,
      "suspend",
      "fifo",
      true
    ])
  })

  const wrong: ReadonlyArray<readonly [CollectorQueue.Options<number>, string]> = [
    [{ minConsumers: 0 }, "minConsumers must be a whole number >= 1, got 0"],
    [{ minConsumers: 1.5 }, "minConsumers must be a whole number >= 1, got 1.5"],
    [{ minConsumers: NaN }, "minConsumers must be a whole number >= 1, got NaN"],
    [{ maxConsumers: 0 }, "maxConsumers must be a whole number >= 1, got 0"],
    [{ maxConsumers: -3 }, "maxConsumers must be a whole number >= 1, got -3"],
    [{ maxConsumers: 0.5 }, "maxConsumers must be a whole number >= 1, got 0.5"],
    [{ maxConsumers: NaN }, "maxConsumers must be a whole number >= 1, got NaN"],
    [{ maxConsumers: Infinity }, "maxConsumers must be a whole number >= 1, got Infinity"],
    [{ minConsumers: 5, maxConsumers: 4 }, "maxConsumers must be at least minConsumers (5), got 4"],
    [{ wipMargin: -0.01 }, "wipMargin must be between 0 and 1, got -0.01"],
    [{ wipMargin: 1.01 }, "wipMargin must be between 0 and 1, got 1.01"],
    [{ wipMargin: NaN }, "wipMargin must be between 0 and 1, got NaN"],
    [
      { wipMargin: 0.5, scaling: ScalingPolicy.little() },
      "wipMargin must be absent, because scaling is given: it is an option of ScalingPolicy.little, got 0.5"
    ],
    [{ monitorInterval: 0 }, "monitorInterval must be > 0, got 0 millis"],
    [{ monitorInterval: "Infinity" }, "monitorInterval must be > 0, got Infinity"],
    [{ reportInterval: -1 }, "reportInterval must be >= 0, got -1 millis"],
    [{ avgLoadInterval: 0 }, "avgLoadInterval must be > 0, got 0 millis"],
    [{ metricsCollectorWindowSize: "4 seconds" }, "metricsCollectorWindowSize must be at least 5 seconds, got 4s"],
    [{ metricsCollectorWindowSize: "Infinity" }, "metricsCollectorWindowSize must be at least 5 seconds, got Infinity"],
    [{ eventServiceDataWindowSize: 0 }, "eventServiceDataWindowSize must be a whole number >= 1, got 0"],
    [{ metricsWarmupInterval: -5 }, "metricsWarmupInterval must be >= 0, got -5 millis"],
    [{ measured: false }, "measured must be true, unless autoscale is false, got false"],
    [{ defaultPriority: 3 }, "defaultPriority must be absent, because queueType is \"fifo\", got 3"],
    [{ queueType: "priority", defaultPriority: NaN }, "defaultPriority must be a finite number, got NaN"],
    [{ queueType: "lifo", ageEvery: 5 }, "ageEvery must be absent, because queueType is \"lifo\", got 5"],
    [{ queueType: "priority", ageEvery: 0 }, "ageEvery must be > 0, got 0"],
    [{ capacity: 0 }, "capacity must be a whole number >= 1, got 0"],
    [{ capacity: 1.5 }, "capacity must be a whole number >= 1, got 1.5"],
    [
      { keyed: { by: (n) => n, concurrency: 0 } },
      "keyed.concurrency must be a whole number >= 1, got 0"
    ],
    [{ consumerShutdownTimeout: -1 }, "consumerShutdownTimeout must be >= 0, got -1 millis"]
  ]
  it.effect.each(wrong.map(([options, message]) => ({ options, message })))(
    "die when out of range: $message",
    ({ message, options }) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(
          CollectorQueue.make("wrong", { ...options, logging: false, collectors: [succeed] })
        )
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.strictEqual(failure(exit), `RangeError: CollectorQueue wrong: ${message}`)
      })
  )

  it.effect("die without a name or a collector", () =>
    Effect.gen(function*() {
      assert.match(
        failure(yield* Effect.exit(CollectorQueue.make("", { collectors: [succeed] }))),
        /CollectorQueue : name must be not empty/
      )
      assert.match(
        failure(yield* Effect.exit(CollectorQueue.make("none", { collectors: [] }))),
        /CollectorQueue none: collectors must not be empty/
      )
    }))

  it.effect("take a minConsumers above the default maximum, and a maxConsumers alone", () =>
    Effect.gen(function*() {
      const many = yield* CollectorQueue.make("many", { logging: false, minConsumers: 200, collectors: [succeed] })
      assert.strictEqual(yield* many.consumerCount, 200)
      const one = yield* CollectorQueue.make("one", { logging: false, maxConsumers: 1, collectors: [succeed] })
      assert.strictEqual(yield* one.consumerCount, 1)
    }))

  describe("scaling and monitorInterval", () => {
    it.effect("ask the policy while anything is in the system, and hold it to the bounds", () =>
      Effect.gen(function*() {
        const { collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("policy", {
          logging: false,
          minConsumers: 2,
          maxConsumers: 4,
          scaling: policy((events) => events === 0 ? -7 : 1000),
          collectors: [collect]
        })
        const events = yield* scalings(queue)
        yield* queue.publisher.sendAll(numbers(10))
        yield* TestClock.adjust(0)
        assert.strictEqual(yield* queue.consumerCount, 4)
        assert.strictEqual((yield* queue.metrics).busy, 4)
        yield* open
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* queue.consumerCount, 2)
        assert.deepStrictEqual(events, [
          { _tag: "ScaledUp", queue: "policy", from: 2, to: 4 },
          { _tag: "ScaledDown", queue: "policy", from: 4, to: 2 }
        ])
      }))

    it.effect("look once in every interval", () =>
      Effect.gen(function*() {
        const looks: Array<number> = []
        const { collect } = yield* gated
        const queue = yield* CollectorQueue.make("looks", {
          logging: false,
          monitorInterval: "250 millis",
          consumerShutdownTimeout: 0,
          scaling: ScalingPolicy.make({
            name: "looks",
            initial: () => undefined,
            decide: (_, { now }) => {
              looks.push(now)
              return { state: undefined, size: 1 }
            }
          }),
          collectors: [collect]
        })
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(looks, [])
        yield* queue.publisher.send(1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(looks.map((now) => now - looks[0]!), [0, 250, 500, 750, 1000])
      }))

    it.effect("survive a policy that throws, say so once until it answers, and ask it again", () =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        let asked = 0
        yield* Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("throws", {
            scaling: policy((events) => {
              if (++asked <= 3 || asked === 6) throw new Error("policy")
              return events === 0 ? 1 : 3
            }),
            maxConsumers: 3,
            consumerShutdownTimeout: 0,
            collectors: [() => Effect.never]
          })
          yield* queue.publisher.sendAll(numbers(3))
          yield* TestClock.adjust("1 second")
          assert.strictEqual(yield* queue.consumerCount, 3)
        }).pipe(Effect.provide(Logger.layer([
          Logger.make(({ logLevel, message }) => {
            lines.push(`${logLevel}: ${Array.isArray(message) ? message.join(" ") : message}`)
          })
        ])))
        assert.strictEqual(lines.filter((line) => line.startsWith("Warn: the scaling policy failed")).length, 2)
      }))
  })

  describe("wipMargin", () => {
    it.effect("adds to what the load keeps busy", () =>
      Effect.gen(function*() {
        const sizeWith = (wipMargin: number) =>
          Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("margin", {
              logging: false,
              wipMargin,
              consumerShutdownTimeout: 0,
              collectors: [() => Effect.sleep("1 second")]
            })
            // 20 arrivals a second that take a second each: a load of 20.
            for (let i = 0; i < 60 * 20; i++) {
              yield* queue.publisher.send(i)
              yield* TestClock.adjust("50 millis")
            }
            return yield* queue.consumerCount
          }))
        const bare = yield* sizeWith(0)
        const wide = yield* sizeWith(1)
        assert.isAtLeast(bare, 20)
        assert.isAbove(wide, bare)
      }))
  })

  describe("capacity and overflow", () => {
    it.effect("make a sender wait while the queue is full, and no longer", () =>
      Effect.gen(function*() {
        const { begun, open, queue } = yield* blocked({ capacity: 2 })
        yield* queue.publisher.sendAll([2, 3])
        const waiting = yield* Effect.forkChild(queue.publisher.send(4), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        assert.isUndefined(waiting.pollUnsafe())
        assert.strictEqual((yield* queue.metrics).qsize, 2)
        yield* open
        assert.strictEqual(yield* (yield* Fiber.join(waiting)).first, 4)
        assert.deepStrictEqual(begun, [1, 2, 3, 4])
      }))

    it.effect("leave nothing behind of a sender that was interrupted while it waited", () =>
      Effect.gen(function*() {
        const { begun, open, queue } = yield* blocked({ capacity: 1 })
        yield* queue.publisher.send(2)
        const waiting = yield* Effect.forkChild(queue.publisher.send(3), { startImmediately: true })
        const several = yield* Effect.forkChild(queue.publisher.sendAll([4, 5]), { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        yield* Fiber.interrupt(several)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [1, 2])
        assert.strictEqual((yield* queue.metrics).eventCount, 2)
      }))

    it.effect("keep what was accepted of a sendAll that was interrupted while it waited", () =>
      Effect.gen(function*() {
        const { begun, open, queue } = yield* blocked({ capacity: 2 })
        const several = yield* Effect.forkChild(queue.publisher.sendAll([2, 3, 4, 5]), { startImmediately: true })
        yield* TestClock.adjust(0)
        yield* Fiber.interrupt(several)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [1, 2, 3])
      }))

    it.effect("bring a sendAll longer than the capacity through, in order", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("long", { ...fixed(1), capacity: 3, collectors: [succeed] })
        const receipts = yield* queue.publisher.sendAll(numbers(100))
        assert.deepStrictEqual(yield* Effect.forEach(receipts, (receipt) => receipt.first), numbers(100))
        assert.deepStrictEqual(yield* queue.publisher.sendAll([]), [])
      }))

    it.effect("take everything without a bound", () =>
      Effect.gen(function*() {
        const { queue } = yield* blocked({ capacity: "unbounded", consumerShutdownTimeout: 0 })
        yield* queue.publisher.sendAll(numbers(5000))
        assert.strictEqual((yield* queue.metrics).qsize, 5000)
      }))

    it.effect("hold 1024 by default", () =>
      Effect.gen(function*() {
        const { queue } = yield* blocked({ consumerShutdownTimeout: 0, overflow: "dropNewest" })
        const receipts = yield* queue.publisher.sendAll(numbers(1025))
        assert.strictEqual(yield* reasonOf(receipts.at(-1)!), "dropNewest")
        assert.isFalse(receipts.at(-2)!.isSettled)
      }))

    it.effect.each(
      [
        { overflow: "dropNewest", kept: [1, 2, 3], lost: [4, 5] },
        { overflow: "dropOldest", kept: [1, 4, 5], lost: [2, 3] }
      ] as const
    )(
      "drop as told ($overflow), say so in the receipt and on the bus, and count it",
      ({ kept, lost, overflow }) =>
        Effect.gen(function*() {
          for (const several of [true, false]) {
            const { begun, first, open, queue } = yield* blocked({ capacity: 2, overflow })
            const events = yield* scalings(queue)
            const waiter = yield* Effect.forkChild(Effect.exit(first.first))
            const receipts = several
              ? yield* queue.publisher.sendAll([2, 3, 4, 5])
              : yield* Effect.forEach([2, 3, 4, 5], queue.publisher.send)
            assert.deepStrictEqual(receipts.filter(({ isSettled }) => isSettled).map(({ id }) => id), [...lost])
            yield* open
            yield* queue.awaitIdle
            assert.deepStrictEqual(begun, [...kept])
            assert.deepStrictEqual(yield* Fiber.join(waiter), Exit.succeed(1))
            for (const receipt of receipts) {
              const isLost = (lost as ReadonlyArray<number>).includes(receipt.id)
              assert.strictEqual(yield* reasonOf(receipt), isLost ? overflow : "collected")
              if (!isLost) continue
              for (
                const view of [receipt.first, receipt.all, receipt.results] as ReadonlyArray<
                  Effect.Effect<unknown, unknown>
                >
              ) {
                assert.match(
                  failure(yield* Effect.exit(view)),
                  new RegExp(`^Dropped: queue full was full: event ${receipt.id} was dropped \\(${overflow}\\)`)
                )
              }
            }
            yield* TestClock.adjust(0)
            assert.deepStrictEqual(
              events,
              lost.map((event, i) =>
                ({ _tag: "Dropped", queue: "full", event, reason: overflow, total: i + 1 }) as const
              )
            )
            const metrics = yield* queue.metrics
            assert.strictEqual(metrics.outcomes.dropped, 2)
            assert.strictEqual(metrics.eventCount, overflow === "dropOldest" ? 5 : 3)
          }
        })
    )

    it.effect("let go who waits for an event that is dropped", () =>
      Effect.gen(function*() {
        const { queue } = yield* blocked({ capacity: 1, overflow: "dropOldest", consumerShutdownTimeout: 0 })
        const doomed = yield* queue.publisher.send(2)
        const waiters = yield* Effect.forEach(numbers(3), () => Effect.forkChild(reasonOf(doomed)))
        yield* TestClock.adjust(0)
        yield* queue.publisher.send(3)
        assert.deepStrictEqual(yield* Effect.forEach(waiters, Fiber.join), ["dropOldest", "dropOldest", "dropOldest"])
      }))
  })

  describe("defaultPriority and ageEvery", () => {
    it.effect("put events without a priority where the queue says", () =>
      Effect.gen(function*() {
        const { begun, open, queue } = yield* blocked({ queueType: "priority", defaultPriority: 5 })
        yield* queue.publisher.withPriority(6).send(2)
        yield* queue.publisher.send(3)
        yield* queue.publisher.withPriority(4).send(4)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [1, 4, 3, 2])
      }))

    it.effect("let what has waited long overtake", () =>
      Effect.gen(function*() {
        const { begun, open, queue } = yield* blocked({ queueType: "priority", ageEvery: "1 second" })
        yield* queue.publisher.withPriority(13).send(2)
        yield* TestClock.adjust("11 seconds")
        yield* queue.publisher.withPriority(3).send(3)
        yield* queue.publisher.withPriority(1).send(4)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [1, 4, 2, 3])
      }))

    it.effect("refuse a priority where there is none, and one that is no number", () =>
      Effect.gen(function*() {
        const plain = yield* CollectorQueue.make("plain", { ...fixed(1), collectors: [succeed] })
        assert.throws(
          () => plain.publisher.withPriority(1),
          "CollectorQueue plain: withPriority needs queueType \"priority\" instead of \"fifo\", got 1"
        )
        const ordered = yield* CollectorQueue.make("ordered", {
          ...fixed(1),
          queueType: "priority",
          collectors: [succeed]
        })
        for (const priority of [NaN, Infinity]) {
          assert.throws(
            () => ordered.publisher.withPriority(priority),
            `CollectorQueue ordered: withPriority needs a finite number, got ${priority}`
          )
        }
        const urgent = ordered.publisher.withPriority(1).withPriority(2)
        assert.strictEqual(yield* (yield* urgent.send(7)).first, 7)
      }))
  })

  describe("metrics", () => {
    it.effect("forget what has left the window", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("window", {
          ...fixed(1),
          collectors: [() => Effect.sleep("1 second")],
          metricsCollectorWindowSize: "5 seconds",
          metricsWarmupInterval: 0
        })
        yield* queue.publisher.sendAll(numbers(2))
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual((yield* queue.metrics).arrivalRate, 0.5)
        assert.strictEqual((yield* queue.metrics).serviceTime, 1000)
        yield* TestClock.adjust("10 seconds")
        const metrics = yield* queue.metrics
        assert.deepStrictEqual([metrics.arrivalRate, metrics.serviceTime, metrics.wip, metrics.eventCount], [
          0,
          0,
          0,
          2
        ])
      }))

    it.effect("take percentiles of the latest eventServiceDataWindowSize", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("samples", {
          ...fixed(1),
          collectors: [(millis: number) => Effect.sleep(millis)],
          eventServiceDataWindowSize: 2,
          metricsWarmupInterval: 0
        })
        yield* queue.publisher.sendAll([100, 10, 20])
        yield* TestClock.adjust("1 second")
        const { serviceTimes, waitTimes } = yield* queue.metrics
        assert.deepStrictEqual([serviceTimes.p50, serviceTimes.max], [10, 20])
        assert.deepStrictEqual([waitTimes.p50, waitTimes.max], [100, 110])
      }))

    it.effect("count and do not measure when told so", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("unmeasured", {
          ...fixed(1),
          measured: false,
          consumerShutdownTimeout: 0,
          collectors: [(n: number) => Effect.sleep(n === 3 ? "1 hour" : "1 second")],
          metricsWarmupInterval: 0
        })
        yield* queue.publisher.sendAll(numbers(4))
        yield* TestClock.adjust("5 seconds")
        const metrics = yield* queue.metrics
        assert.deepStrictEqual([metrics.eventCount, metrics.outcomes.succeeded, metrics.qsize, metrics.busy], [
          4,
          2,
          1,
          1
        ])
        assert.deepStrictEqual(
          [
            metrics.arrivalRate,
            metrics.departureRate,
            metrics.serviceTime,
            metrics.waitTime,
            metrics.wip,
            metrics.utilization,
            metrics.avgLoad,
            metrics.serviceTimes.max,
            metrics.littleResidual
          ],
          [0, 0, 0, 0, 0, 0, 0, 0, 0]
        )
        assert.strictEqual(metrics.consumers, 1)
      }))
  })
})
