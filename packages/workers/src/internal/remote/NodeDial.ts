import { WebSocket } from "@effect/platform-node/NodeWS"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { type Address, format, isEncrypted } from "./address.ts"
import type { Connection } from "./connection.ts"
import { describe, fromSocket, fromWebSocket, maxMessageBytes } from "./NodeConnections.ts"

export class DialFailure extends Data.TaggedError("DialFailure")<{
  readonly reason: "Unreachable" | "Unauthorized"
  readonly detail: string
}> {}

export interface DialTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: Redacted.Redacted | undefined
  readonly serverName?: string | undefined
}

/** Connects. What was begun is given up when this is interrupted. */
export const dial = (address: Address, tls: DialTls): Effect.Effect<Connection, DialFailure> => {
  const peer = format(address)
  const secure = isEncrypted(address) ? secureOptions(tls) : {}
  switch (address.scheme) {
    case "unix":
      return awaitSocket(() => Net.connect({ path: address.path }), "connect", peer)
    case "tcp":
      return awaitSocket(() => Net.connect({ host: address.host, port: address.port }), "connect", peer)
    case "tls":
      return awaitSocket(
        () => Tls.connect({ ...secure, host: address.host, port: address.port, ...serverName(address.host, tls) }),
        "secureConnect",
        peer
      )
    case "ws":
    case "wss":
      return awaitWebSocket(peer, { ...secure, ...(address.scheme === "wss" ? serverName(address.host, tls) : {}) })
  }
}

// An address is no name that a server could have several of.
const serverName = (host: string, tls: DialTls): { readonly servername?: string } =>
  tls.serverName !== undefined
    ? { servername: tls.serverName }
    : Net.isIP(host) === 0
    ? { servername: host }
    : {}

const secureOptions = ({ ca, cert, key }: DialTls): Tls.ConnectionOptions => ({
  minVersion: "TLSv1.2",
  rejectUnauthorized: true,
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key: Redacted.value(key) })
})

const awaitSocket = (
  connect: () => Net.Socket,
  event: "connect" | "secureConnect",
  peer: string
): Effect.Effect<Connection, DialFailure> =>
  Effect.callback((resume) => {
    const socket = connect()
    const refuse = (error: Error): void => resume(Effect.fail(failureOf(error)))
    socket.once("error", refuse)
    socket.once(event, () => {
      socket.off("error", refuse)
      resume(Effect.succeed(fromSocket(socket, peer)))
    })
    return Effect.sync(() => socket.destroy())
  })

const awaitWebSocket = (url: string, secure: Tls.ConnectionOptions): Effect.Effect<Connection, DialFailure> =>
  Effect.callback((resume) => {
    const socket = new WebSocket(url, {
      ...secure,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      followRedirects: false
    })
    // Also after it was interrupted: to terminate what is not yet open is an error of its own.
    socket.on("error", (error) => resume(Effect.fail(failureOf(error))))
    socket.once("open", () => resume(Effect.succeed(fromWebSocket(socket, url))))
    return Effect.sync(() => socket.terminate())
  })

/** By what OpenSSL and Node call it when one side does not accept the certificate of the other. */
const isOfCertificates = /CERT|SELF_SIGNED|VERIFY|ALERT_UNKNOWN_CA|ALERT_HANDSHAKE_FAILURE/

/** Whether a connection failed because a certificate was not accepted, by either side. */
export const isCertificateRefused = (detail: string): boolean =>
  isOfCertificates.test(detail) ||
  /alert (?:number (?:4[0-8]|116)|certificate|unknown ca)|certificate required/i.test(detail)

const failureOf = (error: Error): DialFailure => {
  const { code = "" } = error as NodeJS.ErrnoException
  const detail = describe(error) || code
  return new DialFailure({ reason: isCertificateRefused(`${code} ${detail}`) ? "Unauthorized" : "Unreachable", detail })
}
