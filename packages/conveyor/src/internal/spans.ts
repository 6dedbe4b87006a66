import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { Tick } from "../Tick.ts"

/**
 * Whether spans go anywhere. One costs 4 µs, as much as all the rest of a tick, and Effect's own tracer keeps them for nobody.
 */
export const isTraced = (context: Context.Context<never>): boolean =>
  Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer

/** A run of the producer: a trace of its own. */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>, conveyor: string, tick: Tick): Effect.Effect<A, E, R> =>
  Effect.withSpan(effect, "Conveyor.run", {
    root: true,
    kind: "producer",
    captureStackTrace: false,
    attributes: {
      conveyor,
      "tick.index": tick.index,
      "tick.dueAt": DateTime.formatIso(tick.dueAt),
      "tick.missed": tick.missed
    }
  }) as Effect.Effect<A, E, R>

/** One delivery, linked to the runs that made what it delivers. */
export const delivery = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: {
    readonly conveyor: string
    readonly consumer: string
    readonly attempt: number
    readonly batch: Arr.NonEmptyReadonlyArray<{ readonly span: Tracer.AnySpan | undefined }>
  }
): Effect.Effect<A, E, R> =>
  Effect.withSpan(effect, "Conveyor.deliver", {
    root: true,
    kind: "consumer",
    captureStackTrace: false,
    attributes: {
      conveyor: options.conveyor,
      consumer: options.consumer,
      attempt: options.attempt,
      payloads: options.batch.length
    },
    links: options.batch.flatMap(({ span }) => span === undefined ? [] : [{ span, attributes: {} }])
  }) as Effect.Effect<A, E, R>
