import * as Effect from "effect/Effect"

/** Bytes to and from somebody else, in order, over whatever carries them. */
export interface Connection {
  /** Who is at the other end, for messages. */
  readonly peer: string
  /** Never waits; without effect once it is closed. The bytes belong to the connection from now on. */
  readonly write: (bytes: Uint8Array) => void
  /** Bytes that were written, and that the system has not taken. */
  readonly waitingBytes: () => number
  /** Gives what comes to somebody, from now on, in place of whoever got it before. Nothing is read before the first call. */
  readonly receive: (take: (chunk: Uint8Array) => void) => void
  /** Writes what was written, and closes. */
  readonly end: () => void
  /** Closes at once. */
  readonly destroy: () => void
  /** Waits until it is closed, by whichever side, and says how. Nothing is received after it. */
  readonly closed: Effect.Effect<string>
}

/** Closes a connection, with a second for the other side to take what was written. */
export const close = (connection: Connection): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(connection.end),
    Effect.andThen(
      Effect.timeoutOption(connection.closed, "1 second"),
      Effect.sync(connection.destroy)
    )
  )
