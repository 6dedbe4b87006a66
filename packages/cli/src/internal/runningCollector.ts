import { defaults } from "effect-collector/CollectorQueue"
import type { MessageBus } from "effect-collector/MessageBus"
import type * as Connector from "effect-conveyor-connectors/Connector"
import type { Rejected } from "effect-conveyor/Consumer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { CollectorPlan } from "../CollectorPlan.ts"
import type { Outcome } from "../CollectSummary.ts"
import type { AddressUnavailable } from "../CommandFailed.ts"
import * as EventServer from "./eventServer.ts"
import * as Intake from "./intake.ts"

/** How much longer than its timeout a collector may take to end. */
const grace = Duration.seconds(3)

export interface RunningCollector {
  readonly plan: CollectorPlan
  readonly url: string
  readonly messageBus: MessageBus
  /** Ends intake, drains, then closes the consumers and the server. */
  readonly stop: Effect.Effect<Outcome>
}

/** Starts a collector: its consumers and its queue, and once these are there, its server. */
export const start = (
  plan: CollectorPlan
): Effect.Effect<RunningCollector, Rejected | AddressUnavailable, Connector.Services> =>
  Effect.gen(function*() {
    // Closed by the orderly end alone.
    const scope = Scope.makeUnsafe()
    const started = Effect.gen(function*() {
      const intake = yield* Scope.provide(Intake.make(plan), scope)
      const server = yield* EventServer.start(plan, intake)
      return { intake, server }
    })
    const { intake, server } = yield* Effect.onError(started, (cause) => Scope.close(scope, Exit.failCause(cause)))
    yield* Effect.annotateLogs(Effect.logInfo(`listens on ${server.url}/events`), { queue: plan.name })

    const timeout = Duration.fromInputUnsafe(plan.queue.consumerShutdownTimeout ?? defaults.consumerShutdownTimeout)
    const stop = Effect.gen(function*() {
      const report = yield* Effect.timeoutOption(intake.stop, Duration.sum(timeout, grace))
      const { eventCount } = yield* intake.metrics
      // Only now, so that who waits for results can be told them.
      yield* server.close
      if (Option.isNone(report)) return { _tag: "Unsettled", plan } as const
      yield* Scope.close(scope, Exit.void)
      return { _tag: "Ended", plan, accepted: eventCount, consumers: intake.counts(), report: report.value } as const
    })
    return { plan, url: server.url, messageBus: intake.messageBus, stop }
  })
