import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { TimedOut } from "../ConveyorError.ts"

/** What a recipe gave, and how to give it back. */
export interface Acquired<out F> {
  readonly use: F
  readonly release: Effect.Effect<void>
}

/**
 * Acquires a recipe in a Scope of its own, closed again at once if that fails.
 *
 * An acquisition that hangs is a failure like any other: a connection that never answers must not stall its conveyor.
 */
export const acquire = <F, E, R>(
  name: string,
  recipe: Effect.Effect<F, E, R | Scope.Scope>,
  timeout: Duration.Duration | undefined
): Effect.Effect<Acquired<F>, E | TimedOut, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) => {
    const scope = Scope.makeUnsafe()
    return restore(within(name, Scope.provide(recipe, scope), timeout)).pipe(
      Effect.map((use) => ({ use, release: Scope.close(scope, Exit.void) })),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

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
