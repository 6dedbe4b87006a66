import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as CollectCommand from "../CollectCommand.ts"
import * as CrawlCommand from "../CrawlCommand.ts"
import { codes, type CommandError, of } from "../ExitCode.ts"
import * as InitCommand from "../InitCommand.ts"
import * as ListCommand from "../ListCommand.ts"
import { redactText } from "../Redaction.ts"
import * as RunCommand from "../RunCommand.ts"
import * as ValidateCommand from "../ValidateCommand.ts"
import * as WorkCommand from "../WorkCommand.ts"
import * as Color from "./color.ts"
import { describe, secrets } from "./logging.ts"
import * as StandardStreams from "./standardStreams.ts"
import { version } from "./version.ts"

const colorFlag = GlobalFlag.Setting("color")({
  flag: Flag.Literals("color", ["auto", "always", "never"]).pipe(
    Flag.withDescription("colours; auto goes by the terminal, NO_COLOR and FORCE_COLOR"),
    Flag.withDefault("auto" as const)
  )
})

const conveyor = Command.make("conveyor").pipe(
  Command.withDescription("Runs conveyors: a producer on a schedule, and consumers that get what it made"),
  Command.withSubcommands([
    RunCommand.command,
    CollectCommand.command,
    CrawlCommand.command,
    WorkCommand.command,
    ValidateCommand.command,
    ListCommand.command,
    InitCommand.command
  ]),
  Command.withGlobalFlags([colorFlag]),
  Command.withExamples([
    { command: "conveyor init poller", description: "Begin a project here" },
    { command: "conveyor run", description: "Run conveyor.yaml" }
  ])
)

/** Help that was asked for is data; help that was not, and what was wrong, is for standard error. */
const presenter = (color: string): CliOutput.Presenter => {
  const formatter = (stream: NodeJS.WriteStream) =>
    CliOutput.defaultFormatter({ colors: Color.isColored(stream, color) })
  return {
    present: (event) => {
      switch (event._tag) {
        case "Version":
          return StandardStreams.print(`conveyor ${event.version}\n`)
        case "Help":
          return event.reason === "Requested"
            ? StandardStreams.print(`${formatter(process.stdout).formatHelpDoc(event.helpDoc)}\n`)
            : StandardStreams.printError(`${formatter(process.stderr).formatHelpDoc(event.helpDoc)}\n`)
        case "InvalidInvocation":
          return StandardStreams.printError(
            `${formatter(process.stderr).formatErrors(event.errors).trim()}\n\nTry \`${
              event.commandPath.join(" ")
            } --help\`.\n`
          )
      }
    }
  }
}

/** Runs the command that the arguments name, and ends the process with its exit code. */
export const main = (args: ReadonlyArray<string>): void => {
  StandardStreams.listen()
  const color = Color.choiceIn(args)
  Color.choose(color)
  const program = Command.runWith(conveyor, { version })(args).pipe(
    Effect.provide(Layer.mergeAll(
      NodeServices.layer,
      CliOutput.layerPresenter(presenter(color)),
      // Without the wizard: nothing here asks questions.
      CliConfig.layer({
        builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
      })
    ))
  )
  runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, end) => end(report(exit as Exit.Exit<void, CommandError>))
  })
}

// Signals are left to the system, whose default ends the process at once, except where `run` takes them.
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  fiber.addObserver((exit) => teardown(exit, (code) => process.exit(code)))
})

const report = (exit: Exit.Exit<void, CommandError>): number => {
  if (Exit.isSuccess(exit)) return codes.ok
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) {
    process.stderr.write(`${redactText(describe(exit.cause), secrets)}\n`)
    return codes.failed
  }
  // What is wrong with the arguments has been said where they were parsed.
  if (failure.error._tag !== "ShowHelp") {
    const message = redactText(failure.error.message, secrets)
    // The command that goes on is there to be copied.
    const isStop = failure.error._tag === "CrawlFailed" && failure.error.reason === "Stopped"
    process.stderr.write(`${isStop ? message : Color.paint("red", message)}\n`)
  }
  return of(failure.error)
}
