/**
 * A consumer's own bounded buffer between the producer and the consumer.
 *
 * Each consumer of a conveyor has a lane, so a slow, failing or dead consumer delays neither the producer nor its
 * neighbours. Within a lane payloads keep their production order, through retries too. A lane in memory lasts as long as the
 * process.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Consumer, Target } from "./Consumer.ts"
import type { Tick } from "./Tick.ts"

/**
 * How a lane buffers, batches and retries.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface LaneOptions {
  /** Name in stats, events and metrics. Defaults to the consumer's own name; a second lane of the same name gets `#2`. */
  readonly name?: string | undefined
  /**
   * Payloads that may wait, those being delivered not counted; at least 1, or `"unbounded"`. Defaults to 1024: at one payload
   * every 30 s, eight and a half hours of a database being down.
   */
  readonly capacity?: number | "unbounded" | undefined
  /**
   * What becomes of a payload when `capacity` wait already. `dropOldest` and `dropNewest` count and publish each loss; `suspend` loses
   * nothing and makes the producer wait instead, so ticks are missed. Defaults to `dropOldest`.
   */
  readonly overflow?: "suspend" | "dropNewest" | "dropOldest" | undefined
  /**
   * Deliveries of a payload before it becomes a dead letter, at least 1. Defaults to `"unbounded"`: a lane whose database is down
   * waits for it.
   */
  readonly attempts?: number | "unbounded" | undefined
  /**
   * Pause before the second delivery, doubled before each further one up to `max`. `min` 1 s and `max` 1 minute pause 1, 2, 4, 8, 16,
   * 32, 60, 60 … seconds. More than zero. Defaults to `{ min: "1 second", max: "1 minute" }`.
   */
  readonly backoff?:
    | { readonly min?: Duration.Input | undefined; readonly max?: Duration.Input | undefined }
    | undefined
  /** How long one delivery may take before it is interrupted and counts as failed. Defaults to 1 minute. */
  readonly timeout?: Duration.Input | "unbounded" | undefined
  /**
   * Payloads delivered in one call: up to `size`, waiting at most `wait` after the first one came. Only for a consumer that takes
   * batches. `{ size: 100, wait: "5 seconds" }` on one payload a second writes five at a time. Defaults to no batching.
   */
  readonly batch?: { readonly size: number; readonly wait?: Duration.Input | undefined } | undefined
  /** Deliveries under way at once; at least 1. Above 1 the order between them is not kept. Defaults to 1. */
  readonly concurrency?: number | undefined
  /**
   * Failed deliveries in a row after which the consumer is released and acquired again; at least 1, or `"never"`. Defaults to 3.
   */
  readonly rebuildAfter?: number | "never" | undefined
}

/**
 * What a lane assumes where an option is not given.
 *
 * @category defaults
 * @stability stable
 * @since 0.1.0
 */
export const defaults = {
  capacity: 1024,
  overflow: "dropOldest",
  attempts: "unbounded",
  backoff: { min: "1 second", max: "1 minute" },
  timeout: "1 minute",
  concurrency: 1,
  rebuildAfter: 3
} as const

/**
 * What a lane has seen so far.
 *
 * **Details**
 *
 * `accepted = delivered + deadLettered + dropped + depth + delivering` while it runs, and
 * `accepted = delivered + deadLettered + dropped + left` once it has ended. `oldestAge` is how long, in milliseconds, the payload at the
 * front has waited; `retried` counts deliveries beyond the first.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface LaneStats {
  readonly name: string
  readonly accepted: number
  readonly depth: number
  readonly oldestAge: number
  readonly delivering: number
  readonly delivered: number
  readonly retried: number
  readonly dropped: number
  readonly deadLettered: number
  readonly left: number
  readonly lastError: string | undefined
}

/**
 * Where a conveyor puts what its producer made, whatever keeps it until the consumer has it.
 *
 * **Details**
 *
 * `offer` resumes when the lane has taken charge of the payload or has dropped and counted it; only an overflow of `suspend` can make
 * it wait. `drain` takes nothing more, delivers what it holds for at most that long, interrupts the rest and counts it as
 * left. Both are called by the conveyor alone.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Lane<in A> {
  readonly name: string
  readonly offer: (payload: A, tick: Tick) => Effect.Effect<void>
  readonly drain: (deadline: Duration.Duration) => Effect.Effect<LaneStats>
  readonly stats: Effect.Effect<LaneStats>
}

const TypeId = "~effect-conveyor/Lane/Configured"

/**
 * A consumer together with options for its lane.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Configured<in A, out E = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly consumer: Consumer<A, E, R> | Context.Key<R, Consumer<A, E>>
  readonly options: LaneOptions
}

/**
 * Gives a consumer's lane options of its own.
 *
 * **Example** (Writing readings in batches)
 *
 * ```ts
 * Conveyor.layer("solar", {
 *   cadence: Cadence.every("1 second"),
 *   producer: Inverter,
 *   consumers: [Lane.configure(ToPostgres, { batch: { size: 100, wait: "5 seconds" } }), ToConsole]
 * })
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const configure = <A, E, R>(consumer: Target<A, E, R>, options: LaneOptions): Configured<A, E, R> => ({
  [TypeId]: TypeId,
  consumer,
  options
})

/**
 * Tells whether a value is a consumer with lane options.
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isConfigured = (u: unknown): u is Configured<never, unknown, unknown> => Predicate.hasProperty(u, TypeId)
