import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"

// One observer for each fiber, and never a waiter for each: what settles finds those it wakes by the one number that matters, how
// many there were. All who wait for fewer than n are still waiting while there are n or more, so the step from n to n − 1
// wakes those of n, and nobody else.
//
// Who is woken goes on in a turn of its own: it must not run inside the fiber that settles, before its other observers.

/** Whoever wants all that settles, in order. */
export type Reader<A, E> = Queue.Queue<Exit.Exit<A, E>, Cause.Done>

export class TrackerCore<A, E> {
  readonly fibers = new Set<Fiber.Fiber<A, E>>()
  readonly readers = new Set<Reader<A, E>>()
  /** Those who wait for fewer than as many. */
  readonly fewer = new Map<number, Set<() => void>>()
  readonly any = new Set<(exit: Exit.Exit<A, E>) => void>()
  /** Effects that have begun and not settled. */
  size = 0
  private isOpen = true

  /** Begins the effect, in this step. */
  track<XA extends A, XE extends E, R>(
    effect: Effect.Effect<XA, XE, R>,
    context: Context.Context<R>
  ): Fiber.Fiber<XA, XE> {
    const run = Effect.runForkWith(context)
    if (!this.isOpen) return run(Effect.interrupt)
    // Before it runs: what it does in its first step, as ending the tracker, it does as one that is tracked.
    this.size++
    const fiber = run(effect)
    this.fibers.add(fiber)
    fiber.addObserver((exit) => this.settle(fiber, exit))
    return fiber
  }

  end(): void {
    this.isOpen = false
    this.endReadersIfOver()
  }

  /** Interrupts what is left, and waits for it. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.end()
    return Fiber.interruptAll(this.fibers)
  })

  awaitFewerThan(count: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      // Looked at in the step that joins those who wait: what settles in between would wake nobody.
      if (this.size < count) return resume(Exit.void)
      const wake = () => resume(Effect.yieldNow)
      const waiting = this.fewer.get(count) ?? new Set()
      this.fewer.set(count, waiting.add(wake))
      return Effect.sync(() => {
        waiting.delete(wake)
        if (waiting.size === 0 && this.fewer.get(count) === waiting) this.fewer.delete(count)
      })
    })
  }

  readonly awaitAny: Effect.Effect<Option.Option<Exit.Exit<A, E>>> = Effect.callback((resume) => {
    if (this.size === 0) return resume(Exit.succeed(Option.none()))
    const wake = (exit: Exit.Exit<A, E>) => resume(Effect.as(Effect.yieldNow, Option.some(exit)))
    this.any.add(wake)
    return Effect.sync(() => {
      this.any.delete(wake)
    })
  })

  read(reader: Reader<A, E>): void {
    this.readers.add(reader)
    this.endReadersIfOver()
  }

  private settle(fiber: Fiber.Fiber<A, E>, exit: Exit.Exit<A, E>): void {
    const before = this.size--
    this.fibers.delete(fiber)
    for (const reader of this.readers) Queue.offerUnsafe(reader, exit)
    const any = [...this.any]
    this.any.clear()
    const fewer = this.fewer.get(before)
    this.fewer.delete(before)
    this.endReadersIfOver()
    for (const wake of any) wake(exit)
    fewer?.forEach((wake) => wake())
  }

  private endReadersIfOver(): void {
    if (this.isOpen || this.size > 0) return
    for (const reader of this.readers) Queue.endUnsafe(reader)
    this.readers.clear()
  }
}
