/**
 * Lengths of time as people write them in files: `500ms`, `30s`, `1.5 min`, `2 hours`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * What is expected where a length of time is, for messages.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const expected = "a duration such as \"30s\" or \"1 minute\""

/**
 * Reads a length of time: a number with `ms`, `s`, `m` or `min`, `h`, `d` or `w`, or in the long form of Effect; none when it is negative,
 * infinite, or something else.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const parse = (text: string): Option.Option<Duration.Duration> => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d|w)$/.exec(text.trim()) ?? []
  return Duration.fromInput(
    unit === undefined ? text.trim() as Duration.Input : `${Number(amount)} ${units[unit]!}`
  ).pipe(Option.filter((duration) => Duration.isFinite(duration) && !Duration.isNegative(duration)))
}

const units: { readonly [short: string]: Duration.Unit } = {
  ms: "millis",
  s: "seconds",
  m: "minutes",
  min: "minutes",
  h: "hours",
  d: "days",
  w: "weeks"
}
