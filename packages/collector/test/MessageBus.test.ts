import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Logger, Scope, Stream } from "effect"
import { CollectorQueue, MessageBus, ScalingPolicy } from "effect-collector"
import { Simulation } from "effect-simulation"
import { TestClock } from "effect/testing"

const quiet = { autoscale: false, maxConsumers: 1, logging: false } as const
const succeed = (n: number) => Effect.succeed(n)

const make = (options: CollectorQueue.Options<number>) =>
  CollectorQueue.make("bus", { ...quiet, ...options, collectors: [succeed] })

/** What a stream has given until now, and its fiber. */
const collecting = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const events: Array<A> = []
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(stream, (event) => Effect.sync(() => events.push(event))),
      { startImmediately: true }
    )
    return { events, fiber }
  })

const busy = {
  ...quiet,
  autoscale: true,
  minConsumers: 1,
  maxConsumers: 3,
  capacity: 2,
  overflow: "dropNewest",
  monitorInterval: "100 millis",
  reportInterval: "10 seconds",
  scaling: ScalingPolicy.make({
    name: "asMany",
    initial: () => undefined,
    decide: (_, { busy, depth }) => ({ state: undefined, size: busy + depth })
  })
} as const

/** Scales up and down, drops, reports, and shuts down. */
const eventful = Effect.gen(function*() {
  const queue = yield* CollectorQueue.make("busy", { ...busy, collectors: [() => Effect.sleep("1 second")] })
  const { events, fiber } = yield* collecting(queue.messageBus.events)
  yield* queue.publisher.sendAll([1, 2, 3])
  yield* TestClock.adjust("11 seconds")
  const report = yield* queue.shutDown
  return { events, fiber, report }
})

describe("MessageBus", () => {
  describe("events", () => {
    it.effect("are typed, in order, and end after ShutDown", () =>
      Effect.gen(function*() {
        const { events, fiber, report } = yield* eventful
        assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
        assert.deepStrictEqual(
          events.map((event) => event._tag === "ReportedMetrics" ? event.metrics.eventCount : event),
          [
            { _tag: "Dropped", queue: "busy", event: 3, reason: "dropNewest", total: 1 },
            { _tag: "ScaledUp", queue: "busy", from: 1, to: 2 },
            { _tag: "ScaledDown", queue: "busy", from: 2, to: 1 },
            2,
            { _tag: "ShutDown", queue: "busy", report }
          ]
        )
        assert.deepStrictEqual(report, { queue: "busy", settled: 2, interrupted: 0, left: 0, abandoned: 0 })
      }))

    it.effect("are given whole to everybody who listens, each at their own pace", () =>
      Effect.gen(function*() {
        const queue = yield* make({ reportInterval: "1 second" })
        const prompt = yield* collecting(queue.messageBus.events)
        const slow = yield* collecting(Stream.tap(queue.messageBus.events, () => Effect.sleep("10 seconds")))
        yield* TestClock.adjust("3 seconds")
        yield* queue.shutDown
        yield* Fiber.join(prompt.fiber)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* Fiber.await(slow.fiber), Exit.void)
        assert.deepStrictEqual(prompt.events.map(({ _tag }) => _tag), [
          "ReportedMetrics",
          "ReportedMetrics",
          "ReportedMetrics",
          "ShutDown"
        ])
        assert.deepStrictEqual(slow.events, prompt.events)
      }))

    it.effect("keep the latest for one that is far behind, and the end", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("behind", {
          ...quiet,
          capacity: 1,
          overflow: "dropNewest",
          consumerShutdownTimeout: 0,
          collectors: [() => Effect.never]
        })
        const gate = yield* Deferred.make<void>()
        const slow = yield* collecting(Stream.tap(queue.messageBus.events, () => Deferred.await(gate)))
        yield* queue.publisher.send(1)
        yield* TestClock.adjust(0)
        yield* queue.publisher.sendAll(Array.from({ length: 5001 }, (_, i) => i))
        yield* queue.shutDown
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.await(slow.fiber), Exit.void)
        assert.isBelow(slow.events.length, 1100)
        assert.isAbove(slow.events.length, 1000)
        assert.strictEqual(slow.events.at(-1)?._tag, "ShutDown")
      }))

    it.effect("are over at once for one who comes after the end", () =>
      Effect.gen(function*() {
        const queue = yield* make({})
        yield* queue.shutDown
        assert.deepStrictEqual(yield* Stream.runCollect(queue.messageBus.events), [])
      }))

    it.effect("law: end for everybody, whenever they come", () =>
      Simulation.check(
        ({ seed }) =>
          Effect.scoped(Effect.gen(function*() {
            const queue = yield* make({
              handlers: seed % 2 === 0 ? [MessageBus.on("ShutDown", () => Effect.sleep("10 millis"))] : undefined
            })
            const listening = yield* Effect.forEach([0, 1, 2, 3], (i) =>
              Effect.forkChild(Effect.gen(function*() {
                for (let steps = (seed >> i) % 24; steps > 0; steps--) yield* Effect.yieldNow
                return yield* Stream.runCollect(queue.messageBus.events)
              })))
            yield* queue.publisher.send(1)
            yield* queue.shutDown
            for (const fiber of listening) {
              const events = yield* Fiber.join(fiber)
              assert.include(["", "ShutDown"], events.map(({ _tag }) => _tag).join())
            }
          })),
        undefined,
        { runs: 300 }
      ))
  })

  describe("handlers", () => {
    it.effect("get every event of their tag from Initialized to ShutDown, in order", () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const queue = yield* make({
          reportInterval: "1 second",
          handlers: [
            MessageBus.on("Initialized", ({ consumers }) => Effect.sync(() => told.push(`up ${consumers}`))),
            MessageBus.on("ReportedMetrics", ({ metrics }) => Effect.sync(() => told.push(`at ${metrics.timestamp}`))),
            MessageBus.on("ShutDown", ({ report }) => Effect.sync(() => told.push(`down ${report.settled}`)))
          ]
        })
        yield* TestClock.adjust("2 seconds")
        yield* queue.shutDown
        assert.deepStrictEqual(told, ["up 1", "at 1000", "at 2000", "down 0"])
      }))

    it.effect.each(
      [
        { name: "fails", handle: () => Effect.fail("no"), took: 0 },
        { name: "dies", handle: () => Effect.die("defect"), took: 0 },
        {
          name: "throws",
          handle: (): Effect.Effect<void> => {
            throw new Error("thrown")
          },
          took: 0
        },
        { name: "interrupts itself", handle: () => Effect.interrupt, took: 0 },
        { name: "is slow", handle: () => Effect.sleep("300 millis"), took: 300 },
        { name: "hangs", handle: () => Effect.never, took: 1000 },
        { name: "hangs and ignores interruption", handle: () => Effect.uninterruptible(Effect.never), took: 2000 }
      ]
    )(
      "harm nothing when one $name, and delay the end by no more than the grace",
      ({ handle, took }) =>
        Effect.gen(function*() {
          const outcome = yield* Simulation.run(
            Effect.gen(function*() {
              const told: Array<string> = []
              const queue = yield* make({
                reportInterval: "1 second",
                handlers: [
                  MessageBus.on("Initialized", handle),
                  MessageBus.on("ReportedMetrics", handle),
                  MessageBus.on("ReportedMetrics", () => Effect.sync(() => told.push("report"))),
                  MessageBus.on("ShutDown", handle),
                  MessageBus.on("ShutDown", () => Effect.sync(() => told.push("down")))
                ]
              })
              yield* Effect.sleep("2500 millis")
              const [elapsed, receipt] = yield* Effect.timed(
                Effect.flatMap(queue.publisher.send(7), ({ first }) => first)
              )
              assert.deepStrictEqual([Duration.toMillis(elapsed), receipt], [0, 7])
              const before = yield* Clock.currentTimeMillis
              yield* queue.shutDown
              assert.deepStrictEqual(told, ["report", "report", "down"])
              return (yield* Clock.currentTimeMillis) - before
            }).pipe(Effect.scoped),
            { seed: 5 }
          )
          assert.isAtMost(yield* outcome.exit, took)
        })
    )

    it.effect("get the next event after one they failed at, and the failure is logged", () =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        let handled = 0
        yield* Effect.gen(function*() {
          yield* make({
            logging: true,
            reportInterval: "1 second",
            handlers: [MessageBus.on("ReportedMetrics", () => {
              switch (++handled) {
                case 1:
                  return Effect.fail("no")
                case 2:
                  return Effect.die("defect")
                case 3:
                  throw new Error("thrown")
                case 4:
                  return Effect.interrupt
                default:
                  return Effect.void
              }
            })]
          })
          yield* TestClock.adjust("5 seconds")
        }).pipe(Effect.provide(Logger.layer([Logger.make(({ logLevel, message }) => {
          lines.push(`${logLevel}: ${Array.isArray(message) ? message.join(" ") : message}`)
        })])))
        assert.strictEqual(handled, 5)
        assert.strictEqual(lines.filter((line) => line === "Warn: a handler of ReportedMetrics failed").length, 4)
      }))
  })

  describe("add", () => {
    it.effect("adds a handler for as long as the Scope lives", () =>
      Effect.gen(function*() {
        const queue = yield* make({ reportInterval: "1 second" })
        const seen: Array<number> = []
        const scope = yield* Scope.make()
        yield* TestClock.adjust("1 second")
        yield* queue.messageBus.add(
          MessageBus.on("ReportedMetrics", ({ metrics }) => Effect.sync(() => seen.push(metrics.timestamp)))
        ).pipe(Scope.provide(scope))
        yield* TestClock.adjust("2 seconds")
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(seen, [2000, 3000])
      }))

    it.effect("has subscribed when it resumes", () =>
      Effect.gen(function*() {
        const queue = yield* make({})
        const seen: Array<string> = []
        yield* queue.messageBus.add(MessageBus.on("ShutDown", ({ queue }) => Effect.sync(() => seen.push(queue))))
        yield* queue.shutDown
        assert.deepStrictEqual(seen, ["bus"])
      }))

    it.effect("adds nothing after the end", () =>
      Effect.gen(function*() {
        const queue = yield* make({})
        yield* queue.shutDown
        let handled = 0
        yield* queue.messageBus.add(MessageBus.on("ShutDown", () => Effect.sync(() => handled++)))
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(handled, 0)
      }))

    it.effect("law: leaves no fiber, whenever it comes", () =>
      Simulation.check(
        ({ seed }) =>
          Effect.scoped(Effect.gen(function*() {
            const queue = yield* make({})
            // Never closed, so that whatever is left in it shows.
            const outer = yield* Scope.make()
            const adding = yield* Effect.forkChild(Effect.gen(function*() {
              for (let steps = seed % 24; steps > 0; steps--) yield* Effect.yieldNow
              yield* queue.messageBus.add(MessageBus.on("ShutDown", () => Effect.void)).pipe(Scope.provide(outer))
            }))
            yield* queue.shutDown
            yield* Fiber.await(adding)
          })),
        undefined,
        { runs: 200 }
      ))
  })
})
