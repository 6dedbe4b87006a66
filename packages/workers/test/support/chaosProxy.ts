import { Effect, type Scope } from "effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A network that misbehaves as it is told. */
export interface ChaosProxy {
  readonly address: string
  /** Bytes that travel in one piece, at most. */
  piece: number
  /** Milliseconds that a piece is on its way. */
  delay: number
  /** Whether pieces arrive; those that do not are lost, and nobody hears of it. */
  delivers: boolean
  /** Bytes, in both directions together, after which a connection is cut. */
  cutAfter: number
  /** Cuts all connections. */
  readonly cut: () => void
  readonly connections: () => number
}

/** Stands between clients and an address, until the Scope closes. */
export const make = (target: string): Effect.Effect<ChaosProxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<{ readonly proxy: ChaosProxy; readonly close: () => void }>((resolve) => {
        const [, host, port] = /:\/\/(.*):(\d+)$/.exec(target)!
        const sockets = new Set<Socket>()
        const server = createServer((inside) => {
          const outside = connect({ host: host!, port: Number(port) })
          let carried = 0
          const ends = [inside, outside]
          const cut = () => ends.forEach((end) => end.destroy())
          for (const [from, to] of [[inside, outside], [outside, inside]] as const) {
            sockets.add(from)
            from.on("error", cut)
            from.on("close", () => {
              sockets.delete(from)
              if (proxy.delivers) to.end()
            })
            from.on("data", (chunk: Buffer) => {
              for (let at = 0; at < chunk.length; at += proxy.piece) {
                if (!proxy.delivers) return
                const piece = chunk.subarray(at, at + Math.min(proxy.piece, proxy.cutAfter - carried))
                carried += piece.length
                if (proxy.delay === 0) to.write(piece)
                else setTimeout(() => to.write(piece), proxy.delay)
                if (carried >= proxy.cutAfter) return void to.end(() => cut())
              }
            })
          }
        })
        const proxy: ChaosProxy = {
          get address() {
            return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
          },
          piece: Infinity,
          delay: 0,
          delivers: true,
          cutAfter: Infinity,
          cut: () => sockets.forEach((socket) => socket.destroy()),
          connections: () => sockets.size / 2
        }
        server.listen(0, "127.0.0.1", () =>
          resolve({
            proxy,
            close: () => {
              proxy.cut()
              server.close()
            }
          }))
      })
    ),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ proxy }) => proxy))
