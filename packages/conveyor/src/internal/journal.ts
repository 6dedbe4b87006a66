import * as Broadcast from "effect-work-queue/Broadcast"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { ConveyorEvent } from "../ConveyorEvent.ts"
import type { Health } from "../Supervisor.ts"

/** What a conveyor tells the world: its events, its log, and its health. */
export interface Journal<A, E> {
  readonly publish: (event: ConveyorEvent<A, E>) => void
  /** Whether anybody has ever subscribed: an event of every tick is not even made for nobody. */
  readonly isWatched: () => boolean
  readonly health: () => Health
  /** Moves to another health, unless the present one is final. */
  readonly moveTo: (health: Health, reason: string) => void
  readonly events: Stream.Stream<ConveyorEvent<A, E>>
}

export const make = <A, E>(conveyor: string, context: Context.Context<never>): Journal<A, E> => {
  let health: Health = "starting"
  const broadcast = Broadcast.make<ConveyorEvent<A, E>>((event) => event._tag === "Stopped")
  const run = Effect.runForkWith(context)
  const publish = (event: ConveyorEvent<A, E>) => {
    broadcast.publish(event)
    const line = describe(event)
    if (line !== undefined) run(Effect.annotateLogs(line, { conveyor }))
  }
  return {
    publish,
    isWatched: broadcast.isWatched,
    health: () => health,
    moveTo: (to, reason) => {
      if (health === to || health === "stopped" || (health === "failed" && to !== "stopped")) return
      const from = health
      health = to
      publish({ _tag: "HealthChanged", conveyor, from, to, reason })
    },
    events: broadcast.events
  }
}

/** The log line of an event; what happens on every tick of a healthy conveyor has none. */
const describe = (event: ConveyorEvent<any, any>): Effect.Effect<void> | undefined => {
  switch (event._tag) {
    case "RunFailed":
      return Effect.logWarning(`run ${event.tick.index} failed`, event.cause)
    case "DeliveryFailed":
      return event.payloads === 0
        ? Effect.logWarning(`consumer ${event.consumer} cannot be reached yet`, event.cause)
        : Effect.logWarning(
          `consumer ${event.consumer} failed on attempt ${event.attempt}, next attempt in ${event.retryIn.toString()}`,
          event.cause
        )
    case "Dropped":
      // A lane that overflows once usually does so on every tick from then on: the first loss, then each power of two.
      return Number.isInteger(Math.log2(event.total))
        ? Effect.logWarning(`lane ${event.consumer} is full: ${event.total} dropped so far (${event.reason})`)
        : undefined
    case "DeadLettered":
      return Effect.logError(
        `consumer ${event.consumer} will not get the payload of run ${event.tick.index}: ${
          event.reason === "attempts" ? `${event.attempts} attempts failed` : event.reason.reason
        }`
      )
    case "HealthChanged":
      return healthLine(event)
    case "ProducerRebuilding":
      return Effect.logWarning(`rebuilding the producer in ${event.after.toString()}`, event.cause)
    case "Started":
    case "ProducerRebuilt":
    case "TickRun":
    case "TicksMissed":
    case "Stopped":
      return undefined
  }
}

const healthLine = (
  { from, reason, to }: Extract<ConveyorEvent, { readonly _tag: "HealthChanged" }>
): Effect.Effect<void> => {
  const line = `${from} → ${to}: ${reason}`
  if (to === "degraded" || to === "failed") return Effect.logWarning(line)
  return from === "degraded" && to === "healthy" ? Effect.logInfo(line) : Effect.logDebug(line)
}
