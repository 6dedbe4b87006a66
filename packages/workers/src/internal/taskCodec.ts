/**
 * How the values of a task cross from a queue to a worker and back.
 *
 * A value whose schema encodes nothing crosses as it is: it was validated where it came from, and every link carries strings, finite
 * and other numbers, booleans, null, bytes, arrays and plain objects faithfully. All others take the way of Effect's own RPC, the
 * JSON codec of their schema. The choice is made once for each schema, so that bytes which stand beside a date in one struct
 * cross in base64: `Transferable.Uint8Array` never does.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as Transferable from "effect/workers/Transferable"

type Encode = (value: unknown, transfers: Array<object>) => Effect.Effect<unknown>
type Decode = (encoded: unknown) => Effect.Effect<unknown>

/** What does not fit its schema is a defect. What fits is a finished Exit, unless a schema waits or asks for a service. */
export interface TaskCodec {
  readonly isStream: boolean
  /** Validates, with the defaults of constructors, and encodes; what can be moved is added to the transfers. */
  readonly encodePayload: Encode
  readonly decodePayload: Decode
  readonly encodeSuccess: Encode
  readonly decodeSuccess: Decode
  readonly encodeItems: (items: ReadonlyArray<unknown>, transfers: Array<object>) => Effect.Effect<unknown>
  readonly decodeItems: (encoded: unknown) => Effect.Effect<ReadonlyArray<unknown>>
  /** Never fails: what cannot be encoded becomes a defect that says so. */
  readonly encodeFailure: (exit: Failure) => Effect.Effect<unknown>
  readonly decodeFailure: (encoded: unknown) => Effect.Effect<Failure>
}

export type Failure = Exit.Failure<never, unknown>

/** The codecs of a group, each made when it is first asked for; a tag that cannot be called has one that says why. */
export const make = <R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  shares: boolean
): (tag: string) => TaskCodec => {
  const requests = group.requests as ReadonlyMap<string, Rpc.Any> as ReadonlyMap<string, Rpc.AnyWithProps>
  for (const rpc of requests.values()) {
    if (rpc.middlewares.size > 0) {
      throw new TypeError(`${rpc._tag} has middleware, which workers do not run: apply it in the handler`)
    }
  }
  const codecs = new Map<string, TaskCodec>()
  return (tag) => {
    let codec = codecs.get(tag)
    if (codec === undefined) {
      codec = codecOf(requests.get(tag), shares) ??
        uncallable(new TypeError(`there is no task ${tag}; there are ${[...requests.keys()].join(", ")}`))
      codecs.set(tag, codec)
    }
    return codec
  }
}

const codecOf = (rpc: Rpc.AnyWithProps | undefined, shares: boolean): TaskCodec | undefined => {
  if (rpc === undefined) return undefined
  // A schema can be one that has no codec at all: it has keys that are symbols, say.
  try {
    return shares ? sharing(rpc) : encoding(rpc)
  } catch (cause) {
    return uncallable(new TypeError(`the values of ${rpc._tag} cannot be encoded`, { cause }))
  }
}

const sharing = (rpc: Rpc.AnyWithProps): TaskCodec => ({
  isStream: RpcSchema.isStreamSchema(rpc.successSchema),
  encodePayload: constructing(rpc),
  decodePayload: Effect.succeed,
  encodeSuccess: Effect.succeed,
  decodeSuccess: Effect.succeed,
  encodeItems: Effect.succeed,
  decodeItems: Effect.succeed as TaskCodec["decodeItems"],
  encodeFailure: Effect.succeed,
  decodeFailure: Effect.succeed as TaskCodec["decodeFailure"]
})

const encoding = (rpc: Rpc.AnyWithProps): TaskCodec => {
  const options = Context.get(rpc.annotations, Rpc.ParseOptions)
  const stream = RpcSchema.isStreamSchema(rpc.successSchema) ? rpc.successSchema : undefined
  const construct = constructing(rpc)
  const payload = crossing(payloadOf(rpc), rpc.payloadSchema, options)
  const success = crossing(`what ${rpc._tag} gave`, stream === undefined ? rpc.successSchema : Schema.Void, options)
  const items = crossing(`what ${rpc._tag} emitted`, Schema.Array(stream?.success ?? Schema.Never), options)
  return {
    isStream: stream !== undefined,
    encodePayload: payload.isIdentity
      ? construct
      : (input, transfers) =>
        Effect.flatMapEager(construct(input, transfers), (made) => payload.encode(made, transfers)),
    decodePayload: payload.decode,
    encodeSuccess: success.encode,
    decodeSuccess: success.decode,
    encodeItems: items.encode,
    decodeItems: items.decode as TaskCodec["decodeItems"],
    ...failures(rpc._tag, Rpc.exitSchema(rpc), options)
  }
}

const payloadOf = (rpc: Rpc.AnyWithProps) => `the payload of ${rpc._tag}`

const constructing = (rpc: Rpc.AnyWithProps): Encode => {
  const construct = SchemaParser.makeEffect(rpc.payloadSchema) as (
    input: unknown,
    options: Schema.MakeOptions
  ) => ReturnType<Parse>
  const options = { parseOptions: Context.get(rpc.annotations, Rpc.ParseOptions) }
  return parsing(payloadOf(rpc), (input) => construct(input, options))
}

/** One schema's way across. */
interface Crossing {
  readonly isIdentity: boolean
  readonly encode: Encode
  readonly decode: Decode
}

const crossing = (subject: string, schema: Schema.Top, options: SchemaAST.ParseOptions): Crossing => {
  if (schema.ast === Schema.Void.ast) {
    return { isIdentity: false, encode: () => Exit.void, decode: () => Exit.void }
  }
  if (encodesNothing(schema.ast, new Set())) {
    return {
      isIdentity: true,
      encode: parsing(subject, SchemaParser.encodeUnknownEffect(schema, options)),
      decode: Exit.succeed
    }
  }
  const codec = Schema.toCodecJson(schema)
  const encode = parsing(subject, SchemaParser.encodeUnknownEffect(codec, options))
  return {
    isIdentity: false,
    encode: (value, transfers) => collecting(encode(value), transfers),
    decode: parsing(subject, SchemaParser.decodeUnknownEffect(codec, options))
  }
}

/** Only what waits, or asks for a service, can have met a collector. */
const collecting = (encoded: Effect.Effect<unknown>, transfers: Array<object>): Effect.Effect<unknown> => {
  if (Exit.isExit(encoded)) return encoded
  const collector = Transferable.makeCollectorUnsafe()
  return Effect.map(Effect.provideService(encoded, Transferable.Collector, collector), (value) => {
    transfers.push(...collector.readUnsafe())
    return value
  })
}

type Parse = (value: unknown) => Effect.Effect<unknown, SchemaIssue.Issue, unknown>

/** What does not fit dies, and so does a transformation that throws. */
const parsing = (subject: string, parse: Parse): Decode => {
  const unfit = (reason: unknown, value: unknown) =>
    Exit.die(
      SchemaIssue.isIssue(reason) ? new TypeError(`${subject} does not fit: ${explain(reason, value)}`) : reason
    )
  return (value) => {
    let parsed: Effect.Effect<unknown, SchemaIssue.Issue>
    try {
      // The services that schemas ask for are in the fiber that runs this: the types of the task see to it.
      parsed = parse(value) as typeof parsed
    } catch (defect) {
      return Exit.die(defect)
    }
    if (!Exit.isExit(parsed)) return Effect.catch(parsed, (issue) => unfit(issue, value))
    return Exit.isSuccess(parsed) ? parsed as Exit.Exit<unknown> : unfit(Cause.squash(parsed.cause), value)
  }
}

const explain = (issue: SchemaIssue.Issue, value: unknown): string =>
  standardFormatter(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map((segment) => typeof segment === "object" ? segment.key : segment)
    const at = keys.length === 0 ? "" : ` at ${keys.map((key) => `[${JSON.stringify(key) ?? String(key)}]`).join("")}`
    return message.startsWith("Expected ")
      ? `expected ${message.slice("Expected ".length)}${at}, found ${found(value, keys)}`
      : `${message}${at}`
  }).join("; ")

const standardFormatter = SchemaIssue.makeFormatterStandardSchemaV1()

/** What stands at a path, in a few words, for it may be megabytes. */
const found = (value: unknown, path: ReadonlyArray<PropertyKey>): string => {
  for (const key of path) {
    if (!Predicate.isObjectOrArray(value)) break
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === "function") return "a function"
  return Predicate.isObjectOrArray(value) ? `an ${value.constructor?.name ?? "Object"}` : String(value)
}

const failures = (
  tag: string,
  schema: Schema.Top,
  options: SchemaAST.ParseOptions
): Pick<TaskCodec, "encodeFailure" | "decodeFailure"> => {
  const codec = Schema.toCodecJson(schema)
  const encode = parsing(`how ${tag} failed`, SchemaParser.encodeUnknownEffect(codec, options))
  const decode = parsing(`how ${tag} failed`, SchemaParser.decodeUnknownEffect(codec, options))
  return {
    encodeFailure: (exit) => onDefect(encode(exit), (unfit) => encodeDefect(because(unfit, exit))),
    // What could not be encoded by the schemas of the task is not decoded by them either.
    decodeFailure: (encoded) =>
      onDefect(
        decode(encoded),
        (unfit) => onDefect(decodeDefect(encoded), () => Exit.succeed(Exit.failCause(unfit)))
      ) as Effect.Effect<Failure>
  }
}

const because = (unfit: Cause.Cause<never>, exit: Failure): Exit.Exit<never> => {
  const error = Cause.squash(unfit)
  return Exit.die(error instanceof Error ? new TypeError(error.message, { cause: Cause.squash(exit.cause) }) : error)
}

const anyDefect = Schema.toCodecJson(Schema.Exit(Schema.Never, Schema.Never, Schema.Defect()))

/** What dies of a plain error, encoded for whatever task. */
export const defectExit = (defect: Error): unknown => Schema.encodeSync(anyDefect)(Exit.die(defect))

const encodeDefect = parsing("a defect", SchemaParser.encodeUnknownEffect(anyDefect))
const decodeDefect = parsing("a defect", SchemaParser.decodeUnknownEffect(anyDefect))

const onDefect = (
  self: Effect.Effect<unknown>,
  recover: (cause: Cause.Cause<never>) => Effect.Effect<unknown>
): Effect.Effect<unknown> =>
  Exit.isExit(self)
    ? Exit.isSuccess(self) ? self : recover((self as Exit.Failure<unknown, never>).cause)
    : Effect.catchCauseIf(self, Cause.hasDies, recover)

const uncallable = (defect: TypeError): TaskCodec => {
  const die = () => Exit.die(defect)
  return {
    isStream: false,
    encodePayload: die,
    decodePayload: die,
    encodeSuccess: die,
    decodeSuccess: die,
    encodeItems: die,
    decodeItems: die,
    encodeFailure: encodeDefect,
    decodeFailure: decodeDefect as TaskCodec["decodeFailure"]
  }
}

/** Whether a schema's values cross as they are: neither it nor any part of it transforms, and every link can carry them. */
const encodesNothing = (ast: SchemaAST.AST, above: ReadonlySet<SchemaAST.AST>): boolean => {
  if (ast.encoding !== undefined || ("encodingChecks" in ast && ast.encodingChecks !== undefined)) return false
  switch (ast._tag) {
    case "Any":
    case "Never":
    case "Null":
    case "String":
    case "Number":
    case "Boolean":
    case "Enum":
    case "TemplateLiteral":
      return true
    case "Literal":
      return typeof ast.literal !== "bigint"
    case "Declaration":
      return ast.annotations?.["toCodecJson"] === Schema.Uint8Array.ast.annotations?.["toCodecJson"]
    case "Arrays":
      return [...ast.elements, ...ast.rest].every((part) => encodesNothing(part, above))
    case "Objects":
      return ast.propertySignatures.every(({ name, type }) =>
        typeof name === "string" && encodesNothing(type, above)
      ) &&
        ast.indexSignatures.every(({ parameter, type }) => parameter._tag === "String" && encodesNothing(type, above))
    case "Union":
      return ast.types.every((part) => encodesNothing(part, above))
    case "Suspend": {
      // A schema that comes back to itself is decided by what lies between.
      const inner = ast.thunk()
      return above.has(inner) || encodesNothing(inner, new Set([...above, inner]))
    }
    default:
      return false
  }
}
