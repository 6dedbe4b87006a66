/**
 * What commands print on standard output: text for people, JSON for programs.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"
import type * as Effect from "effect/Effect"
import { print } from "./internal/standardStreams.ts"

/**
 * The forms of output.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Output = "text" | "json" | "ndjson"

/**
 * The flag `--output`.
 *
 * @category flags
 * @stability unstable
 * @since 0.1.0
 */
export const flag: Flag.Flag<Output> = Flag.Literals("output", ["text", "json", "ndjson"]).pipe(
  Flag.withAlias("o"),
  Flag.withDescription("text for people, one JSON document, or JSON lines"),
  Flag.withDefault("text" as const)
)

/**
 * Prints values: each as text, all as one JSON document, or each as a line of JSON.
 *
 * @category printing
 * @stability unstable
 * @since 0.1.0
 */
export const printAll = <A>(
  output: Output,
  values: ReadonlyArray<A>,
  options: {
    readonly text: (value: A) => string
    readonly value: (value: A) => unknown
    readonly document: (values: ReadonlyArray<unknown>) => unknown
  }
): Effect.Effect<void> => {
  switch (output) {
    case "text":
      return print(values.map((value) => `${options.text(value)}\n`).join(""))
    case "json":
      return print(`${JSON.stringify(options.document(values.map(options.value)), undefined, 2)}\n`)
    case "ndjson":
      return print(values.map((value) => `${JSON.stringify(options.value(value))}\n`).join(""))
  }
}
