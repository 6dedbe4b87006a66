/**
 * The fibers that work a queue off, as many as the crew's size, which may change at any moment. Every item the crew
 * takes, and every item left when it stops, is settled exactly once with an Exit. The fibers belong to the Scope in
 * which the crew was made: closing it kills the crew and waits for the last of them.
 */
import type * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as FlowMetrics from "./FlowMetrics.ts"
import { CrewCore } from "./internal/crewCore.ts"
import type { Plan } from "./internal/crewCore.ts"
import type { FlowCore } from "./internal/flowCore.ts"
import type { QueueCore } from "./internal/queueCore.ts"
import { sharedDispatcher } from "./internal/sharedDispatcher.ts"
import type { WorkQueue } from "./WorkQueue.ts"

const TypeId = "~effect-work-queue/Crew"

/**
 * A crew that works on items `A`, each giving a `B` or failing with an `E`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Crew<in out A, out B = unknown, out E = never> {
  readonly [TypeId]: {
    readonly _A: Types.Invariant<A>
    readonly _B: Types.Covariant<B>
    readonly _E: Types.Covariant<E>
  }
}

/**
 * How a crew ended, counted in items since it was made. What it accepted is
 * `settled + interrupted + left.length + abandoned`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrewReport<out A> {
  /** Begun, and ended by themselves, well or badly. */
  readonly settled: number
  /** Begun, and interrupted. */
  readonly interrupted: number
  /** Never begun, in the order they would have been taken. */
  readonly left: ReadonlyArray<A>
  /** Begun, interrupted, and still not over when the grace was. They are settled as interrupted; their fibers remain until the Scope closes. */
  readonly abandoned: number
}

/**
 * A snapshot of a crew.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrewStats {
  readonly name: string
  /** Where it stands: taking items, finishing what is accepted, finishing what is running, or over. */
  readonly state: "Open" | "Draining" | "Stopping" | "Ended"
  /** How many may work at once. */
  readonly size: number
  /** Items begun of which the settlement is not over. */
  readonly busy: number
  readonly flow: FlowMetrics.FlowStats
}

/**
 * What `make` and `makeBatch` have in common.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CrewOptions {
  /** How many work at once, a whole number; 0 is a paused crew. */
  readonly size: number
  /** Stands in stats and logs. Defaults to `"crew"`. */
  readonly name?: string | undefined
  /** Where the flow is measured. Crews of one queue share one. Defaults to the queue's, or a new one. */
  readonly flow?: FlowMetrics.FlowMetrics | undefined
  /**
   * How long `drain`, `stop` and `kill` wait for work they have interrupted before they abandon it. A drain with a
   * deadline of 10 seconds and a grace of 1 second ends after 11 seconds at the latest. Defaults to 1 second.
   */
  readonly grace?: Duration.Input | undefined
}

/**
 * The defaults of the options of `make` and `makeBatch`.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  name: "crew",
  grace: "1 second"
} as const

const core = <A, B, E>(self: Crew<A, B, E>): CrewCore<A, unknown> => self as unknown as CrewCore<A, unknown>

/**
 * Makes a crew that works off a queue one item at a time for each of its fibers.
 *
 * **Details**
 *
 * `work` runs interruptibly in one of the crew's fibers, with the services of the caller of `make`. Work that dies
 * settles its item with the defect, and the fiber goes on. Work that is an Exit already costs no fiber step: a crew takes
 * the next item at once, and yields to other fibers as often as any fiber does.
 *
 * `onSettled` is called exactly once for every item the crew took, and, with an interrupted Exit, for every item left when
 * the crew stops. If it gives an Effect, that runs uninterruptibly before the fiber takes another item, or, for items
 * that never began, one after the other. If it dies, the defect is logged and the crew goes on.
 *
 * An item of a keyed queue is held, and so keeps its place among those of its key, from its beginning until its settlement
 * is over: `onSettled` has returned, thrown, or its Effect has ended, also of an item that was abandoned. At a concurrency
 * of 1, settlements of a key therefore never overlap with the work on its next item.
 *
 * The crew ends when its queue has ended and is drained, by whoever ended it.
 *
 * **Errors**
 *
 * Dies if an option is out of range, or the queue is measured by another flow already.
 *
 * **Gotchas**
 *
 * Work that waits for the `drain` or `stop` of its own crew waits for itself, until the deadline. A fiber that work starts
 * with `Effect.forkChild` belongs to the crew's fiber, and so outlives its item: start it in a Scope of the item's.
 *
 * @see {@link makeBatch} for several items at a time
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <A, B, E, R, QE = never>(
  queue: WorkQueue<A, QE>,
  options: CrewOptions & {
    readonly work: (item: A) => Effect.Effect<B, E, R>
    readonly onSettled?: ((item: A, exit: Exit.Exit<B, E>) => void | Effect.Effect<void>) | undefined
  }
): Effect.Effect<Crew<A, B, E>, never, R | Scope.Scope> =>
  construct(queue, options, {
    pull: (from) => from.take(),
    units: (items) => items,
    // The context of the caller of `make`, which holds R, is the context of every fiber of the crew.
    work: options.work as (item: A) => Effect.Effect<B, E>,
    onSettled: options.onSettled ?? (() => {}),
    batch: { size: 1, wait: 0 }
  })

/**
 * Makes a crew that works off a queue in batches: once an item waits, a fiber gives others up to `wait` to join it, and
 * takes at most `size` of them, in the queue's order.
 *
 * **Details**
 *
 * Items stay in the queue, under its overflow, until their batch begins; so an interrupted wait holds nothing. A batch
 * begins early when `size` items are there, when the queue is full, an offer waits for room, or it is closing. Items left
 * when the crew stops are settled in batches of at most `size`. Of a keyed queue a batch holds what may be held: at a
 * concurrency of 1, one item of each key.
 *
 * **Errors**
 *
 * Dies if an option is out of range, or the queue is measured by another flow already.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const makeBatch = <A, B, E, R, QE = never>(
  queue: WorkQueue<A, QE>,
  options: CrewOptions & {
    /** The most items in a batch, a whole number of at least 1, and how long the first waits for the others. */
    readonly batch: { readonly size: number; readonly wait: Duration.Input }
    readonly work: (items: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<B, E, R>
    readonly onSettled?:
      | ((items: Arr.NonEmptyReadonlyArray<A>, exit: Exit.Exit<B, E>) => void | Effect.Effect<void>)
      | undefined
  }
): Effect.Effect<Crew<A, B, E>, never, R | Scope.Scope> =>
  Effect.suspend(() => {
    const size = options.batch.size
    if (!(Number.isSafeInteger(size) && size >= 1)) {
      throw new RangeError(`Crew.makeBatch: batch.size must be a whole number >= 1, got ${size}`)
    }
    return construct<A, Arr.NonEmptyReadonlyArray<A>, B, E, R, QE>(queue, options, {
      pull: (from) => {
        const batch: Array<A> = []
        while (batch.length < size && from.ready > 0) batch.push(from.take())
        return batch as unknown as Arr.NonEmptyReadonlyArray<A>
      },
      units: function*(items) {
        for (let i = 0; i < items.length; i += size) {
          yield items.slice(i, i + size) as unknown as Arr.NonEmptyReadonlyArray<A>
        }
      },
      work: options.work as (items: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<B, E>,
      onSettled: options.onSettled ?? (() => {}),
      batch: { size, wait: Duration.toMillis(options.batch.wait) }
    })
  })

const construct = <A, U, B, E, R, QE>(
  queue: WorkQueue<A, QE>,
  options: CrewOptions,
  plan: Omit<Plan<A, U>, "name" | "grace">
): Effect.Effect<Crew<A, B, E>, never, R | Scope.Scope> =>
  Effect.uninterruptible(Effect.gen(function*() {
    requireSize("make", options.size)
    const items = queue as unknown as QueueCore<A, QE>
    const flow = (options.flow ?? items.flow ?? (yield* FlowMetrics.make())) as unknown as FlowCore
    if (items.flow !== undefined && items.flow !== flow) {
      throw new RangeError("Crew.make: flow must be the one that measures the queue already, got another")
    }
    items.measure(flow)
    const context = yield* Effect.context<never>()
    const dispatcher = sharedDispatcher(yield* Scheduler.Scheduler)
    const crew = new CrewCore<A, U>(
      items,
      { ...plan, name: options.name ?? defaults.name, grace: Duration.toMillis(options.grace ?? defaults.grace) },
      flow,
      context,
      dispatcher
    )
    yield* Effect.addFinalizer(() => crew.close)
    crew.resize(options.size)
    return crew as unknown as Crew<A, B, E>
  }))

const requireSize = (verb: string, size: number): void => {
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(`Crew.${verb}: size must be a whole number >= 0, got ${size}`)
  }
}

/**
 * Changes how many work at once. Growing starts fibers; shrinking lets the busy ones finish their item, and idle ones
 * leave at once. Does nothing once the crew has ended.
 *
 * **Errors**
 *
 * Dies if the size is not a whole number of at least 0.
 *
 * @category operations
 * @stability unstable
 * @since 0.1.0
 */
export const resize: {
  (size: number): <A, B, E>(self: Crew<A, B, E>) => Effect.Effect<void>
  <A, B, E>(self: Crew<A, B, E>, size: number): Effect.Effect<void>
} = dual(2, <A, B, E>(self: Crew<A, B, E>, size: number): Effect.Effect<void> =>
  Effect.sync(() => {
    requireSize("resize", size)
    core(self).resize(size)
  }))

const deadlineOf = (options: { readonly deadline?: Duration.Input | undefined } | undefined): number =>
  options?.deadline === undefined ? Infinity : Duration.toMillis(options.deadline)

const isCrewCall = (args: IArguments): boolean => args[0] instanceof CrewCore

/**
 * Ends the queue and finishes what was accepted; after the deadline, if there is one, kills what is not over.
 *
 * **Details**
 *
 * Interrupting the wait does not cancel the drain. A later `stop` or `kill` hastens it; all of them give the same report.
 *
 * **Gotchas**
 *
 * A crew of size 0 drains nothing: without a deadline this waits until it is resized.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const drain: {
  (
    options?: { readonly deadline?: Duration.Input | undefined }
  ): <A, B, E>(self: Crew<A, B, E>) => Effect.Effect<CrewReport<A>>
  <A, B, E>(
    self: Crew<A, B, E>,
    options?: { readonly deadline?: Duration.Input | undefined }
  ): Effect.Effect<CrewReport<A>>
} = dual(isCrewCall, <A, B, E>(
  self: Crew<A, B, E>,
  options?: { readonly deadline?: Duration.Input | undefined }
): Effect.Effect<CrewReport<A>> =>
  Effect.suspend(() => {
    core(self).drain(deadlineOf(options))
    return core(self).awaitEnd
  }))

/**
 * Shuts the queue, settles what waits as interrupted, and finishes what is running; after the deadline, if there is one,
 * kills it.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const stop: {
  (
    options?: { readonly deadline?: Duration.Input | undefined }
  ): <A, B, E>(self: Crew<A, B, E>) => Effect.Effect<CrewReport<A>>
  <A, B, E>(
    self: Crew<A, B, E>,
    options?: { readonly deadline?: Duration.Input | undefined }
  ): Effect.Effect<CrewReport<A>>
} = dual(isCrewCall, <A, B, E>(
  self: Crew<A, B, E>,
  options?: { readonly deadline?: Duration.Input | undefined }
): Effect.Effect<CrewReport<A>> =>
  Effect.suspend(() => {
    core(self).stop(deadlineOf(options))
    return core(self).awaitEnd
  }))

/**
 * Shuts the queue, interrupts what is running, and settles everything as interrupted. Work that ignores the interrupt
 * for the grace is abandoned: settled, counted in the report, and waited for only when the Scope closes.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const kill = <A, B, E>(self: Crew<A, B, E>): Effect.Effect<CrewReport<A>> =>
  Effect.suspend(() => {
    core(self).kill()
    return core(self).awaitEnd
  })

/**
 * Waits until nothing waits in the queue and every settlement is over.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const awaitIdle = <A, B, E>(self: Crew<A, B, E>): Effect.Effect<void> => core(self).awaitIdle

/**
 * Waits until the crew has ended, and gives its report.
 *
 * @category completion
 * @stability unstable
 * @since 0.1.0
 */
export const awaitEnd = <A, B, E>(self: Crew<A, B, E>): Effect.Effect<CrewReport<A>> => core(self).awaitEnd

/**
 * How many may work at once.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const size = <A, B, E>(self: Crew<A, B, E>): Effect.Effect<number> => Effect.sync(() => core(self).target)

/**
 * The crew now, with what flows through it.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const stats = <A, B, E>(self: Crew<A, B, E>): Effect.Effect<CrewStats> =>
  Effect.sync(() => {
    const { busy, flow, name, state, target } = core(self)
    return {
      name,
      state: state._tag,
      size: target,
      busy,
      flow: FlowMetrics.statsUnsafe(flow as unknown as FlowMetrics.FlowMetrics)
    }
  })
