import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { BusEvent } from "../MessageBus.ts"

/** Writes what a queue tells on the log. */
export const make = (queue: string, context: Context.Context<never>): (event: BusEvent) => void => {
  const run = Effect.runForkWith(context)
  return (event) => {
    const line = describe(event)
    if (line !== undefined) run(Effect.annotateLogs(line, { queue }))
  }
}

const describe = (event: BusEvent): Effect.Effect<void> | undefined => {
  switch (event._tag) {
    case "Initialized":
      return Effect.logInfo(`takes events, with ${event.consumers} consumers`)
    case "ReportedMetrics":
      return Effect.logInfo("metrics", event.metrics)
    case "ScaledUp":
    case "ScaledDown":
      return Effect.logDebug(`${event.from} → ${event.to} consumers`)
    case "Dropped":
      // A queue that overflows once usually does so for a while: the first loss, then each power of two.
      return Number.isInteger(Math.log2(event.total))
        ? Effect.logWarning(`${event.total} events dropped so far (${event.reason})`)
        : undefined
    case "ShutDown": {
      const { abandoned, interrupted, left, settled } = event.report
      return interrupted + left + abandoned === 0
        ? Effect.logInfo(`has shut down: ${settled} events settled`)
        : Effect.logWarning(
          `has shut down: ${settled} events settled, ${interrupted} interrupted, ${left} never begun, ${abandoned} abandoned`
        )
    }
  }
}
