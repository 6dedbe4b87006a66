/**
 * A conveyor as a file describes it, checked and ready to start.
 *
 * @since 0.1.0
 */
import type * as Connector from "effect-conveyor-connectors/Connector"
import * as Cadence from "effect-conveyor/Cadence"
import type * as Consumer from "effect-conveyor/Consumer"
import * as Conveyor from "effect-conveyor/Conveyor"
import type { ConveyorError } from "effect-conveyor/ConveyorError"
import type * as Lane from "effect-conveyor/Lane"
import { configure } from "effect-conveyor/Lane"
import type * as MissedTick from "effect-conveyor/MissedTick"
import type * as Producer from "effect-conveyor/Producer"
import type * as Supervisor from "effect-conveyor/Supervisor"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

/**
 * What a conveyor of a file is made of.
 *
 * **Details**
 *
 * `shown` is its part of the file as it may be shown: variables put in, secrets masked. `fingerprint` differs when anything in it
 * does. `secrets` are the texts that must not be printed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ConveyorPlan {
  readonly name: string
  readonly file: string
  readonly cadence: Cadence.Cadence
  readonly producer: Producer.Producer<unknown, Connector.ConnectorFailure, Connector.Services>
  readonly consumers: ReadonlyArray<PlannedConsumer>
  readonly missedTicks: MissedTick.Policy
  readonly timeout: Duration.Input | "unbounded" | undefined
  readonly maxSilence: Duration.Input | "unbounded" | undefined
  readonly restart: Supervisor.RestartOptions | undefined
  readonly drainTimeout: Duration.Duration
  readonly maxTicks: number | "unbounded"
  readonly shown: object
  readonly fingerprint: string
  readonly secrets: ReadonlyArray<string>
}

/**
 * A consumer of a conveyor of a file.
 *
 * **Details** `path` is the file that it writes to, when it writes to one.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PlannedConsumer {
  readonly name: string
  readonly type: string
  readonly path: string | undefined
  readonly consumer: Consumer.Consumer<unknown, Connector.ConnectorFailure, Connector.Services>
  readonly lane: Lane.LaneOptions
}

/**
 * Starts the conveyor; closing the Scope stops it in order.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const start = (
  plan: ConveyorPlan
): Effect.Effect<
  Conveyor.Conveyor<unknown, Connector.ConnectorFailure>,
  ConveyorError,
  Connector.Services | Scope.Scope
> =>
  Conveyor.make<unknown, Connector.ConnectorFailure, Connector.Services>(plan.name, {
    ...plan,
    consumers: plan.consumers.map(({ consumer, lane, name }) => configure(consumer, { ...lane, name }))
  }) as Effect.Effect<
    Conveyor.Conveyor<unknown, Connector.ConnectorFailure>,
    ConveyorError,
    Connector.Services | Scope.Scope
  >

/**
 * Makes the plan run once: one tick at once, and no second try.
 *
 * **Details** Bounds that follow from the interval are those of the plan's own cadence at `now` (milliseconds).
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const once = (plan: ConveyorPlan, now: number): ConveyorPlan => {
  const interval = Option.getOrElse(Cadence.interval(plan.cadence, now), () => Duration.minutes(1))
  return {
    ...plan,
    cadence: Cadence.every(interval, { anchor: "start" }),
    restart: { ...plan.restart, after: 1, maxRestarts: 0 },
    maxTicks: 1
  }
}

/**
 * Gives everything to the console instead of the consumers.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const dryRun = (plan: ConveyorPlan, console: PlannedConsumer["consumer"]): ConveyorPlan => ({
  ...plan,
  consumers: [{ name: "console", type: "console", path: undefined, consumer: console, lane: {} }]
})
