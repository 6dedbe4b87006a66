import * as NodeTaskHost from "effect-workers/NodeTaskHost"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { CredentialsInvalid, UsageError } from "../../CommandFailed.ts"
import type { ManifestError } from "../../ManifestError.ts"
import { readText } from "../fileText.ts"
import { FlagTexts } from "../flagTexts.ts"
import type { Input } from "./flags.ts"

/** What is to be served, and to whom. */
export interface WorkPlan {
  readonly host: Omit<NodeTaskHost.Options, "tell">
  readonly drainTimeout: Duration.Duration
  /** What no log may show. */
  readonly secrets: ReadonlyArray<string>
}

/** Checks what was given and makes a plan of it, or says what is wrong with all of it. */
export const planOf = Effect.fnUntraced(function*(
  input: Input,
  environment: { readonly [name: string]: string | undefined }
): Effect.fn.Return<WorkPlan, UsageError | CredentialsInvalid | ManifestError, FileSystem.FileSystem> {
  const numbers = yield* numbersOf(input)
  const secret = yield* Option.match(input.secretFile, {
    onNone: () => Effect.succeed(environment["CONVEYOR_SECRET"]),
    onSome: (file) =>
      Effect.map(readText(file, "it does not exist; name a file that holds the secret"), (text) => text.trim())
  })
  const read = (file: Option.Option<string>) =>
    Option.match(file, {
      onNone: () => Effect.succeed(undefined),
      onSome: (path) => readText(path, "it does not exist; name a file of PEM")
    })
  const cert = yield* read(input.tlsCert)
  const key = yield* read(input.tlsKey)
  const ca = yield* read(input.tlsCa)
  const { drainTimeout, ...limits } = numbers
  const host = {
    ...limits,
    listen: input.listen,
    secret: secret === undefined ? undefined : Redacted.make(secret),
    tls: cert === undefined || key === undefined ? undefined : { cert, key: Redacted.make(key), ca },
    unauthenticated: input.unauthenticated ? "allowLocally" as const : "refuse" as const
  }
  const problem = NodeTaskHost.problemOf(host)
  if (problem !== undefined) {
    return yield* new CredentialsInvalid({
      problem:
        `${problem}; give the secret as --secret-file FILE or in CONVEYOR_SECRET, or certificates as --tls-cert, --tls-key and --tls-ca`
    })
  }
  return { host, drainTimeout, secrets: secret === undefined ? [] : [secret] }
})

const numbersOf = (input: Input) => {
  const flags = new FlagTexts()
  const { problems } = flags
  const maxWorkers = flags.count("workers", input.workers, 1)
  const maxCalls = flags.count("max-calls", input.maxCalls, 1)
  const maxFrameBytes = flags.bytes(
    "max-frame",
    input.maxFrame,
    "from 1 KiB to 1 GiB, such as 64 MiB",
    (bytes) => bytes >= 1024 && bytes <= 2 ** 30
  )
  const drainTimeout = flags.time("drain-timeout", input.drainTimeout)
  if (
    NodeTaskHost.problemOf({ listen: input.listen, unauthenticated: "allowLocally" })?.startsWith("listen must") ===
      true
  ) {
    problems.push(
      `--listen ${input.listen}: expected tcp://HOST:PORT, tls://, ws:// or wss:// likewise, or unix:///PATH`
    )
  }
  if (Option.isSome(input.tlsCert) !== Option.isSome(input.tlsKey)) {
    problems.push("--tls-cert and --tls-key: go together; give both, or neither")
  }
  const isEncrypted = /^(?:tls|wss):/.test(input.listen)
  if (isEncrypted && Option.isNone(input.tlsCert)) {
    problems.push(`--listen ${input.listen}: needs --tls-cert and --tls-key`)
  }
  if (!isEncrypted && [input.tlsCert, input.tlsKey, input.tlsCa].some(Option.isSome)) {
    problems.push(`--listen ${input.listen}: does not use certificates; take tls:// or wss://`)
  }
  return problems.length > 0
    ? Effect.fail(new UsageError({ problem: problems.join("\n") }))
    : Effect.succeed({ maxWorkers, maxCalls, maxFrameBytes, drainTimeout: drainTimeout ?? Duration.seconds(30) })
}
