import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { type Delivery, Rejected } from "../Consumer.ts"
import type { TimedOut } from "../ConveyorError.ts"
import type { LaneInstruments } from "../ConveyorMetrics.ts"
import { defaults, type LaneOptions } from "../Lane.ts"
import { timeoutOption, within } from "./acquired.ts"
import type { HeldConsumer } from "./heldConsumer.ts"
import type { Batch, Ledger } from "./ledger.ts"
import * as Spans from "./spans.ts"

/** Brings batches to a consumer, again and again if need be, until each payload is settled. */
export interface Deliveries<A, R> {
  readonly deliver: (batch: Batch<A>) => Effect.Effect<void, never, R>
  /** From now on there is no time for long pauses: what can be delivered before the deadline is tried at the shortest one. */
  readonly hurry: Effect.Effect<void>
}

export interface DeliveriesOptions<A, E, R> {
  readonly conveyor: string
  readonly name: string
  readonly held: HeldConsumer<A, E, R>
  readonly ledger: Ledger<A>
  readonly lane: LaneOptions
  readonly instruments: LaneInstruments
  readonly traced: boolean
}

export const make = <A, E, R>(
  { conveyor, held, instruments, lane, ledger, name, traced }: DeliveriesOptions<A, E, R>
): Deliveries<A, R> => {
  const { attempts = defaults.attempts, backoff, rebuildAfter = defaults.rebuildAfter } = lane
  const timeout = timeoutOption(lane.timeout ?? defaults.timeout)
  const minBackoff = Duration.toMillis(backoff?.min ?? defaults.backoff.min)
  const maxBackoff = Math.max(minBackoff, Duration.toMillis(backoff?.max ?? defaults.backoff.max))
  const hurrying = Latch.makeUnsafe(false)
  let failuresInRow = 0

  const attempt = (batch: Batch<A>, number: number): Effect.Effect<void, E | Rejected | TimedOut, R> => {
    const deliveries = batch.map(({ payload, tick }): Delivery<A> => ({ payload, tick, attempt: number }))
    const consumed = Effect.flatMap(held.use, (consume) => within(name, consume(deliveries as never), timeout))
    return traced ? Spans.delivery(consumed, { conveyor, consumer: name, attempt: number, batch }) : consumed
  }

  const from = (batch: Batch<A>, number: number): Effect.Effect<void, never, R> =>
    Effect.flatMap(instruments.timed(Effect.exit(attempt(batch, number))), (exit) => {
      if (Exit.isFailure(exit)) return failed(batch, number, exit.cause)
      failuresInRow = 0
      ledger.delivered(batch)
      return Effect.void
    })

  const failed = (batch: Batch<A>, number: number, cause: Cause.Cause<unknown>): Effect.Effect<void, never, R> => {
    const rejected = rejectionOf(cause)
    if (rejected !== undefined && batch.length > 1) {
      return Effect.forEach(batch, (entry) => from([entry], number), { discard: true })
    }
    if (rejected !== undefined || (attempts !== "unbounded" && number >= attempts)) {
      ledger.failed(batch.length, number, cause)
      ledger.deadLettered(batch, number, rejected ?? "attempts", cause)
      return Effect.void
    }
    const millis = Math.min(maxBackoff, minBackoff * 2 ** Math.min(number - 1, 60))
    ledger.failed(batch.length, number, cause, millis)
    return renew.pipe(Effect.andThen(pause(millis)), Effect.andThen(from(batch, number + 1)))
  }

  const renew = Effect.suspend(() => {
    if (rebuildAfter === "never" || ++failuresInRow < rebuildAfter) return Effect.void
    failuresInRow = 0
    return held.release
  })

  const pause = (millis: number) =>
    Effect.raceFirst(Effect.sleep(millis), Effect.andThen(hurrying.await, Effect.sleep(Math.min(millis, minBackoff))))

  return { deliver: (batch) => from(batch, 1), hurry: hurrying.open }
}

/** The refusal in a cause, if it holds one. */
export const rejectionOf = (cause: Cause.Cause<unknown>): Rejected | undefined =>
  cause.reasons
    .flatMap((reason) => Cause.isFailReason(reason) && reason.error instanceof Rejected ? [reason.error] : [])[0]
