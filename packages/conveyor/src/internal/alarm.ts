import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/**
 * Wakes whoever asked for an instant of the wall clock, all of them with one timer.
 *
 * Conveyors on one grid are due at the same instants. A timer and a sleeping fiber for each would make the last of thousands wait for
 * thousands of timers; here they wait for one, and then only for each other.
 */
export interface Alarm {
  /** Calls `wake` once when the wall clock shows the instant or a later one, never before this returns. Gives what cancels it. */
  readonly at: (instant: number, wake: () => void) => () => void
}

/**
 * Longest sleep, in milliseconds. Sleeping is monotonic and instants are not: a wall clock that was set, or a machine that was
 * suspended, is noticed after at most this long.
 */
const maxSleep = 30_000

interface Appointment {
  readonly wakes: Set<() => void>
  fiber: Fiber.Fiber<void> | undefined
}

const alarms = new WeakMap<Clock.Clock, Alarm>()

/** The alarm of a clock, shared by all who live by it. */
export const of = (context: Context.Context<never>): Alarm => {
  const clock = Context.get(context, Clock.Clock)
  const shared = alarms.get(clock) ?? make(clock, Context.get(context, Scheduler.Scheduler))
  alarms.set(clock, shared)
  return shared
}

const make = (clock: Clock.Clock, scheduler: Scheduler.Scheduler): Alarm => {
  const appointments = new Map<number, Appointment>()
  const fork = Effect.runForkWith(Context.make(Clock.Clock, clock).pipe(Context.add(Scheduler.Scheduler, scheduler)))

  const sleepUntil = (instant: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const left = instant - clock.currentTimeMillisUnsafe()
      return left <= 0 ? Effect.void : Effect.flatMap(Effect.sleep(Math.min(maxSleep, left)), () => sleepUntil(instant))
    })

  const ring = (instant: number, { wakes }: Appointment) =>
    Effect.sync(() => {
      appointments.delete(instant)
      for (const wake of wakes) wake()
    })

  return {
    at: (instant, wake) => {
      const appointment = appointments.get(instant) ?? { wakes: new Set(), fiber: undefined }
      appointment.wakes.add(wake)
      if (appointment.fiber === undefined) {
        appointments.set(instant, appointment)
        appointment.fiber = fork(
          Effect.yieldNow.pipe(Effect.andThen(sleepUntil(instant)), Effect.andThen(ring(instant, appointment)))
        )
      }
      return () => {
        appointment.wakes.delete(wake)
        if (appointment.wakes.size > 0 || appointments.get(instant) !== appointment) return
        appointments.delete(instant)
        appointment.fiber?.interruptUnsafe()
      }
    }
  }
}
