/**
 * What a command prints, once for each tick.
 *
 * @since 0.1.0
 */
import * as Producer from "effect-conveyor/Producer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as CommandLine from "effect/process/CommandLine"
import * as Schema from "effect/Schema"
import { CommandError, ExitedBadly, NotStarted, OutputTooLarge, OutputUnreadable, Overran } from "./CommandError.ts"
import { collect, excerpt, tail } from "./internal/boundedBytes.ts"
import { byteSize, bytesOf, duration, optional, required } from "./internal/optionSchema.ts"
import { read } from "./internal/outputText.ts"

/**
 * The options of the `command` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  command: required(
    Schema.Union([Schema.NonEmptyArray(Schema.String), Schema.NonEmptyString]),
    "a program with its arguments as a list, or a line for the shell"
  ),
  format: optional(
    Schema.Literals(["json", "ndjson", "csv", "lines", "text"]),
    "what it prints: one JSON value, JSON lines, CSV with a header, lines, or any text",
    "text"
  ),
  directory: optional(Schema.String, "where to run it; the current directory unless given"),
  environment: optional(Schema.Record(Schema.String, Schema.String), "variables to set beside those of this process"),
  timeout: optional(duration, "how long it may run", "30 seconds"),
  killAfter: optional(duration, "how long it has to end after SIGTERM before SIGKILL", "2 seconds"),
  maxOutputBytes: optional(byteSize, "a larger output fails", "10 MB")
})

/**
 * The options of the `command` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = {
  format: "text",
  timeout: "30 seconds",
  killAfter: "2 seconds",
  maxOutputBytes: "10 MB"
} as const

/**
 * Makes a producer that runs a command and gives what it printed.
 *
 * **Details**
 *
 * `json` gives the value, `ndjson` an array of values, `csv` an array of objects by column (cells that are numbers as numbers), `lines` an array of texts, `text` one
 * text without its last line end. The command has no standard input. It, and all that it started, is stopped when the tick is over: when it
 * has ended, at its timeout, when it prints too much, and when the tick is interrupted; with SIGTERM, and after `killAfter` with SIGKILL.
 *
 * **Errors** `CommandError`, whose `reason` tells: not started, a bad exit (with the end of its standard error), out of time, too
 * much output, or output that is not what `format` says.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (
  options: Options
): Producer.Producer<unknown, CommandError, ChildProcessSpawner.ChildProcessSpawner> => {
  const { command, format = defaults.format, timeout = defaults.timeout } = options
  const limitBytes = bytesOf(options.maxOutputBytes, defaults.maxOutputBytes)
  const settings: ChildProcess.CommandOptions = {
    cwd: options.directory,
    env: options.environment,
    extendEnv: true,
    stdin: "ignore",
    forceKillAfter: options.killAfter ?? defaults.killAfter
  }
  const child = typeof command === "string"
    ? ChildProcess.make(command, { ...settings, shell: true })
    : ChildProcess.make(command[0], command.slice(1), settings)

  const run = Effect.fnUntraced(function*(spawner: ChildProcessSpawner.ChildProcessSpawner["Service"]) {
    const handle = yield* spawner.spawn(child).pipe(Effect.mapError((cause) => new NotStarted({ cause })))
    const [output, stderr] = yield* Effect.all([
      // Too much output ends both readings at once: the command would wait for ever for someone to read the rest.
      Effect.filterOrFail(
        collect(handle.stdout, limitBytes),
        (output) => output.complete,
        () => new OutputTooLarge({ limitBytes })
      ),
      tail(handle.stderr, stderrBytes)
    ], { concurrency: "unbounded" }).pipe(
      Effect.catchTag("PlatformError", (cause) => Effect.fail(new NotStarted({ cause })))
    )
    const exitCode = yield* handle.exitCode.pipe(Effect.orElseSucceed(() => undefined))
    if (exitCode !== 0) return yield* new ExitedBadly({ exitCode, stderr: lastLines(new TextDecoder().decode(stderr)) })
    const text = new TextDecoder().decode(output.bytes)
    return yield* read(format, text).pipe(
      Effect.mapError((problem) => new OutputUnreadable({ problem, output: excerpt(text) }))
    )
  }, Effect.scoped)

  return Producer.make(
    "command",
    Effect.map(ChildProcessSpawner.ChildProcessSpawner, (spawner) => () =>
      run(spawner).pipe(
        Effect.timeoutOrElse({
          duration: timeout,
          orElse: () => Effect.fail(new Overran({ timeout: Duration.fromInputUnsafe(timeout) }))
        }),
        Effect.mapError((reason) =>
          new CommandError({
            command: typeof command === "string" ? command : CommandLine.display(command),
            reason
          })
        )
      ))
  )
}

/** Enough for five lines. */
const stderrBytes = 4096

const lastLines = (text: string): string => text.trimEnd().split(/\r?\n/).slice(-5).join("\n")
