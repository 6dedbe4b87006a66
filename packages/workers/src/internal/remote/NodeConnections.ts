import type { WebSocket } from "@effect/platform-node/NodeWS"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import type { Connection } from "./connection.ts"

/** What a system error comes to, in a few words. */
export const describe = (error: Error): string => {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`
}

/** TCP, TLS, and sockets in the file system. */
export const fromSocket = (socket: Socket, peer: string): Connection => {
  const closed = Deferred.makeUnsafe<string>()
  let take: ((chunk: Uint8Array) => void) | undefined
  let detail = "the connection was closed"
  socket.setNoDelay(true)
  socket.on("error", (error) => {
    detail = `the connection failed: ${describe(error)}`
  })
  socket.on("close", () => {
    take = undefined
    Deferred.doneUnsafe(closed, Effect.succeed(detail))
  })
  return {
    peer,
    write: (bytes) => {
      if (socket.writable) socket.write(bytes)
    },
    waitingBytes: () => socket.writableLength,
    receive: (next) => {
      const isFirst = take === undefined
      take = next
      if (isFirst) socket.on("data", (chunk: Uint8Array) => take?.(chunk))
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    closed: Deferred.await(closed)
  }
}

/** Bytes of a message at most: a receiver holds what it has of one, before it knows who sends it. */
export const maxMessageBytes = 1 << 16

/** Frames do not begin and end where messages of the WebSocket do: it carries bytes, like the others. */
export const fromWebSocket = (socket: WebSocket, peer: string): Connection => {
  const closed = Deferred.makeUnsafe<string>()
  const early: Array<Uint8Array> = []
  let take = (chunk: Uint8Array): void => {
    early.push(chunk)
  }
  let detail = "the connection was closed"
  socket.binaryType = "nodebuffer"
  socket.pause()
  socket.on("message", (chunk: Uint8Array, isBinary: boolean) => {
    if (isBinary) return take(chunk)
    detail = "it sent text"
    socket.terminate()
  })
  socket.on("error", (error) => {
    detail = `the connection failed: ${describe(error)}`
  })
  socket.on("close", () => {
    take = () => {}
    Deferred.doneUnsafe(closed, Effect.succeed(detail))
  })
  return {
    peer,
    write: (bytes) => {
      if (socket.readyState !== socket.OPEN) return
      for (let at = 0; at < bytes.length; at += maxMessageBytes) socket.send(bytes.subarray(at, at + maxMessageBytes))
    },
    waitingBytes: () => socket.bufferedAmount,
    receive: (next) => {
      take = next
      for (const chunk of early.splice(0)) next(chunk)
      socket.resume()
    },
    end: () => socket.close(),
    destroy: () => socket.terminate(),
    closed: Deferred.await(closed)
  }
}
