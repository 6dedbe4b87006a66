/**
 * An event queue whose crew of consumers sizes itself.
 *
 * Publishers send payloads; each becomes an event that waits in a bounded queue until a consumer takes it to the
 * collectors its router chooses. The queue measures what flows through, and hires and dismisses consumers by what it
 * measures. Whatever happens (failure, defect, interruption, overflow, shut-down), each accepted event settles exactly once.
 *
 * **Source** event_collector `CollectorQueue`: its parameters under the same names and with the same defaults. Bounds, overflow,
 * keyed lanes, typed results, percentiles, the check by Little's law and provable scaling are new.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Collector from "./Collector.ts"
import * as engine from "./internal/engine.ts"
import { defaults as settingsDefaults } from "./internal/settings.ts"
import type * as MessageBus from "./MessageBus.ts"
import type { Publisher } from "./Publisher.ts"
import type { QueueMetrics } from "./QueueMetrics.ts"
import type { Results } from "./Receipt.ts"
import type * as Router from "./Router.ts"
import type * as ScalingPolicy from "./ScalingPolicy.ts"

/**
 * A running queue.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface CollectorQueue<in P, out Rs extends Results = Results> {
  readonly name: string
  readonly publisher: Publisher<P, Rs>
  readonly messageBus: MessageBus.MessageBus
  /** What flows through, now. */
  readonly metrics: Effect.Effect<QueueMetrics>
  /** Consumers there are, busy or not. */
  readonly consumerCount: Effect.Effect<number>
  /** Events in the system for each consumer. */
  readonly currentLoad: Effect.Effect<number>
  /** Waits until nothing waits and no consumer is busy. */
  readonly awaitIdle: Effect.Effect<void>
  /**
   * Ends the queue, or joins the end that is under way, and gives the report. Nothing more is accepted; what was accepted
   * is collected for at most `consumerShutdownTimeout`; what is not over then is interrupted, and what had not begun is
   * dropped; then the collectors are torn down. Interrupting the wait does not stop the end.
   */
  readonly shutDown: Effect.Effect<MessageBus.ShutDownReport>
  /** Waits until the queue has ended, whoever ended it. */
  readonly awaitEnd: Effect.Effect<MessageBus.ShutDownReport>
}

/**
 * What may stand where a collector is wanted: its service, a collector, or the function that collects.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type CollectorLike =
  // Any collector, and none in particular: one that is made in place would take its payload from here, and `never` it were.
  | Pick<Collector.Collector<never, unknown, unknown, unknown, any>, "~effect-collector/Collector" | "name">
  | Context.Key<any, Collector.Collector<never, unknown, unknown, unknown>>
  | ((payload: never) => Effect.Effect<unknown, unknown, any>)

/**
 * What may stand where a router is wanted: its service, or a router.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type RouterLike =
  | Router.Router<never, Router.Kind, unknown, any>
  | Context.Key<any, Router.Router<never, "some", unknown>>

/** What is behind a service, or the thing itself. */
type Held<X> = X extends Context.Key<infer _Id, infer Shape> ? Shape : X

type Requirement<X> = X extends Context.Key<infer Id, infer _Shape> ? Id
  : X extends Collector.Collector<infer _P, infer _A, infer _E, infer _S, infer R> ? R
  : X extends Router.Router<infer _P, infer _K, infer _S, infer R> ? R
  : X extends (...args: any) => Effect.Effect<infer _A, infer _E, infer R> ? R
  : never

type SetupError<X> = X extends unknown
  ? Held<X> extends Collector.Collector<infer _P, infer _A, infer _E, infer S, infer _R> ? S
  : Held<X> extends Router.Router<infer _P, infer _K, infer S, infer _R> ? S
  : never
  : never

type PayloadOf<X> = X extends unknown
  ? Held<X> extends Collector.Collector<infer P, infer _A, infer _E, infer _S, infer _R> ? P
  : X extends (payload: infer P) => unknown ? P
  : never
  : never

type ExitOf<X> = Held<X> extends Collector.Collector<infer _P, infer A, infer E, infer _S, infer _R> ? Exit.Exit<A, E>
  : X extends (...args: any) => Effect.Effect<infer A, infer E, infer _R> ? Exit.Exit<A, E>
  : never

type KindOf<Rt> = Held<Rt> extends Router.Router<infer _P, infer K, infer _S, infer _R> ? K : never

type PayloadOfAll<Cs extends ReadonlyArray<unknown>> =
  (Cs[number] extends infer C ? C extends unknown ? (payload: PayloadOf<C>) => void : never : never) extends
    (payload: infer P) => void ? P : never

/**
 * What may be sent to a queue: what its router takes, and what all its collectors take, or, where the router asks each
 * whether it accepts, what one of them takes.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Payload<Cs extends ReadonlyArray<unknown>, Rt> =
  & (KindOf<Rt> extends "accepting" ? PayloadOf<Cs[number]> : PayloadOfAll<Cs>)
  & (Held<Rt> extends Router.Router<infer P, infer _K, infer _S, infer _R> ? P : never)

/**
 * What becomes of an event: one Exit for each collector, `undefined` where the router may pass it over.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type ResultsOf<Cs extends ReadonlyArray<unknown>, Rt> = {
  readonly [K in keyof Cs]: KindOf<Rt> extends "all" ? ExitOf<Cs[K]> : ExitOf<Cs[K]> | undefined
}

/**
 * What a queue's set-up may fail with: what that of a collector, or of the router, fails with.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type SetupErrors<Cs extends ReadonlyArray<unknown>, Rt> = SetupError<Cs[number]> | SetupError<Rt>

/**
 * The services a queue needs.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Services<Cs extends ReadonlyArray<unknown>, Rt> = Requirement<Cs[number]> | Requirement<Rt>

/**
 * What decides the types of a queue: who collects, and who chooses among them.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Contract<Cs extends ReadonlyArray<unknown>, Rt> {
  /** Who collects; at least one. The results of an event stand in this order. */
  readonly collectors: Cs & ReadonlyArray<CollectorLike>
  /** Who chooses among them. Defaults to `Router.all`. */
  readonly router?: (Rt & RouterLike) | undefined
}

/**
 * How a queue runs.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Options<in P, out RH = never> {
  /** Whether the crew of consumers sizes itself; if not, it has `maxConsumers`. Defaults to `true`. */
  readonly autoscale?: boolean | undefined
  /** Consumers at the start and when idle, a whole number of at least 1. Defaults to 1. */
  readonly minConsumers?: number | undefined
  /** The most consumers, a whole number not below `minConsumers`. Defaults to 100. */
  readonly maxConsumers?: number | undefined
  /** What is added to the calculated number of consumers, as a share of it, 0 to 1. Defaults to 0.15. */
  readonly wipMargin?: number | undefined
  /** How the number of consumers is calculated. Defaults to `ScalingPolicy.little({ wipMargin })`. */
  readonly scaling?: ScalingPolicy.ScalingPolicy | undefined
  /** How often the load is looked at and the crew resized, while anything is in the system. Defaults to 10 millis. */
  readonly monitorInterval?: Duration.Input | undefined
  /** How often metrics are logged and published as `ReportedMetrics`; 0 is never. Defaults to 0. */
  readonly reportInterval?: Duration.Input | undefined
  /** The span that `avgLoad` covers. Defaults to 60 seconds. */
  readonly avgLoadInterval?: Duration.Input | undefined
  /** The span that rates and averages cover, at least 5 seconds. Defaults to 60 seconds. */
  readonly metricsCollectorWindowSize?: Duration.Input | undefined
  /** How many of the latest service and waiting times percentiles are taken of. Defaults to 500. */
  readonly eventServiceDataWindowSize?: number | undefined
  /** How long after the start rates and averages read 0. Defaults to 3 seconds. */
  readonly metricsWarmupInterval?: Duration.Input | undefined
  /**
   * Whether the flow is measured. Without, metrics read 0 but for counts, and the crew cannot size itself: `autoscale` must
   * be `false`. Defaults to `true`.
   */
  readonly measured?: boolean | undefined
  /** The order in which events are taken. Defaults to `"fifo"`. */
  readonly queueType?: "fifo" | "lifo" | "priority" | undefined
  /** The priority of events sent without one, lower first. Only for `"priority"`. Defaults to 100. */
  readonly defaultPriority?: number | undefined
  /** How long an event waits until its priority counts one less, so that none starves. Only for `"priority"`. Defaults to never. */
  readonly ageEvery?: Duration.Input | undefined
  /** The most events that wait, a whole number of at least 1, or `"unbounded"`. Defaults to 1024. */
  readonly capacity?: number | "unbounded" | undefined
  /** What becomes of an event sent to a full queue: its sender waits, it is dropped, or the oldest is. Defaults to `"suspend"`. */
  readonly overflow?: "suspend" | "dropNewest" | "dropOldest" | undefined
  /**
   * Lanes for each key: `concurrency` events of a key at a time (1, so that they are collected in order), and keys served in
   * turn, so that a busy one delays no other. `by` must give a payload the same key whenever it is asked; keys are compared
   * as a `Map` compares them. Defaults to one lane for all.
   */
  readonly keyed?: {
    readonly by: (payload: P) => unknown
    readonly concurrency?: number | "unbounded" | undefined
  } | undefined
  /** How long an end may take before consumers are interrupted. Defaults to 10 seconds. */
  readonly consumerShutdownTimeout?: Duration.Input | undefined
  /** Whether the queue writes to the log. Defaults to `true`. */
  readonly logging?: boolean | undefined
  /** Who is told what happens, from `Initialized` to `ShutDown`. */
  readonly handlers?: ReadonlyArray<MessageBus.Handler<RH>> | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability stable
 * @since 0.1.0
 */
export const defaults: typeof settingsDefaults = settingsDefaults

/**
 * Starts a queue that lives as long as the surrounding Scope.
 *
 * **Details**
 *
 * Sets up the router and the collectors, one after the other; resumes when the queue takes events. Closing the Scope does
 * what `shutDown` does, whatever closed it.
 *
 * **Errors** What a set-up fails with, after what had been set up is torn down again. Dies when an option is out of its range, naming
 * it.
 *
 * **Example** (A hundred payloads, and what became of them)
 *
 * ```ts
 * const queue = yield* CollectorQueue.make("demo", { collectors: [handle], maxConsumers: 1000 })
 * const receipts = yield* queue.publisher.sendAll(payloads)
 * for (const receipt of receipts) yield* Console.log(yield* receipt.first)
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make: <const Cs extends ReadonlyArray<unknown>, Rt = typeof Router.all, RH = never>(
  name: string,
  options: Contract<Cs, Rt> & Options<NoInfer<Payload<Cs, Rt>>, RH>
) => Effect.Effect<
  CollectorQueue<Payload<Cs, Rt>, ResultsOf<Cs, Rt>>,
  SetupErrors<Cs, Rt>,
  Services<Cs, Rt> | RH | Scope.Scope
> = engine.make as never

/**
 * A queue declared as a service, with the contract that gives it its types.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ServiceClass<Self, Key extends string, Cs extends ReadonlyArray<unknown>, Rt>
  extends Context.ServiceClass<Self, Key, CollectorQueue<Payload<Cs, Rt>, ResultsOf<Cs, Rt>>>
{
  readonly contract: Contract<Cs, Rt>
}

/**
 * Declares a queue as a service.
 *
 * **Example** (A queue of orders with two collectors)
 *
 * ```ts
 * class Orders extends CollectorQueue.Service<Orders>()("shop/Orders", { collectors: [Audit, Mail] }) {}
 * const OrdersLive = CollectorQueue.layer(Orders, { maxConsumers: 20 })
 * const send = Effect.flatMap(Orders, (orders) => orders.publisher.send(order))
 * ```
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self>() =>
  <const Key extends string, const Cs extends ReadonlyArray<unknown>, Rt = typeof Router.all>(
    key: Key,
    contract: Contract<Cs, Rt>
  ): ServiceClass<Self, Key, Cs, Rt> =>
    Object.assign(
      Context.Service<Self, CollectorQueue<Payload<Cs, Rt>, ResultsOf<Cs, Rt>>>()(key),
      { contract }
    )

/**
 * A declared queue as a Layer: it runs as long as the Layer lives, and takes the service's key for its name.
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layer = <Self, Key extends string, Cs extends ReadonlyArray<unknown>, Rt, RH = never>(
  service: ServiceClass<Self, Key, Cs, Rt>,
  options?: Options<NoInfer<Payload<Cs, Rt>>, RH> | undefined
): Layer.Layer<Self, SetupErrors<Cs, Rt>, Exclude<Services<Cs, Rt> | RH, Scope.Scope>> =>
  Layer.effect(
    service as Context.Service<Self, CollectorQueue<Payload<Cs, Rt>, ResultsOf<Cs, Rt>>>,
    make<Cs, Rt, RH>(service.key, { ...options, ...service.contract })
  ) as Layer.Layer<Self, SetupErrors<Cs, Rt>, Exclude<Services<Cs, Rt> | RH, Scope.Scope>>
