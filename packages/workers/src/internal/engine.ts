import * as Broadcast from "effect-work-queue/Broadcast"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import {
  NoWorkers,
  QueueClosed,
  QueueFull,
  TaskCancelled,
  type TaskError,
  TaskExpired,
  TaskQuarantined,
  TaskTimeout,
  WorkerLost
} from "../TaskError.ts"
import type { TaskEvent } from "../TaskEvent.ts"
import type { TaskOutcome, TaskStats } from "../TaskStats.ts"
import { describeEnd, type WorkerEnd } from "../WorkerHost.ts"
import { Alarms } from "./alarms.ts"
import { FairOrder, type Place } from "./fairOrder.ts"
import { FromWorker, type FromWorkerMessage, ToWorker } from "./messages.ts"
import type { Pool } from "./pool.ts"
import type { QueueSettings } from "./settings.ts"
import { failed, type Interruption, learn, type Outcome, type Task } from "./task.ts"
import type { TaskCodec } from "./taskCodec.ts"
import { TaskMeters } from "./taskStats.ts"
import { Updates } from "./updates.ts"
import type { Worker } from "./worker.ts"

/**
 * Where a task goes: from its submission into the order, from there to a worker, and from its worker, or for want of one, back to
 * whoever waits for it. Everything happens in synchronous steps; whoever waits is resumed as the last act of one.
 */
export class Engine {
  readonly settings: QueueSettings
  /** Whether payloads are kept as they are, since the first host takes them so. */
  readonly shares: boolean
  readonly alarms: Alarms
  readonly order = new FairOrder<Task>()
  readonly pools: Array<Pool> = []
  readonly updates = new Updates(this)
  readonly broadcast = Broadcast.make<TaskEvent>(({ _tag }) => _tag === "Ended")
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly meters: TaskMeters
  /** When the step began that is being made: one look at the clock is enough for all that it does. */
  now = 0
  isPaused = false
  private readonly ended = Deferred.makeUnsafe<void>()
  /** Tasks beyond the capacity of the order, in the order in which they came. */
  private outside: Array<Task> = []
  /** How many of them have been let in. */
  private admitted = 0
  /** Tasks that have not settled. */
  private unsettled = 0
  private ids = 0
  private phase: "open" | "draining" | "closing" | "ended" = "open"
  private drainAlarm: ReturnType<Alarms["set"]> | undefined

  constructor(settings: QueueSettings, shares: boolean, context: Context.Context<never>) {
    this.settings = settings
    this.shares = shares
    this.alarms = new Alarms(context)
    this.run = Effect.runForkWith(context)
    this.meters = new TaskMeters(context)
  }

  nextId(): number {
    return ++this.ids
  }

  tell(event: TaskEvent): void {
    this.broadcast.publish(event)
  }

  // --- Submission

  submit(task: Task, place: Place): void {
    const { series } = task
    this.now = this.alarms.now()
    if (this.phase !== "open") return this.refuse(task, new QueueClosed({ task: task.tag, begun: false }))
    const hopeless = this.hopeless(series)
    if (hopeless !== undefined) return this.refuse(task, new NoWorkers({ task: task.tag, detail: hopeless }))
    if (this.order.size >= this.settings.capacity && this.settings.refuses) {
      return this.refuse(task, new QueueFull({ task: task.tag, capacity: this.settings.capacity }))
    }
    this.unsettled++
    this.meters.submitted(task, this.now)
    task.place = place
    if (task.policy.deadline < Infinity) {
      task.deadlineAlarm = this.alarms.set(task.policy.deadline, () =>
        this.interrupt(task, {
          error: new TaskExpired({ task: task.tag, deadline: task.policy.deadline, begun: task.isRunning }),
          again: false
        }))
    }
    if (!this.isPaused) {
      for (const pool of this.pools) {
        const worker = pool.serves(series) ? pool.takeFree() : undefined
        if (worker !== undefined) return pool.assign(worker, task)
      }
    }
    if (this.order.size < this.settings.capacity) this.order.push(task, place)
    else {
      task.isOutside = true
      this.outside.push(task)
    }
    for (const pool of this.pools) if (pool.serves(series)) pool.scale()
  }

  private leaveOutside(task: Task): void {
    if (!task.isOutside) return
    task.isOutside = false
    task.onAdmitted?.()
  }

  private refuse(task: Task, error: TaskError): void {
    this.meters.refused(task)
    task.state = "settled"
    task.waiter.settle(failed(error))
  }

  /** Why no worker will ever run tasks of this series; one that nobody serves may still find somebody. */
  private hopeless(series: string | undefined): string | undefined {
    let detail: string | undefined
    for (const pool of this.pools) {
      if (!pool.serves(series)) continue
      if (pool.gaveUp === undefined || pool.count > 0) return undefined
      detail = pool.gaveUp
    }
    return detail
  }

  private letIn(task: Task): void {
    this.order.push(task, task.place)
    this.leaveOutside(task)
  }

  /** What a pool serves next; if nothing in order, what has waited outside the longest: there may be room for nothing else. */
  nextFor(pool: Pool): Task | undefined {
    const next = this.order.peek(pool.settings.serves)
    if (next !== undefined || this.outside.length === 0) return next
    const task = this.outside.find(({ isOutside, series }) => isOutside && pool.serves(series))
    if (task !== undefined) this.letIn(task)
    return task
  }

  /** Lets those in who wait outside, as far as there is room. */
  admit(): void {
    while (this.admitted < this.outside.length && this.order.size < this.settings.capacity) {
      const task = this.outside[this.admitted++]!
      if (task.isOutside) this.letIn(task)
    }
    if (this.admitted * 2 > this.outside.length) {
      this.outside = this.outside.slice(this.admitted)
      this.admitted = 0
    }
  }

  // --- On its way

  /** It is among those that its worker runs. */
  begun(task: Task): void {
    const { timeout } = task.policy
    this.meters.begun(task, this.now)
    task.worker!.meter!.begun(this.now)
    if (timeout < Infinity) task.timeoutAlarm = this.alarms.set(timeout, () => this.timedOut(task))
  }

  post(worker: Worker, task: Task): void {
    const window = task.sink === undefined ? 0 : this.settings.window
    try {
      const payload = this.payloadFor(worker.pool, task.tag, task.payload)
      worker.post([ToWorker.Call, task.id, task.tag, payload, ++task.attempts, window, task.trace], task.transfers)
    } catch (cause) {
      this.cannotBePosted(task, cause)
    }
  }

  /** A payload as the workers of a pool take it. Throws what is wrong with one that cannot be encoded. */
  payloadFor(pool: Pool, tag: string, payload: unknown): unknown {
    if (!this.shares || !pool.isEncoded) return payload
    const encoded = Effect.runSyncExit(pool.codecOf(tag).encodePayload(payload, []))
    if (Exit.isFailure(encoded)) throw Cause.squash(encoded.cause)
    return encoded.value
  }

  cannotBePosted(task: Task, cause: unknown): void {
    const worker = task.worker!
    this.now = this.alarms.now()
    worker.pool.unassign(worker, task)
    this.finish(task, Exit.die(cause), "failed")
    worker.pool.answered(worker)
  }

  /** Takes what a worker posted. */
  receive(worker: Worker, batch: ReadonlyArray<FromWorkerMessage>): void {
    this.now = this.alarms.now()
    for (const message of batch) {
      switch (message[0]) {
        case FromWorker.Succeeded: {
          const task = worker.find(message[1])
          if (task === undefined) worker.updates.get(message[1])?.({ _tag: "Succeeded", value: message[3] })
          else {
            this.release(worker, task, message[2])
            this.finish(task, codecFor(worker, task).decodeSuccess(message[3]), "succeeded")
          }
          break
        }
        case FromWorker.Failed: {
          const task = worker.find(message[1])
          if (task === undefined) worker.updates.get(message[1])?.({ _tag: "Failed", exit: message[3] })
          else {
            this.release(worker, task, message[2])
            this.answeredWithFailure(task, codecFor(worker, task).decodeFailure(message[3]))
          }
          break
        }
        case FromWorker.Chunk: {
          const task = worker.find(message[1])
          if (task?.sink === undefined) break
          task.emitted = true
          task.sink.items(codecFor(worker, task).decodeItems(message[2]))
          break
        }
        case FromWorker.Memory:
          worker.pool.remembers(worker, message[1])
          break
        case FromWorker.Resigned:
          worker.pool.leave(worker)
          break
      }
    }
  }

  private release(worker: Worker, task: Task, runMillis: number): void {
    worker.pool.unassign(worker, task)
    worker.pool.succeeded()
    worker.done++
    // Whoever is resumed may call again: this worker is awake, the others may not be.
    if (this.order.size === 0) worker.pool.fill(worker)
    if (task.sink === undefined) learn(task.kind, runMillis)
    this.alarms.cancel(task.timeoutAlarm)
    this.alarms.cancel(task.graceAlarm)
  }

  private answeredWithFailure(task: Task, decode: Effect.Effect<Exit.Exit<never, unknown>>): void {
    if (task.interruption === undefined) return this.finish(task, Effect.flatten(decode), "failed")
    const decoded = Effect.runSyncExit(decode)
    const answer = Exit.isSuccess(decoded) ? decoded.value : decoded
    if (Exit.isFailure(answer) && Cause.hasInterruptsOnly(answer.cause)) this.interrupted(task, task.interruption)
    else this.finish(task, answer, "failed")
  }

  // --- Interruption

  /** Takes a task out of the order, or asks its worker to stop; a worker that does not listen is terminated. */
  interrupt(task: Task, interruption: Interruption): void {
    if (task.state === "settled") return
    if (task.state === "queued") {
      this.now = this.alarms.now()
      this.order.remove(task)
      this.fail(task, interruption.error)
      return this.admit()
    }
    const worker = task.worker!
    if (task.interruption === undefined) {
      worker.post([ToWorker.Interrupt, task.id])
      task.graceAlarm = this.alarms.set(worker.pool.settings.grace, () => this.doesNotListen(worker, task))
      task.interruption = interruption
    } else if (!interruption.again) task.interruption = interruption
  }

  /** Interrupts a task that nobody waits for any more, and waits until it is over. */
  abandon(task: Task): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (task.state === "settled") return resume(Effect.void)
      task.waiter = { settle: () => resume(Effect.void) }
      this.interrupt(task, { error: new TaskCancelled({ task: task.tag, begun: task.isRunning }), again: false })
    })
  }

  /** Cancels all tasks that a predicate chooses, and gives their number. */
  cancel(chosen: (task: Task) => boolean): number {
    const tasks = this.all().filter(chosen)
    for (const task of tasks) {
      this.interrupt(task, { error: new TaskCancelled({ task: task.tag, begun: task.isRunning }), again: false })
    }
    return tasks.length
  }

  private timedOut(task: Task): void {
    const { attempts, timeout } = task.policy
    task.timeouts++
    this.interrupt(task, {
      error: new TaskTimeout({ task: task.tag, timeout, attempts: task.timeouts }),
      again: task.retryable && task.timeouts < attempts
    })
  }

  private doesNotListen(worker: Worker, task: Task): void {
    this.now = this.alarms.now()
    worker.pool.terminate(worker, task)
    // One that may begin again must not do so while it still runs.
    if (!task.interruption!.again) this.interrupted(task, task.interruption!)
  }

  private interrupted(task: Task, { again, error }: Interruption): void {
    if (again) this.retry(task, error)
    else this.fail(task, error)
  }

  // --- Loss

  /** Settles, or begins again, what a worker that is gone had. */
  lost(worker: Worker, end: WorkerEnd): void {
    this.now = this.alarms.now()
    for (const answer of Array.from(worker.updates.values())) answer({ _tag: "Lost", end })
    const detail = worker.terminatedFor ?? describeEnd(end)
    const hasDied = worker.terminatedFor === undefined && end._tag !== "Disconnected"
    for (const task of worker.assigned.splice(0)) {
      this.alarms.cancel(task.timeoutAlarm)
      this.alarms.cancel(task.graceAlarm)
      if (task.state === "settled") continue
      task.worker = undefined
      if (task.interruption !== undefined) this.interrupted(task, task.interruption)
      else {
        if (hasDied && task.isRunning) task.deaths++
        const error = new WorkerLost({ task: task.tag, worker: worker.name, detail })
        if (!task.retryable) this.fail(task, error)
        else if (task.deaths >= this.settings.quarantineAfter) this.quarantine(task, detail)
        else this.retry(task, error)
      }
    }
  }

  private retry(task: Task, reason: Interruption["error"]): void {
    if (task.isRunning) this.meters.retried(task, this.now)
    task.state = "queued"
    task.interruption = undefined
    this.order.push(task, "first")
    this.tell({ _tag: "TaskRetried", at: this.now, task: task.tag, reason })
  }

  private quarantine(task: Task, detail: string): void {
    const { deaths, tag } = task
    this.tell({ _tag: "TaskQuarantined", at: this.now, task: tag, deaths })
    this.fail(task, new TaskQuarantined({ task: tag, deaths, detail }))
  }

  // --- Settlement

  private fail(task: Task, error: TaskError): void {
    this.finish(task, failed(error), outcomeOf[error._tag])
  }

  private finish(task: Task, outcome: Outcome, what: TaskOutcome): void {
    if (task.state === "settled") return
    this.meters.settled(task, this.now, what)
    task.state = "settled"
    this.alarms.cancel(task.deadlineAlarm)
    this.alarms.cancel(task.timeoutAlarm)
    this.alarms.cancel(task.graceAlarm)
    this.unsettled--
    if (this.unsettled === 0 && this.phase !== "open") this.closePools()
    // Whoever is resumed may look at what waits outside.
    this.leaveOutside(task)
    task.waiter.settle(outcome)
  }

  // --- The queue as a whole

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.dispatch()
  }

  /** Lets the workers of a pool finish what they have, within the time for that, and waits until they are gone. */
  detach(pool: Pool): Effect.Effect<void> {
    return Effect.suspend(() => {
      pool.closeAll()
      const late = this.alarms.set(this.settings.drainTimeout, () => {
        for (const worker of pool.workers) {
          for (const task of worker.assigned.slice()) {
            const error = new WorkerLost({ task: task.tag, worker: worker.name, detail: "was detached" })
            this.interrupt(task, { error, again: task.retryable })
          }
        }
      })
      return Effect.map(pool.awaitEmpty, () => {
        this.alarms.cancel(late)
        this.pools.splice(this.pools.indexOf(pool), 1)
        // A cancelled alarm lets its fiber sleep on, and that would keep the process alive.
        if (this.phase === "ended" && this.pools.length === 0) this.alarms.close()
      })
    })
  }

  stats(): TaskStats {
    return this.meters.snapshot(this.pools.flatMap((pool) => pool.stats()))
  }

  /** Gives to the free what is queued, everywhere. */
  dispatch(): void {
    this.now = this.alarms.now()
    for (const pool of this.pools) pool.dispatch()
  }

  /** Fails what nobody can run any more. */
  failHopeless(): void {
    this.now = this.alarms.now()
    for (const task of this.all()) {
      if (task.state !== "queued") continue
      const detail = this.hopeless(task.series)
      if (detail === undefined) continue
      this.order.remove(task)
      this.fail(task, new NoWorkers({ task: task.tag, detail }))
    }
    this.admit()
  }

  /** Goes on with what was submitted for so many milliseconds at most, then ends it, and waits until all workers are gone. */
  shutdown(timeout: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.phase === "open") this.phase = "draining"
      if (this.unsettled === 0) this.closePools()
      else if (this.phase === "draining") {
        const earlier = this.drainAlarm === undefined || this.alarms.now() + timeout < this.drainAlarm.priority
        if (earlier) {
          this.alarms.cancel(this.drainAlarm)
          this.drainAlarm = this.alarms.set(timeout, () => this.endAll())
        }
      }
      return Deferred.await(this.ended)
    })
  }

  workerGone(): void {
    if (this.phase !== "closing" || this.unsettled > 0 || this.pools.some(({ workers }) => workers.size > 0)) return
    this.phase = "ended"
    this.alarms.close()
    this.tell({ _tag: "Ended", at: this.alarms.now() })
    Deferred.doneUnsafe(this.ended, Exit.void)
  }

  private endAll(): void {
    this.phase = "closing"
    for (const task of this.all()) {
      this.interrupt(task, { error: new QueueClosed({ task: task.tag, begun: task.isRunning }), again: false })
    }
  }

  private closePools(): void {
    if (this.phase === "ended") return
    this.phase = "closing"
    this.alarms.cancel(this.drainAlarm)
    for (const pool of this.pools) pool.closeAll()
    this.workerGone()
  }

  /** Every task that has not settled. */
  private all(): Array<Task> {
    const assigned = this.pools.flatMap(({ workers }) => [...workers].flatMap((worker) => worker.assigned))
    return [...this.order.all(), ...this.outside.filter(({ isOutside }) => isOutside), ...assigned].filter((
      { state }
    ) => state !== "settled")
  }
}

const outcomeOf = {
  TaskTimeout: "timedOut",
  TaskExpired: "expired",
  TaskCancelled: "cancelled",
  WorkerLost: "lost",
  TaskQuarantined: "quarantined",
  NoWorkers: "unserved",
  QueueFull: "unserved",
  QueueClosed: "closed"
} satisfies Record<TaskError["_tag"], TaskOutcome>

const codecFor = (worker: Worker, task: Task): TaskCodec => worker.pool.codecOf(task.tag)
