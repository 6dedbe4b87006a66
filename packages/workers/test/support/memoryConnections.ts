import { Deferred, Effect } from "effect"
import type { Connection } from "../../src/internal/remote/connection.ts"

/** How the bytes of one direction travel. */
interface Way {
  /** Bytes that are delivered at once, at most. */
  piece: number
  /** Whether they are delivered at all; what is held back is not lost. */
  flows: boolean
}

export interface Pair {
  readonly client: Connection
  readonly host: Connection
  readonly toHost: Way
  readonly toClient: Way
  /** Delivers what is on its way, and what comes of it. */
  readonly settle: Effect.Effect<void>
  /** Cuts the connection as a broken cable does that both sides hear of. */
  readonly cut: Effect.Effect<void>
}

/** Two ends of a connection without a network. Nothing is delivered inside `write`; what can be is, after `end`. */
export const pair = (): Pair => {
  const closed = Deferred.makeUnsafe<string>()
  const end = (way: Way, peer: string) => {
    const waiting: Array<Uint8Array> = []
    let take: ((chunk: Uint8Array) => void) | undefined
    const deliver = (): boolean => {
      if (!way.flows || take === undefined || waiting.length === 0) return false
      const [chunk] = waiting.splice(0, 1) as [Uint8Array]
      if (chunk.length > way.piece) waiting.unshift(chunk.subarray(way.piece))
      take(chunk.subarray(0, way.piece))
      return true
    }
    return { waiting, deliver, peer, listen: (next: typeof take) => (take = next) }
  }
  const toHost: Way = { piece: Infinity, flows: true }
  const toClient: Way = { piece: Infinity, flows: true }
  const up = end(toHost, "client")
  const down = end(toClient, "host")
  const finish = (detail: string) => Deferred.doneUnsafe(closed, Effect.succeed(detail))
  const flush = (): void => {
    for (let moved = true; moved;) moved = [up.deliver(), down.deliver()].includes(true)
  }
  const connection = (peer: string, out: typeof up, into: typeof up): Connection => ({
    peer,
    write: (bytes) => {
      if (!Deferred.isDoneUnsafe(closed)) out.waiting.push(bytes)
    },
    waitingBytes: () => out.waiting.reduce((sum, { length }) => sum + length, 0),
    receive: (take) => into.listen(take),
    end: () =>
      queueMicrotask(() => {
        flush()
        finish("the connection was closed")
      }),
    destroy: () => {
      finish("the connection was closed")
    },
    closed: Deferred.await(closed)
  })
  return {
    client: connection("host", up, down),
    host: connection("client", down, up),
    toHost,
    toClient,
    // Fibers answer what they are given, and are answered.
    settle: Effect.forEach(
      Array.from({ length: 20 }),
      () => Effect.andThen(Effect.sync(flush), Effect.yieldNow),
      { discard: true }
    ),
    cut: Effect.sync(() => {
      finish("the connection failed: read ECONNRESET")
    })
  }
}
