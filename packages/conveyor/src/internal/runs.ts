import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** The runs of a producer that are under way, each in a fiber of its own. */
export interface Runs<R> {
  readonly size: () => number
  /**
   * Starts a run and tells how it ended; a run that outlives the timeout is interrupted, and `timedOut` says so. A run that never
   * waits has ended when this returns.
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
  let empty: Deferred.Deferred<void> | undefined

  return {
    size: () => running.size,
    start: (effect, onEnd) => {
      const fiber = fork(effect)
      const ended = fiber.pollUnsafe()
      if (ended !== undefined) return onEnd(ended, false)
      running.add(fiber)
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
        running.delete(fiber)
        onEnd(exit, timedOut && exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
        if (running.size === 0 && empty !== undefined) Deferred.doneUnsafe(empty, Effect.void as never)
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
