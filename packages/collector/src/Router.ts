/**
 * Which collectors get a payload.
 *
 * A router chooses; the queue then lets the chosen collectors have the payload, one after the other in the order of their
 * declaration (or all at once, see {@link concurrent}), whatever becomes of each. A router that dies settles the event with its
 * defect.
 *
 * **Source** event_collector's `router` parameter and its `SimpleRouter`, which is {@link all}.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"

const TypeId = "~effect-collector/Router"

/**
 * What a router asks of the types: `all` gives every payload to every collector; `some` may give any payload to any
 * collector, so it must fit them all; `accepting` gives it only to those whose schema accepts it, so one that accepts
 * it is enough.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Kind = "all" | "some" | "accepting"

/**
 * A collector, as a router sees it.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Candidate {
  readonly name: string
  /** Its place among the queue's collectors, from 0. */
  readonly index: number
  /** Whether its schema accepts the payload; `true` if it has none. */
  readonly accepts: (payload: unknown) => boolean
}

/**
 * Chooses among a queue's collectors.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Choose<in P, out R = never> = (
  payload: P,
  collectors: ReadonlyArray<Candidate>
) => ReadonlyArray<Candidate> | Effect.Effect<ReadonlyArray<Candidate>, never, R>

/**
 * A recipe for choosing collectors.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Router<in P, out K extends Kind = Kind, out S = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly kind: K
  /** Whether the chosen collectors of one payload collect at the same time. */
  readonly concurrent: boolean
  readonly setup: Effect.Effect<Choose<P, R>, S, R | Scope.Scope>
}

/**
 * Tells whether a value is a router (and not the service that holds one).
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isRouter = (u: unknown): u is Router<never, Kind, unknown, unknown> => Predicate.hasProperty(u, TypeId)

const router = <P, K extends Kind, S, R>(
  kind: K,
  setup: Effect.Effect<Choose<P, R>, S, R | Scope.Scope>
): Router<P, K, S, R> => ({ [TypeId]: TypeId, kind, concurrent: false, setup })

/**
 * Every collector gets every payload. The default.
 *
 * @category routers
 * @stability stable
 * @since 0.1.0
 */
export const all: Router<unknown, "all"> = router("all", Effect.succeed((_payload, collectors) => collectors))

/**
 * Every collector whose schema accepts the payload gets it.
 *
 * @category routers
 * @stability stable
 * @since 0.1.0
 */
export const bySchema: Router<unknown, "accepting"> = router(
  "accepting",
  Effect.succeed((payload, collectors) => collectors.filter((collector) => collector.accepts(payload)))
)

/**
 * The first collector whose schema accepts the payload gets it.
 *
 * @category routers
 * @stability stable
 * @since 0.1.0
 */
export const firstAccepting: Router<unknown, "accepting"> = router(
  "accepting",
  Effect.succeed((payload, collectors) => {
    const first = collectors.find((collector) => collector.accepts(payload))
    return first === undefined ? [] : [first]
  })
)

/**
 * Each payload goes to one collector, in turn.
 *
 * @category routers
 * @stability stable
 * @since 0.1.0
 */
export const roundRobin: Router<unknown, "some"> = router(
  "some",
  Effect.sync(() => {
    let next = 0
    return (_payload, collectors) => [collectors[next++ % collectors.length]!]
  })
)

/**
 * Each payload goes to one collector, payloads of one key always to the same.
 *
 * **Details** Keys are compared and hashed by value, as `effect/Equal` does. How keys spread over collectors stays the same as long
 * as the number of collectors does.
 *
 * @category routers
 * @stability stable
 * @since 0.1.0
 */
export const byKey = <P>(key: (payload: P) => unknown): Router<P, "some"> =>
  router(
    "some",
    Effect.succeed((payload, collectors) => [collectors[(Hash.hash(key(payload)) >>> 0) % collectors.length]!])
  )

/**
 * A router of your own: what `choose` returns gets the payload, each collector at most once and in the order of their
 * declaration.
 *
 * **Example** (Choosing a collector by its name)
 *
 * ```ts
 * const byRegion = Router.make((order: Order, collectors) => collectors.filter(({ name }) => name === order.region))
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <P, R = never>(choose: Choose<P, R>): Router<P, "some", never, R> =>
  router("some", Effect.succeed(choose))

/**
 * Lets the chosen collectors of a payload collect at the same time, each in a fiber of its own, rather than one after the
 * other. Costs a fiber for each, and makes the service time of an event that of its slowest collector.
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const concurrent = <P, K extends Kind, S, R>(self: Router<P, K, S, R>): Router<P, K, S, R> => ({
  ...self,
  concurrent: true
})

/**
 * Declares a router as a service, to be implemented by a Layer.
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self, P, S = never>() =>
  <const Key extends string>(key: Key): Context.ServiceClass<Self, Key, Router<P, "some", S>> =>
    Context.Service<Self, Router<P, "some", S>>()(key)

/**
 * Implements a router service. Its set-up runs in the Scope of the queue, before that of the collectors.
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layer = <Self, P, S, R = never, RS = never>(
  service: Context.Key<Self, Router<P, "some", S>>,
  setup: Effect.Effect<Choose<NoInfer<P>, R>, NoInfer<S>, RS>
): Layer.Layer<Self, never, R | Exclude<RS, Scope.Scope>> =>
  Layer.effect(
    service as Context.Service<Self, Router<P, "some", S>>,
    Effect.map(Effect.context<any>(), (captured) => {
      const context = Context.omit(Scope.Scope)(captured as Context.Context<Scope.Scope>) as Context.Context<any>
      return router(
        "some",
        // The Scope is that of whoever runs the set-up.
        Effect.map(
          Effect.provideContext(setup as Effect.Effect<Choose<P, R>, S, any>, context),
          (choose): Choose<P> => (payload, collectors) => {
            const chosen = choose(payload, collectors)
            return Effect.isEffect(chosen) ? Effect.provideContext(chosen, context) : chosen
          }
        )
      )
    })
  )
