/**
 * What a queue is made with: its order, its bound and what becomes of an offer beyond it, its keys. All of it also stands in
 * `WorkQueue`.
 */
import type * as Duration from "effect/Duration"

/**
 * The order in which items are taken. A priority is a number of which the lowest is taken first; equals are first-in
 * first-out. With `ageEvery`, an item's effective priority falls by one for each `ageEvery` it has waited, so that
 * nothing starves: with `"10 seconds"`, an item of priority 3 overtakes a new one of priority 0 after 30 seconds.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Order<A> =
  | "fifo"
  | "lifo"
  | { readonly priority: (item: A) => number; readonly ageEvery?: Duration.Input | undefined }

/**
 * What becomes of an offer to a full queue: it waits for room, it is dropped, or the item that has waited longest is
 * dropped to make room for it. With keys, of an offer to a queue in which its key has its share of the room; what is
 * dropped then is the oldest of the same key, or, if none of it waits, of the key with the most.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Overflow = "suspend" | "dropNewest" | "dropOldest"

/**
 * The options of `WorkQueue.make`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkQueueOptions<A> {
  /** The order in which items are taken. Defaults to `"fifo"`. */
  readonly order?: Order<A> | undefined
  /** The most items that may wait, a whole number of at least 1, or `"unbounded"`. Defaults to 1024. */
  readonly capacity?: number | "unbounded" | undefined
  /** What becomes of an offer to a full queue. Defaults to `"suspend"`. */
  readonly overflow?: Overflow | undefined
  /**
   * What gives an item its key, the same one whenever it is asked; compared as a `Map` compares. Defaults to no keys.
   *
   * The order then holds within a key, of which at most `concurrency` items are held at once, a whole number of at least 1.
   * It defaults to 1: the next item of a key begins after the one before it is settled. With `"unbounded"` nothing is held.
   *
   * The keys take turns, one item each. Of K keys that wait, an item that n others of its key go before begins after at
   * most (n + 1) · (K − 1) items of other keys, not counting what begins while its key is at its concurrency or paused.
   *
   * The room is shared. A key may have another item waiting while fewer of it wait than there are places left, so one key
   * alone fills half of the queue. An offer of a key of which nothing waits enters at once while a place is left, and a
   * full queue after at most m + 1 departures, where m other such keys had an offer waiting before it. Have more capacity
   * than keys at work: a full queue all of whose keys are at their concurrency or paused lets nobody in.
   *
   * `pauses` is asked about each item in the step in which it is taken. With `true` the item's key pauses, whether or not
   * another of it waits: it gives nothing more until `resume`. What waits in it stays there, and is not ready; a queue that
   * was ended waits for it to be taken or cleared. Where keys may pause, each has one item ready at a time. A `pauses` that
   * throws is logged, and pauses nothing: the item is taken all the same. Defaults to no pauses.
   */
  readonly keyed?:
    | {
      readonly by: (item: A) => unknown
      readonly concurrency?: number | "unbounded" | undefined
      readonly pauses?: ((item: A) => boolean) | undefined
    }
    | undefined
  /** Called with each item that overflows, in the offering fiber, after the queue has changed. Defaults to nothing. */
  readonly onDrop?: ((item: A, reason: "dropNewest" | "dropOldest") => void) | undefined
}

/**
 * The defaults of the options of `WorkQueue.make`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  order: "fifo",
  capacity: 1024,
  overflow: "suspend",
  /** Of `keyed`. */
  concurrency: 1
} as const
