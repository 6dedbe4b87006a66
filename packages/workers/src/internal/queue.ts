import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Policy, type TaskPolicy } from "../TaskPolicy.ts"
import type { PoolOptions, TaskQueueOptions } from "../TaskQueueOptions.ts"
import { WorkerHost } from "../WorkerHost.ts"
import { Engine } from "./engine.ts"
import type { Place } from "./fairOrder.ts"
import { ToWorker, type Trace } from "./messages.ts"
import { Pool } from "./pool.ts"
import { Receipt } from "./receipt.ts"
import { millis, nicenessOf, type PolicySettings, policySettings, poolSettings, queueSettings } from "./settings.ts"
import { StreamBuffer } from "./streamBuffer.ts"
import { type Outcome, type Sink, Task, type TaskKind, type Waiter } from "./task.ts"
import * as TaskCodec from "./taskCodec.ts"

interface Kind extends TaskKind {
  readonly codec: TaskCodec.TaskCodec
  readonly annotated: TaskPolicy
  readonly policy: PolicySettings
}

const nothing: ReadonlyArray<object> = []

/** A queue without the types of its tasks. */
export class Core {
  readonly engine: Engine
  private readonly group: RpcGroup.RpcGroup<Rpc.Any>
  private readonly codecOf: (tag: string) => TaskCodec.TaskCodec
  private readonly kinds = new Map<string, Kind>()
  private pools = 0

  constructor(
    group: RpcGroup.RpcGroup<Rpc.Any>,
    options: TaskQueueOptions,
    shares: boolean,
    context: Context.Context<never>
  ) {
    this.group = group
    this.codecOf = TaskCodec.make(group, shares)
    this.engine = new Engine(queueSettings(options), shares, context)
  }

  attach(host: WorkerHost["Service"], options: PoolOptions): Effect.Effect<Pool, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.contextWith((context: Context.Context<never>) =>
        Effect.sync(() => {
          const isEncoded = !(this.engine.shares && host.shares)
          const pool = new Pool(
            ++this.pools,
            this.engine,
            host,
            poolSettings(options, host),
            isEncoded,
            isEncoded ? TaskCodec.make(this.group, false) : this.codecOf,
            isEncoded ? atEndOfTurn : soon(Context.get(context, Scheduler.Scheduler))
          )
          this.engine.pools.push(pool)
          pool.scale()
          return pool
        })
      ),
      (pool) => this.engine.detach(pool)
    )
  }

  call(tag: string, payload: unknown, options: TaskPolicy | undefined, place: Place): Outcome {
    return this.prepare("call", tag, payload, options, (taskFor) =>
      Effect.callback<unknown, unknown>((resume) => {
        const task = taskFor({ settle: resume })
        this.engine.submit(task, place)
        return Effect.suspend(() => this.engine.abandon(task))
      }))
  }

  /** Submits a task and waits until it has a place in the order, or is past that. */
  submit(tag: string, payload: unknown, options: TaskPolicy | undefined): Effect.Effect<Receipt> {
    return this.prepare("submit", tag, payload, options, (taskFor) => {
      const receipt = new Receipt(this.engine)
      const task = receipt.of(taskFor(receipt))
      this.engine.submit(task, "inOrder")
      if (!task.isOutside) return Effect.succeed(receipt)
      return Effect.callback<Receipt>((resume) => {
        task.onAdmitted = () => resume(Effect.succeed(receipt))
        return receipt.cancel
      })
    })
  }

  stream(tag: string, payload: unknown, options: TaskPolicy | undefined): Stream.Stream<unknown, unknown> {
    return Stream.unwrap(this.prepare("stream", tag, payload, options, (taskFor) => {
      const begin = Effect.sync(() => {
        const buffer: StreamBuffer = new StreamBuffer(
          this.engine.settings.window,
          (items) => task.worker?.post([ToWorker.Grant, task.id, items])
        )
        const task = taskFor(buffer, buffer)
        this.engine.submit(task, "inOrder")
        return { task, buffer }
      })
      return Effect.map(
        Effect.acquireRelease(begin, ({ task }) => this.engine.abandon(task)),
        ({ buffer }) => Stream.fromPull(Effect.succeed(buffer.pull))
      )
    }))
  }

  update(
    tag: string,
    payload: unknown,
    { ephemeral = false, key, series }: {
      ephemeral?: boolean | undefined
      key?: string | undefined
      series?: string | undefined
    }
  ): Effect.Effect<ReadonlyArray<Exit.Exit<unknown, unknown>>> {
    const { codec } = this.kindOf(tag)
    if (codec.isStream) {
      return Effect.die(new TypeError(`TaskQueue.update: ${tag} is a stream, which an update cannot be`))
    }
    return Effect.flatMap(
      codec.encodePayload(payload, []),
      (encoded) => this.engine.updates.tell({ tag, payload: encoded, key, series, ephemeral })
    )
  }

  shutdown(timeout: Duration.Input | undefined): Effect.Effect<void> {
    const { drainTimeout } = this.engine.settings
    return this.engine.shutdown(timeout === undefined ? drainTimeout : millis("timeout", timeout))
  }

  private kindOf(tag: string): Kind {
    let kind = this.kinds.get(tag)
    if (kind === undefined) {
      const annotated = annotationOf(this.group, tag)
      kind = {
        tag,
        codec: this.codecOf(tag),
        annotated,
        policy: policySettings(annotated, annotated),
        expected: Infinity
      }
      this.kinds.set(tag, kind)
    }
    return kind
  }

  /** What all ways in have in common: the payload is checked and encoded, and made into a task when there is somebody to wait for it. */
  private prepare<A, E, R>(
    way: "call" | "submit" | "stream",
    tag: string,
    payload: unknown,
    options: TaskPolicy | undefined,
    go: (taskFor: (waiter: Waiter, sink?: Sink) => Task) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> {
    return Effect.withFiber((fiber) => {
      const kind = this.kindOf(tag)
      const { annotated, codec } = kind
      if (codec.isStream !== (way === "stream")) {
        const instead = codec.isStream ? "is a stream; use TaskQueue.stream" : "is no stream; use TaskQueue.call"
        return Effect.die(new TypeError(`TaskQueue.${way}: ${tag} ${instead}`))
      }
      const policy = options === undefined ? kind.policy : policySettings(annotated, options, kind.policy)
      const niceness = nicenessOf(options?.niceness ?? annotated.niceness)
      const series = options?.series ?? annotated.series
      const transfers: Array<object> = []
      return Effect.flatMap(codec.encodePayload(payload, transfers), (encoded) =>
        go((waiter, sink) =>
          new Task({
            id: this.engine.nextId(),
            kind,
            niceness,
            series,
            policy,
            payload: encoded,
            // What may be needed again is copied.
            transfers: policy.retryable || transfers.length === 0 ? nothing : transfers,
            sink,
            trace: traceOf(fiber),
            waiter
          })
        ))
    })
  }
}

/** Makes a queue and its first pool. */
export const makeCore = Effect.fnUntraced(function*(
  group: RpcGroup.RpcGroup<Rpc.Any>,
  options: TaskQueueOptions
): Effect.fn.Return<Core, never, Scope.Scope | WorkerHost> {
  const host = yield* WorkerHost
  const core = new Core(group, options, host.shares, yield* Effect.context<never>())
  yield* core.attach(host, options)
  // Runs before the pool is detached, since finalizers run last in, first out.
  yield* Effect.addFinalizer(() => core.shutdown(undefined))
  return core
})

const annotationOf = (group: RpcGroup.RpcGroup<Rpc.Any>, tag: string): TaskPolicy => {
  const rpc = group.requests.get(tag)
  if (rpc === undefined) return {}
  const own = Context.getOrUndefined(rpc.annotations, Policy)
  const ofGroup = Context.getOrUndefined(group.annotations, Policy)
  return { ...ofGroup, ...own }
}

const traceOf = (fiber: Fiber.Fiber<unknown, unknown>): Trace | undefined => {
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  return span === undefined ? undefined : [span.traceId, span.spanId, span.sampled]
}

/**
 * Runs when the platform's turn is over: what all fibers post in it goes out as one message, and none waits for the next turn.
 */
// oxlint-disable-next-line eslint/no-restricted-globals -- A fiber would run in the next turn.
const atEndOfTurn = queueMicrotask

/** Runs when the scheduler comes to it: workers in this heap must live by the scheduler that their tasks live by. */
const soon = (scheduler: Scheduler.Scheduler): (run: () => void) => void => {
  const dispatcher = scheduler.makeDispatcher()
  return (run) => dispatcher.scheduleTask(run, 0)
}
