/**
 * Runs workers for task queues on other machines, or in other programs of this one.
 *
 * One connection is one worker: who connects, and proves who it is, gets a worker of the `WorkerHost` that is given as a Layer, for as long as the
 * connection lasts. The host carries messages between the two and does not look into them. When the connection ends, for whatever reason, the worker is told to
 * finish, and then made to.
 *
 * What somebody who does not know the secret, or has no certificate, can make it do: hold a socket and some hundred bytes (for `ws://` and
 * `wss://` the headers of a request, at most 16 KiB, and one message of 64 KiB) until the deadline of the handshake, compute one HMAC of 182 bytes, and with
 * TLS what that costs; all of this `maxWorkers + maxHandshakes` times at once.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Address from "./internal/remote/address.ts"
import { problemOf as authenticationProblem } from "./internal/remote/authentication.ts"
import { close, type Connection } from "./internal/remote/connection.ts"
import { hostSide, Status } from "./internal/remote/handshake.ts"
import { asHost } from "./internal/remote/handshaking.ts"
import * as HostedWorker from "./internal/remote/hostedWorker.ts"
import * as Limits from "./internal/remote/limits.ts"
import { listen } from "./internal/remote/NodeListener.ts"
import { makeNonce, prover } from "./internal/remote/NodeProver.ts"
import type { WorkerDetails, WorkerEnd } from "./WorkerHost.ts"
import { WorkerHost } from "./WorkerHost.ts"

/**
 * The defaults of {@link Options}; `maxWorkers` is what the `WorkerHost` suggests.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  ...Limits.defaults,
  maxHandshakes: 64,
  maxCalls: 1024,
  handshakeTimeout: "5 seconds",
  grace: "1 second"
} as const

/**
 * The certificates of a host, as PEM.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface TlsOptions {
  readonly cert: string
  readonly key: Redacted.Redacted
  /**
   * Who must have signed the certificates of clients: any such client may use the host, so these should be authorities of your own. Defaults to none: clients need no
   * certificate, but the secret.
   */
  readonly ca?: string | undefined
}

/**
 * Whom a host serves, and how much of it.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** `tcp://HOST:PORT`, `tls://HOST:PORT`, `unix:///PATH`, `ws://HOST:PORT` or `wss://HOST:PORT`; port 0 is any free one. */
  readonly listen: string
  /** What clients must know, and the host proves to know, too: at least 16 characters. Defaults to none, which needs `tls.ca`. */
  readonly secret?: Redacted.Redacted | undefined
  /** For `tls://` and `wss://`, which do not go without. */
  readonly tls?: TlsOptions | undefined
  /**
   * What happens without a secret, and without certificates of clients: `refuse` is a defect; `allowLocally` lets everybody on this machine
   * run tasks, if nobody else can connect. Defaults to `refuse`.
   */
  readonly unauthenticated?: "refuse" | "allowLocally" | undefined
  /** Workers at a time; a further connection is told that the host is full. Defaults to what the `WorkerHost` suggests. */
  readonly maxWorkers?: number | undefined
  /** Connections that have no worker yet, when all others have one; further ones are closed as they come. Defaults to 64. */
  readonly maxHandshakes?: number | undefined
  /** Calls and updates that one connection may have under way; one more, and it is closed. Defaults to 1024. */
  readonly maxCalls?: number | undefined
  /**
   * Bytes of what crosses at once, either way, from 1024 to 2³¹ − 1. A client that sends more is disconnected before any of it is held; an answer with
   * more becomes a defect of its call. It must not be more than that of the clients. Defaults to 64 MiB.
   */
  readonly maxFrameBytes?: number | undefined
  /** Bytes that may wait for a client to read them, at least `maxFrameBytes`; one more, and it is disconnected. Defaults to 256 MiB. */
  readonly maxWaitingBytes?: number | undefined
  /** From connecting to being accepted; TLS, and the request of a WebSocket, have as long for themselves. Defaults to 5 seconds. */
  readonly handshakeTimeout?: Duration.Input | undefined
  /** How often each side says that it is there. Defaults to 5 seconds. */
  readonly heartbeatInterval?: Duration.Input | undefined
  /** How long a client may not be heard, as with `NodeRemoteHosts`, before its worker is ended. Defaults to 15 seconds. */
  readonly lostAfter?: Duration.Input | undefined
  /** How long a worker without a client has to finish before it is terminated, and again before it is killed. Defaults to 1 second. */
  readonly grace?: Duration.Input | undefined
  /** Is told what happens, while it happens. Defaults to nobody. */
  readonly tell?: ((event: TaskHostEvent) => Effect.Effect<void>) | undefined
}

/**
 * What happens on a host. `peer` is the address of a client, `Rejected` one that got no worker, and `Lost` a worker whose client went away first.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type TaskHostEvent =
  | { readonly _tag: "Rejected"; readonly peer: string; readonly detail: string }
  | { readonly _tag: "Started"; readonly peer: string; readonly worker: string; readonly details: WorkerDetails }
  | { readonly _tag: "NotStarted"; readonly peer: string; readonly detail: string }
  | { readonly _tag: "Ended"; readonly peer: string; readonly worker: string; readonly end: WorkerEnd }
  | { readonly _tag: "Lost"; readonly peer: string; readonly worker: string; readonly detail: string }

/**
 * A host cannot listen: the address is not to be had, or the certificate is none, or not that of the key.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TaskHostError extends Schema.TaggedError<TaskHostError>()("TaskHostError", {
  reason: Schema.Literals(["Unavailable", "Certificate"]),
  address: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.reason === "Certificate"
      ? `the certificate for ${this.address} cannot be used: ${this.detail}`
      : `cannot listen on ${this.address}: ${this.detail}`
  }
}

/**
 * Workers for others, as they are now.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskHostStats {
  /** Connections that have a worker, or are about to get one. */
  readonly workers: number
  readonly maxWorkers: number
}

/**
 * A host that runs workers for others.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface TaskHost {
  /** Where it listens, with the port that was found. */
  readonly address: string
  readonly stats: Effect.Effect<TaskHostStats>
  /**
   * Accepts nobody any more, asks the queues to let their workers finish what they have, and waits until the last of them has
   * ended. Nothing is lost by it. A task may take long, so bound it with `Effect.timeoutOption`: closing the Scope kills who is left.
   */
  readonly drain: Effect.Effect<void>
}

/**
 * Listens, and runs workers for whoever connects, until the Scope closes; then they are killed.
 *
 * **Details** Messages are unpacked here, once, and packed again, in this thread: about 1 µs for a small one among others, 25 µs for one alone. Heartbeats are
 * sent from here, too: a thread or process that computes does not stop them, a fiber does.
 *
 * **Errors** `TaskHostError` when it cannot listen. Dies if an option is out of its range, or if nobody would have to prove anything.
 *
 * **Gotchas** A secret lets in whoever knows it, to run any task of the module with any payload. What one client sends can keep its worker
 * busy, not those of others; together they hold up to `maxWorkers × maxCalls × maxFrameBytes` of calls, so lower these where clients are not trusted that far.
 *
 * @see {@link layer}
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<TaskHost, TaskHostError, Scope.Scope | WorkerHost> {
  const host = yield* WorkerHost
  const settings = yield* Effect.sync(() => resolved(options, host))
  const { address, maxWorkers, tell } = settings
  const leaving = Deferred.makeUnsafe<void>()
  const connections = yield* FiberSet.make()
  const run = yield* FiberSet.runtime(connections)()
  let workers = 0

  const admit = () => {
    if (Deferred.isDoneUnsafe(leaving)) return Status.Leaving
    if (workers >= maxWorkers) return Status.Full
    workers++
    return Status.Accepted
  }

  const serve = Effect.fnUntraced(function*(connection: Connection) {
    const { peer } = connection
    yield* Effect.addFinalizer(() => close(connection))
    const outcome = yield* Effect.timeoutOption(
      asHost(connection, hostSide({ prover: settings.prover, nonce: makeNonce(), admit })),
      settings.handshakeTimeout
    )
    if (outcome._tag === "None") return yield* tell({ _tag: "Rejected", peer, detail: "it did not answer in time" })
    if (outcome.value._tag === "Rejected") return yield* tell({ _tag: "Rejected", peer, detail: outcome.value.detail })
    yield* Effect.addFinalizer(() => Effect.sync(() => workers--))
    let worker = ""
    const onStarted = (name: string, details: WorkerDetails) => {
      worker = name
      return tell({ _tag: "Started", peer, worker, details })
    }
    const end = yield* HostedWorker.serve(outcome.value.connection, host, {
      ...settings,
      leaving: Deferred.await(leaving),
      onStarted
    })
    yield* tell(
      end._tag === "NotStarted"
        ? { _tag: "NotStarted", peer, detail: end.error.message }
        : { ...end, peer, worker }
    )
  }, Effect.scoped)

  const listener = yield* listen(address, {
    tls: options.tls,
    maxConnections: maxWorkers + settings.maxHandshakes,
    timeout: settings.handshakeTimeout,
    onConnection: (connection) => run(serve(connection))
  }).pipe(
    Effect.mapError(({ detail, reason }) => new TaskHostError({ reason, address: Address.format(address), detail }))
  )
  return {
    address: Address.format(listener.address),
    stats: Effect.sync(() => ({ workers, maxWorkers })),
    drain: Effect.gen(function*() {
      yield* listener.stop
      yield* Deferred.succeed(leaving, undefined)
      yield* FiberSet.awaitEmpty(connections)
    })
  }
})

/**
 * Runs workers for others as long as the Layer lives.
 *
 * **Errors** As those of {@link make}.
 *
 * **Example** (Threads for whoever knows the secret)
 *
 * ```ts
 * NodeTaskHost.layer({ listen: "tls://0.0.0.0:7000", secret, tls: { cert, key } }).pipe(
 *   Layer.provide(NodeThreads.layer(new URL("./tasks.js", import.meta.url)))
 * )
 * ```
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, TaskHostError, WorkerHost> =>
  Layer.effectDiscard(make(options))

/**
 * Says what is wrong with where a host would listen and whom it would serve, for programs that are told so from outside; {@link make}
 * dies of it.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const problemOf = (
  { listen, secret, tls, unauthenticated = "refuse" }: Pick<Options, "listen" | "secret" | "tls" | "unauthenticated">
): string | undefined => {
  const address = Address.parse(listen)
  if (address === undefined) return `listen must be ${Address.expected}, got ${listen}`
  if (Address.isEncrypted(address) && tls === undefined) return `${listen} needs a certificate and its key`
  return authenticationProblem(address, { secret, isProvedByTls: tls?.ca !== undefined, unauthenticated })
}

const resolved = (options: Options, host: WorkerHost["Service"]) => {
  const where = "NodeTaskHost.make"
  const problem = problemOf(options)
  if (problem !== undefined) throw new TypeError(`${where}: ${problem}`)
  const { secret } = options
  return {
    ...Limits.limitsOf(where, options),
    address: Address.parse(options.listen)!,
    prover: secret === undefined ? undefined : prover(secret),
    tell: options.tell ?? (() => Effect.void),
    maxWorkers: Limits.count(where, "maxWorkers", options.maxWorkers ?? host.workers, 1),
    maxHandshakes: Limits.count(where, "maxHandshakes", options.maxHandshakes ?? defaults.maxHandshakes, 1),
    maxCalls: Limits.count(where, "maxCalls", options.maxCalls ?? defaults.maxCalls, 1),
    handshakeTimeout: Limits.span(where, "handshakeTimeout", options.handshakeTimeout ?? defaults.handshakeTimeout),
    grace: Limits.span(where, "grace", options.grace ?? defaults.grace)
  }
}
