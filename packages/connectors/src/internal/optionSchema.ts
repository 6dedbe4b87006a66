import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as DurationText from "../DurationText.ts"

// The type side is the loose `Input` that every Effect API takes, so that one schema describes both a file and a call in code.

const isInput = <A>(fromInput: (input: A) => Option.Option<unknown>) => (u: unknown): u is A =>
  u !== null && u !== undefined && Option.isSome(fromInput(u as A))

const text = <A>(expected: string, parse: (text: string) => Option.Option<A>, format: (a: A) => string) =>
  SchemaTransformation.transformEffect<A, string>({
    decode: (input, options) =>
      Effect.mapError(
        Effect.fromOption(parse(input)),
        () => new SchemaIssue.InvalidValue({ expected }, input, options)
      ),
    encode: (a) => Effect.succeed(format(a))
  })

/** A length of time: `"500ms"`, `"30s"`, `"1 minute"` in a file, any `Duration.Input` in code. */
export const duration = Schema.String.annotate({ expected: DurationText.expected }).pipe(
  Schema.decodeTo(
    Schema.declare<Duration.Input>(isInput(Duration.fromInput), { title: "duration", expected: "a duration" }),
    text<Duration.Input>(
      DurationText.expected,
      DurationText.parse,
      (input) => Duration.format(Duration.fromInputUnsafe(input))
    )
  )
)

/** A number of bytes: `"10 MB"`, `"64 KiB"` in a file, any `ByteSize.Input` in code. */
export const byteSize = Schema.Union([Schema.String, Schema.Finite]).annotate({
  expected: "a size such as \"10 MB\""
}).pipe(
  Schema.decodeTo(
    Schema.declare<ByteSize.Input>(isInput(ByteSize.fromInput), { title: "size", expected: "a size" }),
    SchemaTransformation.transformEffect<ByteSize.Input, string | number>({
      decode: (input, options) =>
        Effect.mapError(
          Effect.fromOption(ByteSize.fromInput(input as ByteSize.Input)),
          () => new SchemaIssue.InvalidValue({ expected: "a size such as \"10 MB\"" }, input, options)
        ),
      encode: (input) => Effect.succeed(ByteSize.format(ByteSize.fromInputUnsafe(input)))
    })
  )
)

/** An optional field with what `conveyor list` prints about it. */
export const optional = <S extends Schema.Top>(schema: S, description: string, fallback?: S["Type"] | undefined) =>
  Schema.optionalKey(schema).pipe(
    Schema.annotateKey(fallback === undefined ? { description } : { description, default: fallback })
  )

/** A required field with what `conveyor list` prints about it. */
export const required = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotateKey({ description })

/** An absolute `http:` or `https:` URL. */
export const httpUrl = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const url = URL.parse(text)
    return url !== null && (url.protocol === "http:" || url.protocol === "https:")
  }, { expected: "a URL that begins with http:// or https://" })
)

/** The number of bytes of an option, or of its default. */
export const bytesOf = (size: ByteSize.Input | undefined, fallback: ByteSize.Input): number =>
  size === undefined ? toBytes(fallback) : toBytes(size)

const toBytes = (size: ByteSize.Input): number => ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(size))
