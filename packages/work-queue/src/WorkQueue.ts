/**
 * A bounded queue with an order: first-in first-out, last-in first-out, or by priority. The verbs are those of
 * `effect/Queue`. An item is taken exactly once, an interrupted `take` or `offer` loses and duplicates nothing, and every
 * item that overflows is counted and may be looked at.
 *
 * A keyed queue holds its order within each key, bounds how many of a key are worked on at once, lets a key pause, and is fair
 * between keys.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import type * as Pipeable from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import type * as Types from "effect/Types"
import { coreOptions } from "./internal/coreOptions.ts"
import { QueueCore } from "./internal/queueCore.ts"
import type { WorkQueueOptions } from "./WorkQueueOptions.ts"

export { defaults, type Order, type Overflow, type WorkQueueOptions } from "./WorkQueueOptions.ts"

const TypeId = "~effect-work-queue/WorkQueue"

/**
 * A queue of items `A` that may end, or fail with an `E`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkQueue<in out A, in out E = never> extends Pipeable.Pipeable {
  readonly [TypeId]: { readonly _A: Types.Invariant<A>; readonly _E: Types.Invariant<E> }
}

/**
 * What a queue holds and what has passed through it. At any moment `offered = taken + dropped + removed + depth`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkQueueStats {
  /** Where it stands: a queue that is closing refuses offers and drains. */
  readonly state: "Open" | "Closing" | "Done"
  /** Items waiting now. */
  readonly depth: number
  /** Of them, those that may be taken now: all, unless keys are at their concurrency, are paused or may pause. */
  readonly ready: number
  /** Items taken and not yet released; 0 without keys. */
  readonly held: number
  /** Keys of which an item waits or is held, or an offer waits, or that are paused; 0 without keys. */
  readonly keys: number
  /** Keys that are paused. */
  readonly paused: number
  /** The most that can wait. */
  readonly capacity: number | "unbounded"
  /** How long the item waiting longest has waited, in milliseconds; 0 when nothing waits. */
  readonly oldestAge: number
  /** Items decided upon since the queue was made: accepted, or dropped as the newest. */
  readonly offered: number
  /** Items taken. */
  readonly taken: number
  /** Items dropped because the queue was full. */
  readonly dropped: number
  /** Items taken out by `remove`, `clear` or `shutdown`. */
  readonly removed: number
}

/**
 * Makes a queue without an Effect. The clock that stamps arrivals and the scheduler that wakes waiting fibers come from
 * `context`, and are the live ones if it has none.
 *
 * **Errors**
 *
 * Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const makeUnsafe = <A, E = never>(
  options: WorkQueueOptions<A> = {},
  context: Context.Context<never> = Context.empty()
): WorkQueue<A, E> => new QueueCore<A, E>(coreOptions(options), context) as unknown as WorkQueue<A, E>

/**
 * Makes a queue.
 *
 * **Details**
 *
 * An offer and a take cost O(1) in the orders `"fifo"` and `"lifo"`, and O(log n) by priority. The queue has no fiber
 * and needs no Scope.
 *
 * **Errors**
 *
 * Dies if an option is out of range.
 *
 * **Example** (Taking the most urgent first)
 *
 * ```ts
 * const queue = yield* WorkQueue.make<Job>({ order: { priority: (job) => job.niceness, ageEvery: "10 seconds" } })
 * yield* WorkQueue.offer(queue, job)
 * const next = yield* WorkQueue.take(queue)
 * ```
 *
 * **Source** AsynQueue's `Priority` heap: lower first and waiting takers served oldest first are kept; equals
 * keep their order here, and a full queue has an answer.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <A, E = never>(options: WorkQueueOptions<A> = {}): Effect.Effect<WorkQueue<A, E>> =>
  Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => makeUnsafe<A, E>(options, context)))

/**
 * Whether a value is a `WorkQueue`.
 *
 * @category guards
 * @stability unstable
 * @since 0.1.0
 */
export const isWorkQueue = (u: unknown): u is WorkQueue<unknown, unknown> => hasProperty(u, TypeId)

const core = <A, E>(self: WorkQueue<A, E>): QueueCore<A, E> => self as unknown as QueueCore<A, E>

/**
 * Offers an item. `true` once it is accepted; `false` if the queue is closing or done, or the item was dropped as the newest.
 *
 * **Details**
 *
 * With overflow `"suspend"`, an offer to a full queue waits for room; waiting offers enter in the order they came (with
 * keys: those of one key), whatever the order of the queue. An offer interrupted while it waits leaves nothing behind.
 *
 * **Errors**
 *
 * Dies if the priority function throws or gives NaN, or `by` throws; the queue is unchanged then.
 *
 * @category offering
 * @stability unstable
 * @since 0.1.0
 */
export const offer: {
  <A>(item: Types.NoInfer<A>): <E>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, item: Types.NoInfer<A>): Effect.Effect<boolean>
} = dual(2, <A, E>(self: WorkQueue<A, E>, item: A): Effect.Effect<boolean> => core(self).offer(item))

/**
 * Offers an item without waiting: `false` also if the queue is full and its overflow is `"suspend"`.
 *
 * @category offering
 * @stability unstable
 * @since 0.1.0
 */
export const offerUnsafe = <A, E>(self: WorkQueue<A, E>, item: Types.NoInfer<A>): boolean =>
  core(self).offerUnsafe(item)

/**
 * Offers several items, in order, and gives those that were not accepted. With overflow `"suspend"` it waits until all
 * are accepted or the queue is closed by `shutdown`; interrupted while it waits, what was accepted stays accepted.
 *
 * @category offering
 * @stability unstable
 * @since 0.1.0
 */
export const offerAll: {
  <A>(items: Iterable<A>): <E>(self: WorkQueue<A, E>) => Effect.Effect<Array<A>>
  <A, E>(self: WorkQueue<A, E>, items: Iterable<Types.NoInfer<A>>): Effect.Effect<Array<A>>
} = dual(2, <A, E>(self: WorkQueue<A, E>, items: Iterable<A>): Effect.Effect<Array<A>> => core(self).offerAll(items))

/**
 * Takes the next item, waiting for one if there is none.
 *
 * **Errors**
 *
 * `Cause.Done` once the queue has ended and is empty; the queue's own `E` once it has failed and is empty.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const take = <A, E>(self: WorkQueue<A, E>): Effect.Effect<A, E | Cause.Done> => core(self).take

/**
 * Takes at least `min` and at most `max` items, waiting until `min` may be taken. A queue that is full, in which an offer
 * waits for room, or that is closing gives what there is.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const takeBetween: {
  (min: number, max: number): <A, E>(self: WorkQueue<A, E>) => Effect.Effect<Array<A>, E | Cause.Done>
  <A, E>(self: WorkQueue<A, E>, min: number, max: number): Effect.Effect<Array<A>, E | Cause.Done>
} = dual(
  3,
  <A, E>(self: WorkQueue<A, E>, min: number, max: number): Effect.Effect<Array<A>, E | Cause.Done> =>
    core(self).takeBetween(min, max)
)

/**
 * Takes all items that wait, with keys all that may be taken now, waiting for the first if there is none.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const takeAll = <A, E>(self: WorkQueue<A, E>): Effect.Effect<Array<A>, E | Cause.Done> =>
  core(self).takeBetween(1, Infinity)

/**
 * Takes the next item if there is one.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const poll = <A, E>(self: WorkQueue<A, E>): Effect.Effect<Option.Option<A>> =>
  Effect.sync(() => pollUnsafe(self))

/**
 * Takes the next item if there is one, without an Effect.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const pollUnsafe = <A, E>(self: WorkQueue<A, E>): Option.Option<A> => {
  const exit = core(self).takeUnsafe()
  return exit !== undefined && exit._tag === "Success" ? Option.some(exit.value) : Option.none()
}

/**
 * Takes the next item without an Effect: the item, or how the queue ended, or `undefined` if it would have to wait.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const takeUnsafe = <A, E>(self: WorkQueue<A, E>): Exit.Exit<A, E | Cause.Done> | undefined =>
  core(self).takeUnsafe()

/**
 * Releases an item that was taken from a keyed queue by any of the verbs above, so that its key may give another. `false`,
 * and nothing, if none of its key is held. A crew releases what it takes by itself.
 *
 * **Details**
 *
 * To be called once for each item taken, however its work ends: in `Effect.uninterruptibleMask`, with the take and the
 * work restored, no interrupt comes between. A second release gives away the place of another item of the key.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const release: {
  <A>(item: Types.NoInfer<A>): <E>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, item: Types.NoInfer<A>): Effect.Effect<boolean>
} = dual(
  2,
  <A, E>(self: WorkQueue<A, E>, item: A): Effect.Effect<boolean> => Effect.sync(() => core(self).releaseItem(item))
)

/**
 * Pauses a key, of which an item may be waiting or not: it gives nothing more until `resume`, as if `keyed.pauses` had said so
 * of an item of it. `false`, and nothing, if it is paused already or the queue has no keys.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const pause: {
  (key: unknown): <A, E>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, key: unknown): Effect.Effect<boolean>
} = dual(
  2,
  <A, E>(self: WorkQueue<A, E>, key: unknown): Effect.Effect<boolean> => Effect.sync(() => pauseUnsafe(self, key))
)

/**
 * Pauses a key, without an Effect.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const pauseUnsafe = <A, E>(self: WorkQueue<A, E>, key: unknown): boolean => core(self).pause(key)

/**
 * Resumes a key that was paused, so that it may give another item, in its turn. `false`, and nothing, if it
 * is not paused.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const resume: {
  (key: unknown): <A, E>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, key: unknown): Effect.Effect<boolean>
} = dual(
  2,
  <A, E>(self: WorkQueue<A, E>, key: unknown): Effect.Effect<boolean> => Effect.sync(() => resumeUnsafe(self, key))
)

/**
 * Resumes a key that was paused, without an Effect.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const resumeUnsafe = <A, E>(self: WorkQueue<A, E>, key: unknown): boolean => core(self).resume(key)

/**
 * Looks at the next item and leaves it where it is, waiting for one if there is none.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const peek = <A, E>(self: WorkQueue<A, E>): Effect.Effect<A, E | Cause.Done> => core(self).peek()

/**
 * Takes out the waiting items that match, whether or not they may be taken now, in the order they would have been taken.
 * O(n), O(n log n) by priority; a predicate that throws changes nothing.
 *
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const remove: {
  <A>(predicate: (item: Types.NoInfer<A>) => boolean): <E>(self: WorkQueue<A, E>) => Effect.Effect<Array<A>>
  <A, E>(self: WorkQueue<A, E>, predicate: (item: A) => boolean): Effect.Effect<Array<A>>
} = dual(
  2,
  <A, E>(self: WorkQueue<A, E>, predicate: (item: A) => boolean): Effect.Effect<Array<A>> =>
    Effect.sync(() => core(self).remove(predicate))
)

/**
 * Takes out all waiting items, as `remove` does, without waiting. Offers that wait for room then enter.
 *
 * @see {@link shutdown} for ending the queue as well
 * @category taking
 * @stability unstable
 * @since 0.1.0
 */
export const clear = <A, E>(self: WorkQueue<A, E>): Effect.Effect<Array<A>> => Effect.sync(() => core(self).clear())

/**
 * Ends the queue: later offers are refused, offers that already wait still enter, takers drain what is there and
 * then fail with `Cause.Done`. `false` if it was closing already.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const end = <A, E>(self: WorkQueue<A, E>): Effect.Effect<boolean> => Effect.sync(() => endUnsafe(self))

/**
 * Ends the queue without an Effect.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const endUnsafe = <A, E>(self: WorkQueue<A, E>): boolean => core(self).endUnsafe()

/**
 * Ends the queue with a failure, which takers get once they have drained it.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const fail: {
  <E>(error: E): <A>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, error: E): Effect.Effect<boolean>
} = dual(2, <A, E>(self: WorkQueue<A, E>, error: E) => failCause(self, Cause.fail(error)))

/**
 * Ends the queue with a cause, which takers get once they have drained it.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const failCause: {
  <E>(cause: Cause.Cause<E>): <A>(self: WorkQueue<A, E>) => Effect.Effect<boolean>
  <A, E>(self: WorkQueue<A, E>, cause: Cause.Cause<E>): Effect.Effect<boolean>
} = dual(
  2,
  <A, E>(self: WorkQueue<A, E>, cause: Cause.Cause<E>): Effect.Effect<boolean> =>
    Effect.sync(() => core(self).failCauseUnsafe(cause))
)

/**
 * Ends the queue at once and gives what was left, in order. Offers that wait for room are refused, and takers fail
 * with `Cause.Done`.
 *
 * **Details**
 *
 * Unlike `Queue.shutdown` it discards nothing, and nobody is interrupted.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const shutdown = <A, E>(self: WorkQueue<A, E>): Effect.Effect<Array<A>> =>
  Effect.sync(() => core(self).shutdownUnsafe())

/**
 * Waits until the queue has ended and is empty. Fails with the queue's `E` if it was ended by a failure.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const awaitEnd = <A, E>(self: WorkQueue<A, E>): Effect.Effect<void, E> => core(self).awaitEnd()

export {
  /**
   * `awaitEnd` under the name it has in `effect/Queue`.
   *
   * @category completion
   * @stability unstable
   * @since 0.1.0
   */
  awaitEnd as await
}

/**
 * How many items wait.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const size = <A, E>(self: WorkQueue<A, E>): Effect.Effect<number> => Effect.sync(() => sizeUnsafe(self))

/**
 * How many items wait, without an Effect.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const sizeUnsafe = <A, E>(self: WorkQueue<A, E>): number => core(self).backlog.size

/**
 * Whether as many items wait as may.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const isFull = <A, E>(self: WorkQueue<A, E>): Effect.Effect<boolean> =>
  Effect.sync(() => core(self).backlog.size >= core(self).options.capacity)

/**
 * Whether nothing waits.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const isEmpty = <A, E>(self: WorkQueue<A, E>): Effect.Effect<boolean> =>
  Effect.sync(() => core(self).backlog.size === 0)

/**
 * What the queue holds and what has passed through it. O(1).
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const stats = <A, E>(self: WorkQueue<A, E>): Effect.Effect<WorkQueueStats> =>
  Effect.sync(() => core(self).stats())
