/**
 * `conveyor list`: what a file can name, with its options.
 *
 * @since 0.1.0
 */
import * as Connector from "effect-conveyor-connectors/Connector"
import * as Connectors from "effect-conveyor-connectors/Connectors"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "./Output.ts"

/**
 * The command.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("list", {
  kind: Argument.Literals("kind", ["producers", "consumers"]).pipe(
    Argument.withDescription("which of the two; both unless given"),
    Argument.optional
  ),
  output: Output.flag
}, ({ kind, output }) =>
  Effect.gen(function*() {
    const kinds = Option.match(kind, { onNone: () => ["producers", "consumers"] as const, onSome: (kind) => [kind] })
    const listed = yield* Effect.forEach(kinds, (kind) =>
      Effect.forEach(Object.values<Connector.Connector<unknown>>(Connectors[kind]), (connector) =>
        Effect.map(connector.load, (module) => ({
          kind: kind === "producers" ? "producer" as const : "consumer" as const,
          type: connector.type,
          summary: connector.summary,
          options: Connector.describeOptions(module.options)
        }))))
    yield* Output.printAll(output, listed.flat(), {
      text: render,
      value: (connector) =>
        connector,
      document: (connectors) =>
        connectors
    })
  })).pipe(
    Command.withDescription("List what a file can name, with options"),
    Command.withExamples([
      { command: "conveyor list", description: "Everything, for people" },
      { command: "conveyor list consumers -o json", description: "Consumers, for a program" }
    ])
  )

interface Listed {
  readonly kind: "producer" | "consumer"
  readonly type: string
  readonly summary: string
  readonly options: ReadonlyArray<Connector.OptionInfo>
}

const render = ({ kind, options, summary, type }: Listed): string => {
  const width = Math.max(0, ...options.map(({ name }) => name.length))
  const lines = options.map(({ default: fallback, description, name, required, type }) => {
    const bound = required ? ", required" : fallback === undefined ? "" : `, ${JSON.stringify(fallback)} unless given`
    return `    ${name.padEnd(width)}  ${description} (${type}${bound})`
  })
  return [`${kind} ${type}: ${summary}`, ...lines].join("\n")
}
