/**
 * The worker's side of a link.
 *
 * What is received stands in one line, calls and updates alike, and begins in that order, as many at a time as the queue has said. A
 * handler that gives its result at once is answered without a fiber; all others run as fibers in the context of the handlers,
 * each with a Scope of its own. Nothing here waits for the other side but streams, which stop when their credit is used up.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import * as Scheduler from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { Line } from "./line.ts"
import { FromWorker, type FromWorkerMessage, ToWorker, type ToWorkerMessage } from "./messages.ts"
import { Outbox } from "./outbox.ts"
import * as TaskCodec from "./taskCodec.ts"
import * as TaskRun from "./taskRun.ts"

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
export const make = <R extends Rpc.Any>(
  group: RpcGroup.RpcGroup<R>,
  options: TaskServerOptions
): Effect.Effect<TaskServer, never, Rpc.ToHandler<R> | Rpc.ServicesServer<R>> =>
  Effect.contextWith((context: Context.Context<Rpc.ToHandler<R> | Rpc.ServicesServer<R>>) =>
    Effect.sync(() => new Server(group, options, context))
  )

/** Calls begun in one turn, after which the platform has a turn of its own, and what it received meanwhile is heard. */
const longestTurn = 256

class Server implements TaskServer {
  private readonly options: TaskServerOptions
  private readonly outbox: Outbox
  private readonly setting: TaskRun.Setting
  private readonly schedule: (f: () => void) => void
  private readonly line = new Line<TaskRun.TaskRun>()
  /** Mostly those that came first end first. A Map that grows and shrinks all the time keeps its old tables alive. */
  private readonly runs: Array<TaskRun.TaskRun> = []
  private readonly onIdle: Array<() => void> = []
  private concurrency = 1
  private running = 0
  private updating = false
  private advancing = false
  /** Whether the platform is having its turn. */
  private pausing = false
  private state: "open" | "closing" | "closed" = "open"

  constructor(group: RpcGroup.RpcGroup<any>, options: TaskServerOptions, context: Context.Context<never>) {
    const clock = Context.get(context, Clock.Clock)
    const dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
    const millis = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    this.options = options
    this.schedule = (f) => dispatcher.scheduleTask(f, 0)
    this.outbox = new Outbox({
      post: options.post,
      memory: options.memory,
      millis,
      schedule: this.schedule,
      abandon: (id, failure) => this.find(id)?.abandon(failure)
    })
    this.setting = {
      handlerOf: handlersOf(group, options.shares, context),
      outbox: this.outbox,
      millis,
      worker: "",
      resign: Effect.sync(() => this.outbox.add([FromWorker.Resigned], millis(), [])),
      onYielded: (run) => {
        this.release(run)
        this.advance()
      },
      onAnswered: (run) => this.answered(run)
    }
  }

  readonly receive = (batch: ReadonlyArray<ToWorkerMessage>): void =>
    this.outbox.turn(() => {
      for (const message of batch) this.take(message)
      this.advance()
    })

  readonly close: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.state = "closed"
    this.outbox.turn(() => {
      this.advance()
      for (const run of this.runs.slice()) run.interrupt()
    })
    if (this.runs.length === 0) resume(Effect.void)
    else this.onIdle.push(() => resume(Effect.void))
  })

  private find(id: number): TaskRun.TaskRun | undefined {
    return this.runs.find((run) => run.id === id)
  }

  private take(message: ToWorkerMessage): void {
    switch (message[0]) {
      case ToWorker.Begin:
        this.setting.worker = message[1]
        this.concurrency = message[2]
        return
      case ToWorker.Call:
      case ToWorker.Update: {
        const run = new TaskRun.TaskRun(this.setting, message)
        this.runs.push(run)
        return this.line.push(run)
      }
      case ToWorker.Interrupt:
        return this.find(message[1])?.interrupt()
      case ToWorker.Grant:
        return this.find(message[1])?.grant(message[2])
      case ToWorker.Close:
        if (this.state === "open") this.state = "closing"
    }
  }

  /** Begins what may begin. What ends at once calls it again from within, and is heard by the loop that runs. */
  private advance(): void {
    if (this.advancing) return
    this.advancing = true
    let begun = 0
    for (let run = this.line.first; run !== undefined; run = this.line.first) {
      if (run.isAnswered) {
        this.line.shift()
      } else if (this.state !== "open") {
        this.line.shift()
        run.interrupt()
      } else if (this.pausing || this.updating || this.running >= this.concurrency) {
        break
      } else if (begun++ === longestTurn) {
        this.pausing = true
        this.schedule(this.goOn)
        break
      } else {
        this.line.shift()
        this.running++
        this.updating = run.isUpdate
        run.holdsPlace = true
        run.begin()
      }
    }
    this.advancing = false
    this.closeWhenIdle()
  }

  private readonly goOn = (): void => {
    this.pausing = false
    this.outbox.turn(() => this.advance())
  }

  private release(run: TaskRun.TaskRun): void {
    if (!run.holdsPlace) return
    run.holdsPlace = false
    this.running--
  }

  private answered(run: TaskRun.TaskRun): void {
    if (this.runs[0] === run) this.runs.shift()
    else this.runs.splice(this.runs.indexOf(run), 1)
    this.release(run)
    if (run.isUpdate && run.hasBegun) this.updating = false
    this.advance()
  }

  private closeWhenIdle(): void {
    if (this.runs.length > 0 || this.state === "open") return
    this.outbox.flush()
    for (const resume of this.onIdle.splice(0)) resume()
    if (this.state !== "closing") return
    this.state = "closed"
    this.options.onClose()
  }
}

const handlersOf = (
  group: RpcGroup.RpcGroup<Rpc.Any>,
  shares: boolean,
  context: Context.Context<never>
): TaskRun.Setting["handlerOf"] => {
  const codecOf = TaskCodec.make(group, shares)
  const handlers = new Map<string, TaskRun.Handler>()
  const make = (tag: string): TaskRun.Handler => {
    const rpc = group.requests.get(tag)
    const found = rpc && context.mapUnsafe.get(rpc.key) as Rpc.Handler<string> | undefined
    const handler: TaskRun.Handler = {
      codec: codecOf(tag),
      rpc: rpc!,
      handle: found?.handler ?? (() => Effect.die(new TypeError(`there is no handler of ${tag}`))),
      // The spans of tasks belong to their callers, and not to what the worker was started in.
      context: Context.omit(Tracer.ParentSpan)(found === undefined ? context : Context.merge(found.context, context))
    }
    handlers.set(tag, handler)
    return handler
  }
  return (tag) => handlers.get(tag) ?? make(tag)
}
