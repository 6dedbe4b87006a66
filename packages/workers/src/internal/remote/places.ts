import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { WorkerLink, WorkerStartError } from "../../WorkerHost.ts"
import type { Address } from "./address.ts"

/** An address where workers are started. */
export interface Place {
  readonly address: Address
  /** Workers there, those that are starting included. */
  live: number
  /** When it was last found to be unreachable, in milliseconds of the monotonic clock. */
  missedAt: number
}

export interface Places {
  /** Starts a worker where fewest are, or else at the next place. */
  readonly start: <R>(
    startAt: (place: Place) => Effect.Effect<WorkerLink, WorkerStartError, R>
  ) => Effect.Effect<WorkerLink, WorkerStartError, R | Scope.Scope>
}

/** For so many milliseconds a place that was unreachable comes after the others. */
const avoidance = 5000

const isElsewhereBetter: { readonly [Reason in WorkerStartError["reason"]]: boolean } = {
  Unreachable: true,
  Unauthorized: true,
  Full: true,
  // It was there, and is the same elsewhere.
  Refused: false,
  Exited: false
}

export const make = (addresses: ReadonlyArray<Address>): Places => {
  const places = addresses.map((address): Place => ({ address, live: 0, missedAt: -Infinity }))
  const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

  return {
    start: Effect.fnUntraced(function*(startAt) {
      const begun = yield* now
      const isAvoided = ({ missedAt }: Place) => begun - missedAt < avoidance ? 1 : 0
      const ordered = places.toSorted((a, b) => isAvoided(a) - isAvoided(b) || a.live - b.live)
      let worst: WorkerStartError | undefined
      for (const place of ordered) {
        const started = yield* Effect.result(inScope(place, startAt(place)))
        if (Result.isSuccess(started)) return started.success
        const { reason } = started.failure
        if (reason === "Unreachable") place.missedAt = yield* now
        if (!isElsewhereBetter[reason]) return yield* started.failure
        // Being unauthorized is the end of it, unless there is a place for which there is hope.
        if (worst === undefined || worst.reason === "Unauthorized") worst = started.failure
      }
      return yield* worst!
    })
  }
}

/** Counts a worker as long as what was made for it is there; what a start that fails has made goes at once. */
const inScope = <R>(
  place: Place,
  start: Effect.Effect<WorkerLink, WorkerStartError, R>
): Effect.Effect<WorkerLink, WorkerStartError, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.fork(yield* Effect.scope)
      place.live++
      yield* Scope.addFinalizer(scope, Effect.sync(() => place.live--))
      return yield* restore(start).pipe(
        Scope.provide(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
  )
