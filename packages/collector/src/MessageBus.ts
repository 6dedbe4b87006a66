/**
 * What a queue tells while it runs: that it is up, what it measures, that it scaled, dropped, shut down.
 *
 * Nothing waits for those who listen. Each handler has a fiber and a buffer of its own: one that is slow misses the oldest
 * events, one that fails is logged and gets the next event. Handlers given to the queue get every event from
 * `Initialized` to `ShutDown`.
 *
 * **Source** event_collector's message bus with `InitializedQueue`, `ReportedMetrics` and `ShutDownQueue`. Scaling and dropping
 * are new, and so is that a handler cannot harm the queue.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { DropReason } from "./CollectorError.ts"
import type { QueueMetrics } from "./QueueMetrics.ts"

/**
 * How a queue ended, in events since its start: what it accepted is `settled + interrupted + left + abandoned` and what
 * had been dropped from it as the oldest.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ShutDownReport {
  readonly queue: string
  /** Collected, well or badly. */
  readonly settled: number
  /** Begun, and interrupted at the end of `consumerShutdownTimeout`. */
  readonly interrupted: number
  /** Never begun, and settled as `Dropped`. */
  readonly left: number
  /** Begun, and deaf to the interruption: settled as interrupted, their fibers left to themselves. */
  readonly abandoned: number
}

/**
 * What a queue tells.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type BusEvent =
  | { readonly _tag: "Initialized"; readonly queue: string; readonly consumers: number }
  | { readonly _tag: "ReportedMetrics"; readonly queue: string; readonly metrics: QueueMetrics }
  | { readonly _tag: "ScaledUp"; readonly queue: string; readonly from: number; readonly to: number }
  | { readonly _tag: "ScaledDown"; readonly queue: string; readonly from: number; readonly to: number }
  | {
    readonly _tag: "Dropped"
    readonly queue: string
    readonly event: number
    readonly reason: DropReason
    /** Events dropped since the start, this one included. */
    readonly total: number
  }
  | { readonly _tag: "ShutDown"; readonly queue: string; readonly report: ShutDownReport }

/**
 * The event of a tag.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Tagged<Tag extends BusEvent["_tag"]> = Extract<BusEvent, { readonly _tag: Tag }>

/**
 * What is to be done at an event of a tag.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Handler<out R = never> {
  readonly tag: BusEvent["_tag"]
  readonly run: (event: any) => Effect.Effect<unknown, unknown, R>
}

/**
 * A queue's message bus.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface MessageBus {
  /**
   * Every event from the subscription on, until after `ShutDown`; without end before that. A subscriber more than 1024 events
   * behind misses the oldest.
   */
  readonly events: Stream.Stream<BusEvent>
  /** Adds a handler for as long as the Scope lives. It is subscribed when this resumes. */
  readonly add: <R>(handler: Handler<R>) => Effect.Effect<void, never, R | Scope.Scope>
}

/**
 * A handler for the events of one tag, to be given to a queue as one of its `handlers`, or to its bus later.
 *
 * **Example** (Saying when a queue is up)
 *
 * ```ts
 * MessageBus.on("Initialized", () => Console.log("collector queue initialized"))
 * ```
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const on = <const Tag extends BusEvent["_tag"], R = never>(
  tag: Tag,
  run: (event: Tagged<Tag>) => Effect.Effect<unknown, unknown, R>
): Handler<R> => ({ tag, run })
