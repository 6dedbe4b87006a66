/**
 * A timed producer feeding many consumers, supervised.
 *
 * On each tick of its cadence a conveyor runs its producer once and puts the payload into the lane of every consumer. Lanes
 * isolate: none delays the producer or another. A producer that fails is rebuilt, one that hangs is interrupted, and a
 * conveyor that gives up says so and takes nobody with it. The conveyor owns every fiber it starts; closing its Scope stops
 * ticking, lets the running producer finish, drains the lanes until the deadline, and reports what was left.
 *
 * **Source** aioconveyor `AioConveyor(produce, consumers, loop_interval, loop_offset)`: the grid, the slot time, many consumers.
 * Isolation, retry, supervision, drain and the accounting of missed ticks are new.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Cadence from "./Cadence.ts"
import type * as Consumer from "./Consumer.ts"
import type { ConveyorError } from "./ConveyorError.ts"
import type { ConveyorEvent, ShutdownReport, TickCounts } from "./ConveyorEvent.ts"
import * as engine from "./internal/engine.ts"
import { conveyorDefaults } from "./internal/settings.ts"
import type * as Lane from "./Lane.ts"
import type * as MissedTick from "./MissedTick.ts"
import type * as Producer from "./Producer.ts"
import type * as Supervisor from "./Supervisor.ts"
import type { Tick } from "./Tick.ts"

/**
 * A running conveyor.
 *
 * **Details**
 *
 * `stop` begins the orderly end, or joins the one that is under way, and gives the report; `awaitEnd` waits for it, whatever its cause:
 * `stop`, the last of `maxTicks`, or giving up. `events` begins with the subscription; a subscriber more than 1024 events behind misses
 * the oldest; it ends after `Stopped`.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Conveyor<out A, out E = never> {
  readonly name: string
  readonly stats: Effect.Effect<ConveyorStats>
  readonly events: Stream.Stream<ConveyorEvent<A, E>>
  readonly stop: Effect.Effect<ShutdownReport>
  readonly awaitEnd: Effect.Effect<ShutdownReport>
}

/**
 * An immutable snapshot of a conveyor.
 *
 * **Details** `nextDueAt` is in milliseconds since the Unix epoch, and absent when no further tick is planned.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ConveyorStats {
  readonly name: string
  readonly health: Supervisor.Health
  readonly ticks: TickCounts
  readonly running: number
  readonly restarts: number
  readonly nextDueAt: number | undefined
  readonly lastError: string | undefined
  readonly lanes: ReadonlyArray<Lane.LaneStats>
}

/**
 * What may stand where a producer is wanted: its service, a producer, or the function to run on each tick.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type ProducerLike<A, E, R> = Producer.Source<A, E, R> | Producer.Produce<A, E, R>

/**
 * What may stand where a consumer is wanted: its service, a consumer, either of them with lane options, or a function.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type ConsumerLike<A> =
  | Consumer.Target<A, unknown, any>
  | Lane.Configured<A, unknown, any>
  | ((payload: A, tick: Tick, attempt: number) => Effect.Effect<unknown, unknown, any>)

/**
 * The services a consumer needs.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Services<C> = C extends Context.Key<infer Id, any> ? Id
  : C extends Lane.Configured<any, any, infer R> ? R
  : C extends Consumer.Consumer<any, any, infer R> ? R
  : C extends (...args: any) => Effect.Effect<any, any, infer R> ? R
  : never

/**
 * How a conveyor runs.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Options<A, E, R, Consumers extends ReadonlyArray<unknown>> {
  /** When ticks are due. */
  readonly cadence: Cadence.Cadence
  /** What runs on each tick. */
  readonly producer: ProducerLike<A, E, R>
  /** Who gets each payload, each through a lane of its own. May be empty: the producer then runs for its effect alone. */
  readonly consumers: Consumers & ReadonlyArray<ConsumerLike<NoInfer<A>>>
  /** What becomes of ticks that are due while the last run is still going. Defaults to `MissedTick.skip`. */
  readonly missedTicks?: MissedTick.Policy | undefined
  /**
   * How long a run, or acquiring the producer, may take before it is interrupted and counts as failed. Defaults to three intervals
   * and at least 10 seconds; for a schedule, `"unbounded"`.
   */
  readonly timeout?: Duration.Input | "unbounded" | undefined
  /**
   * How long there may be no success before the conveyor is `degraded`. Defaults to three intervals: 90 s for one every 30 s; for a
   * cron, until the fourth instant after the last success is due; for a schedule, `"unbounded"`.
   */
  readonly maxSilence?: Duration.Input | "unbounded" | undefined
  /** When the producer is rebuilt, and when the conveyor gives up. */
  readonly restart?: Supervisor.RestartOptions | undefined
  /** How long an orderly end may take, running producer and lanes together, before the rest is interrupted. Defaults to 10 seconds. */
  readonly drainTimeout?: Duration.Input | undefined
  /** Runs after which the conveyor ends in order, at least 1. Defaults to `"unbounded"`. */
  readonly maxTicks?: number | "unbounded" | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability stable
 * @since 0.1.0
 */
export const defaults: typeof conveyorDefaults = conveyorDefaults

/**
 * Starts a conveyor that lives as long as the surrounding Scope.
 *
 * **Details**
 *
 * Resumes once every consumer and the producer have been acquired or have failed to be for the first time; the first tick is due
 * after that. Closing the Scope stops the conveyor in order and takes at most `drainTimeout`, and
 * three seconds more when runs, deliveries and releases all ignore interruption.
 *
 * **Errors** `StartupRejected` when a consumer cannot be set up. Dies when an option is out of its range, naming it.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make: <
  A = never,
  E = never,
  R = never,
  const Consumers extends ReadonlyArray<unknown> = ReadonlyArray<unknown>
>(
  name: string,
  options: Options<A, E, R, Consumers>
) => Effect.Effect<Conveyor<A, E>, ConveyorError, R | Services<Consumers[number]> | Scope.Scope> = engine.make as never

/**
 * Declares a conveyor as a service, for programs that look at its stats or events.
 *
 * **Example** (A conveyor that can be asked how it does)
 *
 * ```ts
 * class Solar extends Conveyor.Service<Solar, Reading, "offline">()("home/Solar") {}
 * const SolarLive = Conveyor.layer(Solar, { cadence, producer: Inverter, consumers: [ToPostgres] })
 * const health = Effect.flatMap(Solar, (solar) => solar.stats)
 * ```
 *
 * @category services
 * @stability stable
 * @since 0.1.0
 */
export const Service =
  <Self, A, E = never>() => <const Key extends string>(key: Key): Context.ServiceClass<Self, Key, Conveyor<A, E>> =>
    Context.Service<Self, Conveyor<A, E>>()(key)

/**
 * A conveyor as a Layer: it runs as long as the Layer lives.
 *
 * **Details** Given a name, the Layer provides nothing; given a service made with {@link Service}, it provides the running conveyor
 * and takes the service's key for its name.
 *
 * **Example** (A conveyor among an application's Layers)
 *
 * ```ts
 * const Solar = Conveyor.layer("solar", {
 *   cadence: Cadence.every("30 seconds"),
 *   producer: Inverter,
 *   consumers: [ToPostgres, ToMqtt, ToConsole]
 * })
 * Layer.launch(Solar.pipe(Layer.provide([Inverter.layer, ToPostgres.layer, ToMqtt.layer, ToConsole.layer])))
 * ```
 *
 * @category layers
 * @stability stable
 * @since 0.1.0
 */
export const layer: {
  <A = never, E = never, R = never, const Consumers extends ReadonlyArray<unknown> = ReadonlyArray<unknown>>(
    name: string,
    options: Options<A, E, R, Consumers>
  ): Layer.Layer<never, ConveyorError, Exclude<R | Services<Consumers[number]>, Scope.Scope>>
  <Self, A, E, R = never, const Consumers extends ReadonlyArray<unknown> = ReadonlyArray<unknown>>(
    service: Context.Key<Self, Conveyor<A, E>>,
    options: Options<A, E, R, Consumers>
  ): Layer.Layer<Self, ConveyorError, Exclude<R | Services<Consumers[number]>, Scope.Scope>>
} = (
  named: string | Context.Key<any, Conveyor<any, any>>,
  options: Options<any, any, any, ReadonlyArray<unknown>>
): Layer.Layer<any, ConveyorError, any> =>
  typeof named === "string"
    ? Layer.effectDiscard(make(named, options)) as Layer.Layer<any, ConveyorError, any>
    : Layer.effect(named as Context.Service<any, Conveyor<any, any>>, make(named.key, options))

/**
 * Runs a conveyor until its last tick, until it gives up, or until it is interrupted; always ends it in order.
 *
 * **When to use** Use when the conveyor is the program, as in a script of ten lines.
 *
 * **Example** (A greeting every five seconds)
 *
 * ```ts
 * Conveyor.run("hello", {
 *   cadence: Cadence.every("5 seconds"),
 *   producer: (tick) => Effect.succeed(`hello ${tick.index}`),
 *   consumers: [(greeting) => Console.log(greeting)]
 * }).pipe(NodeRuntime.runMain)
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const run = <
  A = never,
  E = never,
  R = never,
  const Consumers extends ReadonlyArray<unknown> = ReadonlyArray<unknown>
>(
  name: string,
  options: Options<A, E, R, Consumers>
): Effect.Effect<ShutdownReport, ConveyorError, Exclude<R | Services<Consumers[number]>, Scope.Scope>> =>
  Effect.scoped(Effect.flatMap(make(name, options), (conveyor) => conveyor.awaitEnd))
