/**
 * A collector as a file or flags describe it, checked and ready to start.
 *
 * @since 0.1.0
 */
import type * as CollectorQueue from "effect-collector/CollectorQueue"
import type * as Redacted from "effect/Redacted"
import type { PlannedConsumer } from "./ConveyorPlan.ts"
import type { Check } from "./EventSchema.ts"
import type { ListenAddress } from "./ListenAddress.ts"

/**
 * What a collector is made of.
 *
 * **Details** `schema` is the file of the schema that `check` enforces. `maxBody` counts the bytes of a body of JSON, or of one line of
 * NDJSON. `shown` is its part of the file as it may be shown; `secrets` are the texts that must not be printed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface CollectorPlan {
  readonly name: string
  readonly file: string
  readonly listen: ListenAddress
  readonly token: Redacted.Redacted | undefined
  readonly schema: string | undefined
  readonly check: Check
  readonly maxBody: number
  readonly queue: QueueOptions
  readonly consumers: ReadonlyArray<PlannedConsumer>
  readonly shown: object
  readonly secrets: ReadonlyArray<string>
}

/**
 * How its queue runs; `keyed.by` is asked about events.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type QueueOptions = Omit<CollectorQueue.Options<unknown>, "handlers" | "scaling" | "measured" | "logging">

/**
 * What a collector assumes where nothing is said.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { maxBody: 1_000_000 } as const
