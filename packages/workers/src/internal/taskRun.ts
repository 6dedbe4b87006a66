import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import type * as Queue from "effect/Queue"
import * as Rpc from "effect/rpc/Rpc"
import { RequestId } from "effect/rpc/RpcMessage"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { CurrentTask } from "../CurrentTask.ts"
import { type Call, FromWorker, ToWorker, type Trace, type Update } from "./messages.ts"
import type { Outbox } from "./outbox.ts"
import * as TaskCodec from "./taskCodec.ts"

/** What the runs of one worker have in common. */
export interface Setting {
  readonly handlerOf: (tag: string) => Handler
  readonly outbox: Outbox
  readonly millis: () => number
  worker: string
  readonly resign: Effect.Effect<void>
  /** It lets another run in its place, and goes on all the same. */
  readonly onYielded: (run: TaskRun) => void
  readonly onAnswered: (run: TaskRun) => void
}

export interface Handler {
  readonly codec: TaskCodec.TaskCodec
  readonly rpc: Rpc.Any
  readonly handle: Rpc.Handler<string>["handler"]
  readonly context: Context.Context<never>
}

type Ended = Exit.Exit<unknown, unknown>
type Running = Effect.Effect<unknown, unknown>

const client = new Rpc.ServerClient(0)
const noTransfers: ReadonlyArray<object> = []

/**
 * One task from its call to its answer, of which there is exactly one: decode, handle, close its Scope, encode. Each of these is taken
 * at once if it is a finished Exit, and runs in a fiber otherwise.
 */
export class TaskRun {
  readonly id: number
  readonly isUpdate: boolean
  hasBegun = false
  isAnswered = false
  /** Whether it is one of those of which only so many run at a time. */
  holdsPlace = false
  private readonly setting: Setting
  private readonly message: Call | Update
  private readonly handler: Handler
  private startedAt = 0
  private endedAt = 0
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private credit: number
  private onCredit: (() => void) | undefined
  private abandonedWith: unknown

  constructor(setting: Setting, message: Call | Update) {
    this.setting = setting
    this.message = message
    this.id = message[1]
    this.handler = setting.handlerOf(message[2])
    this.isUpdate = message[0] === ToWorker.Update
    this.credit = message[0] === ToWorker.Call ? message[5] : Infinity
  }

  begin(): void {
    this.hasBegun = true
    this.startedAt = this.setting.millis()
    const decoded = this.handler.codec.decodePayload(this.message[3])
    if (isSuccess(decoded)) return this.handle(decoded.value)
    this.fork(
      decoded,
      this.handler.context,
      (exit) => Exit.isSuccess(exit) ? this.handle(exit.value) : this.settle(exit)
    )
  }

  interrupt(): void {
    if (this.hasBegun) this.fiber?.interruptUnsafe(undefined, RpcSchema.ClientAbort.annotation)
    else this.settle(Exit.interrupt())
  }

  grant(items: number): void {
    this.credit += items
    const resume = this.onCredit
    this.onCredit = undefined
    resume?.()
  }

  /** Ends a stream of which an item cannot be posted: with this failure, already encoded. */
  abandon(failure: unknown): void {
    this.abandonedWith ??= failure
    this.interrupt()
  }

  private handle(payload: unknown): void {
    const { codec, rpc } = this.handler
    let result: ReturnType<Handler["handle"]> | Rpc.Wrapper<ReturnType<Handler["handle"]>>
    try {
      result = this.handler.handle(payload, { client, requestId: RequestId(this.id), headers: Headers.empty, rpc })
    } catch (defect) {
      return this.settle(Exit.die(defect))
    }
    const wrapper = Rpc.isWrapper(result) ? result : undefined
    const value = Rpc.unwrap(result)
    if (wrapper?.fork) this.setting.onYielded(this)
    if (codec.isStream) this.run(this.emitting(value as Emitting), wrapper?.uninterruptible)
    else if (Exit.isExit(value)) this.handled(value)
    else this.run(value as Running, wrapper?.uninterruptible)
  }

  private run(effect: Running, uninterruptible = false): void {
    const scope = Scope.makeUnsafe()
    const { id, handler: { context }, message, setting } = this
    const attempt = message[0] === ToWorker.Call ? message[4] : 1
    const trace = message[0] === ToWorker.Call ? message[6] : undefined
    const task: CurrentTask = { id, tag: message[2], attempt, worker: setting.worker, resign: setting.resign }
    this.fork(
      trace === undefined ? effect : traced(effect, task, trace),
      Context.add(Context.add(context, CurrentTask, task), Scope.Scope, scope),
      (exit) => {
        const closing = Scope.closeUnsafe(scope, exit)
        if (closing === undefined) return this.handled(exit)
        this.fork(closing, context, (closed) => this.handled(Exit.isSuccess(closed) ? exit : both(exit, closed)), true)
      },
      uninterruptible
    )
  }

  private handled(exit: Ended): void {
    if (Exit.isFailure(exit) || this.handler.codec.isStream || !Deferred.isDeferred(exit.value)) {
      return this.settle(exit)
    }
    this.setting.onYielded(this)
    this.fork(Deferred.await(exit.value), this.handler.context, (exit) => this.settle(exit))
  }

  private settle(exit: Ended): void {
    const { codec, context } = this.handler
    this.endedAt = this.setting.millis()
    if (this.abandonedWith !== undefined) return this.answer(FromWorker.Failed, this.abandonedWith, noTransfers)
    if (Exit.isFailure(exit)) return this.fail(exit)
    const transfers: Array<object> = []
    const encoded = codec.encodeSuccess(codec.isStream ? undefined : exit.value, transfers)
    if (isSuccess(encoded)) return this.answer(FromWorker.Succeeded, encoded.value, transfers)
    this.fork(
      encoded,
      context,
      (exit) => Exit.isSuccess(exit) ? this.answer(FromWorker.Succeeded, exit.value, transfers) : this.fail(exit),
      true
    )
  }

  private fail(exit: Exit.Failure<unknown, unknown>): void {
    const { codec, context } = this.handler
    this.fork(codec.encodeFailure(exit as TaskCodec.Failure), context, (encoded) =>
      this.answer(
        FromWorker.Failed,
        Exit.isSuccess(encoded)
          ? encoded.value
          : TaskCodec.defectExit(new TypeError("how it failed cannot be encoded")),
        noTransfers
      ), true)
  }

  private answer(
    kind: typeof FromWorker.Succeeded | typeof FromWorker.Failed,
    encoded: unknown,
    transfers: ReadonlyArray<object>
  ): void {
    this.isAnswered = true
    const runMillis = this.hasBegun ? this.endedAt - this.startedAt : 0
    this.setting.outbox.add([kind, this.id, runMillis, encoded], this.endedAt, transfers)
    this.setting.onAnswered(this)
  }

  private fork<A, E>(
    effect: Effect.Effect<A, E>,
    context: Context.Context<never>,
    onExit: (exit: Exit.Exit<A, E>) => void,
    uninterruptible = false
  ): void {
    const fiber = Effect.runForkWith(context)(effect, { uninterruptible })
    this.fiber = fiber
    // It may have been given up while it ran for the first time, when nobody could reach it.
    if (this.abandonedWith !== undefined) this.interrupt()
    fiber.addObserver(onExit)
  }

  private emitting(source: Emitting): Running {
    const stream = Effect.isEffect(source) ? Stream.unwrap(Effect.map(source, Stream.fromQueue)) : source
    return Stream.runForEachArray(stream, (items) => this.emit(items, 0))
  }

  /** Emits as many items as there is credit for, and does not end before there is credit for one more. */
  private emit(items: ReadonlyArray<unknown>, from: number): Effect.Effect<void> {
    if (this.isUpdate) return Effect.void
    const until = Math.min(items.length, from + this.credit)
    const part = from === 0 && until === items.length ? items : items.slice(from, until)
    this.credit -= part.length
    const transfers: Array<object> = []
    const sent = Effect.flatMapEager(this.handler.codec.encodeItems(part, transfers), (encoded) => {
      this.setting.outbox.emit(this.id, encoded as ReadonlyArray<unknown>, this.setting.millis(), transfers)
      return Exit.void
    })
    if (this.credit > 0) return sent
    const credited = Effect.andThen(sent, this.awaitCredit())
    return until === items.length ? credited : Effect.flatMap(credited, () => this.emit(items, until))
  }

  private awaitCredit(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.credit > 0) return resume(Effect.void)
      this.onCredit = () => resume(Effect.void)
    })
  }
}

const isSuccess = (effect: Effect.Effect<unknown>): effect is Exit.Success<unknown> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

type Emitting = Stream.Stream<unknown, unknown> | Effect.Effect<Queue.Dequeue<unknown, unknown>, unknown>

const both = (exit: Ended, closed: Exit.Exit<unknown, unknown>): Ended =>
  Exit.isFailure(closed)
    ? Exit.failCause(Exit.isFailure(exit) ? Cause.combine(exit.cause, closed.cause) : closed.cause)
    : exit

const traced = (effect: Running, task: CurrentTask, [traceId, spanId, sampled]: Trace): Running =>
  Effect.withSpan(effect, `task ${task.tag}`, {
    kind: "server",
    captureStackTrace: false,
    attributes: { "task.id": task.id, "task.attempt": task.attempt, "worker.name": task.worker },
    parent: Tracer.externalSpan({ traceId, spanId, sampled })
  })
