import type { Backlog } from "./backlog.ts"

// Two parallel arrays instead of one of entries: an offer then allocates nothing. `mask` is a power of two minus one,
// so a position wraps with one bit operation. The live span is `head … head + size`, oldest first in both orders.

const initialLength = 16

// An empty ring longer than this (32 KB of arrivals) gives its memory back: one burst must not be paid for ever.
const keptLength = 4096

/** First-in first-out, or last-in first-out, over a circular buffer that doubles when it is full. */
export class Ring<A> implements Backlog<A> {
  size = 0
  lastArrivedAt = 0
  private readonly order: "fifo" | "lifo"
  private items: Array<A | undefined> = new Array(initialLength).fill(undefined)
  private arrivals = new Float64Array(initialLength)
  private mask = initialLength - 1
  private head = 0

  constructor(order: "fifo" | "lifo") {
    this.order = order
  }

  get ready(): number {
    return this.size
  }

  oldestArrivedAt(): number {
    return this.arrivals[this.head]!
  }

  push(item: A, arrivedAt: number): void {
    if (this.size > this.mask) this.resize((this.mask + 1) * 2)
    const at = (this.head + this.size) & this.mask
    this.items[at] = item
    this.arrivals[at] = arrivedAt
    this.size++
  }

  take(): A {
    return this.order === "fifo" ? this.takeOldest() : this.takeNewest()
  }

  peek(): A {
    return this.items[this.order === "fifo" ? this.head : (this.head + this.size - 1) & this.mask]!
  }

  displace(item: A, arrivedAt: number): A {
    const oldest = this.takeOldest()
    this.push(item, arrivedAt)
    return oldest
  }

  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A> {
    // All answers come before the first move, so that a throwing predicate leaves the ring whole.
    const matches = Array.from({ length: this.size }, (_, i) => predicate(this.items[(this.head + i) & this.mask]!))
    const removed: Array<A> = []
    let kept = 0
    for (let i = 0; i < matches.length; i++) {
      const from = (this.head + i) & this.mask
      if (matches[i]) {
        removed.push(this.items[from]!)
        onRemoved(this.arrivals[from]!)
      } else {
        const to = (this.head + kept++) & this.mask
        this.items[to] = this.items[from]
        this.arrivals[to] = this.arrivals[from]!
      }
    }
    for (let i = kept; i < matches.length; i++) this.items[(this.head + i) & this.mask] = undefined
    this.size = kept
    this.shrink()
    return this.order === "fifo" ? removed : removed.reverse()
  }

  private takeOldest(): A {
    const at = this.head
    this.head = (at + 1) & this.mask
    return this.release(at)
  }

  private takeNewest(): A {
    return this.release((this.head + this.size - 1) & this.mask)
  }

  private release(at: number): A {
    const item = this.items[at]!
    this.items[at] = undefined
    this.lastArrivedAt = this.arrivals[at]!
    this.size--
    this.shrink()
    return item
  }

  private shrink(): void {
    if (this.size === 0 && this.mask >= keptLength) this.resize(initialLength)
  }

  private resize(length: number): void {
    const items: Array<A | undefined> = new Array(length).fill(undefined)
    const arrivals = new Float64Array(length)
    for (let i = 0; i < this.size; i++) {
      const from = (this.head + i) & this.mask
      items[i] = this.items[from]
      arrivals[i] = this.arrivals[from]!
    }
    this.items = items
    this.arrivals = arrivals
    this.mask = length - 1
    this.head = 0
  }
}
