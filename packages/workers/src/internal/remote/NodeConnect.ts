import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { WorkerStartError } from "../../WorkerHost.ts"
import type { Address } from "./address.ts"
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
): Effect.Effect<Connection, WorkerStartError, Scope.Scope> =>
  Effect.acquireRelease(
    dial(address, tls),
    (connection) => Effect.sync(connection.destroy),
    { interruptible: true }
  ).pipe(
    Effect.flatMap((connection) => asClient(connection, clientSide({ prover, nonce: makeNonce() }))),
    Effect.flatMap((outcome) => {
      if (outcome._tag === "Accepted") return Effect.succeed(outcome.connection)
      const { detail } = outcome
      // TLS 1.3 tells a client that its certificate is not accepted when it has been connected for a moment.
      const reason = isCertificateRefused(detail) ? "Unauthorized" : outcome.reason
      return Effect.fail(new WorkerStartError({ worker, reason, detail }))
    }),
    Effect.catchTag(
      "DialFailure",
      ({ detail, reason }) => Effect.fail(new WorkerStartError({ worker, reason, detail }))
    ),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(new WorkerStartError({ worker, reason: "Unreachable", detail: "nobody answered in time" }))
    })
  )
