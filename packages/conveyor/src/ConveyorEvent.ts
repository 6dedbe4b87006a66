/**
 * What a running conveyor tells.
 *
 * Every change of state is an event, and so is everything that is lost. Events describe; nothing waits for those who watch,
 * and one who watches too slowly misses the oldest.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type { Rejected } from "./Consumer.ts"
import type { TimedOut } from "./ConveyorError.ts"
import type { LaneStats } from "./Lane.ts"
import type { Health } from "./Supervisor.ts"
import type { Tick } from "./Tick.ts"

/**
 * How many due ticks met which end.
 *
 * **Details**
 *
 * `due = run + caughtUp + failed + skipped + coalesced` once nothing is in flight. `run` succeeded at their time, `caughtUp` succeeded
 * later; `failed` ran and failed, timed out or were interrupted; `skipped` never ran; `coalesced` are represented by a later
 * run.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface TickCounts {
  readonly due: number
  readonly run: number
  readonly caughtUp: number
  readonly failed: number
  readonly skipped: number
  readonly coalesced: number
}

/**
 * What a conveyor did between its start and its end.
 *
 * **Details**
 *
 * `left` of each lane counts the payloads that were accepted and neither delivered nor given to the dead letters nor
 * dropped. `abandoned` counts runs that ignored interruption and were left to themselves.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ShutdownReport {
  readonly name: string
  readonly gaveUp: boolean
  readonly ticks: TickCounts
  readonly abandoned: number
  readonly lanes: ReadonlyArray<LaneStats>
}

/**
 * Something that happened in a conveyor.
 *
 * **Details**
 *
 * - `Started`: consumers were set up, or tried for the first time; the first tick may come.
 * - `TickRun`: a run succeeded and its payload was accepted by every lane; `caughtUp` when it ran late on purpose.
 * - `RunFailed`: a run failed with the producer's own error, a defect, or `TimedOut`.
 * - `TicksMissed`: due instants that got no run of their own, and why.
 * - `HealthChanged`: see `Supervisor.Health`.
 * - `ProducerRebuilding`, `ProducerRebuilt`: the producer is released, and after the pause has been acquired again.
 * - `DeliveryFailed`: a consumer failed and will be tried again after `retryIn`; with no payloads and attempt 0, it could not be acquired at
 *   the start.
 * - `Dropped`: a lane was full; `total` payloads were dropped by it so far. `DeadLettered`: a payload will not be tried again.
 * - `Stopped`: the last event; nothing runs any more.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type ConveyorEvent<A = unknown, E = unknown> = Data.TaggedEnum<{
  Started: { readonly conveyor: string }
  TickRun: {
    readonly conveyor: string
    readonly tick: Tick
    readonly caughtUp: boolean
    readonly took: Duration.Duration
  }
  RunFailed: { readonly conveyor: string; readonly tick: Tick; readonly cause: Cause.Cause<E | TimedOut> }
  TicksMissed: {
    readonly conveyor: string
    readonly outcome: "skipped" | "coalesced"
    readonly count: number
    readonly reason: "overrun" | "late" | "producerDown"
  }
  HealthChanged: { readonly conveyor: string; readonly from: Health; readonly to: Health; readonly reason: string }
  ProducerRebuilding: {
    readonly conveyor: string
    readonly after: Duration.Duration
    readonly cause: Cause.Cause<E | TimedOut>
  }
  ProducerRebuilt: { readonly conveyor: string }
  DeliveryFailed: {
    readonly conveyor: string
    readonly consumer: string
    readonly attempt: number
    readonly payloads: number
    readonly cause: Cause.Cause<unknown>
    readonly retryIn: Duration.Duration
  }
  Dropped: {
    readonly conveyor: string
    readonly consumer: string
    readonly payload: A
    readonly tick: Tick
    readonly reason: "dropNewest" | "dropOldest"
    readonly total: number
  }
  DeadLettered: {
    readonly conveyor: string
    readonly consumer: string
    readonly payload: A
    readonly tick: Tick
    readonly attempts: number
    readonly reason: Rejected | "attempts"
    readonly cause: Cause.Cause<unknown>
  }
  Stopped: { readonly conveyor: string; readonly report: ShutdownReport }
}>
