import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { CrewCore } from "./crewCore.ts"
import type { Line } from "./keyedBacklog.ts"
import type { Waiter } from "./queueCore.ts"

// A worker is a fiber that is uninterruptible except inside the user's work. An interrupt therefore ends the work and
// nothing else: between the end of the work and its settlement there is no gap in which an Exit could be lost.
//
// What it holds is written down before the work begins and erased before the settlement is called, so whoever looks (the
// worker itself after a defect, or the crew when it abandons it) knows whether a settlement is still owed.

/** What is being worked on. */
export interface Held<U> {
  readonly unit: U
  readonly count: number
  /** Of each item the line of its key, until its settlement is over. */
  readonly lines: ReadonlyArray<Line<any>>
}

// Of a queue without keys, to which nothing is ever added.
const none: Array<Line<any>> = []

export class Worker<A, U> {
  /** What it owes a settlement for. */
  held: Held<U> | undefined = undefined
  /** It no longer counts as one of the crew, and takes nothing more. */
  leaving = false
  /** Present while it waits for items. */
  wake: (() => void) | undefined = undefined
  private readonly crew: CrewCore<A, U>
  private fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** The last thing it started was the user's work, whose Exit comes next. */
  private working = false
  /** What a settlement that is an Effect is owed for, until it is over. */
  settling: Held<U> | undefined = undefined
  /** That settlement, to be run before anything else. */
  private settlement: Effect.Effect<unknown> | undefined = undefined
  /** It has waited for a full batch, and takes what is there. */
  private gathered = false
  // Numbers and never undefined, so that V8 keeps them unboxed: a box for each item costs as much as all the measuring.
  /** When it settled what it held last, if the next follows in the same step; otherwise NaN. One look at the clock ends one and begins another. */
  private freeAt = NaN
  /** Of the turn that begins: when, how many it has taken, and their lines. */
  beganAt = 0
  private taken = 0
  private lines = none

  constructor(crew: CrewCore<A, U>) {
    this.crew = crew
  }

  /** To be run in an uninterruptible fiber of its own. */
  readonly run: Effect.Effect<void> = Effect.withFiber((fiber) => {
    this.fiber = fiber
    // The first item must not be worked on inside the step of whoever resized the crew.
    return Effect.andThen(Effect.yieldNow, this.turns)
  })

  interrupt(): void {
    if (this.held !== undefined) this.fiber?.interruptUnsafe()
  }

  private readonly turns: Effect.Effect<void> = Effect.suspend(() => {
    this.freeAt = NaN
    return Effect.catchCause(
      Effect.whileLoop({
        while: () => this.settlement !== undefined || this.crew.stays(this),
        body: () => this.turn(),
        step: (result) => {
          if (!this.working) return
          this.working = false
          this.settle(result as Exit.Exit<unknown, unknown>)
        }
      }),
      // Only the user's functions can throw here: `work` before it gave an Effect, or `onSettled`.
      (cause) => {
        if (this.held === undefined) return Effect.andThen(this.crew.report(cause), this.turns)
        this.working = false
        return Effect.andThen(Effect.sync(() => this.settle(Exit.failCause(cause))), this.turns)
      }
    )
  })

  /** What it does next. Work that is an Exit already needs no fiber: such items are settled in one go. */
  private turn(): Effect.Effect<unknown> {
    const { crew } = this
    const { batch } = crew.plan
    const fiber = this.fiber as { currentOpCount: number } & Fiber.Fiber<unknown, unknown>
    do {
      if (this.settlement !== undefined) return this.takeSettlement()
      if (!crew.stays(this)) return Exit.void
      const waiting = crew.queue.backlog.ready
      if (waiting === 0) {
        // Others took what it had waited beside: the next batch is given its own time.
        this.gathered = false
        return this.wait(1, undefined)
      }
      if (waiting < batch.size && !this.gathered && batch.wait > 0) {
        this.gathered = true
        return this.wait(batch.size, batch.wait)
      }
      const effect = this.begin()
      this.freeAt = NaN
      if (!Exit.isExit(effect)) {
        this.working = true
        return Effect.exit(Effect.interruptible(effect))
      }
      this.settle(effect)
      // Counts as a step of the fiber, so that it yields as often as if it had been one.
      fiber.currentOpCount++
    } while (!fiber.cache.scheduler.shouldYield(fiber))
    this.freeAt = NaN
    return Exit.void
  }

  private begin(): Effect.Effect<unknown, unknown> {
    const { crew } = this
    this.beganAt = Number.isNaN(this.freeAt) ? crew.flow.now() : this.freeAt
    this.taken = 0
    this.lines = crew.queue.keys === undefined ? none : []
    const unit = crew.plan.pull(this)
    this.gathered = false
    this.held = { unit, count: this.taken, lines: this.lines }
    crew.busy += this.taken
    crew.queue.afterRoom()
    return crew.plan.work(unit)
  }

  /** For the plan: how many items are ready, and the next of them, whose work begins. */
  get ready(): number {
    return this.crew.queue.backlog.ready
  }

  take(): A {
    const { flow, queue } = this.crew
    const item = queue.takeNext()
    const { lastArrivedAt } = queue.backlog
    // It may have come since this worker was free, as when the settlement of the one before offers it.
    if (lastArrivedAt > this.beganAt) this.beganAt = lastArrivedAt
    flow.begin(this.beganAt, lastArrivedAt)
    this.taken++
    if (queue.keys?.lastLine !== undefined) this.lines.push(queue.keys.lastLine)
    return item
  }

  private settle(exit: Exit.Exit<unknown, unknown>): void {
    const { crew, held } = this
    // Abandoned: the crew has settled it, and this Exit comes too late.
    if (held === undefined) return
    this.held = undefined
    // A fiber that was interrupted stays so, and would interrupt the next item too: another one takes its place.
    const now = crew.flow.now()
    if (crew.count(held, this.beganAt, exit, now) === "interrupted" && !this.leaving) crew.dismiss(this)
    crew.busy -= held.count
    let settlement: unknown = undefined
    try {
      settlement = crew.plan.onSettled(held.unit, exit)
    } finally {
      // Also if it throws: the settlement is over then.
      if (!Effect.isEffect(settlement)) crew.queue.release(held.lines)
    }
    if (!Effect.isEffect(settlement)) {
      this.freeAt = now
      return crew.lookIfIdle()
    }
    crew.busy += held.count
    this.settling = held
    this.settlement = Effect.ensuring(crew.guard(settlement), Effect.sync(() => this.free()))
  }

  /** The settlement that was running, if any was, is over. */
  free(): void {
    const { settling } = this
    if (settling === undefined) return
    this.settling = undefined
    this.crew.free(settling.count, settling.lines)
  }

  private takeSettlement(): Effect.Effect<unknown> {
    const settlement = this.settlement!
    this.settlement = undefined
    return settlement
  }

  /** Waits for `need` items, for the crew to dismiss it, for the queue's end, or `within` milliseconds. */
  private wait(need: number, within: number | undefined): Effect.Effect<void> {
    this.freeAt = NaN
    return Effect.callback((resume) => {
      const { crew } = this
      let timer: Fiber.Fiber<unknown, unknown> | undefined = undefined
      const waiter: Waiter = {
        need,
        resume: () => {
          this.wake = undefined
          timer?.interruptUnsafe()
          resume(Exit.void)
        }
      }
      if (!crew.stays(this) || !crew.queue.addTaker(waiter)) return resume(Exit.void)
      const stop = () => {
        crew.queue.removeTaker(waiter)
        waiter.resume()
      }
      // Woken in a task of its own: whoever resizes the crew must not run its workers.
      this.wake = () => crew.dispatcher.scheduleTask(stop, 0)
      if (within !== undefined) timer = crew.after(within, stop)
    })
  }
}
