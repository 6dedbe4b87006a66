import * as Consumer from "effect-conveyor/Consumer"
import { defaults } from "effect-conveyor/Lane"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Latch from "effect/Latch"
import type { PlannedConsumer } from "../ConveyorPlan.ts"
import type { HeldConsumer } from "./heldConsumer.ts"
import { describe } from "./logging.ts"
import type { Settlement, Submission } from "./submission.ts"

/** Brings events to one consumer, again and again if need be, as a lane does. */
export interface Deliverer<R> {
  /** Resumes once each event of the batch has its outcome, in the order of the batch. */
  readonly deliver: (batch: ReadonlyArray<Submission>) => Effect.Effect<ReadonlyArray<Settlement>, never, R>
  /** Events delivered, and events given up, so far. */
  readonly counts: () => { readonly delivered: number; readonly failed: number }
}

/** `hurrying` opens when there is no time for long pauses any more. */
export const make = <E, R>(
  { lane, name }: Pick<PlannedConsumer, "lane" | "name">,
  held: HeldConsumer<E, R>,
  hurrying: Latch.Latch
): Deliverer<R> => {
  const { attempts = defaults.attempts, backoff } = lane
  const minBackoff = Duration.toMillis(backoff?.min ?? defaults.backoff.min)
  const maxBackoff = Math.max(minBackoff, Duration.toMillis(backoff?.max ?? defaults.backoff.max))
  let delivered = 0
  let failed = 0
  let failuresInRow = 0

  const attempt = Effect.fnUntraced(function*(batch: ReadonlyArray<Submission>, number: number) {
    const consume = yield* held.use
    const now = yield* Clock.currentTimeMillis
    yield* Effect.timeout(consume(batch.map((one) => one.delivery(number, now)) as never), defaults.timeout)
  })

  const from = (
    batch: ReadonlyArray<Submission>,
    number: number
  ): Effect.Effect<ReadonlyArray<Settlement>, never, R> =>
    Effect.flatMap(Effect.exit(attempt(batch, number)), (exit) => {
      if (Exit.isFailure(exit)) return afterFailure(batch, number, exit.cause)
      const recovered = failuresInRow > 0 ? Effect.logInfo(`${name} takes events again`) : Effect.void
      failuresInRow = 0
      delivered += batch.length
      return Effect.as(recovered, batch.map(() => Exit.void))
    })

  const afterFailure = (
    batch: ReadonlyArray<Submission>,
    number: number,
    cause: Cause.Cause<unknown>
  ): Effect.Effect<ReadonlyArray<Settlement>, never, R> => {
    const isRejected = rejectionOf(cause) !== undefined
    if (isRejected && batch.length > 1) {
      return Effect.map(Effect.forEach(batch, (one) => from([one], number)), (settlements) => settlements.flat())
    }
    if (isRejected || (attempts !== "unbounded" && number >= attempts)) {
      failed += batch.length
      return Effect.as(
        Effect.logWarning(
          `${name} gave up ${batch[0]!.receipt}${batch.length > 1 ? ` and ${batch.length - 1} more` : ""}: ${
            describe(cause)
          }`
        ),
        batch.map(() => Exit.failCause(cause))
      )
    }
    failuresInRow++
    // Once for each outage and not for each attempt, of which there are many.
    const told = failuresInRow === 1
      ? Effect.logWarning(`${name} does not take events, and is tried again: ${describe(cause)}`)
      : Effect.void
    const renewed = failuresInRow % defaults.rebuildAfter === 0 ? held.release : Effect.void
    const millis = Math.min(maxBackoff, minBackoff * 2 ** Math.min(number - 1, 60))
    return told.pipe(Effect.andThen(renewed), Effect.andThen(pause(millis)), Effect.andThen(from(batch, number + 1)))
  }

  const pause = (millis: number) =>
    Effect.raceFirst(Effect.sleep(millis), Effect.andThen(hurrying.await, Effect.sleep(Math.min(millis, minBackoff))))

  return { deliver: (batch) => from(batch, 1), counts: () => ({ delivered, failed }) }
}

/** The refusal in a cause, if it holds one. */
export const rejectionOf = (cause: Cause.Cause<unknown>): Consumer.Rejected | undefined =>
  cause.reasons.find((reason): reason is Cause.Fail<Consumer.Rejected> =>
    Cause.isFailReason(reason) && reason.error instanceof Consumer.Rejected
  )?.error
