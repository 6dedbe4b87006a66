/**
 * The metrics of a conveyor, under Prometheus names and with bounded labels.
 *
 * | name | kind | labels |
 * |---|---|---|
 * | `conveyor_ticks_total` | counter | `conveyor`, `outcome` (`run`, `caughtUp`, `failed`, `skipped`, `coalesced`) |
 * | `conveyor_tick_lateness_seconds` | histogram | `conveyor` |
 * | `conveyor_produce_duration_seconds` | histogram | `conveyor` |
 * | `conveyor_restarts_total` | counter | `conveyor` |
 * | `conveyor_consume_duration_seconds` | histogram | `conveyor`, `consumer` |
 * | `conveyor_delivered_total`, `conveyor_dropped_total`, `conveyor_dead_letters_total` | counter | `conveyor`, `consumer` |
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { TickCounts } from "./ConveyorEvent.ts"

/**
 * Upper bounds, in seconds, of the buckets of every duration and lateness.
 *
 * @category metrics
 * @stability stable
 * @since 0.1.0
 */
export const boundaries: ReadonlyArray<number> = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]

/**
 * How a tick ended, as the label of `conveyor_ticks_total`.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type TickOutcome = Exclude<keyof TickCounts, "due">

/**
 * What the engine records of its ticks.
 *
 * @category metrics
 * @stability unstable
 * @since 0.1.0
 */
export interface ConveyorInstruments {
  readonly ticks: (outcome: TickOutcome, count: number) => void
  readonly lateness: (millis: number) => void
  readonly produced: (millis: number) => void
  readonly restarted: () => void
}

/**
 * What a lane records of its deliveries.
 *
 * @category metrics
 * @stability unstable
 * @since 0.1.0
 */
export interface LaneInstruments {
  readonly delivered: (payloads: number) => void
  readonly dropped: (payloads: number) => void
  readonly deadLettered: (payloads: number) => void
  readonly timed: <A, E, R>(delivery: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Makes the instruments of one conveyor; a series appears with its first value.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const conveyor = (context: Context.Context<never>, name: string): ConveyorInstruments => {
  const attributes = { conveyor: name }
  const ticks = {
    run: tickCounter(name, "run"),
    caughtUp: tickCounter(name, "caughtUp"),
    failed: tickCounter(name, "failed"),
    skipped: tickCounter(name, "skipped"),
    coalesced: tickCounter(name, "coalesced")
  }
  const lateness = Metric.histogram("conveyor_tick_lateness_seconds", {
    description: "How long after it was due a run began",
    attributes,
    boundaries
  })
  const produced = Metric.histogram("conveyor_produce_duration_seconds", {
    description: "How long a run of the producer took",
    attributes,
    boundaries
  })
  const restarts = Metric.counter("conveyor_restarts_total", {
    description: "Times the producer was rebuilt",
    attributes,
    incremental: true
  })
  return {
    ticks: (outcome, count) => ticks[outcome].updateUnsafe(count, context),
    lateness: (millis) => lateness.updateUnsafe(millis / 1000, context),
    produced: (millis) => produced.updateUnsafe(millis / 1000, context),
    restarted: () => restarts.updateUnsafe(1, context)
  }
}

/**
 * Makes the instruments of one lane.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const lane = (context: Context.Context<never>, conveyor: string, consumer: string): LaneInstruments => {
  const attributes = { conveyor, consumer }
  const counter = (name: string, description: string) => {
    const metric = Metric.counter(name, { description, attributes, incremental: true })
    return (payloads: number) => metric.updateUnsafe(payloads, context)
  }
  const took = Metric.histogram("conveyor_consume_duration_seconds", {
    description: "How long one delivery took, failed ones included",
    attributes,
    boundaries
  })
  return {
    delivered: counter("conveyor_delivered_total", "Payloads a consumer has taken"),
    dropped: counter("conveyor_dropped_total", "Payloads lost because a lane was full"),
    deadLettered: counter("conveyor_dead_letters_total", "Payloads that will not be tried again"),
    timed: (delivery) =>
      Clock.clockWith((clock) => {
        const started = clock.monotonicTimeNanosUnsafe()
        return Effect.tap(delivery, () =>
          Effect.sync(() => took.updateUnsafe(Number(clock.monotonicTimeNanosUnsafe() - started) / 1e9, context)))
      })
  }
}

const tickCounter = (conveyor: string, outcome: TickOutcome) =>
  Metric.counter("conveyor_ticks_total", {
    description: "Due ticks by how they ended",
    attributes: { conveyor, outcome },
    incremental: true
  })
