/**
 * Workers on other machines, or in other programs of this one: those that a `NodeTaskHost`, or the command `conveyor work`, runs for us.
 *
 * Each worker has a connection of its own, and lives as long as it. Before anything of a host is read, it has proved that it knows the
 * secret, or has shown a certificate that is trusted, and so have we. A connection that is lost ends its worker here at once, as `Disconnected`, and there as soon
 * as the host notices; what becomes of its tasks is the queue's to decide, which also asks for another worker.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Address from "./internal/remote/address.ts"
import { problemOf } from "./internal/remote/authentication.ts"
import * as Limits from "./internal/remote/limits.ts"
import { connect } from "./internal/remote/NodeConnect.ts"
import { prover } from "./internal/remote/NodeProver.ts"
import * as Places from "./internal/remote/places.ts"
import * as RemoteWorker from "./internal/remote/remoteWorker.ts"
import { WorkerHost, type WorkerStartOptions } from "./WorkerHost.ts"

/**
 * The defaults of {@link Options}.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { ...Limits.defaults, connectTimeout: "5 seconds", workers: 4 } as const

/**
 * The certificates of a client, as PEM.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface TlsOptions {
  /** Who may have signed the certificate of a host. Defaults to those Node trusts. */
  readonly ca?: string | undefined
  /** Our own, for hosts that want one. Defaults to none. */
  readonly cert?: string | undefined
  /** The key of `cert`. */
  readonly key?: Redacted.Redacted | undefined
  /** The name in the certificates of the hosts. Defaults to the host of each address. */
  readonly serverName?: string | undefined
}

/**
 * How hosts are reached.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** What the hosts know, too: at least 16 characters. Defaults to none, which needs certificates. */
  readonly secret?: Redacted.Redacted | undefined
  /** For `tls://` and `wss://`. Defaults to what Node trusts, and no certificate of our own. */
  readonly tls?: TlsOptions | undefined
  /**
   * What happens without a secret, and without TLS: `refuse` is a defect; `allowLocally` connects to addresses of this machine, where
   * whoever listens gets our tasks. Defaults to `refuse`.
   */
  readonly unauthenticated?: "refuse" | "allowLocally" | undefined
  /** Workers that a pool has at most, unless it is told. Defaults to 4 for each address. */
  readonly workers?: number | undefined
  /** For connecting, TLS and proving who we are. Defaults to 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * Bytes of what crosses at once, either way, from 1024 to 2³¹ − 1. A call with more is refused with a defect; a host that sends more is
   * disconnected. It must not be more than that of the hosts. Defaults to 64 MiB.
   */
  readonly maxFrameBytes?: number | undefined
  /** Bytes that may wait for a host to read them, at least `maxFrameBytes`; one more, and it is disconnected. Defaults to 256 MiB. */
  readonly maxWaitingBytes?: number | undefined
  /** How often each side says that it is there. Defaults to 5 seconds. */
  readonly heartbeatInterval?: Duration.Input | undefined
  /**
   * How long a host may not be heard, rounded up to whole intervals, before it is disconnected; this is noticed within one interval more. With 5 and 15
   * seconds it is disconnected between the 15th and the 20th second. Defaults to 15 seconds.
   */
  readonly lostAfter?: Duration.Input | undefined
}

/**
 * Starts workers at addresses.
 *
 * **When to use** Use this for work that one machine is too small for, or that needs what another one has.
 *
 * **Details** An address is `tcp://HOST:PORT`, `tls://HOST:PORT`, `unix:///PATH`, `ws://HOST:PORT` or `wss://HOST:PORT`; the last two may have
 * a path. A worker is started where fewest of ours are, and where that does not work, at the next address; one that could not be
 * reached comes last for five seconds. What a worker is, its host decides.
 *
 * Nothing is read from a host faster than it is handled, and what waits to be written is bounded by `maxWaitingBytes`. With `tcp://` and `ws://` the secret proves who is at the other end when the
 * connection begins; who can change what passes on the network can change what follows. There, take `tls://` or `wss://`.
 *
 * **Errors** A start fails with `WorkerStartError`: `Unreachable` if nobody answers in time, or not as a host does; `Unauthorized` if
 * either side does not accept the other; `Full` if no host has room; `Refused` and `Exited` as the host's own workers do. Dies if an address cannot be read,
 * an option is out of its range, or a host would be trusted without any proof.
 *
 * **Gotchas** Both sides must have tasks of the same schemas. `undefined` within a payload of `Schema.Any` arrives as `null`, −0 as 0, and text
 * that is no well-formed Unicode with replacement characters.
 *
 * **Source** AsynQueue's `RemoteWorker`, over AMP without authentication.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (
  addresses: string | readonly [string, ...ReadonlyArray<string>],
  options: Options = {}
): Layer.Layer<WorkerHost> =>
  Layer.effect(
    WorkerHost,
    Effect.sync(() => make(typeof addresses === "string" ? [addresses] : addresses, options))
  )

const where = "NodeRemoteHosts.layer"

const make = (texts: ReadonlyArray<string>, options: Options): WorkerHost["Service"] => {
  const { secret, tls = {}, unauthenticated = "refuse" } = options
  const addresses = texts.map((text) => {
    const address = Address.parse(text)
    if (address === undefined) throw new TypeError(`${where}: an address must be ${Address.expected}, got ${text}`)
    const problem = problemOf(address, { secret, isProvedByTls: true, unauthenticated })
    if (problem !== undefined) throw new TypeError(`${where}: ${problem}`)
    return address
  })
  const limits = Limits.limitsOf(where, options)
  const timeout = Limits.span(where, "connectTimeout", options.connectTimeout ?? defaults.connectTimeout)
  const places = Places.make(addresses)

  const startAt = (place: Places.Place, worker: WorkerStartOptions) => {
    const address = Address.format(place.address)
    return connect(place.address, `${worker.name} at ${address}`, { prover: secret && prover(secret), tls, timeout })
      .pipe(
        Effect.flatMap((connection) => RemoteWorker.start(connection, address, worker, limits))
      )
  }
  return {
    kind: "remote",
    shares: false,
    workers: Limits.count(where, "workers", options.workers ?? defaults.workers * addresses.length, 1),
    start: (worker) => places.start((place) => startAt(place, worker))
  }
}
