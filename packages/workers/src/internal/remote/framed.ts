import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "./connection.ts"
import { encode, Frame, FrameFault, type FrameKind, makeReader } from "./frames.ts"
import { makeUnpacker, maxSharedBytes, pack } from "./packing.ts"

/** What bounds a connection, at both ends. */
export interface Limits {
  readonly maxFrameBytes: number
  /** Bytes that may wait for the other side to read. */
  readonly maxWaitingBytes: number
  readonly heartbeatInterval: Duration.Duration
  /** Heartbeats that may be missed in a row. */
  readonly maxMissed: number
}

/** An authenticated connection: frames both ways, and heartbeats below them. */
export interface Framed {
  /** Sends a frame. Throws a `DataCloneError`, with nothing sent, for a value that cannot be packed or is over the limit. */
  readonly send: (kind: FrameKind, value?: unknown) => void
  /** Unpacks a body. Throws a `FrameFault`. */
  readonly unpack: (body: Uint8Array, transfers: Array<ArrayBuffer>) => unknown
  /** Begins to read. */
  readonly open: () => void
  /** Waits until the connection is of no more use, and says why. */
  readonly lost: Effect.Effect<string>
}

/**
 * Frames a connection. A peer that breaks the rules, does not read, or is not heard, loses it.
 *
 * What is missed is counted in heartbeats of our own, not in time: a process that was stopped itself, or computed for long, has
 * missed one of them, and reads what came meanwhile before it counts another.
 */
export const make = Effect.fnUntraced(function*(
  connection: Connection,
  limits: Limits,
  take: (kind: FrameKind, body: Uint8Array) => void
): Effect.fn.Return<Framed, never, Scope.Scope> {
  const { heartbeatInterval, maxFrameBytes, maxMissed, maxWaitingBytes } = limits
  const lost = Deferred.makeUnsafe<string>()
  const reader = makeReader(maxFrameBytes)
  const unpacker = makeUnpacker(maxFrameBytes)
  const heartbeat = encode(Frame.Heartbeat)
  let missed = 0

  const lose = (detail: string): boolean => Deferred.doneUnsafe(lost, Effect.succeed(detail))

  const write = (bytes: Uint8Array): void => {
    connection.write(bytes)
    if (connection.waitingBytes() <= maxWaitingBytes) return
    lose(
      `${connection.waitingBytes()} bytes waited for ${connection.peer} to read them, and the limit is ${maxWaitingBytes}`
    )
    connection.destroy()
  }

  const fail = (detail: string): void => {
    if (!lose(`${connection.peer} broke the protocol: ${detail}`)) return
    connection.write(encode(Frame.Fault, pack(detail)))
    connection.end()
  }

  const unpack = (body: Uint8Array, transfers: Array<ArrayBuffer>): unknown => {
    try {
      return unpacker.unpack(body, transfers)
    } catch (error) {
      throw new FrameFault(`a body cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const receive = (chunk: Uint8Array): void => {
    missed = 0
    if (Deferred.isDoneUnsafe(lost)) return
    try {
      reader.push(chunk, (kind, body) => {
        if (Deferred.isDoneUnsafe(lost) || kind === Frame.Heartbeat) return
        if (kind !== Frame.Fault) return take(kind, body)
        lose(`${connection.peer} ended the connection: ${String(unpack(body, []))}`)
        connection.end()
      })
    } catch (error) {
      // A mistake of ours ends this connection too, not the process that has others.
      fail(error instanceof FrameFault ? error.message : `a defect: ${String(error)}`)
    }
  }

  yield* Effect.sleep(heartbeatInterval).pipe(
    Effect.andThen(Effect.sync(() => {
      if (missed++ < maxMissed) return write(heartbeat)
      lose(`nothing was heard of ${connection.peer} for ${missed} heartbeats`)
      connection.destroy()
    })),
    Effect.forever,
    Effect.raceFirst(Effect.flatMap(connection.closed, (detail) => Effect.sync(() => lose(detail)))),
    Effect.forkScoped({ startImmediately: true })
  )

  return {
    send: (kind, value) => {
      if (Deferred.isDoneUnsafe(lost)) return
      const body = value === undefined ? undefined : pack(value)
      if (body !== undefined && body.length > maxFrameBytes) {
        throw new DOMException(`${body.length} bytes are over the limit of a frame, ${maxFrameBytes}`, "DataCloneError")
      }
      if (body === undefined || body.length <= maxSharedBytes) return write(encode(kind, body))
      connection.write(encode(kind, undefined, body.length))
      write(body)
    },
    unpack,
    open: () => connection.receive(receive),
    lost: Deferred.await(lost)
  }
})
