import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** The runs of a producer that are under way, each in a fiber of its own. */
export interface Runs<R> {
  readonly size: () => number
  /**
   * Starts a run and tells how it ended, never before this has returned; a run that outlives the timeout is interrupted, and `timedOut`
   * says so.
   */
  readonly start: <A, E>(
    effect: Effect.Effect<A, E, R>,
    onEnd: (exit: Exit.Exit<A, E>, timedOut: boolean) => void
  ) => void
  readonly awaitEmpty: Effect.Effect<void>
  readonly interrupt: Effect.Effect<void>
}

export const make = <R>(context: Context.Context<R>, timeout: Duration.Duration | undefined): Runs<R> => {
  const running = new Set<Fiber.Fiber<unknown, unknown>>()
  const fork = Effect.runForkWith(context)
  const dispatcher = dispatcherOf(Context.get(context as Context.Context<never>, Scheduler.Scheduler))
  let empty: Deferred.Deferred<void> | undefined

  const forget = (fiber: Fiber.Fiber<unknown, unknown>) => {
    running.delete(fiber)
    if (running.size === 0 && empty !== undefined) Deferred.doneUnsafe(empty, Effect.void as never)
  }

  return {
    size: () => running.size,
    start: (effect, onEnd) => {
      const fiber = fork(effect)
      running.add(fiber)
      const ended = fiber.pollUnsafe()
      if (ended !== undefined) {
        // Thousands of conveyors may be due at one instant: what a run leaves to do is done once all of them have begun.
        return dispatcher.scheduleTask(() => {
          onEnd(ended, false)
          forget(fiber)
        }, 0)
      }
      let timedOut = false
      const watch = timeout === undefined ? undefined : fork(Effect.andThen(
        Effect.sleep(timeout),
        Effect.sync(() => {
          timedOut = true
          fiber.interruptUnsafe()
        })
      ))
      fiber.addObserver((exit) => {
        watch?.interruptUnsafe()
        onEnd(exit, timedOut && exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
        forget(fiber)
      })
    },
    awaitEmpty: Effect.suspend(() => {
      if (running.size === 0) return Effect.void
      empty ??= Deferred.makeUnsafe<void>()
      return Deferred.await(empty)
    }),
    interrupt: Effect.sync(() => {
      for (const fiber of running) fiber.interruptUnsafe()
    })
  }
}

// One for all conveyors: each dispatcher asks the event loop for a turn of its own.
const dispatchers = new WeakMap<Scheduler.Scheduler, Scheduler.SchedulerDispatcher>()

const dispatcherOf = (scheduler: Scheduler.Scheduler): Scheduler.SchedulerDispatcher => {
  const shared = dispatchers.get(scheduler) ?? scheduler.makeDispatcher()
  dispatchers.set(scheduler, shared)
  return shared
}
