/**
 * What can keep an event from its collectors. What the collectors themselves fail with passes through untouched, in the
 * Exit of each.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Why an event was dropped: it was the newest, or the oldest, when the queue was full; or it had not begun when the queue
 * was shut down.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type DropReason = "dropNewest" | "dropOldest" | "shutDown"

/**
 * An event was dropped before any collector had it.
 *
 * **Details** In `receipt.results`, `first` and `all`. With overflow `"suspend"` the only reason is `"shutDown"`. Send it again,
 * or give the queue more capacity, more consumers or a longer `consumerShutdownTimeout`.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Dropped extends Data.TaggedError("Dropped")<{
  readonly queue: string
  readonly event: number
  readonly reason: DropReason
}> {
  override get message(): string {
    return this.reason === "shutDown"
      ? `queue ${this.queue} was shut down before event ${this.event} began`
      : `queue ${this.queue} was full: event ${this.event} was dropped (${this.reason})`
  }
}

/**
 * The router chose no collector for an event.
 *
 * **Details** In `receipt.first` and `receipt.all`; `receipt.results` then has no Exit. Add a collector that accepts such payloads,
 * or choose another in the router.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Unroutable extends Data.TaggedError("Unroutable")<{
  readonly queue: string
  readonly event: number
}> {
  override get message(): string {
    return `queue ${this.queue} has no collector for event ${this.event}`
  }
}

/**
 * Something was sent to a queue that is shutting down, and was not accepted.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class QueueShutDown extends Data.TaggedError("QueueShutDown")<{ readonly queue: string }> {
  override get message(): string {
    return `queue ${this.queue} is shutting down and accepts nothing more`
  }
}
