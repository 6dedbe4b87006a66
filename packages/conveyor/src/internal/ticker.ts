import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Cadence from "../Cadence.ts"
import * as MissedTick from "../MissedTick.ts"
import * as Tick from "../Tick.ts"

/** Turns a cadence into runs: sleeps until a tick is due, asks the policy what becomes of it, and reports every outcome. */
export interface Ticker {
  /** Never resumes by itself unless the cadence ends; whoever starts it interrupts it. */
  readonly loop: Effect.Effect<void>
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
 * Longest sleep, in milliseconds. Sleeping is monotonic and ticks are not: a wall clock that was set, or a machine that was
 * suspended, is noticed after at most this long.
 */
const maxSleep = 30_000

/**
 * How far back, in milliseconds, the instants of a cron are looked at; those of a grid are counted without looking. A machine without a
 * battery for its clock starts in 1970: counting every minute since then would take an hour.
 */
const cronHorizon = 86_400_000

export const make = (options: TickerOptions): Effect.Effect<Ticker> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    options.cadence._tag === "Schedule"
      ? makeScheduled(options, options.cadence, clock)
      : Effect.map(Random.Random, (random) =>
        makeTimetabled(options, options.cadence as Cadence.Timetable, clock, random)))

const makeTimetabled = (
  options: TickerOptions,
  cadence: Cadence.Timetable,
  clock: Clock.Clock,
  random: typeof Random.Random["Service"]
): Ticker => {
  const startedAt = clock.currentTimeMillisUnsafe()
  let state = MissedTick.start(Cadence.first(cadence, startedAt))
  let dueAt = Cadence.first(cadence, startedAt)
  let wakeAt = dueAt + Cadence.startDelay(cadence, dueAt, random.nextDoubleUnsafe())
  let index = 0
  let running = 0
  let stopped = false

  const finishIfDone = () => {
    if (!stopped && running === 0 && (index >= options.maxTicks || dueAt === Infinity)) {
      stopped = true
      options.finished()
    }
  }

  const begin = (run: MissedTick.PlannedRun, now: number) => {
    const tick = Tick.make({ index, dueAt: run.dueAt, startedAt: now, missed: run.missed })
    index++
    running++
    options.due(1)
    options.run(tick, run.isCatchUp, now - run.dueAt, () => {
      running--
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

  const step = (): number => {
    const now = clock.currentTimeMillisUnsafe()
    if (now >= wakeAt) {
      decide(now, running > 0 ? "overrun" : "late")
      // Not merely after `now`: when the clock was set back, instants that had their run must not get another.
      dueAt = Cadence.next(cadence, { startedAt, after: Math.max(now, state.decided) })
      wakeAt = dueAt + Cadence.startDelay(cadence, dueAt, random.nextDoubleUnsafe())
      finishIfDone()
    }
    return Math.min(maxSleep, options.checkSilence(), Math.max(0, wakeAt - clock.currentTimeMillisUnsafe()))
  }

  const loop: Effect.Effect<void> = Effect.suspend(() => {
    const millis = step()
    // The last run may have ended within the step, and with it the conveyor: nobody would interrupt this sleep.
    return stopped ? Effect.void : Effect.flatMap(Effect.sleep(millis), () => loop)
  })
  return {
    loop,
    stop: () => {
      stopped = true
    },
    nextDueAt: () => stopped || dueAt === Infinity ? undefined : dueAt
  }
}

/** A schedule is asked only after each run, so its ticks are neither missed nor overlapped. */
const makeScheduled = (
  options: TickerOptions,
  cadence: Cadence.ScheduleCadence,
  clock: Clock.Clock
): Effect.Effect<Ticker> =>
  Effect.gen(function*() {
    const startedAt = clock.currentTimeMillisUnsafe()
    const step = yield* Cadence.toStepper(cadence, startedAt)
    let dueAt: number | undefined = Cadence.first(cadence, startedAt)
    let index = 0
    let missed = 0
    let stopped = false

    const runAt = (due: number) =>
      Effect.suspend(() => {
        const ended = Deferred.makeUnsafe<void>()
        const now = Math.max(due, clock.currentTimeMillisUnsafe())
        options.due(1)
        if (!options.canRun()) {
          missed++
          options.missed("skipped", 1, "producerDown")
          return Effect.void
        }
        const tick = Tick.make({ index, dueAt: due, startedAt: now, missed })
        index++
        missed = 0
        options.run(tick, false, now - due, () => Deferred.doneUnsafe(ended, Effect.void as never))
        return Deferred.await(ended)
      })

    const sleepUntil = (due: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        const left = due - clock.currentTimeMillisUnsafe()
        return left <= 0
          ? Effect.void
          : Effect.andThen(
            Effect.suspend(() => Effect.sleep(Math.min(maxSleep, options.checkSilence(), left))),
            sleepUntil(due)
          )
      })

    const loop = Effect.gen(function*() {
      while (dueAt !== undefined && index < options.maxTicks) {
        yield* sleepUntil(dueAt)
        yield* runAt(dueAt)
        dueAt = yield* step(clock.currentTimeMillisUnsafe())
      }
      if (!stopped) options.finished()
    })
    return {
      loop,
      stop: () => {
        stopped = true
      },
      nextDueAt: () => stopped ? undefined : dueAt
    }
  })
