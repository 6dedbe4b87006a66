import { WebSocketServer } from "@effect/platform-node/NodeWS"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { chmod, unlink } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { type Address, format } from "./address.ts"
import type { Connection } from "./connection.ts"
import { describe, fromSocket, fromWebSocket, maxMessageBytes } from "./NodeConnections.ts"

export class ListenFailure extends Data.TaggedError("ListenFailure")<{
  readonly reason: "Unavailable" | "Certificate"
  readonly detail: string
}> {}

interface ListenerTls {
  readonly cert: string
  readonly key: Redacted.Redacted
  /** Whoever has no certificate of these does not get further than the handshake of TLS. */
  readonly ca?: string | undefined
}

export interface ListenerOptions {
  readonly tls: ListenerTls | undefined
  /** More connections than these are closed by the runtime as they come. */
  readonly maxConnections: number
  /** For what comes before a connection is given: TLS, the request of a WebSocket. */
  readonly timeout: Duration.Duration
  readonly onConnection: (connection: Connection) => void
}

export interface Listener {
  /** With the port that was found, where 0 was asked for. */
  readonly address: Address
  /** Takes no more connections; those there are stay. */
  readonly stop: Effect.Effect<void>
}

/** Listens until the Scope closes. */
export const listen = Effect.fnUntraced(function*(
  address: Address,
  options: ListenerOptions
): Effect.fn.Return<Listener, ListenFailure, Scope.Scope> {
  const secure = yield* secureOptions(options)
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => serverOf(address, secure, options)),
    (server) =>
      Effect.sync(() => {
        server.close()
        if ("closeAllConnections" in server) server.closeAllConnections()
      })
  )
  server.maxConnections = options.maxConnections
  yield* bind(server, address).pipe(
    Effect.catchIf(
      (error) => error.code === "EADDRINUSE" && address.scheme === "unix",
      // What a host that was killed left behind, if nobody answers there.
      (error) => address.scheme === "unix" ? takeOver(server, address, error) : Effect.fail(error)
    ),
    Effect.mapError((error) => new ListenFailure({ reason: "Unavailable", detail: describe(error) }))
  )
  const found = server.address()
  return {
    address: "port" in address && found !== null && typeof found === "object"
      ? { ...address, port: found.port }
      : address,
    stop: Effect.sync(() => {
      server.close()
    })
  }
})

type Server = Net.Server | Http.Server

const bind = (server: Server, address: Address): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.callback((resume) => {
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen(
      address.scheme === "unix" ? { path: address.path } : { host: address.host, port: address.port },
      () => {
        server.removeAllListeners("error")
        // What fails later is a connection that could not be accepted, of which there will be others.
        server.on("error", () => {})
        if (address.scheme !== "unix") return resume(Effect.void)
        // For this user alone, whatever the umask says.
        chmod(address.path, 0o600, (error) => resume(error === null ? Effect.void : Effect.fail(error)))
      }
    )
  })

const takeOver = (
  server: Server,
  address: Address & { readonly scheme: "unix" },
  error: NodeJS.ErrnoException
): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.callback<boolean>((resume) => {
    const probe = Net.connect({ path: address.path })
    probe.once("connect", () => {
      probe.destroy()
      resume(Effect.succeed(false))
    })
    probe.once("error", (refusal: NodeJS.ErrnoException) => resume(Effect.succeed(refusal.code === "ECONNREFUSED")))
  }).pipe(
    Effect.flatMap((isStale) =>
      isStale
        ? Effect.callback<void, NodeJS.ErrnoException>((resume) =>
          unlink(address.path, (failure) => resume(failure === null ? Effect.void : Effect.fail(error)))
        )
        : Effect.fail(error)
    ),
    Effect.andThen(bind(server, address))
  )

const serverOf = (address: Address, secure: Tls.TlsOptions | undefined, options: ListenerOptions): Server => {
  const { onConnection } = options
  const timeoutMillis = Math.ceil(Duration.toMillis(options.timeout))
  const take = (socket: Net.Socket): void => onConnection(fromSocket(socket, peerOf(socket)))
  if (address.scheme === "tcp" || address.scheme === "unix") return Net.createServer(take)
  if (address.scheme === "tls") {
    const server = Tls.createServer(secure!, take)
    server.on("tlsClientError", destroy)
    return server
  }
  const { path } = address as Address & { readonly scheme: "ws" | "wss" }
  const times = {
    headersTimeout: timeoutMillis,
    requestTimeout: timeoutMillis,
    connectionsCheckingInterval: Math.min(1000, timeoutMillis)
  }
  const server = secure === undefined ? Http.createServer(times) : Https.createServer({ ...secure, ...times })
  // For whoever comes with a browser.
  server.on("request", (_, response) => response.writeHead(426, { connection: "close", upgrade: "websocket" }).end())
  server.on("tlsClientError", destroy)
  const sockets = new WebSocketServer({
    server,
    path,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    clientTracking: false
  })
  sockets.on("connection", (socket, request) => onConnection(fromWebSocket(socket, peerOf(request.socket))))
  return server
}

/** TLS tells of a handshake that failed, or took too long, and leaves the connection open. */
const destroy = (_: Error, socket: Net.Socket): void => {
  socket.destroy()
}

const peerOf = (socket: Net.Socket): string =>
  socket.remoteAddress === undefined
    ? "a process of this machine"
    : format({ scheme: "tcp", host: socket.remoteAddress, port: socket.remotePort ?? 0 }).slice("tcp://".length)

const secureOptions = ({ timeout, tls }: ListenerOptions): Effect.Effect<Tls.TlsOptions | undefined, ListenFailure> =>
  Effect.try({
    try: () => {
      if (tls === undefined) return undefined
      const certificates = {
        cert: tls.cert,
        key: Redacted.value(tls.key),
        ...(tls.ca === undefined ? {} : { ca: tls.ca })
      }
      // Throws for what is no certificate, and for a key of another one.
      Tls.createSecureContext(certificates)
      return {
        ...certificates,
        minVersion: "TLSv1.2" as const,
        handshakeTimeout: Math.ceil(Duration.toMillis(timeout)),
        ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true })
      }
    },
    catch: (error) => new ListenFailure({ reason: "Certificate", detail: describe(error as Error) })
  })
