import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Conveyor, Options } from "../Conveyor.ts"
import { type ConveyorError, TimedOut } from "../ConveyorError.ts"
import type { ShutdownReport } from "../ConveyorEvent.ts"
import * as ConveyorMetrics from "../ConveyorMetrics.ts"
import * as MissedTick from "../MissedTick.ts"
import type { Tick } from "../Tick.ts"
import { grace, leave } from "./acquired.ts"
import * as Journal from "./journal.ts"
import { producerOf, startLanes } from "./participants.ts"
import * as Runs from "./runs.ts"
import { resolve } from "./settings.ts"
import * as Spans from "./spans.ts"
import * as SupervisedProducer from "./supervisedProducer.ts"
import * as Ticker from "./ticker.ts"

/**
 * Puts a conveyor together and starts it.
 *
 * Everything it starts hangs on a Scope of its own, which only the orderly end closes. The surrounding Scope does no more than
 * ask for that end and wait for it, so it does not matter in which order its finalizers run.
 */
export const make = Effect.fnUntraced(function*<A, E, R>(
  name: string,
  options: Options<A, E, R, ReadonlyArray<unknown>>
): Effect.fn.Return<Conveyor<A, E>, ConveyorError, R | Scope.Scope> {
  const context = yield* Effect.context<R>()
  const clock = yield* Clock.Clock
  const settings = resolve(name, options, clock.currentTimeMillisUnsafe())
  const traced = Spans.isTraced(context)
  const policy = options.missedTicks ?? MissedTick.skip
  const elapsed = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const journal = Journal.make<A, E>(name, context)
  const instruments = ConveyorMetrics.conveyor(context, name)
  const counts = { due: 0, run: 0, caughtUp: 0, failed: 0, skipped: 0, coalesced: 0 }
  const ended = Deferred.makeUnsafe<ShutdownReport>()
  const scope = Scope.makeUnsafe("sequential")
  let lastError: string | undefined
  let ending = false
  let gaveUp = false

  const count = (outcome: ConveyorMetrics.TickOutcome, ticks: number) => {
    counts[outcome] += ticks
    instruments.ticks(outcome, ticks)
  }

  // Until the orderly end can be asked for, an interruption or a refusal closes what has been started so far.
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const lanes = yield* startLanes(name, options.consumers, context, scope, journal.publish).pipe(
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
  const producer = SupervisedProducer.make<A, E, R>({
    conveyor: name,
    producer: yield* producerOf(name, options.producer),
    timeout: settings.timeout,
    maxSilence: settings.maxSilence,
    restart: options.restart,
    journal,
    context,
    onRestart: instruments.restarted,
    onGiveUp: () => {
      gaveUp = true
      begin()
    }
  })
  const runs = Runs.make(context, settings.timeout)

  const offerAll = (payload: A, tick: Tick): Effect.Effect<void> =>
    lanes.length === 1
      ? lanes[0]!.offer(payload, tick)
      : Effect.forEach(lanes, (lane) => lane.offer(payload, tick), { discard: true })
  // Runs that overlap take turns: one that waits for a full lane must not be overtaken in the lanes behind it.
  const turn = Semaphore.makeUnsafe(1)
  const put = policy._tag === "Overlap"
    ? (payload: A, tick: Tick) => turn.withPermits(1)(offerAll(payload, tick))
    : offerAll

  const ticker = Ticker.make({
    cadence: options.cadence,
    policy,
    maxTicks: settings.maxTicks,
    canRun: () => producer.produce() !== undefined,
    checkSilence: producer.checkSilence,
    due: (ticks) => {
      counts.due += ticks
    },
    missed: (outcome, ticks, reason) => {
      count(outcome, ticks)
      journal.publish({ _tag: "TicksMissed", conveyor: name, outcome, count: ticks, reason })
    },
    run: (tick, caughtUp, lateness, onEnd) => {
      const started = elapsed()
      // Suspended, because a function that throws is a run that dies, and not the end of ticking.
      const produced = Effect.suspend(() => producer.produce()!(tick))
      const settled = Effect.flatMap(produced, (payload) => put(payload, tick))
      runs.start(traced ? Spans.run(settled, name, tick) : settled, (exit, timedOut) => {
        const took = elapsed() - started
        instruments.lateness(lateness)
        instruments.produced(took)
        if (Exit.isSuccess(exit)) {
          count(caughtUp ? "caughtUp" : "run", 1)
          lastError = undefined
          if (journal.isWatched()) {
            journal.publish({ _tag: "TickRun", conveyor: name, tick, caughtUp, took: Duration.millis(took) })
          }
          producer.succeeded()
        } else {
          const cause: Cause.Cause<E | TimedOut> = timedOut
            ? Cause.fail(new TimedOut({ name: `producer of ${name}`, timeout: settings.timeout! }))
            : exit.cause
          count("failed", 1)
          lastError = Cause.pretty(cause)
          journal.publish({ _tag: "RunFailed", conveyor: name, tick, cause })
          producer.failed(cause)
        }
        onEnd()
      })
    },
    finished: () => begin()
  }, context)

  const end: Effect.Effect<void> = Effect.gen(function*() {
    const deadline = elapsed() + Duration.toMillis(settings.drainTimeout)
    const remaining = () => Duration.millis(Math.max(0, deadline - elapsed()))
    ticker.stop()
    producer.stop()
    yield* Effect.timeoutOption(runs.awaitEmpty, remaining())
    if (runs.size() > 0) {
      yield* runs.interrupt
      yield* Effect.timeoutOption(runs.awaitEmpty, grace)
    }
    const laneStats = yield* Effect.forEach(lanes, (lane) => lane.drain(remaining()), { concurrency: "unbounded" })
    yield* leave(Effect.andThen(Scope.close(scope, Exit.void), producer.release))
    const report: ShutdownReport = { name, gaveUp, ticks: { ...counts }, abandoned: runs.size(), lanes: laneStats }
    if (!gaveUp) journal.moveTo("stopped", "the conveyor has ended")
    journal.publish({ _tag: "Stopped", conveyor: name, report })
    yield* Deferred.succeed(ended, report)
  })

  // In a fiber of its own, so that whoever asked for the end may be interrupted without stopping it half-way.
  const begin = () => {
    if (ending) return
    ending = true
    Effect.runForkWith(context)(end)
  }
  const stop = Effect.suspend(() => {
    begin()
    return Deferred.await(ended)
  })

  yield* Effect.addFinalizer(() => stop)
  yield* producer.start
  journal.publish({ _tag: "Started", conveyor: name })
  // Giving up while the producer was acquired for the first time has begun the end already.
  if (!ending) ticker.start()

  return {
    name,
    events: journal.events,
    stop,
    awaitEnd: Deferred.await(ended),
    stats: Effect.map(Effect.forEach(lanes, (lane) => lane.stats), (laneStats) => ({
      name,
      health: journal.health(),
      ticks: { ...counts },
      running: runs.size(),
      restarts: producer.restarts(),
      nextDueAt: ticker.nextDueAt(),
      lastError,
      lanes: laneStats
    }))
  }
})
