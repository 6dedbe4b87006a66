import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Random, Stream } from "effect"
import { Cadence, Consumer, Conveyor, type ConveyorEvent, Lane, MissedTick, Producer, type Tick } from "effect-conveyor"
import { Simulation } from "effect-simulation"

const policies: ReadonlyArray<MissedTick.Policy> = [
  MissedTick.skip,
  MissedTick.coalesce,
  MissedTick.catchUp(1),
  MissedTick.catchUp(3),
  MissedTick.overlap(2)
]
const overflows = ["suspend", "dropNewest", "dropOldest"] as const

const chance = (p: number) => Effect.map(Random.next, (drawn) => drawn < p)
const pick = <A>(from: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, from.length - 1), (i) => from[i]!)
const between = (least: number, most: number) => Random.nextIntBetween(least, most)

/** Now and then something takes a while, fails, dies, hangs, or ends at once. */
const behave = (slowest: number) =>
  Effect.gen(function*() {
    if (yield* chance(0.4)) yield* Effect.sleep(yield* between(0, slowest))
    if (yield* chance(0.1)) return yield* Effect.fail("failed" as const)
    if (yield* chance(0.03)) return yield* Effect.die("defect")
    if (yield* chance(0.02)) return yield* Effect.never
    if (yield* chance(0.1)) yield* Effect.yieldNow
  })

/** What happened, in the order it happened, seen from outside the conveyor. */
interface Observed {
  readonly produced: Array<number>
  readonly consumed: Array<{ readonly lane: string; readonly payload: number }>
  readonly rejected: Array<{ readonly lane: string; readonly payload: number }>
  readonly events: Array<ConveyorEvent.ConveyorEvent>
  running: number
  mostRunning: number
  closed: boolean
  afterClose: number
}

/** A conveyor of random make and random misfortune, run for a while and ended in a random way. */
const scenario = Effect.gen(function*() {
  const observed: Observed = {
    produced: [],
    consumed: [],
    rejected: [],
    events: [],
    running: 0,
    mostRunning: 0,
    closed: false,
    afterClose: 0
  }
  const alive = Effect.sync(() => {
    if (observed.closed) observed.afterClose++
  })
  const policy = yield* pick(policies)
  const producer = Producer.make(
    "random",
    Effect.gen(function*() {
      yield* alive
      if (yield* chance(0.1)) return yield* Effect.fail("offline" as const)
      return (tick: Tick.Tick) =>
        Effect.gen(function*() {
          observed.mostRunning = Math.max(observed.mostRunning, ++observed.running)
          yield* alive
          yield* Effect.ensuring(behave(2500), Effect.sync(() => observed.running--))
          yield* alive
          observed.produced.push(tick.index)
          return tick.index
        })
    })
  )
  const lanes: Array<Lane.Configured<number, unknown, never>> = []
  const concurrent = new Set<string>()
  for (let i = yield* between(0, 3); i > 0; i--) {
    const name = `lane ${i}`
    const batch = yield* chance(0.5)
    const concurrency = yield* pick([1, 1, 1, 3])
    if (concurrency > 1) concurrent.add(name)
    lanes.push(Lane.configure(
      Consumer.makeBatch(
        name,
        Effect.as(alive, (deliveries: ReadonlyArray<Consumer.Delivery<number>>) =>
          Effect.gen(function*() {
            yield* alive
            yield* behave(1500)
            if (yield* chance(0.05)) {
              if (deliveries.length === 1) observed.rejected.push({ lane: name, payload: deliveries[0]!.payload })
              return yield* new Consumer.Rejected({ reason: "no" })
            }
            yield* alive
            observed.consumed.push(...deliveries.map(({ payload }) => ({ lane: name, payload })))
          }))
      ),
      {
        capacity: yield* between(1, 4),
        overflow: yield* pick(overflows),
        attempts: yield* pick([1, 2, "unbounded" as const]),
        backoff: { min: "50 millis", max: "400 millis" },
        timeout: "2 seconds",
        concurrency,
        batch: batch ? { size: 3, wait: "700 millis" } : undefined
      }
    ))
  }
  const report = yield* Effect.scoped(Effect.gen(function*() {
    const conveyor = yield* Conveyor.make("random", {
      cadence: Cadence.every("1 second", {
        jitter: yield* pick([0, 300]),
        anchor: yield* pick(["clock", "start"] as const)
      }),
      producer,
      consumers: lanes,
      missedTicks: policy,
      timeout: "3 seconds",
      restart: { after: 2, minBackoff: "100 millis", maxBackoff: "1 second", maxRestarts: yield* pick([0, 3, 100]) },
      drainTimeout: yield* between(0, 5_000),
      maxTicks: yield* pick(["unbounded", 5] as const)
    })
    yield* Effect.forkScoped(
      Stream.runForEach(conveyor.events, (event) => Effect.sync(() => observed.events.push(event))),
      { startImmediately: true }
    )
    const waits = yield* between(0, 20_000)
    if (yield* chance(0.5)) {
      yield* Simulation.adjustWallClock(yield* between(-8_000, 8_000))
    }
    yield* Effect.raceFirst(Effect.sleep(waits), conveyor.awaitEnd)
    const stats = yield* conveyor.stats
    if (yield* chance(0.5)) yield* Effect.forkChild(conveyor.stop, { startImmediately: yield* chance(0.5) })
    // Closing is what ends the others.
    return { stop: conveyor.awaitEnd, stats }
  }))
  observed.closed = true
  const final = yield* report.stop
  yield* Effect.sleep("1 minute")
  return { observed, policy, report: final, lanes: final.lanes, concurrent }
}).pipe(Effect.provide(Logger.layer([])))

const check = (law: (run: Effect.Success<typeof scenario>) => void) =>
  Simulation.check(() => scenario, (outcome) => {
    assert.strictEqual(outcome.exit._tag, "Success")
    if (outcome.exit._tag === "Success") law(outcome.exit.value)
    assert.strictEqual(outcome.leftover.length, 0, "fibers left over")
  }, { runs: 150 })

describe("Conveyor", () => {
  it.effect("law: nothing runs after the Scope closes, and no fiber is left", () =>
    check(({ observed }) => assert.strictEqual(observed.afterClose, 0)))

  it.effect("law: outcomes add up to the ticks due", () =>
    check(({ report: { abandoned, ticks } }) =>
      assert.strictEqual(
        ticks.run + ticks.caughtUp + ticks.failed + ticks.skipped + ticks.coalesced + abandoned,
        ticks.due
      )
    ))

  it.effect("law: every payload a lane accepts is delivered, dead-lettered, dropped or left, and counted once", () =>
    check(({ lanes, observed, report }) => {
      for (const lane of lanes) {
        assert.strictEqual(lane.delivered + lane.deadLettered + lane.dropped + lane.left, lane.accepted, lane.name)
        const consumed = observed.consumed.filter((delivery) => delivery.lane === lane.name).map(({ payload }) =>
          payload
        )
        assert.isAtLeast(consumed.length, lane.delivered)
        assert.isAtMost(lane.accepted, observed.produced.length)
        assert.isAtLeast(lane.accepted, report.ticks.run + report.ticks.caughtUp)
      }
    }))

  it.effect("law: every lane delivers in production order, through retries too", () =>
    check(({ concurrent, lanes, observed, policy }) => {
      const orders = lanes.filter(({ name }) => !concurrent.has(name)).map(({ name }) =>
        observed.consumed.filter((delivery) => delivery.lane === name).map(({ payload }) => payload)
      )
      // Runs that overlap have no order of their own but the one in which the lanes took their payloads.
      const reference = policy._tag === "Overlap" ? orders[0] ?? [] : observed.produced
      for (const order of orders) {
        const places = order.map((payload) => reference.indexOf(payload)).filter((place) => place >= 0)
        assert.deepStrictEqual(places, places.toSorted((a, b) => a - b))
      }
    }))

  it.effect("law: never more runs at once than the policy allows", () =>
    check(({ observed, policy }) => assert.isAtMost(observed.mostRunning, policy._tag === "Overlap" ? policy.max : 1)))

  it.effect("law: runs begin in strictly increasing order of their due time, at most one for each slot", () =>
    check(({ observed }) => {
      const due = observed.events
        .filter((event) => event._tag === "TickRun" || event._tag === "RunFailed")
        .toSorted((a, b) => a.tick.index - b.tick.index)
        .map((event) => event.tick.dueAt.epochMilliseconds)
      for (let i = 1; i < due.length; i++) assert.isAbove(due[i]!, due[i - 1]!)
    }))
})
