/**
 * The end of a queue that events are sent to.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { QueueShutDown } from "./CollectorError.ts"
import type { Receipt, Results } from "./Receipt.ts"

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
   * sender are accepted in the order of sending. It is a plain function of a payload, and so may stand wherever payloads
   * are consumed.
   *
   * **Errors** `QueueShutDown` when the queue is shutting down.
   */
  readonly send: (payload: P) => Effect.Effect<Receipt<Rs>, QueueShutDown>
  /**
   * Sends several payloads, in order, at a fraction of the cost, and gives their receipts once all are accepted or
   * dropped. Interrupted while it waits for room, what was accepted stays accepted.
   */
  readonly sendAll: (payloads: Iterable<P>) => Effect.Effect<ReadonlyArray<Receipt<Rs>>, QueueShutDown>
  /**
   * The same queue, sent to with a priority, lower first, instead of the queue's `defaultPriority`.
   *
   * **Errors** Throws a `RangeError` if the queue is not of type `"priority"`, or the priority is not a finite number.
   */
  readonly withPriority: (priority: number) => Publisher<P, Rs>
}
