import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { WorkerEnd, WorkerHost, WorkerLink, WorkerStartError } from "../../WorkerHost.ts"
import { FromWorker, type FromWorkerMessage, ToWorker, type ToWorkerMessage } from "../messages.ts"
import type { Connection } from "./connection.ts"
import { packable } from "./endings.ts"
import { type Framed, type Limits, make as frame } from "./framed.ts"
import { Frame, FrameFault, type FrameKind } from "./frames.ts"
import { toWorker } from "./relayed.ts"

export interface HostedOptions extends Limits {
  /** Calls and updates that may be under way. */
  readonly maxCalls: number
  /** How long a worker whose queue is lost has to end, before it is terminated, and again before it is killed. */
  readonly grace: Duration.Duration
  /** Resumes when the host wants its workers back. */
  readonly leaving: Effect.Effect<void>
  readonly onStarted: (name: string, details: WorkerLink["details"]) => Effect.Effect<void>
}

/** What became of a connection that was authenticated. */
export type HostedEnd =
  | { readonly _tag: "NotStarted"; readonly error: WorkerStartError }
  | { readonly _tag: "Ended"; readonly end: WorkerEnd }
  | { readonly _tag: "Lost"; readonly detail: string }

/**
 * The host's side of an authenticated connection: starts the worker that is asked for, carries messages both ways, and ends it when
 * the connection is lost. Values in messages are unpacked and packed, never looked at.
 */
export const serve = Effect.fnUntraced(function*(
  connection: Connection,
  host: WorkerHost["Service"],
  options: HostedOptions
): Effect.fn.Return<HostedEnd, never, Scope.Scope> {
  const asked = Deferred.makeUnsafe<string>()
  const terminated = Deferred.makeUnsafe<void>()
  const killed = Deferred.makeUnsafe<void>()
  /** Calls and updates that the worker has not answered. */
  const open = new Set<number>()
  /** Those among them that were answered without it. */
  const answered = new Set<number>()
  let link: WorkerLink | undefined = undefined

  const admit = (message: ToWorkerMessage): void => {
    if (message[0] !== ToWorker.Call && message[0] !== ToWorker.Update) return
    const id = message[1]
    if (open.has(id)) throw new FrameFault(`call ${id} is under way already`)
    if (open.size >= options.maxCalls) throw new FrameFault(`more than ${options.maxCalls} calls are under way`)
    open.add(id)
  }

  const take = (kind: FrameKind, body: Uint8Array): void => {
    switch (kind) {
      case Frame.Start: {
        const name = framed.unpack(body, [])
        if (typeof name === "string" && Deferred.doneUnsafe(asked, Effect.succeed(name))) return
        throw new FrameFault("one connection is for one worker, with a name")
      }
      case Frame.Batch: {
        if (link === undefined) throw new FrameFault("the worker is not ready")
        const transfers: Array<ArrayBuffer> = []
        const batch = toWorker(framed.unpack(body, transfers))
        for (const message of batch) admit(message)
        return link.post(batch, transfers)
      }
      case Frame.Terminate:
        Deferred.doneUnsafe(terminated, Effect.void)
        return
      case Frame.Kill:
        Deferred.doneUnsafe(killed, Effect.void)
        return
      default:
        throw new FrameFault(`a frame of kind ${kind} has no place here`)
    }
  }
  const framed: Framed = yield* frame(connection, options, take)

  const sendAlone = (message: FromWorkerMessage): void => {
    try {
      framed.send(Frame.Batch, [message])
    } catch (error) {
      const [kind, id] = message
      if (kind !== FromWorker.Succeeded && kind !== FromWorker.Failed && kind !== FromWorker.Chunk) throw error
      // Its caller, and nobody else, hears that this cannot cross.
      framed.send(Frame.Batch, [[FromWorker.Failed, id, 0, encodeDefect(error)]])
      if (kind !== FromWorker.Chunk) return
      answered.add(id)
      link!.post([[ToWorker.Interrupt, id]])
    }
  }
  const settle = ([kind, id]: FromWorkerMessage): boolean => {
    if (kind !== FromWorker.Succeeded && kind !== FromWorker.Failed) {
      return kind !== FromWorker.Chunk || !answered.has(id)
    }
    open.delete(id)
    return !answered.delete(id)
  }
  const receive = (batch: ReadonlyArray<FromWorkerMessage>): void => {
    // What comes before the queue knows that it is ready: how much memory it has.
    if (link === undefined) return
    const messages = batch.filter(settle)
    try {
      framed.send(Frame.Batch, messages)
    } catch {
      for (const message of messages) sendAlone(message)
    }
  }

  const lost = Effect.map(framed.lost, (detail) => ({ _tag: "Lost", detail }) as const)
  framed.open()
  const name = yield* Effect.raceFirst(Deferred.await(asked), lost)
  if (typeof name !== "string") return name

  const started = yield* Effect.raceAllFirst([
    Effect.result(host.start({ name, encoded: true, receive })),
    lost,
    Effect.as(Deferred.await(killed), { _tag: "Lost", detail: "the queue wants it no more" } as const)
  ])
  if (started._tag === "Lost") return started
  if (started._tag === "Failure") {
    const { detail, reason } = started.failure
    framed.send(Frame.NotStarted, { reason, detail })
    return { _tag: "NotStarted", error: started.failure }
  }
  link = started.success
  const { ended } = link
  framed.send(Frame.Started, packable(link.details))
  yield* options.onStarted(name, link.details)

  yield* Effect.forkScoped(Effect.andThen(Deferred.await(terminated), link.terminate))
  yield* Effect.forkScoped(Effect.andThen(Deferred.await(killed), link.kill))
  // What is on its way is still done: the queue closes a worker that resigned when it has nothing left.
  yield* Effect.forkScoped(
    Effect.andThen(options.leaving, Effect.sync(() => framed.send(Frame.Batch, [[FromWorker.Resigned]])))
  )
  const outcome = yield* Effect.raceFirst(Effect.map(ended, (end) => ({ _tag: "Ended", end }) as const), lost)
  if (outcome._tag === "Ended") {
    framed.send(Frame.Ended, outcome.end)
    return outcome
  }
  // Nobody waits for what runs. What its handlers hold is released, if they listen.
  link.post([...[...open].map((id) => [ToWorker.Interrupt, id] as const), [ToWorker.Close]])
  for (const harder of [link.terminate, link.kill]) {
    const end = yield* Effect.timeoutOption(ended, options.grace)
    if (end._tag === "Some") break
    yield* harder
  }
  return outcome
})

const encode = Schema.encodeUnknownSync(Schema.toCodecJson(Schema.Exit(Schema.Never, Schema.Never, Schema.Defect())))

const encodeDefect = (error: unknown): unknown =>
  encode(
    Exit.die(new TypeError(`the answer cannot be sent: ${error instanceof Error ? error.message : String(error)}`))
  )
