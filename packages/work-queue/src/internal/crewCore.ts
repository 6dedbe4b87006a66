import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import type * as Scheduler from "effect/Scheduler"
import type { FlowCore, Outcome } from "./flowCore.ts"
import type { Line } from "./keyedBacklog.ts"
import type { QueueCore } from "./queueCore.ts"
import { Worker } from "./worker.ts"
import type { Held } from "./worker.ts"

// The crew decides who works and when it is over; what a single fiber does between those decisions is the worker's.
// A worker asks whether it stays each time it is between two items, and only there.
//
// The end has one condition, whoever brought it about: the queue is done, no worker is left, and no settlement is
// running. `drain`, `stop` and `kill` only hasten the first two; an expired grace replaces the condition.

/** What one turn of work takes: an item, or a batch of them. */
export interface Plan<A, U> {
  readonly name: string
  /** Only while something is ready. */
  readonly pull: (from: { readonly ready: number; readonly take: () => A }) => U
  readonly units: (items: ReadonlyArray<A>) => Iterable<U>
  readonly work: (unit: U) => Effect.Effect<unknown, unknown>
  readonly onSettled: (unit: U, exit: Exit.Exit<any, any>) => unknown
  /** A turn may wait up to `wait` milliseconds for as many items. */
  readonly batch: { readonly size: number; readonly wait: number }
  readonly grace: number
}

export interface Report<A> {
  readonly settled: number
  readonly interrupted: number
  readonly left: ReadonlyArray<A>
  readonly abandoned: number
}

type State<A> =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Draining" }
  | { readonly _tag: "Stopping" }
  | { readonly _tag: "Ended"; readonly report: Report<A> }

const interrupted = Exit.interrupt()

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome =>
  exit._tag === "Success" ? "succeeded" : Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"

export class CrewCore<A, U> {
  state: State<A> = { _tag: "Open" }
  target = 0
  /** Items begun of which the settlement is not over. */
  busy = 0
  readonly flow: FlowCore
  readonly queue: QueueCore<A, any>
  readonly plan: Plan<A, U>
  readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly context: Context.Context<never>
  private readonly workers = new Set<Worker<A, U>>()
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly timers = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly idleWaiters = new Set<() => void>()
  private readonly endWaiters = new Set<() => void>()
  private readonly left: Array<A> = []
  /** Workers that are not leaving. */
  private active = 0
  private settled = 0
  private interruptedCount = 0
  private abandoned = 0
  /** Settlement fibers of items that never began. */
  private settling = 0

  get name(): string {
    return this.plan.name
  }

  constructor(
    queue: QueueCore<A, any>,
    plan: Plan<A, U>,
    flow: FlowCore,
    context: Context.Context<never>,
    dispatcher: Scheduler.SchedulerDispatcher
  ) {
    this.queue = queue
    this.plan = plan
    this.flow = flow
    this.context = context
    this.dispatcher = dispatcher
    queue.onDone(() => this.endIfOver())
  }

  // --- size

  resize(size: number): void {
    if (this.state._tag === "Ended") return
    this.flow.resize(this.flow.now(), size - this.target)
    this.target = size
    this.fill()
    for (const worker of this.workers) {
      if (this.active <= size) return
      if (worker.wake === undefined || worker.leaving) continue
      this.dismiss(worker)
      worker.wake()
    }
  }

  private fill(): void {
    while (this.isTaking() && this.active < this.target) this.hire()
  }

  private isTaking(): boolean {
    return (this.state._tag === "Open" || this.state._tag === "Draining") && this.queue.state._tag !== "Done"
  }

  private hire(): void {
    const worker = new Worker(this)
    this.workers.add(worker)
    this.active++
    this.fork(worker.run, (exit) => {
      if (!worker.leaving) this.dismiss(worker)
      this.workers.delete(worker)
      // What is no Effect, somewhere inside the work or its settlement, ends the fiber itself.
      this.settled += this.settleFor(worker, exit)
      if (worker.settling !== undefined && exit._tag === "Failure") this.fork(this.report(exit.cause), constVoid)
      worker.free()
      this.fill()
      this.endIfOver()
    })
  }

  dismiss(worker: Worker<A, U>): void {
    worker.leaving = true
    this.active--
  }

  /** Whether a worker between two items takes another. */
  stays(worker: Worker<A, U>): boolean {
    if (worker.leaving) return false
    if (this.active <= this.target && this.isTaking()) return true
    this.dismiss(worker)
    return false
  }

  // --- settlements

  /** Counts how something that was begun ended. */
  count(held: Held<U>, beganAt: number, exit: Exit.Exit<unknown, unknown>, now: number): Outcome {
    const outcome = outcomeOf(exit)
    for (let i = 0; i < held.count; i++) this.flow.settle(now, beganAt, outcome)
    if (outcome === "interrupted") this.interruptedCount += held.count
    else this.settled += held.count
    return outcome
  }

  /** A settlement is over. */
  free(count: number, lines: ReadonlyArray<Line<A>>): void {
    this.busy -= count
    this.queue.release(lines)
    this.lookIfIdle()
  }

  guard(settlement: unknown): Effect.Effect<unknown> {
    return Effect.catchCause(settlement as Effect.Effect<unknown>, (cause) => this.report(cause))
  }

  /** A settlement that dies has no caller to tell. */
  report(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return Effect.ignoreCause(Effect.failCause(cause), {
      log: "Unhandled",
      message: `Crew ${this.plan.name}: onSettled died`
    })
  }

  // --- the end

  drain(deadline: number): void {
    if (this.state._tag === "Open") this.state = { _tag: "Draining" }
    this.queue.endUnsafe()
    this.limit(deadline)
  }

  stop(deadline: number): void {
    if (this.state._tag === "Ended") return
    this.state = { _tag: "Stopping" }
    const left = this.queue.shutdownUnsafe("interrupted")
    if (left.length > 0) this.settleLeft(left)
    this.limit(deadline)
    this.endIfOver()
  }

  kill(): void {
    this.stop(Infinity)
    for (const worker of this.workers) worker.interrupt()
    if (!this.isOver()) this.after(this.plan.grace, () => this.abandon())
  }

  private limit(deadline: number): void {
    if (deadline !== Infinity && !this.isOver()) this.after(deadline, () => this.kill())
  }

  private settleLeft(items: ReadonlyArray<A>): void {
    for (const item of items) this.left.push(item)
    this.runSettlements(Array.from(this.plan.units(items)), interrupted, items.length, [])
  }

  /** Settles what a worker holds in its stead, and says how many that are. */
  private settleFor(worker: Worker<A, U>, exit: Exit.Exit<unknown, unknown>): number {
    const held = worker.held
    if (held === undefined) return 0
    worker.held = undefined
    const now = this.flow.now()
    for (let i = 0; i < held.count; i++) this.flow.settle(now, worker.beganAt, outcomeOf(exit))
    this.busy -= held.count
    this.runSettlements([held.unit], exit, held.count, held.lines)
    return held.count
  }

  /** Calls every settlement now, and runs those that are Effects one after the other in a fiber of their own. */
  private runSettlements(
    units: ReadonlyArray<U>,
    outcome: Exit.Exit<unknown, unknown>,
    count: number,
    lines: ReadonlyArray<Line<A>>
  ): void {
    const settlements: Array<Effect.Effect<unknown>> = []
    for (const unit of units) {
      const exit = Effect.runSyncExit(Effect.sync(() => this.plan.onSettled(unit, outcome)))
      if (exit._tag === "Failure") settlements.push(this.report(exit.cause))
      else if (Effect.isEffect(exit.value)) settlements.push(this.guard(exit.value))
    }
    if (settlements.length === 0) return this.queue.release(lines)
    this.settling++
    this.busy += count
    this.fork(
      Effect.andThen(Effect.yieldNow, Effect.forEach(settlements, (settlement) => settlement, { discard: true })),
      () => {
        this.settling--
        this.free(count, lines)
        this.endIfOver()
      }
    )
  }

  /** The grace is over: settles what is still held, and stops waiting. The fibers stay owned, until the Scope closes. */
  private abandon(): void {
    if (this.isOver()) return
    for (const worker of this.workers) {
      this.workers.delete(worker)
      this.abandoned += this.settleFor(worker, interrupted)
    }
    this.finish()
  }

  private isOver(): boolean {
    return this.state._tag === "Ended"
  }

  private endIfOver(): void {
    if (this.queue.state._tag === "Done" && this.workers.size === 0 && this.settling === 0) this.finish()
  }

  private finish(): void {
    if (this.state._tag === "Ended") return
    this.state = {
      _tag: "Ended",
      report: {
        settled: this.settled,
        interrupted: this.interruptedCount,
        left: this.left,
        abandoned: this.abandoned
      }
    }
    this.flow.resize(this.flow.now(), -this.target)
    this.target = 0
    for (const timer of this.timers) timer.interruptUnsafe()
    this.release(this.endWaiters)
    this.lookIfIdle()
  }

  // --- waiting

  readonly awaitEnd: Effect.Effect<Report<A>> = Effect.callback((resume) => {
    const settle = () => resume(Exit.succeed((this.state as Extract<State<A>, { _tag: "Ended" }>).report))
    if (this.state._tag === "Ended") return settle()
    this.endWaiters.add(settle)
    return Effect.sync(() => {
      this.endWaiters.delete(settle)
    })
  })

  readonly awaitIdle: Effect.Effect<void> = Effect.callback((resume) => {
    let forget: () => void = constVoid
    const look = () => {
      if (this.busy === 0 && this.queue.backlog.size === 0) {
        this.idleWaiters.delete(look)
        return resume(Exit.void)
      }
      // Somebody may clear the queue of a crew of no one; while it is empty already, the next settlement comes to look.
      if (this.queue.backlog.size > 0) forget = this.queue.onEmpty(look)
    }
    this.idleWaiters.add(look)
    look()
    return Effect.sync(() => {
      this.idleWaiters.delete(look)
      forget()
    })
  })

  lookIfIdle(): void {
    if (this.busy > 0 || this.idleWaiters.size === 0) return
    for (const look of this.idleWaiters) this.dispatcher.scheduleTask(look, 0)
  }

  private release(waiters: Set<() => void>): void {
    for (const waiter of waiters) {
      waiters.delete(waiter)
      this.dispatcher.scheduleTask(waiter, 0)
    }
  }

  /** For the Scope: interrupts everything, and waits for the last fiber however long it takes. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.kill()
    return Effect.whileLoop({
      while: () => this.fibers.size > 0,
      body: () => Fiber.awaitAll([...this.fibers]),
      step: () => {}
    })
  })

  after(millis: number, task: () => void): Fiber.Fiber<unknown, unknown> {
    const timer = Effect.runForkWith(this.context)(Effect.sleep(millis))
    this.timers.add(timer)
    this.fibers.add(timer)
    timer.addObserver((exit) => {
      this.timers.delete(timer)
      this.fibers.delete(timer)
      if (exit._tag === "Success") task()
    })
    return timer
  }

  private fork(effect: Effect.Effect<unknown>, onEnd: (exit: Exit.Exit<unknown, unknown>) => void): void {
    const fiber = Effect.runForkWith(this.context)(effect, { uninterruptible: true })
    this.fibers.add(fiber)
    fiber.addObserver((exit) => {
      this.fibers.delete(fiber)
      onEnd(exit)
    })
  }
}
