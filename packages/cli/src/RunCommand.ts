/**
 * `conveyor run`: runs the conveyors of files until it is told to stop.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Connectors from "effect-conveyor-connectors/Connectors"
import type { Conveyor } from "effect-conveyor/Conveyor"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { UsageError } from "./CommandFailed.ts"
import * as ConveyorPlan from "./ConveyorPlan.ts"
import * as Fleet from "./Fleet.ts"
import { eventLine } from "./internal/eventLine.ts"
import * as Logging from "./internal/logging.ts"
import * as Signals from "./internal/signals.ts"
import * as StandardStreams from "./internal/standardStreams.ts"
import * as Output from "./Output.ts"
import { redactText } from "./Redaction.ts"
import * as RunSummary from "./RunSummary.ts"
import * as Sources from "./Sources.ts"

/**
 * The command.
 *
 * **Details**
 *
 * As text, standard output carries what `console` consumers print. With `-o ndjson` it carries the events of the conveyors, with `-o json` one document about
 * how they ended, and what `console` consumers print goes to standard error like everything else.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("run", {
  files: Argument.File("file").pipe(
    Argument.withDescription("files to run; conveyor.yaml unless given"),
    Argument.variadic()
  ),
  once: Flag.Boolean("once").pipe(
    Flag.withDescription("one tick of each conveyor, at once; then end"),
    Flag.withDefault(false)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("print on the console instead of giving to consumers"),
    Flag.withDefault(false)
  ),
  output: Output.flag,
  logFormat: Flag.Literals("log-format", ["text", "json"]).pipe(
    Flag.withDescription("the form of the log, which is on standard error"),
    Flag.withDefault("text" as const)
  )
}, (input) =>
  run(input).pipe(
    Effect.provide(Layer.mergeAll(
      StandardStreams.layer(input.output === "text" ? "stdout" : "stderr"),
      NodeHttpClient.layerUndici,
      Logging.layer(input.logFormat)
    ))
  )).pipe(
    Command.withDescription("Run the conveyors of files until told to stop"),
    Command.withExamples([
      { command: "conveyor run", description: "Run conveyor.yaml" },
      { command: "conveyor run --once --dry-run home.yaml", description: "Print one reading of each conveyor" },
      { command: "conveyor run home.yaml -o ndjson", description: "Run, and tell programs what happens" }
    ])
  )

interface Input {
  readonly files: ReadonlyArray<string>
  readonly once: boolean
  readonly dryRun: boolean
  readonly output: Output.Output
}

const run = Effect.fnUntraced(function*(input: Input) {
  const { once, output } = input
  const signals = yield* Signals.take
  const fleet = yield* Fleet.make({ onStarted: output === "ndjson" ? printEvents : () => Effect.void })
  yield* fleet.apply(yield* prepare(input, 0))

  let generation = 0
  const reload = Effect.gen(function*() {
    const sources = yield* Effect.result(prepare(input, ++generation))
    if (Result.isFailure(sources)) {
      return yield* Effect.logError(`not reloaded, what ran before goes on:\n${sources.failure.message}`)
    }
    yield* tell(yield* fleet.apply(sources.success), output)
    yield* Effect.logInfo("reloaded")
  })

  const stopped = yield* Effect.raceAllFirst([
    Effect.as(signals.awaitStop, true),
    Effect.as(StandardStreams.awaitOutputClosed, true),
    Effect.as(awaitIdle(fleet, signals, reload), false)
  ])
  const outcomes = yield* fleet.stop
  yield* tell(outcomes, output)
  if (output === "json") {
    yield* StandardStreams.print(`${JSON.stringify({ conveyors: outcomes.map(RunSummary.toJson) }, undefined, 2)}\n`)
  }
  const fault = RunSummary.verdict(outcomes, { once, stopped })
  if (fault !== undefined) return yield* fault
})

/** Reloads as often as asked, until nothing runs any more. */
const awaitIdle = (
  fleet: Fleet.Fleet,
  signals: Signals.Signals,
  reload: Effect.Effect<void, never, FileSystem.FileSystem>
): Effect.Effect<void, never, FileSystem.FileSystem> =>
  Effect.raceFirst(
    Effect.as(fleet.awaitEnd, "idle" as const),
    Effect.as(signals.awaitReload, "reload" as const)
  ).pipe(
    // A stop that comes in the middle of a reload waits for it: half a fleet would be reported twice.
    Effect.tap((next) => next === "reload" ? Effect.uninterruptible(reload) : Effect.void),
    Effect.repeat({ until: (next) => next === "idle" }),
    Effect.asVoid
  )

/** Reads the files and turns what they hold into what is to run. */
const prepare = Effect.fnUntraced(function*({ dryRun, files, once }: Input, generation: number) {
  const { collectors, modules, plans } = yield* Sources.load(files, generation)
  if (collectors.length > 0 && plans.length + modules.length === 0) {
    return yield* new UsageError({
      problem: `${collectors[0]!.file} describes collectors only, which \`conveyor collect ${
        collectors[0]!.file
      }\` runs`
    })
  }
  for (const { file, name } of generation === 0 ? collectors : []) {
    yield* Effect.logInfo(
      `the collector ${name} of ${file} is not for \`run\`: start it with \`conveyor collect ${file}\``
    )
  }
  if (modules.length > 0 && (once || dryRun)) {
    return yield* new UsageError({
      problem: `--once and --dry-run are for data files; ${modules[0]!.file} decides itself what it runs`
    })
  }
  const now = yield* Clock.currentTimeMillis
  const console = yield* Connectors.consumers["console"]!.load
  return {
    modules,
    plans: plans.map((plan) => {
      const due = once ? ConveyorPlan.once(plan, now) : plan
      return dryRun ? ConveyorPlan.dryRun(due, console.make({})) : due
    })
  }
})

const tell = (outcomes: ReadonlyArray<Fleet.Outcome>, output: Output.Output): Effect.Effect<void> =>
  output === "text"
    ? StandardStreams.printError(outcomes.map((outcome) => `${RunSummary.render(outcome)}\n`).join(""))
    : Effect.void

/** Prints a conveyor's events for as long as it lives, the last one included. */
const printEvents = (conveyor: Conveyor<unknown, unknown>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const fiber = yield* conveyor.events.pipe(
      Stream.runForEach((event) => StandardStreams.print(`${redactText(eventLine(event), Logging.secrets)}\n`)),
      Effect.forkDetach({ startImmediately: true })
    )
    // Bounded, for a reader that does not read.
    yield* Effect.addFinalizer(() => Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), "1 second")))
    yield* StandardStreams.print(`${eventLine({ _tag: "Started", conveyor: conveyor.name })}\n`)
  })
