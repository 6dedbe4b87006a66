/**
 * What collects the payloads of a queue: a service that is set up when its queue starts and torn down when it ends.
 *
 * A collector is a recipe. Its `setup` acquires what it needs in the queue's Scope, once, before the first event, and gives
 * the function that collects; what it acquired is released after the last event has settled. Several consumers call that
 * function at once.
 *
 * **Source** event_collector's `Collector(name, event_handler)` with its `setup`. Release, typed errors and schemas are new.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as batching from "./internal/batching.ts"

const TypeId = "~effect-collector/Collector"

/**
 * Collects one payload.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Collect<in P, out A = unknown, out E = never, out R = never> = (payload: P) => Effect.Effect<A, E, R>

/**
 * A recipe for collecting payloads `P`, giving an `A` or failing with an `E` for each; its set-up may fail with an `S`.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Collector<in P, out A = unknown, out E = never, out S = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  /** What it accepts, for the routers that ask: everything, if there is none. */
  readonly schema: Schema.Top | undefined
  readonly setup: Effect.Effect<Collect<P, A, E, R>, S, R | Scope.Scope>
}

/**
 * What every constructor takes beside the set-up.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface CollectorOptions<in out P> {
  /** What it accepts, for `Router.bySchema` and `Router.firstAccepting`. Defaults to everything. */
  readonly schema?: Schema.Schema<P> | undefined
}

/**
 * How payloads are gathered into batches.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface BatchOptions {
  /** The most payloads in a batch, a whole number of at least 1. */
  readonly size: number
  /** How long the first payload of a batch waits for others. */
  readonly wait: Duration.Input
}

/**
 * Tells whether a value is a collector (and not the service that holds one).
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isCollector = (u: unknown): u is Collector<never, unknown, unknown, unknown, unknown> =>
  Predicate.hasProperty(u, TypeId)

/**
 * Makes a collector from a set-up that acquires what it needs and gives the function that collects.
 *
 * **Example** (Appending to a file that is opened once)
 *
 * ```ts
 * const audit = Collector.make("audit", Effect.map(openLog, (log) => (order: Order) => log.append(order)))
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <P, A = unknown, E = never, R = never, S = never, RS = never>(
  name: string,
  setup: Effect.Effect<Collect<P, A, E, R>, S, RS>,
  options?: CollectorOptions<P> | undefined
): Collector<P, A, E, S, R | Exclude<RS, Scope.Scope>> => ({
  [TypeId]: TypeId,
  name,
  schema: options?.schema,
  setup: setup as Effect.Effect<Collect<P, A, E, R>, S, R | Exclude<RS, Scope.Scope> | Scope.Scope>
})

/**
 * Makes a collector that needs no set-up.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromFunction = <P, A = unknown, E = never, R = never>(
  name: string,
  collect: Collect<P, A, E, R>,
  options?: CollectorOptions<P> | undefined
): Collector<P, A, E, never, R> => make(name, Effect.succeed(collect), options)

/**
 * Makes a collector that collects in batches: what its queue's consumers hold at one time, up to `batch.size`.
 *
 * **Details**
 *
 * Every payload of a batch gets the batch's Exit. One batch is collected at a time; payloads keep the order in which the
 * consumers brought them. A consumer waits for its batch, so a batch is never larger than the number of consumers: give
 * the queue as many as a batch should hold.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeBatch = <P, A = unknown, E = never, R = never, S = never, RS = never>(
  name: string,
  batch: BatchOptions,
  setup: Effect.Effect<(payloads: Arr.NonEmptyReadonlyArray<P>) => Effect.Effect<A, E, R>, S, RS>,
  options?: CollectorOptions<P> | undefined
): Collector<P, A, E, S, R | Exclude<RS, Scope.Scope>> =>
  make(name, Effect.flatMap(setup, (collect) => batching.make(batch, collect)), options)

/**
 * Declares a collector as a service, to be implemented by a Layer.
 *
 * **Example** (Declaring a collector of orders that gives the number of a row)
 *
 * ```ts
 * class Audit extends Collector.Service<Audit, Order, number, AuditError>()("shop/Audit") {}
 * ```
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self, P, A = unknown, E = never, S = never>() =>
  <const Key extends string>(key: Key): Context.ServiceClass<Self, Key, Collector<P, A, E, S>> =>
    Context.Service<Self, Collector<P, A, E, S>>()(key)

/**
 * Implements a collector service.
 *
 * **Details** What the set-up needs is taken from the Layer's own requirements. The set-up runs in the Scope of the queue, each
 * time a queue starts, not in that of the Layer.
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layer = <Self, P, A, E, S, R = never, RS = never>(
  service: Context.Key<Self, Collector<P, A, E, S>>,
  setup: Effect.Effect<Collect<NoInfer<P>, NoInfer<A>, NoInfer<E>, R>, NoInfer<S>, RS>,
  options?: CollectorOptions<P> | undefined
): Layer.Layer<Self, never, R | Exclude<RS, Scope.Scope>> =>
  Layer.effect(
    service as Context.Service<Self, Collector<P, A, E, S>>,
    Effect.map(Effect.context<any>(), (captured) => {
      const context = Context.omit(Scope.Scope)(captured as Context.Context<Scope.Scope>) as Context.Context<any>
      // The Scope is that of whoever runs the set-up.
      const closed = Effect.map(
        Effect.provideContext(setup as Effect.Effect<Collect<P, A, E, R>, S, any>, context),
        (collect): Collect<P, A, E> => (payload) => provided(collect(payload), context)
      )
      return make(service.key, closed, options)
    })
  )

/** An Exit needs no services, and stays what it is: it is settled without a step of a fiber. */
const provided = <A, E>(effect: Effect.Effect<A, E, any>, context: Context.Context<any>): Effect.Effect<A, E> =>
  Exit.isExit(effect) ? effect as Exit.Exit<A, E> : Effect.provideContext(effect, context)
