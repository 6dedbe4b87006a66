import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import type * as Faults from "../Faults.ts"
import { Injector } from "./injector.ts"
import { RandomSource } from "./randomSource.ts"
import { type Lane, ReadyList } from "./readyList.ts"
import * as Recorder from "./recorder.ts"
import * as Strategy from "./strategy.ts"
import { type Timer, Timers } from "./timers.ts"

export type AnyFiber = Fiber.Fiber<unknown, unknown>

// Each stream is drawn from for one purpose: a program that asks for one random number more, or a fault that is added, does
// not change the order in which fibers run.
export const streams = { schedule: 1, program: 2, faults: 3 } as const

export class Dispatcher implements Scheduler.SchedulerDispatcher, Lane {
  priority: number
  private readonly world: World

  constructor(world: World, priority: number) {
    this.world = world
    this.priority = priority
  }

  // Effect's priority argument is not looked at. Effect orders by it only what one fiber has scheduled itself, and that
  // order says nothing about what the fibers so begun do next: no program may lean on it.
  scheduleTask(task: () => void): void {
    if (!this.world.closed) this.world.ready.push(task, this)
  }

  flush(): void {
    while (this.world.step());
  }
}

/**
 * What one run owns: the ready list, the timers, the fibers alive, the trace. It is the `Scheduler` of every fiber of
 * the run, which is also how it learns of them: Effect asks `shouldYield` before each operation of each fiber.
 */
export class World implements Scheduler.Scheduler {
  readonly executionMode = "sync"
  readonly seed: number
  readonly ready = new ReadyList()
  readonly timers = new Timers()
  readonly live = new Map<AnyFiber, number>()
  readonly recorder: Recorder.Recorder
  /** Absent when the run has no faults, and once the main fiber has ended. */
  injector: Injector | undefined
  strategy: Strategy.Strategy
  steps = 0
  /** Virtual milliseconds since the run began; never goes back. */
  now = 0
  /** What the wall clock shows beyond `now`. */
  wallOffset: number
  crashedAt: string | undefined
  /** Once set, nothing in this world runs any more, whatever still calls into it from outside. */
  closed = false
  recording = true
  private readonly scheduleRandom: RandomSource
  private fiber: AnyFiber | undefined
  private fiberNumber = 0
  private fibers = 0
  private untilYield: number

  constructor(seed: number, startAt: number, traceLimit: number, faults: ReadonlyArray<Faults.Fault>) {
    this.seed = seed
    this.wallOffset = startAt
    this.recorder = new Recorder.Recorder(traceLimit)
    this.scheduleRandom = new RandomSource(seed, streams.schedule)
    this.injector = faults.length === 0
      ? undefined
      : new Injector(this, new RandomSource(seed, streams.faults), faults)
    this.strategy = Strategy.make(this.scheduleRandom)
    this.untilYield = this.drawYield()
  }

  makeDispatcher(): Dispatcher {
    return new Dispatcher(this, this.strategy.priority())
  }

  shouldYield(fiber: AnyFiber): boolean {
    // A promise that settles after the run may still resume a fiber of it. Made to yield before its first operation, into a
    // list that takes nothing, the fiber stops here.
    if (this.closed) return true
    if (fiber !== this.fiber) this.enter(fiber)
    // Never at the first operation after a resumption: Effect itself cannot yield there, and does not expect it. An
    // interruption of a fiber that has not begun is such a first operation; put off, it is overwritten by the fiber's
    // beginning, and lost.
    if (--this.untilYield > 0 && fiber.currentOpCount < fiber.cache.maxOpsBeforeYield || fiber.currentOpCount < 2) {
      return false
    }
    this.untilYield = this.drawYield()
    this.record(Recorder.Yield, this.fiberNumber, 0)
    return true
  }

  /** Runs one ready task. */
  step(): boolean {
    if (this.ready.size === 0) return false
    this.steps++
    this.fiber = undefined
    if (this.injector !== undefined) {
      this.injector.beforeStep()
      // The fault may have crashed the run, or interrupted the only fiber that was ready.
      if (this.ready.size === 0) return true
    }
    this.ready.take(this.strategy.pick(this.ready))()
    return true
  }

  /** Moves the clock to the next timer and makes everything that is due then ready, so that the seed orders equal times. */
  advance(): boolean {
    const next = this.timers.earliest
    if (next === undefined) return false
    this.now = next.at
    for (
      let timer: Timer | undefined = next;
      timer !== undefined && timer.at === next.at;
      timer = this.timers.earliest
    ) {
      this.timers.remove(timer)
      this.ready.push(timer.fire, timer.lane)
    }
    return true
  }

  crash(point: string): void {
    this.record(Recorder.Fault, this.fiberNumber, this.recorder.name(`crash at ${point}`))
    this.crashedAt = point
    this.close()
  }

  /** Ends this world without another operation by any of its fibers. */
  close(): void {
    this.closed = true
    this.recording = false
    this.ready.clear()
  }

  record(kind: number, fiber: number, detail: number): void {
    if (this.recording) this.recorder.record(this.now, this.steps, fiber, kind, detail)
  }

  numberOf(fiber: AnyFiber): number {
    return this.live.get(fiber) ?? 0
  }

  private enter(fiber: AnyFiber): void {
    this.fiber = fiber
    const known = this.live.get(fiber)
    if (known !== undefined) {
      this.fiberNumber = known
      return this.record(Recorder.Run, known, 0)
    }
    // Effect's own fiber ids count up over the whole process; these begin at 1 in every run.
    const number = ++this.fibers
    this.fiberNumber = number
    this.live.set(fiber, number)
    const span = fiber.cache.span
    this.record(Recorder.Start, number, span?._tag === "Span" ? this.recorder.name(span.name) : -1)
    fiber.addObserver((exit) => {
      this.live.delete(fiber)
      this.record(Recorder.End, number, endOf(exit))
    })
  }

  private drawYield(): number {
    const mean = this.strategy.yieldEvery
    // A forced yield puts its operation off and adds one for the resumption. At a mean below three, yields would undo
    // what lies between them, and a run would last for ever.
    return mean === 0 ? Infinity : 2 + this.scheduleRandom.below(2 * mean + 1)
  }
}

const endOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (exit._tag === "Success") return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 3
  return Cause.hasFails(exit.cause) ? 1 : 2
}

/** The world that the current fiber runs in, if it runs in one. */
export const Current = Context.Reference<World | undefined>("effect-simulation/World", {
  defaultValue: () => undefined
})
