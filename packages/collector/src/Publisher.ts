/**
 * The end of a queue that events are sent to.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { QueueShutDown } from "./CollectorError.ts"
import type { Receipt, Results } from "./Receipt.ts"

/**
 * What may be said of an event beside its payload.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface SendOptions {
  /** Lower first. Only for a queue of type `"priority"`; defaults to the queue's `defaultPriority`. */
  readonly priority?: number | undefined
}

/**
 * Sends payloads `P` to a queue.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Publisher<in P, out Rs extends Results = Results> {
  /**
   * Sends a payload, and gives the receipt once it is accepted (or dropped, and settled as that).
   *
   * **Details** With overflow `"suspend"` it waits while the queue is full; interrupted then, it leaves nothing behind. Payloads of one
   * sender are accepted in the order of sending. May be used as the consumer of whatever makes payloads: it is a plain
   * function.
   *
   * **Errors** `QueueShutDown` when the queue is shutting down. Dies if a priority is given to a queue that has none.
   */
  readonly send: (payload: P, options?: SendOptions) => Effect.Effect<Receipt<Rs>, QueueShutDown>
  /**
   * Sends several payloads, in order, at a fraction of the cost, and gives their receipts once all are accepted or
   * dropped. Interrupted while it waits for room, what was accepted stays accepted.
   */
  readonly sendAll: (
    payloads: Iterable<P>,
    options?: SendOptions
  ) => Effect.Effect<ReadonlyArray<Receipt<Rs>>, QueueShutDown>
}
