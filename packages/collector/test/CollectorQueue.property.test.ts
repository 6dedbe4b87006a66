import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Logger, Random, Scope } from "effect"
import { Collector, CollectorQueue, MessageBus, type Publisher, Router, ScalingPolicy } from "effect-collector"
import type { Receipt } from "effect-collector/Receipt"
import { Simulation } from "effect-simulation"

const graceMillis = 1_000

const chance = (p: number) => Effect.map(Random.next, (drawn) => drawn < p)
const pick = <A>(from: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, from.length - 1), (i) => from[i]!)
const between = (least: number, most: number) => Random.nextIntBetween(least, most)

const plans = [
  "succeed",
  "sync",
  "yield",
  "sleep",
  "fail",
  "failLate",
  "die",
  "throw",
  "interruptItself",
  "never",
  "deaf"
] as const
type Plan = typeof plans[number]

interface Payload {
  readonly id: number
  readonly plans: ReadonlyArray<Plan>
}

/** What a collector does with a payload. */
const behave = (plan: Plan): Effect.Effect<number, "failed"> => {
  switch (plan) {
    case "succeed":
      return Effect.succeed(1)
    case "sync":
      return Effect.sync(() => plan.length)
    case "yield":
      return Effect.as(Effect.yieldNow, 3)
    case "sleep":
      return Effect.as(Effect.sleep("30 millis"), 4)
    case "fail":
      return Effect.fail("failed")
    case "failLate":
      return Effect.andThen(Effect.sleep("7 millis"), Effect.fail("failed" as const))
    case "die":
      return Effect.die("defect")
    case "throw":
      throw new Error("thrown")
    case "interruptItself":
      return Effect.andThen(Effect.yieldNow, Effect.interrupt)
    case "never":
      return Effect.never
    case "deaf":
      return Effect.uninterruptible(Effect.as(Effect.sleep("5 seconds"), 5))
  }
}

/** What happened, seen from outside the queue. */
class Observed {
  readonly accepted: Array<Receipt> = []
  /** Payloads that the router or a collector was shown, with how often each collector was. */
  readonly begun = new Map<number, Array<number>>()
  /** Payloads that some collector works on, and how many do. */
  readonly atWork = new Map<number, number>()
  mostAtWork = 0
  refused = 0
  otherFailures = 0
  readonly sizes: Array<number> = []
  readonly told: Array<MessageBus.BusEvent> = []
  readonly views: Array<{ readonly receipt: number; readonly results: string; readonly first: string }> = []
  closed = false
  afterClose = 0

  show(id: number): Array<number> {
    if (this.closed) this.afterClose++
    const shown = this.begun.get(id) ?? []
    this.begun.set(id, shown)
    return shown
  }

  enter(id: number, place: number): void {
    this.show(id).push(place)
    this.atWork.set(id, (this.atWork.get(id) ?? 0) + 1)
    this.mostAtWork = Math.max(this.mostAtWork, this.atWork.size)
  }

  leave(id: number): void {
    const left = this.atWork.get(id)! - 1
    if (left > 0) this.atWork.set(id, left)
    else this.atWork.delete(id)
  }
}

const show = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit)
    ? Array.isArray(exit.value)
      ? `[${exit.value.map((each) => Exit.isExit(each) ? show(each) : each)}]`
      : `${exit.value}`
    : Cause.pretty(exit.cause).split("\n")[0]!

const collectorOf = (observed: Observed, place: number) =>
  Collector.fromFunction(`collector ${place}`, (payload: Payload) => {
    observed.enter(payload.id, place)
    try {
      return Effect.ensuring(
        behave(payload.plans[place]!),
        Effect.sync(() => observed.leave(payload.id))
      )
    } catch (defect) {
      observed.leave(payload.id)
      throw defect
    }
  })

const routers = (observed: Observed): ReadonlyArray<Router.Router<Payload, Router.Kind>> => {
  const shown = (payload: Payload) => observed.show(payload.id)
  const some = [
    Router.roundRobin,
    Router.byKey((payload: Payload) => payload.id % 3),
    Router.make((payload: Payload, collectors) => {
      shown(payload)
      if (payload.id % 5 === 0) return []
      if (payload.id % 5 === 1) return [...collectors, ...collectors].reverse()
      if (payload.id % 7 === 6) throw new Error("router")
      return collectors.slice(0, 1)
    }),
    Router.make((payload: Payload, collectors) => {
      shown(payload)
      return Effect.gen(function*() {
        if (yield* chance(0.3)) yield* Effect.sleep("4 millis")
        if (yield* chance(0.1)) return yield* Effect.die("router")
        return collectors.filter((_, place) => (payload.id + place) % 2 === 0)
      })
    })
  ]
  return [Router.all, Router.concurrent(Router.all), ...some, ...some.map(Router.concurrent)]
}

/** A pure policy that wants anything, in its bounds or not. */
const restless = ScalingPolicy.make({
  name: "restless",
  initial: (sample) => sample.now % 5,
  decide: (state: number, sample) => ({
    state: (state * 7 + sample.arrivals + 3) % 11,
    size: sample.depth + sample.busy === 0 ? 0 : state === 6 ? NaN : state * 1.5 - 2
  })
})

/** A queue of random make and random misfortune, sent to by several, and ended in a random way at a random moment. */
const scenario = Effect.gen(function*() {
  const observed = new Observed()
  const collectors = Array.from({ length: yield* between(1, 3) }, (_, place) => collectorOf(observed, place))
  const router = yield* pick(routers(observed))
  const minConsumers = yield* between(1, 3)
  const maxConsumers = minConsumers + (yield* between(0, 3))
  const queueType = yield* pick(["fifo", "fifo", "lifo", "priority"] as const)
  const overflow = yield* pick(["suspend", "suspend", "dropNewest", "dropOldest"] as const)
  const timeout = yield* pick([0, 50, 300])
  const autoscale = yield* chance(0.8)
  const hangingHandler = yield* chance(0.2)
  const surrounding = yield* Scope.make(yield* pick(["sequential", "parallel"] as const))
  const queue = yield* CollectorQueue.make("random", {
    collectors,
    router: router as Router.Router<unknown, "some">,
    minConsumers,
    maxConsumers,
    autoscale,
    scaling: autoscale && (yield* chance(0.7)) ? restless : undefined,
    capacity: yield* pick([1, 2, 5, "unbounded"] as const),
    overflow,
    queueType,
    ageEvery: queueType === "priority" && (yield* chance(0.5)) ? "20 millis" : undefined,
    consumerShutdownTimeout: timeout,
    reportInterval: yield* pick([0, 15]),
    keyed: (yield* chance(0.3))
      ? { by: ({ id }) => id % 3, concurrency: yield* pick([1, 2, "unbounded"] as const) }
      : undefined,
    handlers: [
      ...(["Initialized", "ReportedMetrics", "ScaledUp", "ScaledDown", "Dropped", "ShutDown"] as const).map((tag) =>
        MessageBus.on(tag, (event) => Effect.sync(() => observed.told.push(event)))
      ),
      MessageBus.on("ShutDown", () => hangingHandler ? Effect.never : Effect.void),
      MessageBus.on("ScaledUp", () => Effect.die("handler"))
    ]
  }).pipe(Scope.provide(surrounding))

  let ids = 0
  const newPayload = Effect.gen(function*(): Effect.fn.Return<Payload> {
    const deaf = yield* chance(0.02)
    const chosen: Array<Plan> = []
    for (let i = 0; i < collectors.length; i++) {
      chosen.push(deaf ? "deaf" : (yield* chance(0.02)) ? "never" : yield* pick(plans.slice(0, -2)))
    }
    return { id: ids++, plans: chosen }
  })
  const waiting: Array<Fiber.Fiber<unknown, unknown>> = []
  const waitFor = (receipt: Receipt) =>
    Effect.gen(function*() {
      const results = yield* Effect.exit(receipt.results)
      const first = yield* Effect.exit(receipt.first)
      observed.views.push({ receipt: receipt.id, results: show(results), first: show(first) })
    })
  const given = (receipt: Receipt) =>
    Effect.gen(function*() {
      observed.accepted.push(receipt)
      for (let i = yield* between(0, 2); i > 0; i--) {
        const waiter = yield* Effect.forkChild(waitFor(receipt), { startImmediately: yield* chance(0.5) })
        if (yield* chance(0.3)) yield* Effect.forkChild(Fiber.interrupt(waiter))
        else waiting.push(waiter)
      }
    })
  const sender = Effect.gen(function*() {
    for (let i = yield* between(0, 6); i > 0; i--) {
      const publisher: Publisher.Publisher<Payload> = queueType === "priority" && (yield* chance(0.5))
        ? queue.publisher.withPriority(yield* between(1, 200))
        : queue.publisher
      const sending = (yield* chance(0.3))
        ? publisher.sendAll([yield* newPayload, yield* newPayload, yield* newPayload])
        : Effect.map(publisher.send(yield* newPayload), (receipt) => [receipt])
      const exit = yield* Effect.exit(sending)
      if (Exit.isSuccess(exit)) yield* Effect.forEach(exit.value, given, { discard: true })
      else if (Cause.hasFails(exit.cause)) observed.refused++
      else observed.otherFailures++
      if (yield* chance(0.4)) yield* Effect.sleep(yield* between(0, 30))
    }
  })
  const senders: Array<Fiber.Fiber<unknown, unknown>> = []
  for (let i = 0; i < 3; i++) senders.push(yield* Effect.forkChild(sender))
  const watcher = yield* Effect.forkChild(Effect.forever(Effect.andThen(
    Effect.sleep("3 millis"),
    Effect.map(queue.consumerCount, (size) => {
      if (!observed.closed) observed.sizes.push(size)
    })
  )))
  yield* Effect.sleep(yield* between(0, 120))
  if (yield* chance(0.5)) yield* Fiber.interrupt(senders[0]!)
  yield* Fiber.interrupt(watcher)

  // Ended by several, some of whom do not wait for it.
  for (let i = yield* between(0, 3); i > 0; i--) {
    const asking = yield* Effect.forkChild(queue.shutDown, { startImmediately: yield* chance(0.5) })
    if (yield* chance(0.5)) yield* Effect.forkChild(Fiber.interrupt(asking))
  }
  const [took] = yield* Effect.timed(Scope.close(surrounding, Exit.void))
  observed.closed = true
  const report = yield* queue.awaitEnd
  const again = yield* queue.shutDown
  const late = yield* Effect.exit(queue.publisher.send({ id: -1, plans: [] }))
  const lateAll = yield* Effect.exit(queue.publisher.sendAll([{ id: -2, plans: [] }]))
  yield* Fiber.awaitAll(senders)
  const unsettled = observed.accepted.filter((receipt) => !receipt.isSettled)
  yield* Fiber.awaitAll(waiting)
  const metrics = yield* queue.metrics
  const outcomes = yield* Effect.forEach(observed.accepted, (receipt) => Effect.exit(receipt.results))
  // Those that are deaf have ended by then, and must not have changed anything.
  const before = outcomes.map(show)
  yield* Effect.sleep("1 minute")
  const after = (yield* Effect.forEach(observed.accepted, (receipt) => Effect.exit(receipt.results))).map(show)
  return {
    after,
    again,
    before,
    collectors: collectors.length,
    concurrent: router.concurrent,
    hangingHandler,
    late,
    lateAll,
    maxConsumers,
    metrics,
    minConsumers,
    observed,
    outcomes,
    report,
    timeout,
    took: Duration.toMillis(took),
    unsettled
  }
}).pipe(Effect.provide(Logger.layer([])))

const check = (law: (run: Effect.Success<typeof scenario>) => void) =>
  Simulation.check(() => scenario, (outcome) => {
    assert.strictEqual(outcome.exit._tag, "Success")
    if (outcome.exit._tag === "Success") law(outcome.exit.value)
    assert.strictEqual(outcome.leftover.length, 0, "fibers left over")
  }, { runs: 100 })

describe("CollectorQueue", () => {
  it.effect("law: every receipt settles, once and for all, and everybody who waits sees the same", () =>
    check(({ after, before, observed, unsettled }) => {
      assert.strictEqual(unsettled.length, 0)
      assert.deepStrictEqual(after, before)
      assert.strictEqual(observed.otherFailures, 0)
      const resultsOf = new Map(observed.accepted.map((receipt, i) => [receipt.id, before[i]!]))
      for (const view of observed.views) assert.strictEqual(view.results, resultsOf.get(view.receipt))
    }))

  it.effect("law: accepted = settled + interrupted + left + abandoned + dropped as the oldest", () =>
    check(({ concurrent, metrics, observed, report }) => {
      const dropped = (reason: string) =>
        observed.told.filter((event) => event._tag === "Dropped" && event.reason === reason).length
      assert.strictEqual(
        metrics.eventCount,
        report.settled + report.interrupted + report.left + report.abandoned + dropped("dropOldest")
      )
      const begun = report.settled + report.interrupted + report.abandoned
      // Collectors in fibers of their own may be interrupted before they are asked.
      if (concurrent) assert.isAtMost(observed.begun.size, begun)
      else assert.strictEqual(observed.begun.size, begun)
      assert.strictEqual(report.left, dropped("shutDown"))
      assert.strictEqual(metrics.outcomes.dropped, dropped("dropOldest") + dropped("dropNewest"))
      assert.strictEqual(metrics.qsize + metrics.busy, 0)
    }))

  it.effect("law: a receipt says what its collectors made of the payload, and each had it at most once", () =>
    check(({ collectors, observed, outcomes }) => {
      for (const places of observed.begun.values()) assert.strictEqual(new Set(places).size, places.length)
      for (const exit of outcomes) {
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value.length, collectors)
        else assert.match(show(exit), /^Dropped/)
      }
    }))

  it.effect("law: never more at work than maxConsumers, and never a size outside minConsumers and maxConsumers", () =>
    check(({ maxConsumers, minConsumers, observed }) => {
      assert.isAtMost(observed.mostAtWork, maxConsumers)
      const told = observed.told.flatMap((event) =>
        event._tag === "ScaledUp" || event._tag === "ScaledDown" ? [event.from, event.to] : []
      )
      for (const size of [...observed.sizes, ...told]) {
        assert.isAtLeast(size, minConsumers)
        assert.isAtMost(size, maxConsumers)
      }
    }))

  it.effect("law: everything sent after the end is refused, and nothing is collected", () =>
    check(({ late, lateAll, observed }) => {
      assert.match(show(late), /^QueueShutDown/)
      assert.match(show(lateAll), /^QueueShutDown/)
      assert.strictEqual(observed.afterClose, 0)
    }))

  it.effect("law: the end comes within consumerShutdownTimeout and the graces, and everybody is told the same", () =>
    check(({ again, hangingHandler, report, timeout, took }) => {
      assert.isAtMost(took, timeout + graceMillis + (hangingHandler ? graceMillis : 0) + 1)
      assert.deepStrictEqual(again, report)
    }))

  it.effect("law: the bus begins with Initialized, ends with ShutDown, and tells each once", () =>
    check(({ observed, report }) => {
      const tags = observed.told.map((event) => event._tag)
      assert.strictEqual(tags.filter((tag) => tag === "Initialized").length, 1)
      assert.deepStrictEqual(observed.told.filter((event) => event._tag === "ShutDown").map((event) => event.report), [
        report
      ])
    }))
  it.effect.each([{ queueType: "fifo" }, { queueType: "lifo" }, { queueType: "priority" }] as const)(
    "law: one consumer begins in the order of the queue, whoever sends and waits ($queueType)",
    ({ queueType }) =>
      Simulation.check(
        () =>
          Effect.scoped(Effect.gen(function*() {
            const begun: Array<number> = []
            const gate = yield* Deferred.make<void>()
            const queue = yield* CollectorQueue.make("order", {
              autoscale: false,
              maxConsumers: 1,
              logging: false,
              queueType,
              capacity: "unbounded",
              collectors: [(id: number) =>
                Effect.andThen(
                  Effect.sync(() => begun.push(id)),
                  id === 0 ? Deferred.await(gate) : id % 2 === 0 ? Effect.yieldNow : Effect.void
                )]
            })
            // The consumer is held until all have been sent, so that the whole order shows.
            yield* queue.publisher.send(0)
            while (begun.length === 0) yield* Effect.yieldNow
            const sent: Array<{ readonly id: number; readonly priority: number; readonly payload: number }> = []
            const send = (payload: number) =>
              Effect.gen(function*() {
                const priority = queueType === "priority" ? yield* between(1, 3) : 100
                const publisher = queueType === "priority" ? queue.publisher.withPriority(priority) : queue.publisher
                const { id } = yield* publisher.send(payload)
                sent.push({ id, priority, payload })
              })
            yield* Effect.forEach([1, 2, 3], (sender) =>
              Effect.gen(function*() {
                for (let i = 0; i < 5; i++) yield* send(sender * 10 + i)
              }), { concurrency: "unbounded" })
            yield* Deferred.succeed(gate, undefined)
            yield* queue.awaitIdle
            const expected = sent.toSorted((a, b) =>
              queueType === "lifo" ? b.id - a.id : a.priority - b.priority || a.id - b.id
            )
            assert.deepStrictEqual(begun, [0, ...expected.map(({ payload }) => payload)])
          })),
        undefined,
        { runs: 100 }
      )
  )

  it.effect("law: L = λW holds of a flow that is steady, to within the noise of the window", () =>
    Effect.gen(function*() {
      const outcome = yield* Simulation.run(
        Effect.scoped(Effect.gen(function*() {
          const exponential = (mean: number) => Effect.map(Random.next, (drawn) => -Math.log(1 - drawn) * mean)
          const queue = yield* CollectorQueue.make("steady", {
            autoscale: false,
            maxConsumers: 3,
            logging: false,
            metricsCollectorWindowSize: "20 minutes",
            collectors: [() => Effect.flatMap(exponential(200), Effect.sleep)]
          })
          for (let i = 0; i < 8000; i++) {
            yield* queue.publisher.send(i)
            yield* Effect.sleep(yield* exponential(100))
          }
          return yield* queue.metrics
        })),
        { seed: 11, maxSteps: 2_000_000 }
      )
      const metrics = yield* outcome.exit
      // Of M/M/3 with a load of two Erlang: 2.889 in the system, 4/9 of the arrivals wait.
      assert.approximately(metrics.wip, 2.889, 0.3)
      assert.isBelow(Math.abs(metrics.littleResidual), 0.02 * metrics.wip)
      assert.approximately(metrics.utilization, 2 / 3, 0.03)
    }))
})
