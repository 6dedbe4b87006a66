/**
 * What makes payloads: a service that runs once for each tick.
 *
 * A producer is a *recipe*: an Effect that acquires what it needs (a connection, a file) and gives the function to run on
 * each tick. The conveyor acquires it in a Scope of its own, and acquires it afresh when it has failed too often, so a
 * connection that went stale is replaced by a new one without anyone's help.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { closeOver } from "./internal/recipe.ts"
import type { Tick } from "./Tick.ts"

const TypeId = "~effect-conveyor/Producer"

/**
 * Makes one payload for a tick.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Produce<out A, out E = never, out R = never> = (tick: Tick) => Effect.Effect<A, E, R>

/**
 * A recipe for producing payloads of type `A`.
 *
 * **Details**
 *
 * `acquire` runs when the conveyor starts and at every rebuild, in a Scope that is closed before the next one opens. Its
 * errors are of the same type as those of a run, and count as failures of the producer.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Producer<out A, out E = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly acquire: Effect.Effect<Produce<A, E, R>, E, R | Scope.Scope>
}

/**
 * A producer, or the service that holds one.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Source<A, E, R> = Producer<A, E, R> | Context.Key<R, Producer<A, E>>

/**
 * Tells whether a value is a producer (and not the service that holds one).
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isProducer = (u: unknown): u is Producer<unknown, unknown, unknown> => Predicate.hasProperty(u, TypeId)

/**
 * Makes a producer from an Effect that acquires what it needs and gives the function to run on each tick.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <A, E = never, R = never, EA = never, RA = never>(
  name: string,
  acquire: Effect.Effect<Produce<A, E, R>, EA, RA>
): Producer<A, E | EA, R | Exclude<RA, Scope.Scope>> => ({
  [TypeId]: TypeId,
  name,
  acquire: acquire as Effect.Effect<Produce<A, E, R>, EA, Exclude<RA, Scope.Scope> | Scope.Scope>
})

/**
 * Makes a producer that needs nothing acquired.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromFunction = <A, E = never, R = never>(name: string, produce: Produce<A, E, R>): Producer<A, E, R> =>
  make(name, Effect.succeed(produce))

/**
 * Declares a producer as a service, to be implemented by a Layer.
 *
 * **Example** (Declaring a producer of readings)
 *
 * ```ts
 * import { Producer } from "effect-conveyor"
 *
 * interface Reading { readonly watts: number }
 * class Inverter extends Producer.Service<Inverter, Reading, "offline">()("home/Inverter") {}
 * ```
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self, A, E = never>() => <const Key extends string>(key: Key): Context.ServiceClass<Self, Key, Producer<A, E>> =>
    Context.Service<Self, Producer<A, E>>()(key)

/**
 * Implements a producer service.
 *
 * **Details**
 *
 * What `acquire` needs is taken from the Layer's own requirements once, and is shared. What is given as `dependencies` is built
 * with the producer, in the producer's Scope, and built again at every rebuild: put the connection there when a stale one
 * should be replaced.
 *
 * **Gotchas** Acquiring is deferred: the Layer itself never fails; a producer that cannot be acquired is retried by its
 * conveyor.
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
  EA extends E = never,
  RA = never,
  D = never,
  ED extends E = never,
  RD = never
>(
  service: Context.Key<Self, Producer<A, E>>,
  acquire: Effect.Effect<Produce<A, E, R>, EA, RA>,
  options?: { readonly dependencies?: Layer.Layer<D, ED, RD> | undefined } | undefined
): Layer.Layer<Self, never, Exclude<R | RA, D | Scope.Scope> | RD> =>
  Layer.effect(
    service as Context.Service<Self, Producer<A, E>>,
    Effect.map(closeOver(acquire, options?.dependencies), (acquire) => make(service.key, acquire))
  )
