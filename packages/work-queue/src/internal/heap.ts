import type { Backlog, Items } from "./backlog.ts"

// A four-ary heap: half the levels of a binary one, and the four children lie beside each other in memory. Equal keys
// compare by serial, which makes the order total and first-in first-out among equals.
//
// Ageing needs no re-ordering. An item of priority p that arrived at a has the effective priority p - (now - a) / every;
// `now` is the same for all, so comparing p + a / every gives the same order for ever: a static key.
//
// Every entry is also linked to its neighbours by arrival, and knows its place in the heap. That makes the oldest
// item O(1) to find and O(log n) to drop, which a heap by priority alone cannot do.

interface Entry<A> {
  readonly item: A
  readonly key: number
  readonly serial: number
  readonly arrivedAt: number
  index: number
  older: Entry<A> | undefined
  newer: Entry<A> | undefined
}

const arity = 4

const before = <A>(a: Entry<A>, b: Entry<A>): boolean => a.key < b.key || (a.key === b.key && a.serial < b.serial)

/** Lowest priority number first, first-in first-out among equals, optionally ageing. */
export class Heap<A> implements Backlog<A>, Items<A> {
  lastArrivedAt = 0
  private readonly ageEvery: number
  private readonly startedAt: number
  private entries: Array<Entry<A>> = []
  private serial = 0
  private oldest: Entry<A> | undefined = undefined
  private newest: Entry<A> | undefined = undefined

  /** `ageEvery` in milliseconds, infinite for no ageing; `startedAt` keeps the keys small, and so exact. */
  constructor(ageEvery: number, startedAt: number) {
    this.ageEvery = ageEvery
    this.startedAt = startedAt
  }

  get size(): number {
    return this.entries.length
  }

  get ready(): number {
    return this.entries.length
  }

  oldestArrivedAt(): number {
    return this.oldest!.arrivedAt
  }

  push(item: A, arrivedAt: number, priority: number): void {
    const entry: Entry<A> = {
      item,
      key: priority + (arrivedAt - this.startedAt) / this.ageEvery,
      serial: this.serial++,
      arrivedAt,
      index: this.entries.length,
      older: this.newest,
      newer: undefined
    }
    if (this.newest === undefined) this.oldest = entry
    else this.newest.newer = entry
    this.newest = entry
    this.entries.push(entry)
    this.rise(entry)
  }

  take(): A {
    return this.extract(this.entries[0]!)
  }

  peek(): A {
    return this.entries[0]!.item
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
    return this.entries.toSorted((a, b) => before(a, b) ? -1 : 1).map((entry) => entry.item)
  }

  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A> {
    const removed: Array<Entry<A>> = []
    const kept: Array<Entry<A>> = []
    for (const entry of this.entries) (predicate(entry.item) ? removed : kept).push(entry)
    if (removed.length === 0) return []
    this.entries = kept
    kept.forEach((entry, index) => entry.index = index)
    for (let i = Math.floor((kept.length - 2) / arity); i >= 0; i--) this.sink(kept[i]!)
    removed.sort((a, b) => before(a, b) ? -1 : 1)
    return removed.map((entry) => {
      this.unlink(entry)
      onRemoved(entry.arrivedAt)
      return entry.item
    })
  }

  private extract(entry: Entry<A>): A {
    const last = this.entries.pop()!
    if (last !== entry) {
      last.index = entry.index
      this.entries[entry.index] = last
      // The entry that fills the hole comes from the bottom, but of another branch: it may belong above or below.
      this.rise(last)
      this.sink(last)
    }
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

  private rise(entry: Entry<A>): void {
    const { entries } = this
    let index = entry.index
    while (index > 0) {
      const parent = entries[(index - 1) >> 2]!
      if (!before(entry, parent)) break
      entries[index] = parent
      const above = parent.index
      parent.index = index
      index = above
    }
    entries[index] = entry
    entry.index = index
  }

  private sink(entry: Entry<A>): void {
    const { entries } = this
    const size = entries.length
    let index = entry.index
    while (true) {
      const first = index * arity + 1
      if (first >= size) break
      let least = entries[first]!
      for (let i = first + 1; i < first + arity && i < size; i++) {
        const child = entries[i]!
        if (before(child, least)) least = child
      }
      if (!before(least, entry)) break
      entries[index] = least
      const below = least.index
      least.index = index
      index = below
    }
    entries[index] = entry
    entry.index = index
  }
}
