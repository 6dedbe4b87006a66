import { before, IntrusiveHeap, type Ranked } from "../IntrusiveHeap.ts"
import type { Backlog, Items } from "./backlog.ts"

// Ageing needs no re-ordering. An item of priority p that arrived at a has the effective priority p - (now - a) / every;
// `now` is the same for all, so comparing p + a / every gives the same order for ever: a static priority.
//
// Every entry is also linked to its neighbours by arrival, and knows its place in the heap. That makes the oldest
// item O(1) to find and O(log n) to drop, which a heap by priority alone cannot do.

interface Entry<A> extends Ranked {
  readonly item: A
  readonly arrivedAt: number
  older: Entry<A> | undefined
  newer: Entry<A> | undefined
}

/** Lowest priority number first, first-in first-out among equals, optionally ageing. */
export class Heap<A> implements Backlog<A>, Items<A> {
  lastArrivedAt = 0
  private readonly ageEvery: number
  private readonly startedAt: number
  private readonly heap = new IntrusiveHeap<Entry<A>>()
  private arrivals = 0
  private oldest: Entry<A> | undefined = undefined
  private newest: Entry<A> | undefined = undefined

  /** `ageEvery` in milliseconds, infinite for no ageing; `startedAt` keeps the priorities small, and so exact. */
  constructor(ageEvery: number, startedAt: number) {
    this.ageEvery = ageEvery
    this.startedAt = startedAt
  }

  get size(): number {
    return this.heap.entries.length
  }

  get ready(): number {
    return this.heap.entries.length
  }

  oldestArrivedAt(): number {
    return this.oldest!.arrivedAt
  }

  push(item: A, arrivedAt: number, priority: number): void {
    const entry: Entry<A> = {
      item,
      priority: priority + (arrivedAt - this.startedAt) / this.ageEvery,
      arrival: this.arrivals++,
      arrivedAt,
      index: 0,
      older: this.newest,
      newer: undefined
    }
    if (this.newest === undefined) this.oldest = entry
    else this.newest.newer = entry
    this.newest = entry
    this.heap.add(entry)
  }

  take(): A {
    return this.extract(this.heap.top!)
  }

  peek(): A {
    return this.heap.top!.item
  }

  dropOldest(): A {
    return this.extract(this.oldest!)
  }

  displace(item: A, arrivedAt: number, priority: number): A {
    const oldest = this.dropOldest()
    this.push(item, arrivedAt, priority)
    return oldest
  }

  inOrder(): Array<A> {
    return this.heap.entries.toSorted((a, b) => before(a, b) ? -1 : 1).map((entry) => entry.item)
  }

  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A> {
    const removed = this.heap.deleteAll((entry) => predicate(entry.item))
    removed.sort((a, b) => before(a, b) ? -1 : 1)
    return removed.map((entry) => {
      this.unlink(entry)
      onRemoved(entry.arrivedAt)
      return entry.item
    })
  }

  private extract(entry: Entry<A>): A {
    this.heap.delete(entry)
    this.unlink(entry)
    this.lastArrivedAt = entry.arrivedAt
    return entry.item
  }

  private unlink(entry: Entry<A>): void {
    if (entry.older === undefined) this.oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === undefined) this.newest = entry.older
    else entry.newer.older = entry.older
  }
}
