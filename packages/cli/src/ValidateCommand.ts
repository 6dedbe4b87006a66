/**
 * `conveyor validate`: says whether files could run, without running them.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { print } from "./internal/standardStreams.ts"
import * as ListenAddress from "./ListenAddress.ts"
import type { ManifestInvalid } from "./ManifestError.ts"
import * as Output from "./Output.ts"
import * as Sources from "./Sources.ts"

/**
 * The command.
 *
 * **Details** On failure the problems are on standard error as text, or with `-o json` and `-o ndjson` on standard output as data.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("validate", {
  files: Argument.File("file").pipe(
    Argument.withDescription("files to check; conveyor.yaml unless given"),
    Argument.variadic()
  ),
  output: Output.flag
}, ({ files, output }) =>
  Sources.load(files).pipe(
    Effect.tapErrorTag("ManifestInvalid", (error) => output === "text" ? Effect.void : printProblems(output, error)),
    Effect.flatMap(({ collectors, modules, plans }) =>
      Output.printAll(output, [
        ...plans.map(({ consumers, file, name, shown }) => ({
          line: `${file}: ${name} is ok, goes to ${consumers.map(({ name }) => name).join(", ")}`,
          value: { file, conveyor: name, ...shown }
        })),
        ...collectors.map(({ consumers, file, listen, name, shown }) => ({
          line: `${file}: ${name} is ok, takes events on ${ListenAddress.format(listen)}, which go to ${
            consumers.map(({ name }) => name).join(", ")
          }`,
          value: { file, collector: name, ...shown }
        })),
        ...modules.map(({ file, layers }) => ({
          line: `${file} is ok, exports ${layers.join(", ")}`,
          value: { file, layers }
        }))
      ], {
        text: ({ line }) => line,
        value: ({ value }) => value,
        document: (values) => ({ valid: true, sources: values })
      })
    )
  )).pipe(
    Command.withDescription("Check files without running them"),
    Command.withExamples([
      { command: "conveyor validate", description: "Check conveyor.yaml" },
      { command: "conveyor validate home.yaml solar.toml -o json", description: "Check two files, for a program" }
    ])
  )

const printProblems = (output: "json" | "ndjson", { problems }: ManifestInvalid): Effect.Effect<void> =>
  output === "json"
    ? print(`${JSON.stringify({ valid: false, problems }, undefined, 2)}\n`)
    : print(problems.map((problem) => `${JSON.stringify(problem)}\n`).join(""))
