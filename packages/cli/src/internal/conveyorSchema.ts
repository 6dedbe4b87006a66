import * as MissedTick from "effect-conveyor/MissedTick"
import * as Supervisor from "effect-conveyor/Supervisor"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { count, countOrNone, countOrUnbounded, duration, positive, timeout } from "./fileSchema.ts"

// The keys of a file, as `docs` and `README.md` list them; connectors bring their own.

const { optionalKey } = Schema

/** Keys that a later version will know. */
export const reserved: { readonly [key: string]: string } = {
  store: "belongs to a later version, with durable lanes; remove it",
  control: "belongs to a later version, with the dashboard; remove it",
  durable: "belongs to a later version; remove it"
}

/** What other tools call our keys. */
export const aliases: { readonly [word: string]: string } = {
  interval: "every",
  schedule: "cron",
  timezone: "zone",
  source: "producer",
  input: "producer",
  sinks: "consumers",
  outputs: "consumers"
}

export const rootKeys: ReadonlyArray<string> = ["conveyors", "collectors"]

const missedTicks = Schema.Union([
  Schema.Literals(["skip", "coalesce"]),
  Schema.Struct({ catchUp: countOrUnbounded }),
  Schema.Struct({ overlap: count })
]).annotate({ expected: "skip, coalesce, { catchUp: COUNT } or { overlap: COUNT }" })

export const toPolicy = (value: typeof missedTicks.Type | undefined): MissedTick.Policy =>
  value === undefined || value === "skip"
    ? MissedTick.skip
    : value === "coalesce"
    ? MissedTick.coalesce
    : "catchUp" in value
    ? MissedTick.catchUp(value.catchUp)
    : MissedTick.overlap(value.overlap)

const atLeast = (max: Duration.Input | undefined, min: Duration.Input | undefined, defaults: {
  readonly min: Duration.Input
  readonly max: Duration.Input
}): boolean =>
  Duration.isGreaterThanOrEqualTo(
    Duration.fromInputUnsafe(max ?? defaults.max),
    Duration.fromInputUnsafe(min ?? defaults.min)
  )

const restart = Schema.Struct({
  after: optionalKey(count),
  minBackoff: optionalKey(duration),
  maxBackoff: optionalKey(duration),
  maxRestarts: optionalKey(countOrNone),
  period: optionalKey(positive)
}).check(
  Schema.makeFilter(
    ({ maxBackoff, minBackoff }) =>
      atLeast(maxBackoff, minBackoff, { min: Supervisor.defaults.minBackoff, max: Supervisor.defaults.maxBackoff }),
    { expected: "maxBackoff (1 minute unless given) to be at least minBackoff" }
  )
)

const conveyorFields = {
  every: optionalKey(positive),
  offset: optionalKey(duration),
  anchor: optionalKey(Schema.Literals(["clock", "start"])),
  jitter: optionalKey(duration),
  cron: optionalKey(Schema.NonEmptyString.annotate({ expected: "a cron expression such as \"*/5 * * * *\"" })),
  zone: optionalKey(Schema.NonEmptyString),
  missedTicks: optionalKey(missedTicks),
  timeout: optionalKey(timeout),
  maxSilence: optionalKey(timeout),
  restart: optionalKey(restart),
  drainTimeout: optionalKey(duration)
} as const

export const ConveyorKeys = Schema.Struct(conveyorFields)
export type ConveyorKeys = typeof ConveyorKeys.Type

/** Keys of a conveyor that hold participants, each decoded by itself. */
export const participantKeys: ReadonlySet<string> = new Set(["producer", "consumers"])
export const conveyorKeys: ReadonlyArray<string> = [...Object.keys(conveyorFields), ...participantKeys]

const laneFields = {
  capacity: optionalKey(countOrUnbounded),
  overflow: optionalKey(Schema.Literals(["suspend", "dropNewest", "dropOldest"])),
  attempts: optionalKey(countOrUnbounded),
  retry: optionalKey(
    Schema.Struct({ minBackoff: optionalKey(positive), maxBackoff: optionalKey(positive) }).check(
      Schema.makeFilter(
        ({ maxBackoff, minBackoff }) => atLeast(maxBackoff, minBackoff, { min: "1 second", max: "1 minute" }),
        { expected: "maxBackoff (1 minute unless given) to be at least minBackoff" }
      )
    )
  ),
  batch: optionalKey(Schema.Struct({ size: count, wait: optionalKey(duration) })),
  concurrency: optionalKey(count)
} as const

/** What a consumer's table may hold beside the options of its type. */
export const LaneKeys = Schema.Struct(laneFields)
export type LaneKeys = typeof LaneKeys.Type
export const laneKeys: ReadonlyArray<string> = Object.keys(laneFields)
