import type { Lane } from "./readyList.ts"

/** A sleeper. `index` is its place in the heap, -1 once it has left it. */
export interface Timer {
  readonly at: number
  readonly order: number
  readonly fiber: number
  readonly lane: Lane
  readonly fire: () => void
  index: number
}

const earlier = (left: Timer, right: Timer): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order)

/**
 * A binary heap by time, then by arrival. A cancelled timer is taken out at once: a program that sets a long timeout
 * around each of a million short effects would otherwise keep a million dead timers, and the clock would stop at each.
 */
export class Timers {
  private readonly heap: Array<Timer> = []
  private arrivals = 0

  get earliest(): Timer | undefined {
    return this.heap[0]
  }

  all(): ReadonlyArray<Timer> {
    return this.heap
  }

  add(at: number, fiber: number, lane: Lane, fire: () => void): Timer {
    const timer: Timer = { at, order: this.arrivals++, fiber, lane, fire, index: this.heap.length }
    this.heap.push(timer)
    this.rise(timer)
    return timer
  }

  remove(timer: Timer): void {
    const index = timer.index
    if (index < 0) return
    timer.index = -1
    const last = this.heap.pop()!
    if (last === timer) return
    this.place(last, index)
    this.rise(last)
    this.sink(last)
  }

  private place(timer: Timer, index: number): void {
    timer.index = index
    this.heap[index] = timer
  }

  private rise(timer: Timer): void {
    while (timer.index > 0) {
      const index = timer.index
      const parent = this.heap[(index - 1) >> 1]!
      if (!earlier(timer, parent)) return
      this.place(timer, parent.index)
      this.place(parent, index)
    }
  }

  private sink(timer: Timer): void {
    for (;;) {
      const index = timer.index
      const left = this.heap[2 * index + 1]
      if (left === undefined) return
      const right = this.heap[2 * index + 2]
      const child = right !== undefined && earlier(right, left) ? right : left
      if (!earlier(child, timer)) return
      this.place(timer, child.index)
      this.place(child, index)
    }
  }
}
