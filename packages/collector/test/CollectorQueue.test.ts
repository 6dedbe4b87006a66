import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Deferred, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Collector, CollectorQueue, MessageBus, Router, ScalingPolicy } from "effect-collector"
import type { CollectorError } from "effect-collector"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const double = (n: number) => Effect.succeed(n * 2)

/** A fixed pool whose collector waits for the test to let it go, and says what it has begun. */
const gated = Effect.map(Deferred.make<void>(), (gate) => {
  const begun: Array<number> = []
  const collect = (n: number) =>
    Effect.andThen(
      Effect.sync(() => begun.push(n)),
      Effect.as(Deferred.await(gate), n)
    )
  return { begun, collect, open: Deferred.succeed(gate, undefined) }
})

/** Every event of the bus from now on. */
const eventsOf = (queue: CollectorQueue.CollectorQueue<never>) =>
  Effect.gen(function*() {
    const events: Array<MessageBus.BusEvent> = []
    yield* Effect.forkScoped(
      Stream.runForEach(queue.messageBus.events, (event) => Effect.sync(() => events.push(event))),
      { startImmediately: true }
    )
    return events
  })

const fixed = (consumers: number) => ({ autoscale: false, maxConsumers: consumers, logging: false }) as const
const quiet = { logging: false } as const

/** A policy that wants as many consumers as there are events. */
const asMany = ScalingPolicy.make({
  name: "asMany",
  initial: () => undefined,
  decide: (_, { busy, depth }) => ({ state: undefined, size: depth + busy })
})

const logLines = () => {
  const lines: Array<string> = []
  const layer = Logger.layer([
    Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel}: ${Array.isArray(message) ? message.join(" ") : message}`)
    })
  ])
  return { layer, lines }
}

const failure = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? Cause.pretty(exit.cause).split("\n")[0]! : `success ${exit.value}`

describe("CollectorQueue", () => {
  describe("as event_collector", () => {
    it.effect("gives a hundred results for a hundred payloads, in the order of sending", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("demo", { ...quiet, collectors: [double], maxConsumers: 1000 })
        const receipts = yield* Effect.forEach(numbers(100), queue.publisher.send)
        const first = yield* Effect.forEach(receipts, (receipt) => receipt.first)
        assert.deepStrictEqual(first, numbers(100).map((n) => n * 2))
        assert.deepStrictEqual(receipts.map(({ id }) => id), numbers(100))
      }))

    it.effect.each([
      { name: "fails", collect: () => Effect.fail("no"), message: /no/ },
      { name: "dies", collect: () => Effect.die("defect"), message: /defect/ },
      {
        name: "throws",
        collect: (): Effect.Effect<number> => {
          throw new Error("thrown")
        },
        message: /thrown/
      },
      { name: "fails later", collect: () => Effect.andThen(Effect.yieldNow, Effect.fail("late")), message: /late/ }
    ])(
      "lives on when a collector $name, and says so to who waits",
      ({ collect, message }) =>
        Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("live", {
            ...fixed(1),
            collectors: [(n: number): Effect.Effect<number, string> => n === 1 ? collect() : Effect.succeed(n)]
          })
          const [bad, good] = yield* queue.publisher.sendAll([1, 2])
          assert.match(failure(yield* Effect.exit(bad!.first)), message)
          assert.match(failure(yield* Effect.exit(bad!.all)), message)
          assert.isTrue(Exit.isFailure((yield* bad!.results)[0]!))
          assert.strictEqual(yield* good!.first, 2)
        })
    )

    it.effect("gives two collectors two results, in the order of their declaration, one failing or not", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const slow = Collector.fromFunction("slow", (n: number) =>
          Effect.andThen(
            Effect.sleep("1 second"),
            Effect.sync(() => {
              order.push("slow")
              return n
            })
          ))
        const failing = Collector.fromFunction(
          "failing",
          () => Effect.andThen(Effect.sync(() => order.push("failing")), Effect.fail("no" as const))
        )
        const queue = yield* CollectorQueue.make("two", { ...fixed(1), collectors: [slow, failing] })
        const receipt = yield* queue.publisher.send(7)
        yield* TestClock.adjust("1 second")
        const [first, second] = yield* receipt.results
        assert.deepStrictEqual(first, Exit.succeed(7))
        assert.deepStrictEqual(second, Exit.fail("no"))
        assert.deepStrictEqual(order, ["slow", "failing"])
        assert.strictEqual(yield* receipt.first, 7)
        assert.strictEqual(yield* Effect.flip(receipt.all), "no")
      }))

    it.effect("has a fixed pool of maxConsumers without autoscale, whatever minConsumers is", () =>
      Effect.gen(function*() {
        const { begun, collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("fixed", {
          ...quiet,
          autoscale: false,
          minConsumers: 2,
          maxConsumers: 5,
          collectors: [collect]
        })
        assert.strictEqual(yield* queue.consumerCount, 5)
        yield* queue.publisher.sendAll(numbers(20))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(begun, numbers(5))
        assert.strictEqual(yield* queue.consumerCount, 5)
        yield* open
        yield* queue.awaitIdle
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* queue.consumerCount, 5)
      }))

    it.effect("scales from minConsumers up and down again, within the bounds", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("scaling", {
          ...quiet,
          minConsumers: 2,
          maxConsumers: 30,
          collectors: [() => Effect.sleep("100 millis")]
        })
        const events = yield* eventsOf(queue)
        assert.strictEqual(yield* queue.consumerCount, 2)
        yield* queue.publisher.sendAll(numbers(1000))
        let most = 0
        while ((yield* queue.metrics).qsize > 0) {
          yield* TestClock.adjust("10 millis")
          most = Math.max(most, yield* queue.consumerCount)
        }
        assert.isAbove(most, 10)
        assert.isAtMost(most, 30)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* queue.consumerCount, 2)
        const scaled = events.flatMap((event) =>
          event._tag === "ScaledUp" || event._tag === "ScaledDown" ? [event] : []
        )
        assert.strictEqual(scaled[0]?._tag, "ScaledUp")
        assert.strictEqual(scaled.at(-1)?._tag, "ScaledDown")
        assert.strictEqual(scaled[0]!.from, 2)
        assert.strictEqual(scaled.at(-1)!.to, 2)
        for (const { _tag, from, to } of scaled) assert.strictEqual(_tag, to > from ? "ScaledUp" : "ScaledDown")
        for (let i = 1; i < scaled.length; i++) assert.strictEqual(scaled[i]!.from, scaled[i - 1]!.to)
      }))

    it.effect("takes priority 1 before 100 with one consumer, and equals first-in first-out", () =>
      Effect.gen(function*() {
        const { begun, collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("priority", {
          ...fixed(1),
          queueType: "priority",
          collectors: [collect]
        })
        yield* queue.publisher.send(0)
        yield* TestClock.adjust(0)
        yield* queue.publisher.sendAll([10, 11])
        yield* queue.publisher.withPriority(101).send(20)
        yield* queue.publisher.withPriority(1).sendAll([1, 2])
        yield* queue.publisher.withPriority(100).send(12)
        yield* queue.publisher.withPriority(99.5).send(5)
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [0, 1, 2, 5, 10, 11, 12, 20])
      }))

    it.effect("takes the newest first as a LIFO", () =>
      Effect.gen(function*() {
        const { begun, collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("lifo", { ...fixed(1), queueType: "lifo", collectors: [collect] })
        yield* queue.publisher.send(0)
        yield* TestClock.adjust(0)
        yield* queue.publisher.sendAll([1, 2, 3])
        yield* open
        yield* queue.awaitIdle
        assert.deepStrictEqual(begun, [0, 3, 2, 1])
      }))

    it.effect("asks a router of one's own", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("routed", {
          ...fixed(1),
          collectors: [Collector.fromFunction("odd", double), Collector.fromFunction("even", double)],
          router: Router.make((n: number, collectors) =>
            collectors.filter(({ name }) => name === (n % 2 === 0 ? "even" : "odd"))
          )
        })
        const [odd, even] = yield* queue.publisher.sendAll([1, 2])
        assert.deepStrictEqual(yield* odd!.results, [Exit.succeed(2), undefined])
        assert.deepStrictEqual(yield* even!.results, [undefined, Exit.succeed(4)])
      }))

    it.effect("sets each collector up once, before the first event, and a failure aborts the start", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const collector = (name: string) =>
          Collector.make(
            name,
            Effect.as(
              Effect.acquireRelease(
                Effect.sync(() => order.push(`set up ${name}`)),
                () => Effect.sync(() => order.push(`torn down ${name}`))
              ),
              (n: number) => Effect.sync(() => order.push(`${name} ${n}`))
            )
          )
        yield* Effect.scoped(Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("setup", {
            ...fixed(1),
            collectors: [collector("a"), collector("b")]
          })
          assert.deepStrictEqual(order, ["set up a", "set up b"])
          yield* queue.publisher.sendAll([1, 2])
        }))
        assert.deepStrictEqual(order, [
          "set up a",
          "set up b",
          "a 1",
          "b 1",
          "a 2",
          "b 2",
          "torn down b",
          "torn down a"
        ])
        order.length = 0
        class Offline {
          readonly _tag = "Offline"
        }
        const failing = Collector.make("failing", Effect.fail(new Offline()))
        const error = yield* Effect.flip(
          CollectorQueue.make("aborted", { ...quiet, collectors: [collector("a"), failing, collector("c")] })
        )
        assert.strictEqual(error._tag, "Offline")
        assert.deepStrictEqual(order, ["set up a", "torn down a"])
      }))

    it.effect("tells the bus of initialisation and shut-down, once each and in order", () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const queue = yield* CollectorQueue.make("bus", {
          ...fixed(3),
          collectors: [double],
          handlers: [
            MessageBus.on("Initialized", ({ consumers, queue }) =>
              Effect.sync(() => told.push(`${queue} initialized with ${consumers}`))),
            MessageBus.on("ShutDown", ({ report }) =>
              Effect.sync(() => told.push(`shut down with ${report.settled}`)))
          ]
        })
        yield* queue.publisher.sendAll([1, 2])
        yield* queue.shutDown
        yield* queue.shutDown
        assert.deepStrictEqual(told, ["bus initialized with 3", "shut down with 2"])
      }))

    it.effect("reports metrics at each reportInterval, and never without one", () =>
      Effect.gen(function*() {
        const { layer, lines } = logLines()
        yield* Effect.gen(function*() {
          const reporting = yield* CollectorQueue.make("reporting", {
            autoscale: false,
            collectors: [double],
            reportInterval: "2 seconds",
            metricsWarmupInterval: 0
          })
          const silent = yield* CollectorQueue.make("silent", { ...fixed(1), collectors: [double], reportInterval: 0 })
          const events = yield* eventsOf(reporting)
          const others = yield* eventsOf(silent)
          yield* reporting.publisher.send(1)
          yield* TestClock.adjust("7 seconds")
          assert.deepStrictEqual(
            events.map((event) =>
              event._tag === "ReportedMetrics" && [event.metrics.timestamp, event.metrics.eventCount]
            ),
            [[2000, 1], [4000, 1], [6000, 1]]
          )
          assert.strictEqual(others.length, 0)
        }).pipe(Effect.provide(layer))
        assert.strictEqual(lines.filter((line) => line.startsWith("Info: metrics")).length, 3)
      }))

    it.effect("reads rates and averages as 0 until the warm-up is over", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("warm", {
          ...fixed(1),
          collectors: [() => Effect.sleep("500 millis")],
          metricsWarmupInterval: "3 seconds"
        })
        yield* queue.publisher.sendAll(numbers(4))
        yield* TestClock.adjust("2900 millis")
        const cold = yield* queue.metrics
        assert.deepStrictEqual(
          [
            cold.arrivalRate,
            cold.departureRate,
            cold.serviceTime,
            cold.waitTime,
            cold.wip,
            cold.utilization,
            cold.avgLoad
          ],
          [0, 0, 0, 0, 0, 0, 0]
        )
        assert.strictEqual(cold.eventCount, 4)
        yield* TestClock.adjust("100 millis")
        const warm = yield* queue.metrics
        assert.approximately(warm.arrivalRate, 4 / 3, 1e-9)
        assert.approximately(warm.departureRate, 4 / 3, 1e-9)
        assert.strictEqual(warm.serviceTime, 500)
        assert.strictEqual(warm.waitTime, 750)
        assert.isAbove(warm.avgLoad, 0)
      }))

    it.effect("cancels at the shut-down timeout, and settles everybody who waits", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("timeout", {
          ...fixed(1),
          collectors: [() => Effect.never],
          consumerShutdownTimeout: "10 seconds"
        })
        const [begun, waiting] = yield* queue.publisher.sendAll([1, 2])
        const waiters = yield* Effect.forEach(
          [begun!, waiting!],
          (receipt) => Effect.forkChild(Effect.exit(receipt.first), { startImmediately: true })
        )
        const ending = yield* Effect.forkChild(queue.shutDown, { startImmediately: true })
        yield* TestClock.adjust("9999 millis")
        assert.isUndefined(ending.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* Fiber.join(ending), {
          queue: "timeout",
          settled: 0,
          interrupted: 1,
          left: 1,
          abandoned: 0
        })
        const [first, second] = yield* Effect.forEach(waiters, Fiber.join)
        assert.isTrue(Exit.isFailure(first!) && Cause.hasInterruptsOnly(first.cause))
        assert.match(failure(second!), /^Dropped: queue timeout was shut down before event 2 began/)
      }))

    it.effect.each([{ body: "success" }, { body: "failure" }, { body: "defect" }, { body: "interruption" }])(
      "starts and shuts down as a scoped resource, also at a $body",
      ({ body }) =>
        Effect.gen(function*() {
          const told: Array<string> = []
          const begun = yield* Deferred.make<void>()
          const program = Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("scoped", {
              ...fixed(1),
              collectors: [
                (n: number) => Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => told.push(`${n}`)))
              ],
              handlers: [
                MessageBus.on("Initialized", () => Effect.sync(() => told.push("up"))),
                MessageBus.on("ShutDown", () => Effect.sync(() => told.push("down")))
              ]
            })
            yield* queue.publisher.sendAll([1, 2])
            yield* Deferred.succeed(begun, undefined)
            if (body === "failure") return yield* Effect.fail("no" as const)
            if (body === "defect") return yield* Effect.die("defect")
            if (body === "interruption") return yield* Effect.never
          }))
          const running = yield* Effect.forkChild(program)
          yield* Deferred.await(begun)
          if (body === "interruption") yield* Effect.forkChild(Fiber.interrupt(running))
          yield* TestClock.adjust("1 second")
          const exit = yield* Fiber.await(running)
          assert.strictEqual(Exit.isSuccess(exit), body === "success")
          assert.deepStrictEqual(told, ["up", "1", "2", "down"])
        })
    )

    it.effect("refuses what is sent after the shut-down, and while it is under way", () =>
      Effect.gen(function*() {
        const { collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("closed", { ...fixed(1), collectors: [collect] })
        const receipt = yield* queue.publisher.send(1)
        const ending = yield* Effect.forkChild(queue.shutDown, { startImmediately: true })
        yield* TestClock.adjust(0)
        const refused: CollectorError.QueueShutDown = yield* Effect.flip(queue.publisher.send(2))
        assert.strictEqual(refused.message, "queue closed is shutting down and accepts nothing more")
        assert.strictEqual((yield* Effect.flip(queue.publisher.sendAll([3, 4])))._tag, "QueueShutDown")
        yield* open
        assert.strictEqual((yield* Fiber.join(ending)).settled, 1)
        assert.strictEqual(yield* receipt.first, 1)
        assert.strictEqual((yield* Effect.flip(queue.publisher.send(5)))._tag, "QueueShutDown")
      }))

    it.effect("demands a metrics window of at least 5 seconds", () =>
      Effect.gen(function*() {
        yield* CollectorQueue.make("window", {
          ...quiet,
          collectors: [double],
          metricsCollectorWindowSize: "5 seconds"
        })
        const exit = yield* Effect.exit(
          CollectorQueue.make("window", { ...quiet, collectors: [double], metricsCollectorWindowSize: "4999 millis" })
        )
        assert.match(
          failure(exit),
          /CollectorQueue window: metricsCollectorWindowSize must be at least 5 seconds, got 4s 999ms/
        )
      }))

    it.effect.each([{ logging: true }, { logging: false }])(
      "writes to the log unless told not to (logging $logging)",
      ({ logging }) =>
        Effect.gen(function*() {
          const { layer, lines } = logLines()
          yield* Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("log", {
              logging,
              autoscale: false,
              maxConsumers: 1,
              capacity: 1,
              overflow: "dropNewest",
              collectors: [(n: number) => n === 1 ? Effect.never : Effect.die("collector")],
              reportInterval: "1 second",
              consumerShutdownTimeout: "2500 millis",
              handlers: [
                MessageBus.on("Initialized", () => Effect.fail("handler")),
                MessageBus.on("ReportedMetrics", () => Effect.die("handler")),
                MessageBus.on("ShutDown", () => Effect.never)
              ]
            })
            yield* queue.publisher.send(1)
            yield* TestClock.adjust(0)
            yield* queue.publisher.sendAll([2, 3, 4])
            yield* Effect.forkChild(queue.shutDown)
            yield* TestClock.adjust("10 seconds")
          })).pipe(Effect.provide(layer))
          if (!logging) return assert.deepStrictEqual(lines, [])
          assert.include(lines, "Info: takes events, with 1 consumers")
          assert.strictEqual(lines.filter((line) => line.includes("has shut down")).length, 1)
          assert.strictEqual(
            lines.at(-1),
            "Warn: has shut down: 0 events settled, 1 interrupted, 1 never begun, 0 abandoned"
          )
          assert.deepStrictEqual(lines.filter((line) => line.includes("dropped")), [
            "Warn: 1 events dropped so far (dropNewest)",
            "Warn: 2 events dropped so far (dropNewest)"
          ])
          assert.strictEqual(lines.filter((line) => line.includes("a handler of Initialized failed")).length, 1)
          assert.strictEqual(lines.filter((line) => line.includes("a handler of ReportedMetrics failed")).length, 2)
        })
    )
  })
  describe("metrics", () => {
    it.effect("average the load over avgLoadInterval, also over the time when there is none", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("load", {
          ...fixed(1),
          collectors: [() => Effect.sleep("20 seconds")],
          avgLoadInterval: "40 seconds",
          metricsWarmupInterval: 0
        })
        yield* queue.publisher.sendAll([1, 2])
        yield* TestClock.adjust("20 seconds")
        assert.approximately((yield* queue.metrics).avgLoad, 2, 0.01)
        yield* TestClock.adjust("20 seconds")
        assert.approximately((yield* queue.metrics).avgLoad, 1.5, 0.01)
        yield* TestClock.adjust("20 seconds")
        assert.approximately((yield* queue.metrics).avgLoad, 0.5, 0.05)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* queue.metrics).avgLoad, 0)
        // One that is over before the load is looked at for the second time.
        yield* queue.publisher.send(3)
        yield* TestClock.adjust("20 seconds")
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* queue.metrics).avgLoad, 0)
      }))

    it.effect("are what the test itself has counted", () =>
      Effect.gen(function*() {
        const { exit } = yield* Simulation.run(
          Effect.scoped(Effect.gen(function*() {
            const seen = { arrived: 0, busy: 0, busyTime: 0, waitTime: 0, failed: 0, ended: 0 }
            const queue = yield* CollectorQueue.make("counted", {
              ...fixed(4),
              metricsCollectorWindowSize: "1 hour",
              collectors: [(event: { readonly at: number; readonly millis: number }) =>
                Effect.gen(function*() {
                  const began = yield* Clock.currentTimeMillis
                  seen.waitTime += began - event.at
                  seen.busy++
                  yield* Effect.sleep(event.millis)
                  seen.busy--
                  seen.ended++
                  seen.busyTime += event.millis
                  if (event.millis % 7 === 0) {
                    seen.failed++
                    return yield* Effect.fail("seven")
                  }
                })]
            })
            for (let i = 0; i < 900; i++) {
              yield* queue.publisher.send({ at: yield* Clock.currentTimeMillis, millis: 200 + (i * 7919) % 400 })
              seen.arrived++
              yield* Effect.sleep(40 + (i * 104_729) % 160)
            }
            const now = yield* Clock.currentTimeMillis
            const metrics = yield* queue.metrics
            return { load: yield* queue.currentLoad, metrics, now, seen: { ...seen } }
          })),
          { seed: 3 }
        )
        const { load, metrics, now, seen } = yield* exit
        assert.strictEqual(metrics.eventCount, seen.arrived)
        assert.strictEqual(metrics.busy, seen.busy)
        assert.strictEqual(metrics.qsize, seen.arrived - seen.ended - seen.busy)
        assert.strictEqual(metrics.consumers, 4)
        assert.strictEqual(metrics.load, (metrics.qsize + metrics.busy) / 4)
        assert.strictEqual(load, metrics.load)
        assert.strictEqual(metrics.timestamp, now)
        assert.strictEqual(metrics.outcomes.failed, seen.failed)
        assert.strictEqual(metrics.outcomes.succeeded, seen.ended - seen.failed)
        assert.approximately(metrics.serviceTime, seen.busyTime / seen.ended, 1e-6)
        assert.approximately(metrics.waitTime, seen.waitTime / (seen.ended + seen.busy), 1e-6)
        assert.approximately(metrics.arrivalRate, seen.arrived / now * 1000, 1e-6)
        assert.approximately(metrics.departureRate, seen.ended / now * 1000, 1e-6)
        assert.approximately(metrics.utilization, seen.busyTime / now / 4, 0.01)
        // L = λW, with L = the average number waiting and being collected.
        assert.approximately(metrics.wip, (seen.waitTime + seen.busyTime) / now, 0.01)
        assert.isBelow(Math.abs(metrics.littleResidual), 0.02)
        assert.approximately(metrics.avgLoad, metrics.wip / 4, 0.05)
      }))

    it.effect("can be read after the end", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("over", { ...fixed(2), collectors: [double] })
        yield* queue.publisher.sendAll([1, 2, 3])
        yield* queue.shutDown
        const metrics = yield* queue.metrics
        assert.deepStrictEqual(
          [metrics.eventCount, metrics.outcomes.succeeded, metrics.qsize, metrics.busy, metrics.load],
          [3, 3, 0, 0, 0]
        )
        assert.strictEqual(yield* queue.consumerCount, 0)
        assert.strictEqual(yield* queue.currentLoad, 0)
        yield* queue.awaitIdle
      }))
  })

  describe("when idle", () => {
    /** Ends in the deadlock that only a program without a timer comes to. */
    const idleForEver = (options: CollectorQueue.Options<number>) =>
      Simulation.run(
        Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("idle", {
            ...quiet,
            minConsumers: 2,
            maxConsumers: 50,
            ...options,
            collectors: [(n: number) => Effect.sleep(n)]
          })
          let most = 0
          yield* Effect.forkChild(Stream.runForEach(
            queue.messageBus.events,
            (event) =>
              Effect.sync(() => {
                if (event._tag === "ScaledUp") most = Math.max(most, event.to)
              })
          ))
          for (const round of [1, 2]) {
            yield* queue.publisher.sendAll(numbers(300))
            yield* queue.awaitIdle
            yield* Effect.sleep("5 minutes")
            assert.strictEqual(yield* queue.consumerCount, 2, `round ${round}`)
          }
          assert.isAbove(most, 2)
          return yield* Effect.never
        }).pipe(Effect.scoped),
        { seed: 1 }
      )

    it.effect("returns to minConsumers and leaves no timer running", () =>
      Effect.gen(function*() {
        for (const scaling of [undefined, asMany]) {
          const outcome = yield* idleForEver({ scaling })
          assert.strictEqual(outcome.ending, "deadlock")
          assert.deepStrictEqual(outcome.leftover.filter(({ wakesAt }) => wakesAt !== undefined), [])
        }
      }))

    it.effect("wakes up for whatever arrives, at any moment between a look and the rest", () =>
      Simulation.check(
        () =>
          Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("waking", {
              ...quiet,
              maxConsumers: 3,
              scaling: asMany,
              collectors: [() => Effect.sleep("1 second")]
            })
            for (let i = 0; i < 5; i++) {
              // Just before, at, or just after the instant of a look.
              yield* Effect.sleep(1000 + [9, 10, 11, 20, 0][i]!)
              const before = yield* Clock.currentTimeMillis
              if (i % 2 === 0) yield* queue.publisher.sendAll([1, 2, 3])
              else for (const n of [1, 2, 3]) yield* queue.publisher.send(n)
              yield* queue.awaitIdle
              assert.isAtMost((yield* Clock.currentTimeMillis) - before, 1010)
            }
          })),
        undefined,
        { runs: 200 }
      ))
  })

  describe("starting", () => {
    const resource = (name: string, order: Array<string>) =>
      Collector.make(
        name,
        Effect.as(
          Effect.acquireRelease(
            Effect.andThen(Effect.yieldNow, Effect.sync(() => order.push(`+${name}`))),
            () => Effect.sync(() => order.push(`-${name}`))
          ),
          double
        )
      )

    it.effect("sets the router up first, and tears it down last", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        class Routes extends Router.Service<Routes, number>()("test/Routes") {}
        const routes = Router.layer(
          Routes,
          Effect.as(
            Effect.acquireRelease(Effect.sync(() => order.push("+router")), () =>
              Effect.sync(() => order.push("-router"))),
            (_, collectors) =>
              collectors
          )
        )
        yield* Effect.scoped(CollectorQueue.make("order", {
          ...quiet,
          collectors: [resource("a", order), resource("b", order)],
          router: Routes
        })).pipe(Effect.provide(routes))
        assert.deepStrictEqual(order, ["+router", "+a", "+b", "-b", "-a", "-router"])
      }))

    it.effect("releases what a set-up had acquired when another hangs and is interrupted", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const told: Array<string> = []
        const making = yield* Effect.forkChild(CollectorQueue.make("hangs", {
          ...quiet,
          collectors: [resource("a", order), Collector.make("hangs", Effect.never)],
          handlers: [
            MessageBus.on("Initialized", () => Effect.sync(() => told.push("up"))),
            MessageBus.on("ShutDown", () => Effect.sync(() => told.push("down")))
          ]
        }))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(order, ["+a"])
        yield* Fiber.interrupt(making)
        assert.deepStrictEqual(order, ["+a", "-a"])
        assert.deepStrictEqual(told, [])
      }))

    it.effect("law: interrupted at any step, it leaves nothing acquired and no fiber", () =>
      Simulation.check(
        ({ seed }) =>
          Effect.gen(function*() {
            const order: Array<string> = []
            const told: Array<string> = []
            const scope = yield* Scope.make(seed % 2 === 0 ? "sequential" : "parallel")
            const making = yield* Effect.forkChild(
              CollectorQueue.make("steps", {
                ...quiet,
                minConsumers: 3,
                reportInterval: "1 second",
                collectors: [resource("a", order), resource("b", order)],
                handlers: [
                  MessageBus.on("Initialized", () => Effect.sync(() => told.push("up"))),
                  MessageBus.on("ShutDown", () => Effect.sync(() => told.push("down")))
                ]
              }).pipe(Scope.provide(scope))
            )
            for (let i = seed % 23; i > 0; i--) yield* Effect.yieldNow
            yield* seed % 3 === 0 ? Effect.void : Fiber.interrupt(making)
            yield* Scope.close(scope, Exit.void)
            yield* Fiber.interrupt(making)
            assert.strictEqual(order.filter((event) => event.startsWith("+")).length, order.length / 2, `${order}`)
            // Told of the start, and its Scope closed before that was over, a handler is not told of the end.
            assert.include(["", "down,up", seed % 3 === 0 ? "up" : ""], String(told.toSorted()))
          }),
        undefined,
        { runs: 400 }
      ))

    it.effect("law: a queue whose Scope is closed while it starts is over, and says so", () =>
      Simulation.check(
        ({ seed }) =>
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            const making = yield* Effect.forkChild(
              CollectorQueue.make("closed", { ...quiet, collectors: [resource("a", [])] }).pipe(Scope.provide(scope))
            )
            for (let i = seed % 17; i > 0; i--) yield* Effect.yieldNow
            yield* Scope.close(scope, Exit.void)
            const queue = yield* Fiber.join(making)
            yield* queue.awaitEnd
            assert.strictEqual((yield* Effect.flip(queue.publisher.send(1)))._tag, "QueueShutDown")
          }),
        undefined,
        { runs: 200 }
      ))
  })

  describe("shutDown", () => {
    it.effect("collects what was accepted, also from senders that wait for room", () =>
      Effect.gen(function*() {
        const { begun, collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("drain", { ...fixed(1), capacity: 1, collectors: [collect] })
        yield* queue.publisher.sendAll([1, 2])
        const waiting = yield* Effect.forkChild(queue.publisher.sendAll([3, 4]), { startImmediately: true })
        const ending = yield* Effect.forkChild(queue.shutDown, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        yield* open
        assert.strictEqual((yield* Fiber.join(ending)).settled, 4)
        assert.strictEqual((yield* Fiber.join(waiting)).length, 2)
        assert.deepStrictEqual(begun, [1, 2, 3, 4])
      }))

    it.effect("refuses senders that still wait for room at the timeout, and settles what it had of a sendAll", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("refuse", {
          ...fixed(1),
          capacity: 2,
          collectors: [() => Effect.never],
          consumerShutdownTimeout: "1 second"
        })
        yield* queue.publisher.send(1)
        yield* TestClock.adjust(0)
        const several = yield* Effect.forkChild(queue.publisher.sendAll([2, 3, 4]), { startImmediately: true })
        const one = yield* Effect.forkChild(queue.publisher.send(5), { startImmediately: true })
        const all = yield* Effect.forkChild(queue.publisher.sendAll([6, 7]), { startImmediately: true })
        yield* Effect.forkChild(queue.shutDown)
        yield* TestClock.adjust("1 second")
        const report = yield* queue.awaitEnd
        assert.deepStrictEqual([report.interrupted, report.left], [1, 2])
        const receipts = yield* Fiber.join(several)
        for (const receipt of receipts) {
          assert.match(failure(yield* Effect.exit(receipt.results)), /^Dropped: queue refuse was shut down before/)
        }
        assert.strictEqual((yield* Effect.flip(Fiber.join(one)))._tag, "QueueShutDown")
        assert.strictEqual((yield* Effect.flip(Fiber.join(all)))._tag, "QueueShutDown")
      }))

    it.effect("drops, and tells the bus of, each event that had not begun", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("left", {
          ...fixed(1),
          collectors: [() => Effect.never],
          consumerShutdownTimeout: 0
        })
        const events = yield* eventsOf(queue)
        yield* queue.publisher.sendAll([1, 2, 3])
        yield* TestClock.adjust(0)
        const report = yield* queue.shutDown
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(events, [
          { _tag: "Dropped", queue: "left", event: 2, reason: "shutDown", total: 1 },
          { _tag: "Dropped", queue: "left", event: 3, reason: "shutDown", total: 2 },
          { _tag: "ShutDown", queue: "left", report }
        ])
      }))

    it.effect("waits a second for consumers that ignore the interruption, then abandons them", () =>
      Effect.gen(function*() {
        let ended = 0
        const queue = yield* CollectorQueue.make("deaf", {
          ...fixed(2),
          collectors: [
            () => Effect.uninterruptible(Effect.ensuring(Effect.sleep("1 hour"), Effect.sync(() => ended++)))
          ],
          consumerShutdownTimeout: "10 seconds"
        })
        const receipts = yield* queue.publisher.sendAll([1, 2])
        const ending = yield* Effect.forkChild(queue.shutDown, { startImmediately: true })
        yield* TestClock.adjust("10999 millis")
        assert.isUndefined(ending.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(ending)).abandoned, 2)
        const settled = yield* Effect.forEach(receipts, (receipt) => Effect.exit(receipt.first))
        assert.isTrue(settled.every((exit) => Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)))
        yield* TestClock.adjust("2 hours")
        assert.strictEqual(ended, 2)
        assert.deepStrictEqual(yield* Effect.forEach(receipts, (receipt) => Effect.exit(receipt.first)), settled)
      }))

    it.effect("law: tells of no scaling that a crew which has ended does not know of", () =>
      Simulation.check(
        () =>
          Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("scaling", {
              ...quiet,
              minConsumers: 2,
              maxConsumers: 4,
              scaling: asMany,
              collectors: [() => Effect.sleep("30 millis")]
            })
            const events = yield* eventsOf(queue)
            yield* queue.publisher.sendAll([1, 2, 3])
            // The last event ends at the very instant of a look.
            yield* queue.shutDown
            yield* Effect.sleep("1 second")
            for (const event of events) {
              if (event._tag === "ScaledUp" || event._tag === "ScaledDown") assert.isAtLeast(event.from, 2)
            }
          })),
        undefined,
        { runs: 200 }
      ))

    it.effect("goes on when who asked for it is interrupted", () =>
      Effect.gen(function*() {
        const { collect, open } = yield* gated
        const queue = yield* CollectorQueue.make("asked", { ...fixed(1), collectors: [collect] })
        yield* queue.publisher.send(1)
        const asking = yield* Effect.forkChild(queue.shutDown, { startImmediately: true })
        yield* Fiber.interrupt(asking)
        yield* open
        assert.strictEqual((yield* queue.awaitEnd).settled, 1)
      }))

    it.effect("may be asked for by a collector, which is then interrupted at the timeout", () =>
      Effect.gen(function*() {
        const own = yield* Deferred.make<Effect.Effect<unknown>>()
        const queue = yield* CollectorQueue.make("own", {
          ...fixed(1),
          collectors: [() => Effect.flatten(Deferred.await(own))]
        })
        yield* Deferred.succeed(own, queue.shutDown)
        yield* queue.publisher.send(1)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* queue.awaitEnd).interrupted, 1)
      }))

    it.effect.each([{ strategy: "sequential" }, { strategy: "parallel" }] as const)(
      "tears down after the last event has settled, also in a $strategy Scope",
      ({ strategy }) =>
        Effect.gen(function*() {
          const order: Array<string> = []
          const scope = yield* Scope.make(strategy)
          const queue = yield* CollectorQueue.make("teardown", {
            ...fixed(1),
            collectors: [Collector.make(
              "resource",
              Effect.as(
                Effect.acquireRelease(Effect.void, () => Effect.sync(() => order.push("torn down"))),
                (n: number) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => order.push(`${n}`)))
              )
            )]
          }).pipe(Scope.provide(scope))
          yield* queue.publisher.sendAll([1, 2])
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
          yield* TestClock.adjust("2 seconds")
          yield* Fiber.join(closing)
          assert.deepStrictEqual(order, ["1", "2", "torn down"])
        })
    )

    it.effect("waits for a teardown that takes its time", () =>
      Effect.gen(function*() {
        let tornDown = false
        const queue = yield* CollectorQueue.make("slow", {
          ...fixed(1),
          collectors: [Collector.make(
            "slow",
            Effect.as(
              Effect.acquireRelease(Effect.void, () =>
                Effect.andThen(Effect.sleep("9 seconds"), Effect.sync(() => tornDown = true))),
              double
            )
          )]
        })
        const ending = yield* Effect.forkChild(queue.shutDown)
        yield* TestClock.adjust(0)
        yield* TestClock.adjust("8999 millis")
        assert.isUndefined(ending.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(ending)
        assert.isTrue(tornDown)
      }))

    it.effect("leaves a teardown behind that hangs", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("hangs", {
          ...fixed(1),
          collectors: [Collector.make(
            "hangs",
            Effect.as(Effect.acquireRelease(Effect.void, () => Effect.never), double)
          )]
        })
        const ending = yield* Effect.forkChild(queue.shutDown)
        yield* TestClock.adjust(0)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(ending)
      }))

    it.effect("ends, and says in the log what it was, when a teardown dies", () =>
      Effect.gen(function*() {
        const { layer, lines } = logLines()
        yield* Effect.scoped(Effect.gen(function*() {
          const queue = yield* CollectorQueue.make("dies", {
            collectors: [Collector.make(
              "dies",
              Effect.as(Effect.acquireRelease(Effect.void, () => Effect.die("teardown")), double)
            )]
          })
          yield* queue.publisher.send(1)
          assert.strictEqual((yield* queue.shutDown).settled, 1)
        })).pipe(Effect.provide(layer))
        assert.strictEqual(lines.filter((line) => line === "Warn: a release failed").length, 1)
      }))
  })

  describe("as a service", () => {
    class Prices extends Collector.Service<Prices, number, string, "unpriced", "no prices">()("test/Prices") {}
    class Routes extends Router.Service<Routes, number, "no routes">()("test/Routes") {}
    class Currency extends Context.Service<Currency, { readonly sign: string }>()("test/Currency") {}
    class Orders
      extends CollectorQueue.Service<Orders>()("test/Orders", { collectors: [Prices, double], router: Routes })
    {}

    const PricesLive = Collector.layer(
      Prices,
      Effect.map(
        Currency,
        ({ sign }) => (n: number) =>
          n > 0 ? Effect.map(Currency, (again) => `${sign}${n}${again.sign}`) : Effect.fail("unpriced" as const)
      )
    )
    const RoutesLive = Router.layer(
      Routes,
      Effect.map(
        Currency,
        () => (n: number, collectors) => Effect.map(Currency, () => n === 5 ? collectors.slice(0, 1) : collectors)
      )
    )
    const CurrencyLive = Layer.succeed(Currency, { sign: "€" })

    it.effect("runs as long as its Layer, under the name of its key, with collectors and a router from Layers", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const orders = yield* Orders
          assert.strictEqual(orders.name, "test/Orders")
          assert.strictEqual(yield* orders.consumerCount, 3)
          const [five, six, bad] = yield* orders.publisher.sendAll([5, 6, -1])
          assert.deepStrictEqual(yield* five!.results, [Exit.succeed("€5€"), undefined])
          assert.deepStrictEqual(yield* six!.results, [Exit.succeed("€6€"), Exit.succeed(12)])
          assert.deepStrictEqual(yield* six!.all, ["€6€", 12])
          assert.strictEqual(yield* Effect.flip(bad!.first), "unpriced")
          return orders
        })
        const orders = yield* program.pipe(Effect.provide(
          CollectorQueue.layer(Orders, { ...quiet, minConsumers: 3 }).pipe(
            Layer.provide([PricesLive, RoutesLive]),
            Layer.provide(CurrencyLive)
          )
        ))
        assert.strictEqual((yield* orders.awaitEnd).settled, 3)
      }))

    it.effect("sets its collectors up each time a queue starts, not with their Layer", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const Counting = Collector.layer(
          Prices,
          Effect.as(
            Effect.acquireRelease(Effect.sync(() => order.push("+")), () => Effect.sync(() => order.push("-"))),
            () => Effect.succeed("price")
          )
        )
        yield* Effect.gen(function*() {
          assert.deepStrictEqual(order, [])
          for (let i = 0; i < 2; i++) {
            yield* Effect.scoped(CollectorQueue.make("again", { ...quiet, collectors: [Prices] }))
          }
          assert.deepStrictEqual(order, ["+", "-", "+", "-"])
        }).pipe(Effect.provide(Counting))
      }))

    it.effect("fails its Layer with what a set-up fails with", () =>
      Effect.gen(function*() {
        const build = (prices: typeof PricesLive, routes: typeof RoutesLive) =>
          Effect.flip(Effect.scoped(Layer.build(
            CollectorQueue.layer(Orders, quiet).pipe(Layer.provide([prices, routes]), Layer.provide(CurrencyLive))
          )))
        assert.strictEqual(
          yield* build(Collector.layer(Prices, Effect.fail("no prices" as const)), RoutesLive),
          "no prices"
        )
        assert.strictEqual(
          yield* build(PricesLive, Router.layer(Routes, Effect.fail("no routes" as const))),
          "no routes"
        )
      }))
  })

  describe("beside others", () => {
    it.effect("takes what another queue collects, through a plain function", () =>
      Effect.gen(function*() {
        const second = yield* CollectorQueue.make("second", { ...fixed(2), collectors: [double] })
        const first = yield* CollectorQueue.make("first", { ...fixed(1), collectors: [second.publisher.send] })
        const receipts = yield* first.publisher.sendAll([1, 2, 3])
        const results = yield* Effect.forEach(receipts, (receipt) =>
          Effect.flatMap(receipt.first, (inner) => inner.first))
        assert.deepStrictEqual(results, [2, 4, 6])
      }))

    it.effect("consumes a stream through its send", () =>
      Effect.gen(function*() {
        const seen: Array<number> = []
        const queue = yield* CollectorQueue.make("stream", {
          ...fixed(1),
          capacity: 2,
          collectors: [(n: number) => Effect.sync(() => seen.push(n))]
        })
        yield* Stream.runForEach(Stream.fromIterable(numbers(10)), queue.publisher.send)
        yield* queue.awaitIdle
        assert.deepStrictEqual(seen, numbers(10))
      }))
  })
})
