/**
 * What a sender gets for an event: a promise that it settles exactly once, and how to wait for what its collectors made of
 * it.
 *
 * **Source** event_collector's `event.wait()` and its result list. Results are typed Exits here, and an event that is dropped
 * or interrupted settles too: nobody waits for ever.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Dropped, Unroutable } from "./CollectorError.ts"

/**
 * One Exit for each collector of the queue, in the order of their declaration; `undefined` where the router did not choose
 * the collector.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Results = ReadonlyArray<Exit.Exit<unknown, unknown> | undefined>

/**
 * What the collector behind an Exit gives.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Success<X> = X extends Exit.Exit<infer A, infer _E> ? A : never

/**
 * As {@link Success}, and `undefined` where there may be no Exit.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Value<X> = X extends Exit.Exit<infer A, infer _E> ? A : undefined

/**
 * What the collector behind an Exit fails with.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Failure<X> = X extends Exit.Exit<infer _A, infer E> ? E : never

/**
 * Exactly the first collector's Exit where every collector gets every payload, else that of any.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type First<Rs extends Results> = Rs extends readonly [infer X, ...infer _] ? undefined extends X ? Rs[number] : X
  : Rs[number]

/**
 * The receipt of an accepted event.
 *
 * **Details**
 *
 * An event settles exactly once, whoever waits and however often: when its last collector has ended, when it is dropped, or
 * when it is interrupted by the shut-down; a collector that was interrupted, or had not had its turn, then has an
 * interrupted Exit. Waiting costs no fiber and may be interrupted without harm to the event.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Receipt<out Rs extends Results = Results> {
  /** The number of the event in its queue, from 1, in the order of sending. */
  readonly id: number
  /** Whether it has settled. */
  readonly isSettled: boolean
  /** Each collector's Exit. Fails only if no collector had the event. */
  readonly results: Effect.Effect<Rs, Dropped>
  /** What the first of the chosen collectors gave, or failed with. */
  readonly first: Effect.Effect<Success<First<Rs>>, Failure<First<Rs>> | Dropped | Unroutable>
  /** What every collector gave, or the failure of the first that failed. `undefined` where the router did not choose it. */
  readonly all: Effect.Effect<
    { readonly [K in keyof Rs]: Value<Rs[K]> },
    Failure<Rs[number]> | Dropped | Unroutable
  >
}
