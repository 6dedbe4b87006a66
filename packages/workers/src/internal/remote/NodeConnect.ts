import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { WorkerStartError } from "../../WorkerHost.ts"
import { type Address, isEncrypted } from "./address.ts"
import type { Connection } from "./connection.ts"
import { clientSide, type Prover } from "./handshake.ts"
import { asClient } from "./handshaking.ts"
import { dial, type DialTls, isCertificateRefused } from "./NodeDial.ts"
import { makeNonce } from "./NodeProver.ts"

export interface ConnectOptions {
  readonly prover: Prover | undefined
  readonly tls: DialTls
  /** For all of it. */
  readonly timeout: Duration.Duration
}

/** Gives a connection whose other side is whom we mean, and which the Scope closes. */
export const connect = (
  address: Address,
  worker: string,
  { prover, timeout, tls }: ConnectOptions
): Effect.Effect<Connection, WorkerStartError, Scope.Scope> => {
  // Node closes a connection whose certificate is of another authority without a word.
  const hint = isEncrypted(address) && tls.cert !== undefined ? " (it may not accept our certificate)" : ""
  return Effect.acquireRelease(
    dial(address, tls),
    (connection) => Effect.sync(connection.destroy),
    { interruptible: true }
  ).pipe(
    Effect.flatMap((connection) => asClient(connection, clientSide({ prover, nonce: makeNonce() }))),
    Effect.flatMap((outcome) =>
      outcome._tag === "Accepted" ? Effect.succeed(outcome.connection) : Effect.fail(outcome)
    ),
    Effect.mapError(({ detail, reason }) =>
      // TLS 1.3 tells a client that it needs a certificate when it has been connected for a moment.
      isCertificateRefused(detail)
        ? new WorkerStartError({ worker, reason: "Unauthorized", detail })
        : new WorkerStartError({ worker, reason, detail: reason === "Unreachable" ? `${detail}${hint}` : detail })
    ),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(new WorkerStartError({ worker, reason: "Unreachable", detail: "nobody answered in time" }))
    })
  )
}
