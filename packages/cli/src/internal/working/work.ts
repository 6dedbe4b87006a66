import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeTaskHost from "effect-workers/NodeTaskHost"
import * as NodeThreads from "effect-workers/NodeThreads"
import { WorkerHost } from "effect-workers/WorkerHost"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { AddressUnavailable, CredentialsInvalid, ModuleInvalid } from "../../CommandFailed.ts"
import { redactText } from "../../Redaction.ts"
import * as Logging from "../logging.ts"
import * as Signals from "../signals.ts"
import * as StandardStreams from "../standardStreams.ts"
import type { Input } from "./flags.ts"
import { planOf } from "./plan.ts"
import { describe, isTrouble, Tally } from "./tally.ts"

/** Runs workers as the flags say, until it is told to stop. */
export const work = (input: Input) =>
  serve(input).pipe(
    Effect.scoped,
    Effect.provide(Layer.mergeAll(
      StandardStreams.layer(input.output === "text" ? "stdout" : "stderr"),
      Logging.layer(input.logFormat)
    ))
  )

const serve = Effect.fnUntraced(function*(input: Input) {
  const signals = yield* Signals.take
  const { drainTimeout, host: options, secrets } = yield* planOf(input, process.env)
  for (const secret of secrets) Logging.secrets.add(secret)

  const module = pathToFileURL(resolve(input.tasks))
  const workers = yield* Effect.provide(
    WorkerHost,
    input.kind === "threads" ? NodeThreads.layer(module) : NodeProcesses.layer(module)
  )
  const tally = new Tally()
  const isStopped = yield* Effect.raceAllFirst([
    Effect.as(tryOut(input.tasks, workers), false),
    Effect.as(signals.awaitStop, true)
  ])
  if (isStopped) return

  const host = yield* NodeTaskHost.make({ ...options, tell: teller(input, tally) }).pipe(
    Effect.provideService(WorkerHost, workers),
    Effect.catchTag("TaskHostError", ({ address, detail, reason }) =>
      Effect.fail(
        reason === "Certificate"
          ? new CredentialsInvalid({
            problem:
              `--tls-cert, --tls-key or --tls-ca cannot be used: ${detail}; give files of PEM, and the key of the certificate`
          })
          : new AddressUnavailable({ address, reason: detail })
      ))
  )
  const { maxWorkers } = yield* host.stats
  yield* Effect.logInfo(
    `up to ${maxWorkers} ${input.kind} run ${input.tasks} for queues that connect to ${host.address}`
  )
  if (input.output === "ndjson") {
    yield* print({ _tag: "Listening", address: host.address, tasks: input.tasks, kind: input.kind, maxWorkers })
  }

  yield* Effect.raceFirst(signals.awaitStop, StandardStreams.awaitOutputClosed)
  const busy = (yield* host.stats).workers
  if (busy > 0) {
    yield* Effect.logInfo(
      `stopping: ${counted(busy)} may finish what is left, for ${Duration.format(drainTimeout)} at most`
    )
  }
  const drained = yield* Effect.timeoutOption(host.drain, drainTimeout)
  const left = Option.isSome(drained) ? 0 : (yield* host.stats).workers
  if (left > 0) {
    yield* Effect.logWarning(
      `${counted(left)} had not finished after ${Duration.format(drainTimeout)}, and must end now`
    )
  }
  yield* Effect.logInfo(`stopped: ${counted(tally.started)} in all`)
  if (input.output === "json") {
    yield* print({ work: { address: host.address, tasks: input.tasks, kind: input.kind, ...tally, left } }, 2)
  }
})

const counted = (count: number): string => count === 1 ? "1 worker" : `${count} workers`

const print = (value: object, indent?: number): Effect.Effect<void> =>
  StandardStreams.print(redactText(`${JSON.stringify(value, undefined, indent)}\n`, Logging.secrets))

/** Starts a worker and ends it again: what is wrong with the module is told here, and not to each queue that connects. */
const tryOut = Effect.fnUntraced(function*(file: string, host: WorkerHost["Service"]) {
  const fs = yield* FileSystem.FileSystem
  const isThere = yield* Effect.orElseSucceed(fs.exists(file), () => false)
  if (!isThere) return yield* new ModuleInvalid({ file, reason: "it does not exist; name a module of tasks" })
  yield* host.start({ name: "trial", encoded: true, receive: () => {} }).pipe(
    Effect.scoped,
    Effect.catchTag("WorkerStartError", ({ detail }) => Effect.fail(new ModuleInvalid({ file, reason: detail })))
  )
})

const teller = (input: Input, tally: Tally) => (event: NodeTaskHost.TaskHostEvent): Effect.Effect<void> => {
  tally.add(event)
  const log = isTrouble(event) ? Effect.logWarning(describe(event)) : Effect.logInfo(describe(event))
  return input.output === "ndjson" ? Effect.andThen(log, print(event)) : log
}
