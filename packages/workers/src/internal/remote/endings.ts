import * as Schema from "effect/Schema"
import type { WorkerDetails, WorkerEnd, WorkerStartError } from "../../WorkerHost.ts"
import { FrameFault } from "./frames.ts"

// What crosses about a worker as a whole. It comes from another machine, so it is checked.

const End = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Closed") }),
  Schema.Struct({ _tag: Schema.tag("Exited"), code: Schema.Finite, detail: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("Signalled"), signal: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("OutOfMemory"), detail: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("Disconnected"), detail: Schema.String })
])

const Details = Schema.Struct({
  pid: Schema.optionalKey(Schema.Finite),
  threadId: Schema.optionalKey(Schema.Finite)
})

const NotStarted = Schema.Struct({
  reason: Schema.Literals(["Refused", "Unreachable", "Unauthorized", "Full", "Exited"]),
  detail: Schema.String
})

const decoding = <A>(schema: Schema.Codec<A, unknown>): (value: unknown) => A => {
  const decode = Schema.decodeUnknownOption(schema)
  return (value) => {
    const decoded = decode(value)
    if (decoded._tag === "None") throw new FrameFault("a body has not the shape of its kind")
    return decoded.value
  }
}

export const endOf: (value: unknown) => WorkerEnd = decoding(End)

export const detailsOf: (value: unknown) => Pick<WorkerDetails, "pid" | "threadId"> = decoding(Details)

export const notStartedOf: (value: unknown) => Pick<WorkerStartError, "reason" | "detail"> = decoding(NotStarted)

/** Details as they cross: what is not there is left out. */
export const packable = ({ pid, threadId }: WorkerDetails): object => ({
  ...(pid === undefined ? {} : { pid }),
  ...(threadId === undefined ? {} : { threadId })
})
