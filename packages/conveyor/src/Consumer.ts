/**
 * What receives payloads: a service that a conveyor feeds through a lane of its own.
 *
 * A consumer takes payloads one by one ({@link layer}, {@link make}) or in batches ({@link layerBatch}, {@link makeBatch}).
 * Like a producer it is a recipe: what it acquires lives in a Scope of its own, and is acquired afresh after a failure to
 * acquire. Delivery is at least once as long as the lane retries, so consuming the same payload twice must do no harm; the
 * tick's `dueAt` is the natural key.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { closeOver } from "./internal/recipe.ts"
import type { Tick } from "./Tick.ts"

const TypeId = "~effect-conveyor/Consumer"

/**
 * A payload on its way to one consumer.
 *
 * **Details** `attempt` counts from 1.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Delivery<out A> {
  readonly payload: A
  readonly tick: Tick
  readonly attempt: number
}

/**
 * Takes a batch of deliveries, in production order, all of it or none.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Consume<in A, out E = never, out R = never> = (
  batch: Arr.NonEmptyReadonlyArray<Delivery<A>>
) => Effect.Effect<void, E | Rejected, R>

/**
 * A recipe for consuming payloads of type `A`.
 *
 * **Details**
 *
 * `takes` says whether one call may carry several payloads. A consumer that takes them `one` at a time always receives
 * batches of exactly one, so that a failure never repeats what had already succeeded.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Consumer<in A, out E = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly takes: "one" | "batch"
  readonly acquire: Effect.Effect<Consume<A, E, R>, E | Rejected, R | Scope.Scope>
}

/**
 * A consumer, or the service that holds one.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Target<A, E, R> = Consumer<A, E, R> | Context.Key<R, Consumer<A, E>>

/**
 * Says that trying again would not help: the payload (or, while acquiring, the consumer's own set-up) is wrong.
 *
 * **Details**
 *
 * A rejected payload is not retried but goes to the dead letters at once. When a batch of several is rejected the lane
 * delivers its payloads one at a time, so that only the ones at fault are lost. A consumer that is rejected while it is
 * acquired stops its conveyor from starting.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Rejected extends Data.TaggedError("Rejected")<{ readonly reason: string; readonly cause?: unknown }> {
  override get message(): string {
    return this.reason
  }
}

/**
 * Tells whether a value is a consumer (and not the service that holds one).
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isConsumer = (u: unknown): u is Consumer<never, unknown, unknown> => Predicate.hasProperty(u, TypeId)

/**
 * Makes a consumer that takes one payload at a time from an Effect that acquires what it needs.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <A, E = never, R = never, EA = never, RA = never>(
  name: string,
  acquire: Effect.Effect<(payload: A, tick: Tick, attempt: number) => Effect.Effect<unknown, E, R>, EA, RA>
): Consumer<A, Exclude<E | EA, Rejected>, R | Exclude<RA, Scope.Scope>> => recipe(name, "one", Effect.map(acquire, one))

/**
 * Makes a consumer that takes batches from an Effect that acquires what it needs.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeBatch = <A, E = never, R = never, EA = never, RA = never>(
  name: string,
  acquire: Effect.Effect<
    (batch: Arr.NonEmptyReadonlyArray<Delivery<A>>) => Effect.Effect<unknown, E, R>,
    EA,
    RA
  >
): Consumer<A, Exclude<E | EA, Rejected>, R | Exclude<RA, Scope.Scope>> => recipe(name, "batch", acquire)

/**
 * Makes a consumer that needs nothing acquired and takes one payload at a time.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromFunction = <A, E = never, R = never>(
  name: string,
  consume: (payload: A, tick: Tick, attempt: number) => Effect.Effect<unknown, E, R>
): Consumer<A, Exclude<E, Rejected>, R> => make(name, Effect.succeed(consume))

/**
 * Declares a consumer as a service, to be implemented by a Layer.
 *
 * **Example** (Declaring a consumer of readings)
 *
 * ```ts
 * import { Consumer } from "effect-conveyor"
 *
 * interface Reading { readonly watts: number }
 * class ToPostgres extends Consumer.Service<ToPostgres, Reading, "down">()("home/ToPostgres") {}
 * ```
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self, A, E = never>() => <const Key extends string>(key: Key): Context.ServiceClass<Self, Key, Consumer<A, E>> =>
    Context.Service<Self, Consumer<A, E>>()(key)

/**
 * Implements a consumer service that takes one payload at a time.
 *
 * **Details**
 *
 * What `acquire` needs is taken from the Layer's own requirements once, and is shared; what is given as `dependencies` is built
 * with the consumer in the consumer's Scope, and again whenever it is acquired again.
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layer = <
  Self,
  A,
  E,
  R = never,
  EA extends E | Rejected = never,
  RA = never,
  D = never,
  ED extends E = never,
  RD = never
>(
  service: Context.Key<Self, Consumer<A, E>>,
  acquire: Effect.Effect<
    (payload: NoInfer<A>, tick: Tick, attempt: number) => Effect.Effect<unknown, NoInfer<E> | Rejected, R>,
    EA,
    RA
  >,
  options?: { readonly dependencies?: Layer.Layer<D, ED, RD> | undefined } | undefined
): Layer.Layer<Self, never, Exclude<R | RA, D | Scope.Scope> | RD> =>
  Layer.effect(
    service as Context.Service<Self, Consumer<A, E>>,
    Effect.map(
      closeOver(Effect.map(acquire, one<A, E | Rejected, R>), options?.dependencies),
      (acquire) => recipe<A, E, never>(service.key, "one", acquire)
    )
  )

/**
 * Implements a consumer service that takes batches.
 *
 * **Details** As {@link layer}; a batch holds at most what the lane's `batch.size` allows, and never nothing.
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layerBatch = <
  Self,
  A,
  E,
  R = never,
  EA extends E | Rejected = never,
  RA = never,
  D = never,
  ED extends E = never,
  RD = never
>(
  service: Context.Key<Self, Consumer<A, E>>,
  acquire: Effect.Effect<
    (batch: Arr.NonEmptyReadonlyArray<Delivery<NoInfer<A>>>) => Effect.Effect<unknown, NoInfer<E> | Rejected, R>,
    EA,
    RA
  >,
  options?: { readonly dependencies?: Layer.Layer<D, ED, RD> | undefined } | undefined
): Layer.Layer<Self, never, Exclude<R | RA, D | Scope.Scope> | RD> =>
  Layer.effect(
    service as Context.Service<Self, Consumer<A, E>>,
    Effect.map(
      closeOver(acquire, options?.dependencies),
      (acquire) => recipe<A, E, never>(service.key, "batch", acquire)
    )
  )

// The acquisition's error type is checked by each public constructor; `Rejected` may or may not be among them.
const recipe = <A, E, R>(
  name: string,
  takes: Consumer<A, E, R>["takes"],
  acquire: Effect.Effect<unknown, unknown, any>
): Consumer<A, E, R> => ({ [TypeId]: TypeId, name, takes, acquire: acquire as Consumer<A, E, R>["acquire"] })

/** A batch consumer from one that takes payloads singly; its lane never gives it more than one. */
const one = <A, E, R>(consume: (payload: A, tick: Tick, attempt: number) => Effect.Effect<unknown, E, R>) =>
(
  batch: Arr.NonEmptyReadonlyArray<Delivery<A>>
): Effect.Effect<unknown, E, R> => consume(batch[0].payload, batch[0].tick, batch[0].attempt)
