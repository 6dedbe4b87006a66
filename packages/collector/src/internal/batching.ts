import * as Crew from "effect-work-queue/Crew"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import type * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

interface Item<P, A, E> {
  readonly payload: P
  readonly resume: (exit: Exit.Exit<A, E>) => void
}

/**
 * Turns what collects a batch into what collects one payload, waiting beside others until their batch is over.
 *
 * There are never more payloads here than consumers that wait for them, so the queue needs no bound of its own.
 */
export const make = <P, A, E, R>(
  batch: { readonly size: number; readonly wait: Duration.Input },
  collect: (payloads: Arr.NonEmptyReadonlyArray<P>) => Effect.Effect<A, E, R>
): Effect.Effect<(payload: P) => Effect.Effect<A, E>, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* WorkQueue.make<Item<P, A, E>>({ capacity: "unbounded" })
    yield* Crew.makeBatch(queue, {
      size: 1,
      batch,
      work: (items) => collect(items.map(({ payload }) => payload) as unknown as Arr.NonEmptyReadonlyArray<P>),
      onSettled: (items, exit) => items.forEach(({ resume }) => resume(exit))
    })
    return (payload) =>
      Effect.callback<A, E>((resume) => {
        const item: Item<P, A, E> = { payload, resume }
        WorkQueue.offerUnsafe(queue, item)
        return Effect.asVoid(WorkQueue.remove(queue, (waiting) => waiting === item))
      })
  })
