/**
 * Keeps track of effects that are under way: waits for all of them, for the first of them, or until there are few enough to begin
 * another; and gives what came of them in the order in which they settled.
 *
 * An effect begins when it is tracked, in a fiber that the tracker's Scope owns: closing it interrupts what is left, and waits
 * for that. What comes of it is nobody's but the fiber's: nothing is caught, changed or logged, so whoever cares about a failure
 * reads the fiber, {@link awaitAny} or {@link asCompleted}.
 *
 * A tracker holds the fibers that have not settled and nothing else, however long it lives. What has settled is kept only
 * for those who read {@link asCompleted}, until they have read it.
 *
 * All that waits may be interrupted, and so be given a timeout by `Effect.timeout` or `Effect.timeoutOption`; nothing of it stays behind.
 *
 * **Source** AsynQueue's `DeferredTracker`. Its `deferToAny` waited if nothing was tracked, and all of it polled; nothing here does.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Reader, TrackerCore } from "./internal/trackerCore.ts"

const TypeId = "~effect-workers/Tracker"

/**
 * A tracker of effects that succeed with `A` and fail with `E`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Tracker<in out A, in out E = never> {
  readonly [TypeId]: {
    readonly _A: (_: A) => A
    readonly _E: (_: E) => E
  }
}

const core = <A, E>(self: Tracker<A, E>): TrackerCore<A, E> => self as unknown as TrackerCore<A, E>

/**
 * Makes a tracker. When the Scope closes, what has not settled is interrupted and waited for.
 *
 * **Example** (At most ten downloads at a time, and what came of each)
 *
 * ```ts
 * const tracker = yield* Tracker.make<Page, HttpError>()
 * const completed = yield* Tracker.subscribe(tracker)
 * yield* Effect.forkChild(Stream.runForEach(completed, report))
 * for (const url of urls) {
 *   yield* Tracker.awaitFewerThan(tracker, 10)
 *   yield* Tracker.track(tracker, download(url))
 * }
 * yield* Tracker.awaitAll(tracker)
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <A, E = never>(): Effect.Effect<Tracker<A, E>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new TrackerCore<A, E>() as unknown as Tracker<A, E>),
    (self) => core(self).close
  )

/**
 * Begins an effect, and gives its fiber.
 *
 * **Details**
 *
 * It runs at once, in the step of the caller, until it first waits. It does not end with the caller. After {@link end}, and when
 * the Scope is closed, it does not run, and its fiber is one that was interrupted.
 *
 * @category tracking
 * @stability unstable
 * @since 0.1.0
 */
export const track: {
  <XA extends A, XE extends E, R, A, E>(
    effect: Effect.Effect<XA, XE, R>
  ): (self: Tracker<A, E>) => Effect.Effect<Fiber.Fiber<XA, XE>, never, R>
  <A, E, XA extends A, XE extends E, R>(
    self: Tracker<A, E>,
    effect: Effect.Effect<XA, XE, R>
  ): Effect.Effect<Fiber.Fiber<XA, XE>, never, R>
} = dual(2, <A, E, R>(self: Tracker<A, E>, effect: Effect.Effect<A, E, R>) =>
  // In one step: nobody can be interrupted between beginning it and owning it.
  Effect.contextWith((context: Context.Context<R>) => Effect.sync(() => core(self).track(effect, context))))

/**
 * Lets nothing more begin. What is under way goes on; {@link asCompleted} ends when it has settled.
 *
 * @category tracking
 * @stability unstable
 * @since 0.1.0
 */
export const end = <A, E>(self: Tracker<A, E>): Effect.Effect<void> => Effect.sync(() => core(self).end())

/**
 * How many have not settled.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const size = <A, E>(self: Tracker<A, E>): Effect.Effect<number> => Effect.sync(() => core(self).size)

/**
 * Waits until there is nothing that has not settled, also of what is tracked in the meantime.
 *
 * @category waiting
 * @stability unstable
 * @since 0.1.0
 */
export const awaitAll = <A, E>(self: Tracker<A, E>): Effect.Effect<void> => core(self).awaitFewerThan(1)

/**
 * Waits for the next that settles, and gives its Exit; gives none if nothing is tracked now. Everybody who waits has the same one.
 *
 * @category waiting
 * @stability unstable
 * @since 0.1.0
 */
export const awaitAny = <A, E>(self: Tracker<A, E>): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  core(self).awaitAny

/**
 * Waits until fewer than so many have not settled. Who waits for fewer than `n` before each that it tracks has at most `n` under way; if
 * `p` do so with one tracker, there are at most `n + p − 1`.
 *
 * **Errors**
 *
 * Dies if `n` is not a whole number of at least 1.
 *
 * @category waiting
 * @stability unstable
 * @since 0.1.0
 */
export const awaitFewerThan: {
  (n: number): <A, E>(self: Tracker<A, E>) => Effect.Effect<void>
  <A, E>(self: Tracker<A, E>, n: number): Effect.Effect<void>
} = dual(2, <A, E>(self: Tracker<A, E>, n: number): Effect.Effect<void> =>
  Number.isSafeInteger(n) && n >= 1
    ? core(self).awaitFewerThan(n)
    : Effect.die(new RangeError(`Tracker.awaitFewerThan: n must be a whole number >= 1, got ${n}`)))

/**
 * Begins to keep what settles, for as long as the Scope lives, and gives it as a stream that may be read once.
 *
 * **Details**
 *
 * Each that has not settled by now, or is tracked later, comes exactly once, as its Exit, in the order in which they settle. The stream ends when
 * the tracker has been ended, or its Scope closed, and all have settled. It holds what was not read yet, however much: who reads
 * more slowly than others track should let them wait.
 *
 * @see {@link asCompleted} for a stream that begins when it is run.
 * @category reading
 * @stability unstable
 * @since 0.1.0
 */
export const subscribe = <A, E>(
  self: Tracker<A, E>
): Effect.Effect<Stream.Stream<Exit.Exit<A, E>>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.tap(
        Queue.unbounded() as Effect.Effect<Reader<A, E>>,
        (reader) => Effect.sync(() => core(self).read(reader))
      ),
      (reader) => Effect.sync(() => core(self).readers.delete(reader))
    ),
    Stream.fromQueue
  )

/**
 * What settles from when the stream is run, as {@link subscribe} gives it. What settled before is not in it.
 *
 * @category reading
 * @stability unstable
 * @since 0.1.0
 */
export const asCompleted = <A, E>(self: Tracker<A, E>): Stream.Stream<Exit.Exit<A, E>> => Stream.unwrap(subscribe(self))
