import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import type * as Scheduler from "effect/Scheduler"
import type { FlowCore, Outcome } from "./flowCore.ts"
import type { QueueCore, Waiter } from "./queueCore.ts"

// A worker is a fiber that is uninterruptible except inside the user's work. An interrupt therefore ends the work and
// nothing else: between the end of the work and its settlement there is no gap in which an Exit could be lost.
//
// A worker decides whether it stays each time it is between two items, and only there. What it holds is written in its
// record before the work begins and erased before the settlement is called, so whoever looks (the worker itself after a
// defect, or the crew when it abandons it) knows whether the settlement is still owed: it is called exactly once.

/** What one turn of work takes: an item, or a batch of them. */
export interface Plan<A, U> {
  readonly name: string
  /** Only while something waits. Calls `onTaken` with the arrival of each item. */
  readonly pull: (queue: QueueCore<A, any>, onTaken: (arrivedAt: number) => void) => U
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

interface Worker<U> {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** What it owes a settlement for. */
  held: { readonly unit: U; readonly count: number; readonly beganAt: number } | undefined
  /** The last thing it started was the user's work, whose Exit comes next. */
  working: boolean
  /** A settlement that is an Effect, to be run before anything else. */
  settlement: Effect.Effect<unknown> | undefined
  /** It has waited for a full batch, and takes what is there. */
  gathered: boolean
  /** It no longer counts as one of the crew, and takes nothing more. */
  leaving: boolean
  /** Present while it waits for items. */
  wake: (() => void) | undefined
}

const interrupted = Exit.interrupt()

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome =>
  exit._tag === "Success" ? "succeeded" : Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"

export class CrewCore<A, U> {
  state: State<A> = { _tag: "Open" }
  target = 0
  /** Items begun of which the settlement is not over. */
  busy = 0
  readonly flow: FlowCore
  private readonly queue: QueueCore<A, any>
  private readonly plan: Plan<A, U>
  private readonly context: Context.Context<never>
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly workers = new Set<Worker<U>>()
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
    if (this.isTaking()) { while (this.active < this.target) this.hire() }
  }

  private isTaking(): boolean {
    return (this.state._tag === "Open" || this.state._tag === "Draining") && this.queue.state._tag !== "Done"
  }

  private hire(): void {
    const worker: Worker<U> = {
      fiber: undefined,
      held: undefined,
      working: false,
      settlement: undefined,
      gathered: false,
      leaving: false,
      wake: undefined
    }
    this.workers.add(worker)
    this.active++
    this.fork(
      Effect.withFiber((fiber) => {
        worker.fiber = fiber
        // The first item must not be worked on inside the step of whoever resized the crew.
        return Effect.andThen(Effect.yieldNow, this.turns(worker))
      }),
      () => {
        if (!worker.leaving) this.dismiss(worker)
        this.workers.delete(worker)
        this.fill()
        this.endIfOver()
      }
    )
  }

  private dismiss(worker: Worker<U>): void {
    worker.leaving = true
    this.active--
  }

  /** Whether a worker between two items takes another. */
  private stays(worker: Worker<U>): boolean {
    if (worker.leaving) return false
    if (this.active <= this.target && this.isTaking()) return true
    this.dismiss(worker)
    return false
  }

  // --- work

  private turns(worker: Worker<U>): Effect.Effect<void> {
    const loop = Effect.whileLoop({
      while: () => worker.settlement !== undefined || this.stays(worker),
      body: (): Effect.Effect<unknown> => this.turn(worker),
      step: (result) => {
        if (!worker.working) return
        worker.working = false
        this.settle(worker, result as Exit.Exit<unknown, unknown>)
      }
    })
    // Only the user's functions can throw here: `work` before it gave an Effect, or `onSettled`.
    return Effect.catchCause(loop, (cause) => {
      if (worker.held === undefined) return Effect.andThen(this.report(cause), this.turns(worker))
      worker.working = false
      return Effect.andThen(Effect.sync(() => this.settle(worker, Exit.failCause(cause))), this.turns(worker))
    })
  }

  /** What a worker does next. Work that is an Exit already needs no fiber: such items are settled in one go. */
  private turn(worker: Worker<U>): Effect.Effect<unknown> {
    const fiber = worker.fiber as { currentOpCount: number } & Fiber.Fiber<unknown, unknown>
    do {
      if (worker.settlement !== undefined) return this.finishSettlement(worker)
      if (!this.stays(worker)) return Exit.void
      const waiting = this.queue.backlog.size
      if (waiting === 0) return this.wait(worker, 1, undefined)
      if (waiting < this.plan.batch.size && !worker.gathered && this.plan.batch.wait > 0) {
        worker.gathered = true
        return this.wait(worker, this.plan.batch.size, this.plan.batch.wait)
      }
      const effect = this.begin(worker)
      if (!Exit.isExit(effect)) {
        worker.working = true
        return Effect.exit(Effect.interruptible(effect))
      }
      this.settle(worker, effect)
      // Counts as a step of the fiber, so that it yields as often as if it had been one.
      fiber.currentOpCount++
    } while (!fiber.cache.scheduler.shouldYield(fiber))
    return Exit.void
  }

  private begin(worker: Worker<U>): Effect.Effect<unknown, unknown> {
    const beganAt = this.flow.now()
    let count = 0
    const unit = this.plan.pull(this.queue, (arrivedAt) => {
      count++
      this.flow.begin(beganAt, arrivedAt)
    })
    worker.gathered = false
    worker.held = { unit, count, beganAt }
    this.busy += count
    this.queue.afterRoom()
    return this.plan.work(unit)
  }

  private settle(worker: Worker<U>, exit: Exit.Exit<unknown, unknown>): void {
    const held = worker.held
    // Abandoned: the crew has settled it, and this Exit comes too late.
    if (held === undefined) return
    worker.held = undefined
    const outcome = outcomeOf(exit)
    const now = this.flow.now()
    for (let i = 0; i < held.count; i++) this.flow.settle(now, held.beganAt, outcome)
    if (outcome === "interrupted") this.interruptedCount += held.count
    else this.settled += held.count
    this.busy -= held.count
    // A fiber that was interrupted stays so, and would interrupt the next item too: another one takes its place.
    if (outcome === "interrupted" && !worker.leaving) this.dismiss(worker)
    const settlement = this.plan.onSettled(held.unit, exit)
    if (Effect.isEffect(settlement)) {
      this.busy += held.count
      worker.settlement = Effect.ensuring(
        this.guard(settlement),
        Effect.sync(() => this.free(held.count))
      )
    } else this.lookIfIdle()
  }

  private finishSettlement(worker: Worker<U>): Effect.Effect<unknown> {
    const settlement = worker.settlement!
    worker.settlement = undefined
    return settlement
  }

  private free(count: number): void {
    this.busy -= count
    this.lookIfIdle()
  }

  private guard(settlement: unknown): Effect.Effect<unknown> {
    return Effect.catchCause(settlement as Effect.Effect<unknown>, (cause) => this.report(cause))
  }

  /** A settlement that dies has no caller to tell. */
  private report(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return Effect.ignoreCause(Effect.failCause(cause), {
      log: "Unhandled",
      message: `Crew ${this.plan.name}: onSettled died`
    })
  }

  /** Waits for `need` items, for the crew to dismiss the worker, for the queue's end, or `within` milliseconds. */
  private wait(worker: Worker<U>, need: number, within: number | undefined): Effect.Effect<void> {
    return Effect.callback((resume) => {
      let timer: Fiber.Fiber<unknown, unknown> | undefined = undefined
      const waiter: Waiter = {
        need,
        resume: () => {
          worker.wake = undefined
          timer?.interruptUnsafe()
          resume(Exit.void)
        }
      }
      if (!this.stays(worker) || !this.queue.addTaker(waiter)) return resume(Exit.void)
      const stop = () => {
        this.queue.removeTaker(waiter)
        waiter.resume()
      }
      // Woken in a task of its own: whoever resizes the crew must not run its workers.
      worker.wake = () => this.dispatcher.scheduleTask(stop, 0)
      if (within !== undefined) timer = this.after(within, stop)
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
    for (const worker of this.workers) {
      if (worker.held !== undefined) worker.fiber?.interruptUnsafe()
    }
    if (!this.isOver()) this.after(this.plan.grace, () => this.abandon())
  }

  private limit(deadline: number): void {
    if (deadline !== Infinity && !this.isOver()) this.after(deadline, () => this.kill())
  }

  private settleLeft(items: ReadonlyArray<A>): void {
    for (const item of items) this.left.push(item)
    this.runSettlements(Array.from(this.plan.units(items)), items.length)
  }

  /** Calls every settlement now, and runs those that are Effects one after the other in a fiber of their own. */
  private runSettlements(units: ReadonlyArray<U>, count: number): void {
    const settlements: Array<Effect.Effect<unknown>> = []
    for (const unit of units) {
      const exit = Effect.runSyncExit(Effect.sync(() => this.plan.onSettled(unit, interrupted)))
      if (exit._tag === "Failure") settlements.push(this.report(exit.cause))
      else if (Effect.isEffect(exit.value)) settlements.push(this.guard(exit.value))
    }
    if (settlements.length === 0) return
    this.settling++
    this.busy += count
    this.fork(
      Effect.andThen(Effect.yieldNow, Effect.forEach(settlements, (settlement) => settlement, { discard: true })),
      () => {
        this.settling--
        this.free(count)
        this.endIfOver()
      }
    )
  }

  /** The grace is over: settles what is still held, and stops waiting. The fibers stay owned, until the Scope closes. */
  private abandon(): void {
    if (this.isOver()) return
    for (const worker of this.workers) {
      this.workers.delete(worker)
      const held = worker.held
      if (held === undefined) continue
      worker.held = undefined
      const now = this.flow.now()
      for (let i = 0; i < held.count; i++) this.flow.settle(now, held.beganAt, "interrupted")
      this.abandoned += held.count
      this.busy -= held.count
      this.runSettlements([held.unit], held.count)
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

  private lookIfIdle(): void {
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

  private after(millis: number, task: () => void): Fiber.Fiber<unknown, unknown> {
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

  private fork(effect: Effect.Effect<unknown>, onEnd: () => void): void {
    const fiber = Effect.runForkWith(this.context)(effect, { uninterruptible: true })
    this.fibers.add(fiber)
    fiber.addObserver(() => {
      this.fibers.delete(fiber)
      onEnd()
    })
  }
}
