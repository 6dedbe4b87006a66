import * as Flag from "effect/cli/Flag"
import type * as Option from "effect/Option"
import * as Output from "../../Output.ts"
import { shortPath } from "../shortPath.ts"

// Numbers, lengths of time and sizes are read as text, so that what is wrong with all of them can be told at once.

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const file = (name: string, description: string) =>
  Flag.File(name).pipe(Flag.withDescription(description), Flag.map(shortPath), Flag.optional)

/** What stands on the command line after `work`. */
export const flags = {
  tasks: Flag.File("tasks").pipe(
    Flag.withDescription(
      "the module of the tasks: TypeScript or JavaScript, with TaskModule.make(…) as its default export"
    ),
    Flag.map(shortPath)
  ),
  listen: Flag.String("listen").pipe(
    Flag.withMetavar("ADDRESS"),
    Flag.withDescription(
      "where queues connect: tcp://HOST:PORT, tls://, ws://, wss:// or unix:///PATH, port 0 for a free one; tcp://127.0.0.1:7000 unless given"
    ),
    Flag.withDefault("tcp://127.0.0.1:7000")
  ),
  kind: Flag.Literals("kind", ["threads", "processes"]).pipe(
    Flag.withDescription(
      "what a worker is: a thread of this process, or a process of its own, which nothing but itself can crash"
    ),
    Flag.withDefault("threads" as const)
  ),
  workers: text("workers", "N", "workers at a time; as many as there are processors unless given"),
  secretFile: file(
    "secret-file",
    "a file with the secret that queues must know, of 16 characters or more; or set CONVEYOR_SECRET"
  ),
  tlsCert: file("tls-cert", "the certificate of this host, for tls:// and wss://"),
  tlsKey: file("tls-key", "its key"),
  tlsCa: file("tls-ca", "who must have signed the certificates of queues; then these need no secret"),
  unauthenticated: Flag.Boolean("unauthenticated").pipe(
    Flag.withDescription("let everybody on this machine run tasks, if nobody else can connect"),
    Flag.withDefault(false),
    Flag.withoutNegation
  ),
  maxFrame: text("max-frame", "SIZE", "what a queue may send at once; 64 MiB unless given"),
  maxCalls: text("max-calls", "N", "calls that one worker may have waiting and running; 1024 unless given"),
  drainTimeout: text(
    "drain-timeout",
    "TIME",
    "how long workers may finish what they have, when told to stop; 30s unless given"
  ),
  output: Output.flag,
  logFormat: Flag.Literals("log-format", ["text", "json"]).pipe(
    Flag.withDescription("the form of the log, which is on standard error"),
    Flag.withDefault("text" as const)
  )
}

export interface Input {
  readonly tasks: string
  readonly listen: string
  readonly kind: "threads" | "processes"
  readonly workers: Option.Option<string>
  readonly secretFile: Option.Option<string>
  readonly tlsCert: Option.Option<string>
  readonly tlsKey: Option.Option<string>
  readonly tlsCa: Option.Option<string>
  readonly unauthenticated: boolean
  readonly maxFrame: Option.Option<string>
  readonly maxCalls: Option.Option<string>
  readonly drainTimeout: Option.Option<string>
  readonly output: Output.Output
  readonly logFormat: "text" | "json"
}
