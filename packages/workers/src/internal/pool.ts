import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { WorkerStats } from "../TaskStats.ts"
import { describeEnd, type WorkerEnd, type WorkerHost, type WorkerLink, WorkerStartError } from "../WorkerHost.ts"
import type { Alarm } from "./alarms.ts"
import type { Engine } from "./engine.ts"
import { type FromWorkerMessage, ToWorker } from "./messages.ts"
import type { PoolSettings } from "./settings.ts"
import type { Task } from "./task.ts"
import type { TaskCodec } from "./taskCodec.ts"
import { Worker } from "./worker.ts"

/** The most tasks that are assigned to a worker ahead of time, however quick they are. */
const mostAhead = 256

/** The workers of one host: how many there are, which of them is free, and what happens when one ends. */
export class Pool {
  readonly id: number
  readonly engine: Engine
  readonly host: WorkerHost["Service"]
  readonly settings: PoolSettings
  readonly codecOf: (tag: string) => TaskCodec
  /** Runs at the end of a turn, when all that came up in it can be posted together. */
  readonly atEndOfTurn: (run: () => void) => void
  /** Whether values cross encoded. */
  readonly isEncoded: boolean
  readonly workers = new Set<Worker>()
  /** Why it starts no more workers. */
  gaveUp: string | undefined = undefined
  restarts = 0
  private isClosing = false
  private free: Array<Worker> = []
  private starting = 0
  private ready = 0
  private named = 0
  /** When workers ended by themselves, as far back as matters. */
  private ends: Array<number> = []
  private failedStarts = 0
  private unproductive = 0
  private backoff: Alarm | undefined
  private idle: Alarm | undefined
  private onEmpty: (() => void) | undefined

  constructor(
    id: number,
    engine: Engine,
    host: WorkerHost["Service"],
    settings: PoolSettings,
    isEncoded: boolean,
    codecOf: (tag: string) => TaskCodec,
    atEndOfTurn: (run: () => void) => void
  ) {
    this.id = id
    this.engine = engine
    this.host = host
    this.settings = settings
    this.isEncoded = isEncoded
    this.codecOf = codecOf
    this.atEndOfTurn = atEndOfTurn
  }

  serves(series: string | undefined): boolean {
    const { serves } = this.settings
    return series === undefined ? serves.unnamed : serves.series === undefined || serves.series.has(series)
  }

  get mayStart(): boolean {
    return !this.isClosing && this.gaveUp === undefined
  }

  /**
   * A worker that can begin a task now; it has nothing it could take from the order, or it would not be free. Of those with the fewest
   * tasks it is the one that was freed last, so that others become idle and may leave; if none may leave, the one that has
   * rested longest, for one that is just going to sleep wakes slowly.
   */
  takeFree(): Worker | undefined {
    const { free } = this
    const mayLeave = this.ready > this.settings.min
    let best = free[0]
    for (let i = 1; i < free.length; i++) {
      const fewer = best!.assigned.length - free[i]!.assigned.length
      if (fewer > 0 || (fewer === 0 && mayLeave)) best = free[i]
    }
    return best
  }

  /** Begins a task, or puts it behind what the worker runs. */
  assign(worker: Worker, task: Task): void {
    task.state = "assigned"
    task.worker = worker
    worker.assigned.push(task)
    worker.expected += task.expected = task.kind.expected === Infinity ? 0 : task.kind.expected
    if (task.deaths > 0) worker.suspects++
    if (worker.assigned.length <= this.settings.concurrency) this.engine.begun(task)
    if (worker.isFree && !this.canBegin(worker)) this.unfree(worker)
    this.engine.post(worker, task)
  }

  /** Takes a task off its worker, which is done with it or will never be. */
  unassign(worker: Worker, task: Task): void {
    const { assigned } = worker
    const { concurrency } = this.settings
    const place = assigned[0] === task ? 0 : assigned.indexOf(task)
    if (place === 0) assigned.shift()
    else assigned.splice(place, 1)
    worker.expected = assigned.length === 0 ? 0 : worker.expected - task.expected
    if (task.deaths > 0 && worker.suspects > 0) worker.suspects--
    if (task.isRunning) worker.meter!.ended(this.engine.now, task.since)
    task.worker = undefined
    if (place < concurrency && assigned.length >= concurrency) this.engine.begun(assigned[concurrency - 1]!)
  }

  /** Gives a worker what it may have of what is queued; to be called whenever it has been answered or the order has grown. */
  fill(worker: Worker): void {
    const { order } = this.engine
    if (worker.state !== "ready") return
    if (!this.engine.isPaused) {
      let ahead = Math.min(mostAhead, Math.ceil(order.size / this.ready))
      for (let next = this.engine.nextFor(this); next !== undefined; next = this.engine.nextFor(this)) {
        if (!this.canBegin(worker) && (--ahead < 0 || !this.isQuick(worker, next))) break
        order.remove(next)
        this.engine.admit()
        this.assign(worker, next)
      }
    }
    if (!worker.isFree && this.canBegin(worker)) {
      worker.isFree = true
      this.free.push(worker)
    }
    if (worker.assigned.length === 0) this.hasNothingToDo(worker)
  }

  /** Fills all that are free, and starts workers for what is left. */
  dispatch(): void {
    for (const worker of this.free.slice()) this.fill(worker)
    this.scale()
  }

  /** Starts workers as long as there are too few. */
  scale(): void {
    if (!this.mayStart || this.backoff?.isSet === true) return
    while (this.count < this.settings.min) this.start()
    if (this.count >= this.settings.max || this.engine.isPaused) return
    const waiting = this.engine.order.countServed(this.settings.serves)
    while (this.starting < waiting && this.count < this.settings.max) this.start()
  }

  /** Workers that are there or on their way; one that was terminated counts no more. */
  get count(): number {
    let count = 0
    for (const worker of this.workers) if (worker.state !== "ending") count++
    return count
  }

  /** Lets a worker finish what it has, and close. */
  leave(worker: Worker): void {
    if (worker.state === "starting") return worker.keeper?.interruptUnsafe()
    if (worker.state !== "ready") return
    this.unfree(worker)
    this.ready--
    worker.state = "leaving"
    if (worker.assigned.length === 0) this.close(worker)
  }

  /** After its answers were taken. */
  answered(worker: Worker): void {
    if (worker.state === "ready") {
      if (worker.done >= this.settings.recycleAfter) this.leave(worker)
      else this.fill(worker)
    }
    if (worker.state === "leaving" && worker.assigned.length === 0) this.close(worker)
  }

  remembers(worker: Worker, bytes: number): void {
    if (bytes > this.settings.recycleAbove) this.leave(worker)
  }

  /** It has been of use: what went wrong before does not count as a row any more. */
  succeeded(): void {
    this.unproductive = 0
  }

  /** Ends a worker that does not listen. Its tasks are lost when it is gone; its place is free at once. */
  terminate(worker: Worker, task: Task | undefined): void {
    if (worker.state === "ending" || worker.link === undefined) return
    this.unfree(worker)
    if (worker.state === "ready") this.ready--
    worker.state = "ending"
    worker.terminatedFor = task === undefined
      ? "was terminated because it did not close in time"
      : `was terminated because ${task.tag} did not listen to its interruption`
    this.engine.tell({ _tag: "WorkerTerminated", at: this.engine.alarms.now(), worker: worker.name, task: task?.tag })
    this.engine.run(worker.link.terminate)
    worker.ladder = this.engine.alarms.set(this.settings.grace, () => this.engine.run(worker.link!.kill))
    this.scale()
  }

  stats(): ReadonlyArray<WorkerStats> {
    return Array.from(this.workers, (worker) => ({
      name: worker.name,
      kind: this.host.kind,
      details: worker.link?.details ?? {},
      pool: this.id,
      state: worker.state,
      done: worker.done,
      restarts: this.restarts,
      ...(worker.meter?.snapshot() ?? { running: 0, utilization: 0, recentUtilization: 0 })
    }))
  }

  /** Waits until no worker is left. */
  readonly awaitEmpty: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.workers.size === 0) resume(Effect.void)
    else this.onEmpty = () => resume(Effect.void)
  })

  /** No more workers are started, and those that are there leave. */
  closeAll(): void {
    if (this.isClosing) return
    this.isClosing = true
    this.engine.alarms.cancel(this.backoff)
    this.engine.alarms.cancel(this.idle)
    for (const worker of this.workers) this.leave(worker)
  }

  private canBegin(worker: Worker): boolean {
    return worker.assigned.length < this.settings.concurrency
  }

  private isQuick(worker: Worker, next: Task): boolean {
    return worker.suspects === 0 && next.deaths === 0 && next.sink === undefined
      && worker.expected + next.kind.expected <= this.settings.prefetch
  }

  private unfree(worker: Worker): void {
    if (!worker.isFree) return
    worker.isFree = false
    this.free.splice(this.free.indexOf(worker), 1)
  }

  private close(worker: Worker): void {
    worker.state = "closing"
    worker.post([ToWorker.Close])
    worker.ladder = this.engine.alarms.set(this.settings.closeTimeout, () => this.terminate(worker, undefined))
  }

  private start(): void {
    const worker = new Worker(`${this.host.kind}-${this.id}.${++this.named}`, this, this.engine.alarms.now())
    this.workers.add(worker)
    this.starting++
    worker.keeper = this.engine.run(this.keep(worker))
    // Not a part of what is kept: that may be interrupted before it has begun.
    worker.keeper.addObserver((exit) => {
      if (Exit.isFailure(exit)) this.notStarted(worker, exit.cause)
    })
  }

  /** A worker's life, from its start to its end. */
  private keep(worker: Worker): Effect.Effect<void, WorkerStartError> {
    return Effect.andThen(
      Effect.yieldNow,
      Effect.scoped(
        Effect.flatMap(
          this.host.start({
            name: worker.name,
            encoded: this.isEncoded,
            receive: (batch) => this.receive(worker, batch)
          }),
          (link) => {
            this.isReady(worker, link)
            return Effect.map(link.ended, (end) => this.ended(worker, end))
          }
        )
      )
    )
  }

  private receive(worker: Worker, batch: ReadonlyArray<FromWorkerMessage>): void {
    this.engine.receive(worker, batch)
    this.answered(worker)
  }

  private isReady(worker: Worker, link: WorkerLink): void {
    const { engine } = this
    worker.state = "ready"
    worker.link = link
    worker.meter = engine.meters.worker(this.settings.concurrency)
    this.starting--
    this.ready++
    this.failedStarts = 0
    engine.now = engine.alarms.now()
    engine.tell({
      _tag: "WorkerStarted",
      at: engine.now,
      worker: worker.name,
      kind: this.host.kind,
      details: link.details
    })
    worker.post([ToWorker.Begin, worker.name, this.settings.concurrency])
    engine.updates.replay(worker)
    if (this.isClosing) this.leave(worker)
    else this.fill(worker)
  }

  private notStarted(worker: Worker, cause: Cause.Cause<WorkerStartError>): void {
    if (worker.state !== "starting") return this.ended(worker, { _tag: "Exited", code: 1, detail: Cause.pretty(cause) })
    this.workers.delete(worker)
    this.starting--
    const failure = Option.getOrElse(
      Cause.findErrorOption(cause),
      () => new WorkerStartError({ reason: "Exited", worker: worker.name, detail: Cause.pretty(cause) })
    )
    this.engine.tell({ _tag: "WorkerNotStarted", at: this.engine.alarms.now(), worker: worker.name, error: failure })
    this.gone()
    if (this.isClosing || Cause.hasInterruptsOnly(cause)) return
    if (failure.reason === "Unauthorized") return this.giveUp(failure.message)
    if (failure.reason !== "Full" && ++this.failedStarts > this.settings.startAttempts) {
      return this.giveUp(failure.message)
    }
    this.waitAndScale()
  }

  private ended(worker: Worker, end: WorkerEnd): void {
    const { engine } = this
    const { state } = worker
    if (!this.workers.delete(worker)) return
    this.unfree(worker)
    if (state === "ready") this.ready--
    engine.alarms.cancel(worker.ladder)
    worker.state = "ending"
    const expected = state === "ending" || state === "closing"
    engine.tell({ _tag: "WorkerEnded", at: engine.alarms.now(), worker: worker.name, end, expected })
    engine.lost(worker, end)
    if (!expected) this.endedByItself(end)
    // Those it had go on for as long as they last.
    if (this.gaveUp !== undefined) engine.failHopeless()
    this.gone()
    engine.dispatch()
  }

  private gone(): void {
    this.engine.workerGone()
    if (this.workers.size === 0) this.onEmpty?.()
  }

  private endedByItself(end: WorkerEnd): void {
    const now = this.engine.alarms.now()
    this.restarts++
    this.ends = [...this.ends.filter((at) => at > now - this.settings.within), now]
    if (this.ends.length > this.settings.intensity) {
      return this.giveUp(
        `${this.ends.length} workers ended within ${this.settings.within} ms, and the last of them ${describeEnd(end)}`
      )
    }
    this.waitAndScale()
  }

  /** The first of a row is replaced at once, the others after longer and longer waits. */
  private waitAndScale(): void {
    const { backoff, maxBackoff } = this.settings
    const wait = this.unproductive === 0 ? 0 : Math.min(maxBackoff, backoff * 2 ** (this.unproductive - 1))
    this.unproductive++
    if (wait === 0) return this.scale()
    this.engine.alarms.cancel(this.backoff)
    this.backoff = this.engine.alarms.set(wait, () => this.scale())
  }

  private giveUp(detail: string): void {
    this.gaveUp = detail
    this.engine.tell({ _tag: "PoolGaveUp", at: this.engine.alarms.now(), pool: this.id, detail })
    this.engine.failHopeless()
  }

  private hasNothingToDo(worker: Worker): void {
    worker.idleSince = this.engine.now
    if (this.idle?.isSet !== true && this.ready > this.settings.min && this.settings.idleTimeout < Infinity) {
      this.idle = this.engine.alarms.set(this.settings.idleTimeout, () => this.shrink())
    }
  }

  /** Lets go who has been idle for long enough, and looks again when the next one may have been. */
  private shrink(): void {
    const idleSince = this.engine.alarms.now() - this.settings.idleTimeout
    const idle = this.free.filter(({ assigned }) => assigned.length === 0).sort((a, b) => a.idleSince - b.idleSince)
    let next = Infinity
    for (const worker of idle) {
      if (this.ready <= this.settings.min) return
      if (worker.idleSince <= idleSince) this.leave(worker)
      else next = Math.min(next, worker.idleSince)
    }
    // A difference lost in rounding is no time at all, and would ring again before the clock has moved.
    if (next < Infinity) this.idle = this.engine.alarms.set(Math.max(1, next - idleSince), () => this.shrink())
  }
}
