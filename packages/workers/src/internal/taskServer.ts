import type * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type { FromWorkerMessage, ToWorkerMessage } from "./messages.ts"

/** The worker's side of a link: it takes what the queue posts, runs it, and posts what comes of it. */
export interface TaskServer {
  /** Takes a batch; runs at once what can begin. */
  readonly receive: (batch: ReadonlyArray<ToWorkerMessage>) => void
  /** Interrupts what runs and waits for it. */
  readonly close: Effect.Effect<void>
}

export interface TaskServerOptions {
  readonly post: (batch: ReadonlyArray<FromWorkerMessage>, transfers?: ReadonlyArray<object>) => void
  /** Called once, when a Close was received and all that ran has been answered: the time to release the handlers and end. */
  readonly onClose: () => void
  /** Whether values cross as they are. */
  readonly shares: boolean
  /** The bytes held; asked at most four times a second, and told to the queue. */
  readonly memory?: (() => number) | undefined
}

/** Serves a group with the handlers of the context. Posting `Ready`, or `Refused`, is up to the caller. */
export declare const make: <R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  options: TaskServerOptions
) => Effect.Effect<TaskServer, never, Rpc.ToHandler<R> | Rpc.ServicesServer<R>>
