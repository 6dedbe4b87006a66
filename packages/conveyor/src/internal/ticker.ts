import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Random from "effect/Random"
import * as Cadence from "../Cadence.ts"
import * as MissedTick from "../MissedTick.ts"
import * as Tick from "../Tick.ts"
import * as Alarm from "./alarm.ts"

/** Turns a cadence into runs: waits until a tick is due, asks the policy what becomes of it, and reports every outcome. */
export interface Ticker {
  readonly start: () => void
  readonly stop: () => void
  readonly nextDueAt: () => number | undefined
}

export interface TickerOptions {
  readonly cadence: Cadence.Cadence
  readonly policy: MissedTick.Policy
  /** Runs after which there are no more; `Infinity` for no end. */
  readonly maxTicks: number
  readonly canRun: () => boolean
  /** Milliseconds until silence has to be looked at again. */
  readonly checkSilence: () => number
  readonly due: (ticks: number) => void
  readonly missed: (
    outcome: "skipped" | "coalesced",
    ticks: number,
    reason: "overrun" | "late" | "producerDown"
  ) => void
  readonly run: (tick: Tick.Tick, caughtUp: boolean, latenessMillis: number, onEnd: () => void) => void
  /** The last run has ended and no other will begin. */
  readonly finished: () => void
}

/**
 * How far back, in milliseconds, the instants of a cron are looked at; those of a grid are counted without looking. A machine without a
 * battery for its clock starts in 1970: counting every minute since then would take an hour.
 */
const cronHorizon = 86_400_000

export const make = (options: TickerOptions, context: Context.Context<never>): Ticker =>
  options.cadence._tag === "Schedule"
    ? makeScheduled(options, options.cadence, context)
    : makeTimetabled(options, options.cadence, context)

const makeTimetabled = (
  options: TickerOptions,
  cadence: Cadence.Timetable,
  context: Context.Context<never>
): Ticker => {
  const clock = Context.get(context, Clock.Clock)
  const random = Context.get(context, Random.Random)
  const alarm = Alarm.of(context)
  // All of these are set by `start`, so that a grid anchored to the start begins when there is something to run.
  let startedAt = 0
  let state = MissedTick.start(0)
  let dueAt = Infinity
  let wakeAt = Infinity
  let index = 0
  let stopped = false

  const finishIfDone = () => {
    if (!stopped && state.running === 0 && (index >= options.maxTicks || dueAt === Infinity)) {
      stopped = true
      options.finished()
    }
  }

  const begin = (run: MissedTick.PlannedRun, now: number) => {
    const tick = Tick.make({ index, dueAt: run.dueAt, startedAt: now, missed: run.missed })
    index++
    options.due(1)
    options.run(tick, run.isCatchUp, now - run.dueAt, () => {
      const endedAt = clock.currentTimeMillisUnsafe()
      state = MissedTick.ended(options.policy, state, endedAt)
      // A tick that jitter delays has come due but must not begin before its time.
      decide(dueAt <= endedAt && endedAt < wakeAt ? dueAt - 1 : endedAt, "overrun")
      finishIfDone()
    })
  }

  const missed = (outcome: "skipped" | "coalesced", ticks: number, reason: "overrun" | "late" | "producerDown") => {
    if (ticks === 0) return
    options.due(ticks)
    options.missed(outcome, ticks, reason)
  }

  const decide = (now: number, reason: "overrun" | "late"): void => {
    if (cadence._tag === "Cron" && now - state.decided > cronHorizon) state = { ...state, decided: now - cronHorizon }
    let again = true
    while (again && !stopped && index < options.maxTicks) {
      if (!options.canRun()) return skipWhileDown(now)
      const decision = MissedTick.plan(options.policy, state, { cadence, startedAt, now })
      state = decision.state
      again = decision.again
      missed("skipped", decision.skipped, reason)
      missed("coalesced", decision.coalesced, reason)
      if (decision.run !== undefined) begin(decision.run, Math.max(now, clock.currentTimeMillisUnsafe()))
    }
  }

  const skipWhileDown = (now: number): void => {
    let due = Cadence.countDue(cadence, { startedAt, after: state.decided, until: now })
    while (due !== undefined) {
      missed("skipped", due.count, "producerDown")
      state = { ...state, decided: due.last, missed: state.missed + due.count }
      due = due.hasMore ? Cadence.countDue(cadence, { startedAt, after: state.decided, until: now }) : undefined
    }
  }

  let cancel = constVoid

  const step = (): void => {
    const now = clock.currentTimeMillisUnsafe()
    if (now >= wakeAt) {
      decide(now, state.running > 0 ? "overrun" : "late")
      dueAt = Cadence.next(cadence, { startedAt, after: now })
      wakeAt = dueAt + Cadence.startDelay(cadence, dueAt, random.nextDoubleUnsafe())
      finishIfDone()
    }
    if (!stopped) cancel = alarm.at(Math.min(wakeAt, Math.ceil(now + options.checkSilence())), step)
  }

  return {
    start: () => {
      startedAt = clock.currentTimeMillisUnsafe()
      dueAt = Cadence.first(cadence, startedAt)
      state = MissedTick.start(dueAt)
      wakeAt = dueAt + Cadence.startDelay(cadence, dueAt, random.nextDoubleUnsafe())
      // Never at once: whoever has made the conveyor may first subscribe to its events.
      cancel = alarm.at(wakeAt, step)
    },
    stop: () => {
      stopped = true
      cancel()
    },
    nextDueAt: () => stopped || dueAt === Infinity ? undefined : dueAt
  }
}

/** A schedule is asked only after each run, so its ticks are neither missed nor overlapped. */
const makeScheduled = (
  options: TickerOptions,
  cadence: Cadence.ScheduleCadence,
  context: Context.Context<never>
): Ticker => {
  const clock = Context.get(context, Clock.Clock)
  const alarm = Alarm.of(context)
  let dueAt: number | undefined
  let index = 0
  let missed = 0
  let stopped = false
  let fiber: Fiber.Fiber<void> | undefined

  const wake = (instant: number) =>
    Effect.callback<void>((resume) => {
      const cancel = alarm.at(instant, () => resume(Effect.void))
      return Effect.sync(cancel)
    })

  const awaitDue = (due: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      return now >= due
        ? Effect.void
        : Effect.flatMap(wake(Math.min(due, Math.ceil(now + options.checkSilence()))), () => awaitDue(due))
    })

  const runAt = (due: number) =>
    Effect.callback<void>((resume) => {
      const now = Math.max(due, clock.currentTimeMillisUnsafe())
      options.due(1)
      if (!options.canRun()) {
        missed++
        options.missed("skipped", 1, "producerDown")
        return resume(Effect.void)
      }
      const tick = Tick.make({ index, dueAt: due, startedAt: now, missed })
      index++
      missed = 0
      options.run(tick, false, now - due, () => resume(Effect.void))
    })

  const loop = Effect.gen(function*() {
    const startedAt = clock.currentTimeMillisUnsafe()
    const step = yield* Cadence.toStepper(cadence, startedAt)
    dueAt = Cadence.first(cadence, startedAt)
    while (dueAt !== undefined && index < options.maxTicks) {
      yield* awaitDue(dueAt)
      yield* runAt(dueAt)
      dueAt = yield* step(clock.currentTimeMillisUnsafe())
    }
    if (!stopped) options.finished()
  })
  return {
    start: () => {
      fiber = Effect.runForkWith(context)(loop)
    },
    stop: () => {
      stopped = true
      fiber?.interruptUnsafe()
    },
    nextDueAt: () => stopped ? undefined : dueAt
  }
}
