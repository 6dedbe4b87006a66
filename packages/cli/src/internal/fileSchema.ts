import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

// What a file may hold where several keys hold the same.

const expected = "a duration such as \"30s\" or \"1 minute\""

const units: { readonly [short: string]: Duration.Unit } = {
  ms: "millis",
  s: "seconds",
  m: "minutes",
  min: "minutes",
  h: "hours",
  d: "days",
  w: "weeks"
}

const parse = (text: string): Option.Option<Duration.Duration> => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d|w)$/.exec(text.trim()) ?? []
  return Duration.fromInput(
    unit === undefined ? text.trim() as Duration.Input : `${Number(amount)} ${units[unit]!}`
  ).pipe(Option.filter((duration) => Duration.isFinite(duration) && !Duration.isNegative(duration)))
}

/** `5s`, `500ms`, `1 hour`, `30 seconds`; never negative. */
export const duration = Schema.String.annotate({ expected }).pipe(
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transformEffect<Duration.Duration, string>({
      decode: (text) =>
        Option.match(parse(text), {
          onNone: () => Effect.fail(new SchemaIssue.InvalidValue({ expected })),
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
  expected: `${expected}, or "unbounded"`
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
