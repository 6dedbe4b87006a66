import { Cause, Effect, type Layer } from "effect"
import type { Rpc, RpcGroup } from "effect/rpc"
import { type Call, FromWorker, type FromWorkerMessage, ToWorker, type Trace } from "../../src/internal/messages.ts"
import * as TaskCodec from "../../src/internal/taskCodec.ts"
import * as TaskServer from "../../src/internal/taskServer.ts"

export const begin = (concurrency: number) => [ToWorker.Begin, "worker-1", concurrency] as const
export const update = (id: number, tag: string, payload?: unknown) => [ToWorker.Update, id, tag, payload] as const
export const interrupt = (id: number) => [ToWorker.Interrupt, id] as const
export const grant = (id: number, items: number) => [ToWorker.Grant, id, items] as const
export const close = [ToWorker.Close] as const
export const call = (
  id: number,
  tag: string,
  payload?: unknown,
  options: { readonly attempt?: number; readonly window?: number; readonly trace?: Trace } = {}
): Call => [ToWorker.Call, id, tag, payload, options.attempt ?? 1, options.window ?? 0, options.trace]

/** Lets all fibers and dispatchers have a few turns. */
export const turns = Effect.repeat(Effect.yieldNow, { times: 8 })

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly id: number; readonly interrupted: true }

/** A server whose posts are kept, and read as the queue would read them. */
export const serving = Effect.fnUntraced(function*<R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  layer: Layer.Layer<Rpc.ToHandler<R> | Rpc.ServicesServer<R>>,
  options: Partial<TaskServer.TaskServerOptions> = {}
) {
  const posts: Array<{ batch: ReadonlyArray<FromWorkerMessage>; transfers: ReadonlyArray<object> | undefined }> = []
  const tags = new Map<number, string>()
  const codec = TaskCodec.make(group, options.shares ?? false)
  let closes = 0
  const server = yield* TaskServer.make(group, {
    shares: false,
    onClose: () => closes++,
    ...options,
    post: (batch, transfers) => {
      options.post?.(batch, transfers)
      posts.push({ batch, transfers })
    }
  }).pipe(Effect.provide(layer))
  const messages = () => posts.flatMap(({ batch }) => batch)
  const read = (message: FromWorkerMessage): Answer | undefined => {
    if (message[0] !== FromWorker.Succeeded && message[0] !== FromWorker.Failed) return undefined
    const [kind, id, , encoded] = message
    const { decodeFailure, decodeSuccess } = codec(tags.get(id)!)
    if (kind === FromWorker.Succeeded) return { id, value: Effect.runSync(decodeSuccess(encoded)) }
    const { cause } = Effect.runSync(decodeFailure(encoded))
    return Cause.hasInterruptsOnly(cause) ? { id, interrupted: true } : { id, error: Cause.squash(cause) }
  }
  return {
    server,
    posts,
    messages,
    receive: (...batch: Parameters<TaskServer.TaskServer["receive"]>[0]) => {
      for (const message of batch) {
        if (message[0] === ToWorker.Call || message[0] === ToWorker.Update) tags.set(message[1], message[2])
      }
      server.receive(batch)
    },
    answers: (): ReadonlyArray<Answer> => messages().map(read).filter((answer) => answer !== undefined),
    answered: (): ReadonlyArray<number> =>
      messages().map(read).flatMap((answer) => answer === undefined ? [] : [answer.id]),
    chunks: (id: number) =>
      messages().flatMap((message) => message[0] === FromWorker.Chunk && message[1] === id ? [message[2]] : []),
    closes: () => closes
  }
})
