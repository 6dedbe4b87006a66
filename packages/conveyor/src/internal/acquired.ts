import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TimedOut } from "../ConveyorError.ts"

/** What a recipe gave, and how to give it back. */
export interface Acquired<out F> {
  readonly use: F
  readonly release: Effect.Effect<void>
}

/**
 * Acquires a recipe in a Scope of its own, closed again if that fails.
 *
 * An acquisition that hangs is a failure like any other: a connection that never answers must not stall its conveyor. Most
 * acquisitions cannot be interrupted (`Effect.acquireRelease` sees to that), so they run in a fiber that can be left behind; what
 * such a fiber still acquires in the end is released at once.
 */
export const acquire = <F, E, R>(
  name: string,
  recipe: Effect.Effect<F, E, R | Scope.Scope>,
  timeout: Duration.Duration | undefined
): Effect.Effect<Acquired<F>, E | TimedOut, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) => {
    const scope = Scope.makeUnsafe()
    const release = leave(Scope.close(scope, Exit.void))
    return Effect.flatMap(Effect.forkDetach(Scope.provide(recipe, scope), { startImmediately: true }), (fiber) =>
      restore(within(name, Fiber.join(fiber), timeout)).pipe(
        Effect.map((use) => ({ use, release })),
        Effect.onError(() =>
          fiber.pollUnsafe() === undefined ? leaveBehind(fiber, release) : release
        )
      ))
  })

const leaveBehind = (fiber: Fiber.Fiber<unknown, unknown>, release: Effect.Effect<void>): Effect.Effect<void> => {
  fiber.interruptUnsafe()
  return Effect.asVoid(Effect.forkDetach(Effect.andThen(Fiber.await(fiber), release), { startImmediately: true }))
}

/** How long what was interrupted or released may take before it is left to itself. */
export const grace = Duration.seconds(1)

/** Runs a release to its end, or leaves it to itself after the grace: a finalizer that hangs must not hold up anything else. */
export const leave = (release: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.flatMap(
    Effect.forkDetach(release, { startImmediately: true }),
    (fiber) => Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), grace))
  )

/** Fails with {@link TimedOut} when the effect has not finished within the timeout. */
export const within = <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  timeout: Duration.Duration | undefined
): Effect.Effect<A, E | TimedOut, R> =>
  timeout === undefined
    ? effect
    : Effect.timeoutOrElse(effect, { duration: timeout, orElse: () => Effect.fail(new TimedOut({ name, timeout })) })

/** A timeout option as a Duration, or nothing where it is unbounded. */
export const timeoutOption = (input: Duration.Input | "unbounded"): Duration.Duration | undefined =>
  input === "unbounded" ? undefined : Duration.fromInputUnsafe(input)
