import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import { describe } from "./logging.ts"

/** An event as one line of JSON: durations in milliseconds, causes as messages. */
export const eventLine = <Event extends { readonly _tag: string }>(event: Event): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(event).map(([key, value]: [string, unknown]) =>
        Duration.isDuration(value)
          ? [`${key}Millis`, Duration.toMillis(value)]
          : Cause.isCause(value)
          ? [key, describe(value)]
          : value instanceof Error
          ? [key, value.message]
          : [key, value]
      )
    ),
    (_, value: unknown) => typeof value === "bigint" ? String(value) : value
  )
