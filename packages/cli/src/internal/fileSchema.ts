import * as DurationText from "effect-conveyor-connectors/DurationText"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

// What a file may hold where several keys hold the same.

/** `5s`, `500ms`, `1 hour`, `30 seconds`; never negative. */
export const duration = Schema.String.annotate({ expected: DurationText.expected }).pipe(
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transformEffect<Duration.Duration, string>({
      decode: (text) =>
        Option.match(DurationText.parse(text), {
          onNone: () => Effect.fail(new SchemaIssue.InvalidValue({ expected: DurationText.expected })),
          onSome: Effect.succeed
        }),
      encode: (duration) => Effect.succeed(Duration.format(duration))
    })
  )
)

/** A duration of more than nothing. */
export const positive = duration.check(
  Schema.makeFilter((duration) => Duration.isGreaterThan(duration, Duration.zero), { expected: "more than 0" })
)

/** A duration of more than nothing, or no bound. */
export const timeout = Schema.Union([Schema.Literal("unbounded"), positive]).annotate({
  expected: `${DurationText.expected}, or "unbounded"`
})

const whole = (minimum: number) => {
  const expected = `a whole number from ${minimum} on`
  return Schema.Number.annotate({ expected }).check(
    Schema.makeFilter((n) => Number.isSafeInteger(n) && n >= minimum, { expected })
  )
}

/** A whole number from 1 on. */
export const count = whole(1)

/** A whole number from 0 on. */
export const countOrNone = whole(0)

/** A whole number from 1 on, or no bound. */
export const countOrUnbounded = Schema.Union([Schema.Literal("unbounded"), count]).annotate({
  expected: "a whole number from 1 on, or \"unbounded\""
})
