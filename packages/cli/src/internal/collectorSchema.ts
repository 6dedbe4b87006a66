import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as ListenAddress from "../ListenAddress.ts"
import { LaneKeys } from "./conveyorSchema.ts"
import { count, countOrUnbounded, duration, positive } from "./fileSchema.ts"

// The keys of a collector in a file; those of its queue are called as `CollectorQueue` calls them.

const { optionalKey } = Schema

const listen = Schema.String.annotate({ expected: ListenAddress.expected }).pipe(
  Schema.decodeTo(
    Schema.declare((u): u is ListenAddress.ListenAddress => typeof u === "object"),
    SchemaTransformation.transformEffect<ListenAddress.ListenAddress, string>({
      decode: (text) =>
        Effect.mapError(
          Effect.fromOption(ListenAddress.parse(text)),
          () => new SchemaIssue.InvalidValue({ expected: ListenAddress.expected })
        ),
      encode: (address) => Effect.succeed(ListenAddress.format(address))
    })
  )
)

const size = "a size such as \"1 MB\" or \"64 KiB\""

const bytes = Schema.Union([Schema.String, Schema.Finite]).annotate({ expected: size }).pipe(
  Schema.decodeTo(
    Schema.Finite,
    SchemaTransformation.transformEffect<number, string | number>({
      decode: (input) =>
        Option.match(Option.flatMap(ByteSize.fromInput(input as ByteSize.Input), ByteSize.toNumber), {
          onNone: () => Effect.fail(new SchemaIssue.InvalidValue({ expected: size })),
          onSome: (bytes) =>
            bytes > 0 ? Effect.succeed(bytes) : Effect.fail(new SchemaIssue.InvalidValue({ expected: size }))
        }),
      encode: (bytes) => Effect.succeed(bytes)
    })
  )
)

const share = Schema.Finite.check(
  Schema.makeFilter((n) => n >= 0 && n <= 1, { expected: "a share from 0 to 1" })
)

const window = duration.check(
  Schema.makeFilter((span) => Duration.toMillis(span) >= 5000, { expected: "at least 5 seconds" })
)

const key = "a field of the event: a JSON pointer such as /customer/id, or names with dots, such as customer.id"

const expectedToken = "a text that is not empty, without spaces"
const token = Schema.String.annotate({ expected: expectedToken }).check(
  Schema.makeFilter((text) => /^[!-~]+$/.test(text), { expected: expectedToken })
)

const queueFields = {
  autoscale: optionalKey(Schema.Boolean),
  minConsumers: optionalKey(count),
  maxConsumers: optionalKey(count),
  wipMargin: optionalKey(share),
  monitorInterval: optionalKey(positive),
  reportInterval: optionalKey(duration),
  avgLoadInterval: optionalKey(positive),
  metricsCollectorWindowSize: optionalKey(window),
  eventServiceDataWindowSize: optionalKey(count),
  metricsWarmupInterval: optionalKey(duration),
  queueType: optionalKey(Schema.Literals(["fifo", "lifo"])),
  capacity: optionalKey(countOrUnbounded),
  overflow: optionalKey(Schema.Literals(["suspend", "dropNewest", "dropOldest"])),
  keyed: optionalKey(Schema.Struct({
    by: Schema.NonEmptyString.annotate({ expected: key }),
    concurrency: optionalKey(countOrUnbounded)
  })),
  consumerShutdownTimeout: optionalKey(duration)
} as const

const collectorFields = {
  listen: optionalKey(listen),
  token: optionalKey(token),
  schema: optionalKey(Schema.NonEmptyString.annotate({ expected: "the name of a file that holds JSON Schema" })),
  maxBody: optionalKey(bytes),
  ...queueFields
} as const

export const CollectorKeys = Schema.Struct(collectorFields)
export type CollectorKeys = typeof CollectorKeys.Type

/** The key that holds consumers, each decoded by itself. */
export const consumersKey: ReadonlySet<string> = new Set(["consumers"])
export const collectorKeys: ReadonlyArray<string> = [...Object.keys(collectorFields), ...consumersKey]

const { attempts, batch, retry } = LaneKeys.fields

/** What a consumer's table may hold beside the options of its type: all consumers share the queue, and its capacity. */
export const DeliveryKeys = Schema.Struct({ attempts, batch, retry })
export const deliveryKeys: ReadonlyArray<string> = Object.keys(DeliveryKeys.fields)
