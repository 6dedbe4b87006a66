import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { FetchError } from "../../FetchError.ts"

/** Where bytes go that a socket or a decoder pushes. */
export interface Sink {
  /** Gives whether there is room for more. Where there is none, `onRoom` says when there is. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: () => void
  readonly fail: (error: FetchError) => void
  onRoom: () => void
}

export interface BodyQueue extends Sink {
  /** What is there, or what comes next. What was pushed before a failure is given before it. */
  readonly pull: Pulled
  /** The same, if nobody has to wait for it. */
  readonly poll: () => Pulled | undefined
  /** Lets go of everything; what comes later is dropped. */
  readonly close: () => void
}

type Pulled = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, FetchError>

/** Bytes that may wait. What a server has sent at once anyway is not worth a pause. */
const room = 128 * 1024

type State =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Failed"; readonly error: FetchError }

/** The bytes of a body between those who push them and the one who pulls them; `onExcess` says what more than so many of them are. */
export const make = (maxBytes: number, onExcess: () => FetchError): BodyQueue => {
  let state: State = { _tag: "Open" }
  let chunks: Array<Uint8Array> = []
  let size = 0
  let total = 0
  let waiting: ((pulled: Pulled) => void) | undefined

  const taken = (): Pulled | undefined => {
    if (chunks.length > 0) {
      const all = chunks as unknown as Arr.NonEmptyReadonlyArray<Uint8Array>
      const wasFull = size >= room
      chunks = []
      size = 0
      if (wasFull) queue.onRoom()
      return Effect.succeed(all)
    }
    if (state._tag === "Open") return undefined
    return state._tag === "Ended" ? Cause.done() : Effect.fail(state.error)
  }
  const wake = (): void => {
    if (waiting === undefined) return
    const resume = waiting
    waiting = undefined
    resume(taken()!)
  }
  const settle = (next: State): void => {
    if (state._tag !== "Open") return
    state = next
    wake()
  }

  const queue: BodyQueue = {
    onRoom: () => {},
    write: (bytes) => {
      if (state._tag !== "Open") return true
      total += bytes.length
      if (total > maxBytes) {
        settle({ _tag: "Failed", error: onExcess() })
        return true
      }
      chunks.push(bytes)
      size += bytes.length
      const isFull = size >= room
      wake()
      return !isFull || size < room
    },
    end: () => settle({ _tag: "Ended" }),
    fail: (error) => settle({ _tag: "Failed", error }),
    close: () => {
      chunks = []
      size = 0
      settle({ _tag: "Ended" })
    },
    poll: taken,
    pull: Effect.suspend(() =>
      taken() ?? Effect.callback((resume) => {
        waiting = resume
        return Effect.sync(() => {
          waiting = undefined
        })
      })
    )
  }
  return queue
}
