/**
 * `conveyor collect`: accepts events over HTTP and brings them to consumers.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as CollectSummary from "./CollectSummary.ts"
import { DependencyUnavailable, UsageError } from "./CommandFailed.ts"
import { planFlags } from "./internal/collectFlags.ts"
import { eventLine } from "./internal/eventLine.ts"
import { readText } from "./internal/fileText.ts"
import * as Logging from "./internal/logging.ts"
import type { RunningCollector } from "./internal/runningCollector.ts"
import { shortPath } from "./internal/shortPath.ts"
import * as Signals from "./internal/signals.ts"
import * as StandardStreams from "./internal/standardStreams.ts"
import * as ListenAddress from "./ListenAddress.ts"
import * as Output from "./Output.ts"
import { redactText } from "./Redaction.ts"
import * as Sources from "./Sources.ts"

/**
 * The command.
 *
 * **Details**
 *
 * As text, standard output carries what `console` consumers print. With `-o ndjson` it carries what the queues tell, with `-o json` one
 * document about how they ended, and what `console` consumers print goes to standard error like everything else.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("collect", {
  file: Argument.File("file").pipe(
    Argument.withDescription("a file with collectors; without one, flags say everything"),
    Argument.map(shortPath),
    Argument.optional
  ),
  listen: Flag.String("listen").pipe(
    Flag.withDescription(
      `where to take events, as HOST:PORT; ${
        ListenAddress.format(ListenAddress.defaults)
      } unless given, port 0 for a free one`
    ),
    Flag.optional
  ),
  to: Flag.String("to").pipe(
    Flag.withDescription("a consumer, as TYPE or TYPE:KEY=VALUE,KEY=VALUE; may be given again; console unless given"),
    Flag.atLeast(0)
  ),
  schema: Flag.File("schema").pipe(
    Flag.withDescription("a file of JSON Schema that every event must satisfy"),
    Flag.map(shortPath),
    Flag.optional
  ),
  maxBody: Flag.String("max-body").pipe(
    Flag.withDescription("the largest body of JSON, and line of NDJSON; 1 MB unless given"),
    Flag.optional
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription("a file with the token that clients must have; or set CONVEYOR_TOKEN"),
    Flag.map(shortPath),
    Flag.optional
  ),
  output: Output.flag,
  logFormat: Flag.Literals("log-format", ["text", "json"]).pipe(
    Flag.withDescription("the form of the log, which is on standard error"),
    Flag.withDefault("text" as const)
  )
}, (input) =>
  collect(input).pipe(
    Effect.provide(Layer.mergeAll(
      StandardStreams.layer(input.output === "text" ? "stdout" : "stderr"),
      NodeHttpClient.layerUndici,
      Logging.layer(input.logFormat)
    ))
  )).pipe(
    Command.withDescription("Accept events over HTTP and bring them to consumers"),
    Command.withExamples([
      { command: "conveyor collect", description: "Print what is sent to http://127.0.0.1:8080/events" },
      {
        command: "conveyor collect --to ndjson:path=events.ndjson --to sqlite:path=events.db,table=events",
        description: "Write it to a file and a database"
      },
      {
        command: "conveyor collect --listen 0.0.0.0:8080 --token-file token --schema event.json",
        description: "For other machines, which need the token, and for events of a schema"
      },
      { command: "conveyor collect collect.yaml", description: "Run the collectors of a file" }
    ])
  )

interface Input {
  readonly file: Option.Option<string>
  readonly listen: Option.Option<string>
  readonly to: ReadonlyArray<string>
  readonly schema: Option.Option<string>
  readonly maxBody: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly output: Output.Output
}

const collect = Effect.fnUntraced(function*(input: Input) {
  const { output } = input
  const signals = yield* Signals.take
  const plans = yield* prepare(input)
  // Loaded by this command alone: a server takes longer to import than other commands take to run.
  const { start } = yield* Effect.promise(() => import("./internal/runningCollector.ts"))

  const running: Array<RunningCollector> = []
  const stop = Effect.suspend(() => Effect.forEach(running, (one) => one.stop, { concurrency: "unbounded" }))
  const told: Array<Effect.Effect<void>> = []
  // All of them or none: who sends events does not see that half of the process is missing.
  const starting = Effect.forEach(plans, (plan) =>
    Effect.gen(function*() {
      const one = yield* start(plan)
      running.push(one)
      if (output === "ndjson") told.push(yield* printEvents(one))
    }).pipe(
      Effect.catchTag("Rejected", (error) =>
        Effect.andThen(
          Effect.annotateLogs(Effect.logError(`not started: ${error.message}`), { queue: plan.name }),
          Effect.fail(new DependencyUnavailable({ conveyors: [plan.name] }))
        )),
      Effect.tapError(() => stop)
    ))
  yield* Effect.raceAllFirst([
    Effect.andThen(starting, Effect.never),
    signals.awaitStop,
    StandardStreams.awaitOutputClosed
  ])
  const outcomes = yield* stop
  for (const end of told) yield* end
  if (output === "text") {
    yield* StandardStreams.printError(outcomes.map((outcome) => `${CollectSummary.render(outcome)}\n`).join(""))
  }
  if (output === "json") {
    yield* StandardStreams.print(
      `${JSON.stringify({ collectors: outcomes.map(CollectSummary.toJson) }, undefined, 2)}\n`
    )
  }
  const fault = CollectSummary.verdict(outcomes)
  if (fault !== undefined) return yield* fault
})

const prepare = Effect.fnUntraced(function*(input: Input) {
  const { file, listen, maxBody, schema, to, tokenFile } = input
  if (Option.isNone(file)) {
    const token = Option.isSome(tokenFile)
      ? (yield* readText(tokenFile.value, "it does not exist; name a file that holds the token")).trim()
      : process.env["CONVEYOR_TOKEN"]
    const plan = yield* planFlags({ listen, maxBody, schema, to }, token, process.env)
    for (const secret of plan.secrets) Logging.secrets.add(secret)
    return [yield* Sources.loadSchema(plan)]
  }
  if (to.length > 0 || [listen, schema, maxBody, tokenFile].some(Option.isSome)) {
    return yield* new UsageError({
      problem: `${file.value} says where collectors listen and what they do; leave out the file, or the flags`
    })
  }
  const { collectors, modules } = yield* Sources.load([file.value])
  if (modules.length > 0) {
    return yield* new UsageError({ problem: `${file.value} decides itself what it runs; give it to \`conveyor run\`` })
  }
  if (collectors.length === 0) {
    return yield* new UsageError({
      problem: `${file.value} describes no collectors; what it describes runs with \`conveyor run ${file.value}\``
    })
  }
  return collectors
})

/** Prints what a collector tells, for as long as it lives; gives what waits for the last of it. */
const printEvents = (running: RunningCollector): Effect.Effect<Effect.Effect<void>> =>
  Effect.gen(function*() {
    const { messageBus, plan, url } = running
    yield* StandardStreams.print(`${eventLine({ _tag: "Listening", queue: plan.name, url })}\n`)
    const fiber = yield* messageBus.events.pipe(
      Stream.runForEach((event) => StandardStreams.print(`${redactText(eventLine(event), Logging.secrets)}\n`)),
      Effect.forkDetach({ startImmediately: true })
    )
    // Bounded, for a reader that does not read.
    return Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), "1 second"))
  })
