import * as FlowMetrics from "effect-work-queue/FlowMetrics"
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ScalingPolicy from "../ScalingPolicy.ts"
import { LoadAverage } from "./loadAverage.ts"

/** Looks at the load again and again, and resizes the crew by what its policy says. */
export interface Autoscaler {
  /** To be run in a fiber of its own; never ends. */
  readonly run: Effect.Effect<never>
  /** To be called whenever something may have entered the system. */
  readonly arrived: () => void
  readonly averageLoad: () => number
}

/**
 * Makes an autoscaler.
 *
 * While nothing is in the system and the crew is as small as it may be, there is nothing to look at: it sleeps without a
 * timer until something arrives, so an idle queue costs nothing.
 */
export const make = (options: {
  readonly flow: FlowMetrics.FlowMetrics
  readonly policy: ScalingPolicy.ScalingPolicy | undefined
  readonly min: number
  readonly max: number
  readonly interval: Duration.Duration
  readonly avgLoadInterval: Duration.Duration
  readonly warmup: Duration.Duration
  readonly resize: (from: number, to: number) => Effect.Effect<void>
  /** A policy has died: told once, until it answers again. */
  readonly onDefect: (cause: Cause.Cause<never>) => Effect.Effect<void>
}): Autoscaler => {
  const { flow, interval, max, min, onDefect, policy, resize } = options
  const average = new LoadAverage(
    Duration.toMillis(options.avgLoadInterval),
    Duration.toMillis(options.warmup),
    FlowMetrics.nowUnsafe(flow)
  )
  let decision: ScalingPolicy.Decision | undefined
  let failing = false
  let wake: (() => void) | undefined

  const decide = Effect.suspend(() => {
    const totals = FlowMetrics.totalsUnsafe(flow)
    const { busy, depth, now, size } = totals
    // Nobody is left once the crew has ended, which may be a moment before this is told so.
    if (size === 0) return Effect.void
    average.observe(now, (depth + busy) / size)
    if (policy === undefined) return Effect.void
    const sample = { ...totals, min, max }
    decision = decision === undefined ? policy.start(sample) : decision.next(sample)
    failing = false
    return decision.size === size ? Effect.void : resize(size, decision.size)
  })

  const look = Effect.catchCause(decide, (cause) => {
    if (failing) return Effect.void
    failing = true
    return onDefect(cause)
  })

  const rest = Effect.callback<void>((resume) => {
    const { busy, depth, now, size } = FlowMetrics.totalsUnsafe(flow)
    if (depth > 0 || busy > 0 || policy !== undefined && size > min) return resume(Exit.void)
    // Nobody will look until something arrives, and the load does not stay what it was at the last look.
    average.observe(now, 0)
    wake = () => resume(Exit.void)
    return Effect.sync(() => {
      wake = undefined
    })
  })

  return {
    run: Effect.forever(Effect.andThen(rest, Effect.andThen(look, Effect.sleep(interval)))),
    arrived: () => {
      const resume = wake
      if (resume === undefined) return
      wake = undefined
      resume()
    },
    averageLoad: () => average.average(FlowMetrics.nowUnsafe(flow))
  }
}
