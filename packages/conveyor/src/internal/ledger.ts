import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Tracer from "effect/Tracer"
import type { Rejected } from "../Consumer.ts"
import type { ConveyorEvent } from "../ConveyorEvent.ts"
import type { LaneInstruments } from "../ConveyorMetrics.ts"
import type { LaneStats } from "../Lane.ts"
import type { Tick } from "../Tick.ts"

/** A payload in a lane; `settled` once it was delivered, dropped or given to the dead letters. */
export interface Entry<out A> {
  readonly payload: A
  readonly tick: Tick
  readonly span: Tracer.AnySpan | undefined
  settled: boolean
}

export type Batch<A> = Arr.NonEmptyReadonlyArray<Entry<A>>

/** What became of the payloads of a lane: each change is counted, measured and published in one place, and settles its entries. */
export interface Ledger<A> {
  readonly delivering: (batch: Batch<A>) => void
  readonly delivered: (batch: Batch<A>) => void
  /** A delivery failed; without a pause it will not be tried again. */
  readonly failed: (payloads: number, attempt: number, cause: Cause.Cause<unknown>, retryMillis?: number) => void
  readonly deadLettered: (
    batch: Batch<A>,
    attempts: number,
    reason: Rejected | "attempts",
    cause: Cause.Cause<unknown>
  ) => void
  readonly dropped: (entry: Entry<A>, reason: "dropNewest" | "dropOldest") => void
  /** The crew is done with a batch: what is not settled is left. */
  readonly over: (batch: Batch<A>, hadBegun: boolean) => void
  readonly counts: () => Omit<LaneStats, "name" | "accepted" | "depth" | "oldestAge">
}

export const make = <A>(
  conveyor: string,
  consumer: string,
  instruments: LaneInstruments,
  publish: (event: ConveyorEvent<A>) => void
): Ledger<A> => {
  const counts = { delivering: 0, delivered: 0, retried: 0, dropped: 0, deadLettered: 0, left: 0 }
  let lastError: string | undefined
  const settle = (batch: Batch<A>) => {
    for (const entry of batch) entry.settled = true
  }
  return {
    delivering: (batch) => {
      counts.delivering += batch.length
    },
    delivered: (batch) => {
      settle(batch)
      lastError = undefined
      counts.delivered += batch.length
      instruments.delivered(batch.length)
    },
    failed: (payloads, attempt, cause, retryMillis) => {
      lastError = summarise(cause)
      if (retryMillis === undefined) return
      counts.retried += payloads
      const retryIn = Duration.millis(retryMillis)
      publish({ _tag: "DeliveryFailed", conveyor, consumer, attempt, payloads, cause, retryIn })
    },
    deadLettered: (batch, attempts, reason, cause) => {
      settle(batch)
      counts.deadLettered += batch.length
      instruments.deadLettered(batch.length)
      for (const { payload, tick } of batch) {
        publish({ _tag: "DeadLettered", conveyor, consumer, payload, tick, attempts, reason, cause })
      }
    },
    dropped: (entry, reason) => {
      settle([entry])
      counts.dropped++
      instruments.dropped(1)
      const { payload, tick } = entry
      publish({ _tag: "Dropped", conveyor, consumer, payload, tick, reason, total: counts.dropped })
    },
    over: (batch, hadBegun) => {
      if (hadBegun) counts.delivering -= batch.length
      for (const { settled } of batch) if (!settled) counts.left++
    },
    counts: () => ({ ...counts, lastError })
  }
}

const summarise = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}
