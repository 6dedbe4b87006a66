import { IntrusiveHeap, type Ranked } from "effect-work-queue/IntrusiveHeap"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** Something that is to happen at an instant, unless it is cancelled before. */
export interface Alarm extends Ranked {
  /** The instant. */
  readonly priority: number
  readonly ring: () => void
  isSet: boolean
}

/**
 * All that a queue does by the clock (timeouts, deadlines, back-off, the rungs of the ladder) with one sleeping fiber. Most alarms
 * are cancelled before they ring, and most ring later than one that is already waited for: neither touches the fiber.
 */
export class Alarms {
  readonly now: () => number
  private readonly heap = new IntrusiveHeap<Alarm>()
  private sleeper: Fiber.Fiber<void> | undefined
  private sleepsUntil = Infinity
  private arrivals = 0
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>

  constructor(context: Context.Context<never>) {
    const clock = Context.get(context, Clock.Clock)
    this.now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    this.fork = Effect.runForkWith(context)
  }

  /** Rings after so many milliseconds, never inside this call. */
  set(after: number, ring: () => void): Alarm {
    const alarm = { priority: this.now() + after, arrival: ++this.arrivals, index: 0, ring, isSet: true }
    this.heap.add(alarm)
    if (alarm.priority < this.sleepsUntil) this.sleep()
    return alarm
  }

  cancel(alarm: Alarm | undefined): void {
    if (alarm === undefined || !alarm.isSet) return
    alarm.isSet = false
    this.heap.delete(alarm)
  }

  /** Cancels them all. */
  close(): void {
    for (const alarm of this.heap.deleteAll(() => true)) alarm.isSet = false
    this.sleepsUntil = Infinity
    this.sleeper?.interruptUnsafe()
    this.sleeper = undefined
  }

  private sleep(): void {
    this.sleeper?.interruptUnsafe()
    this.sleepsUntil = this.heap.top!.priority
    this.sleeper = this.fork(
      // Whoever sets an alarm is in the middle of a step, and sleeping for no time at all would ring inside it.
      Effect.yieldNow.pipe(
        Effect.andThen(Effect.suspend(() => {
          const left = Math.ceil(this.sleepsUntil - this.now())
          return left > 0 ? Effect.sleep(left) : Effect.void
        })),
        Effect.andThen(Effect.sync(() => this.ring()))
      )
    )
  }

  private ring(): void {
    this.sleeper = undefined
    this.sleepsUntil = Infinity
    const now = this.now()
    for (let next = this.heap.top; next !== undefined && next.priority <= now; next = this.heap.top) {
      this.cancel(next)
      next.ring()
    }
    if (this.heap.top !== undefined && this.heap.top.priority < this.sleepsUntil) this.sleep()
  }
}
