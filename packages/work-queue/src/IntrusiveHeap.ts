/**
 * A heap of objects that know their place in it, for schedulers of every kind: nothing is allocated for an entry, and any of them
 * leaves, or gets another rank, in O(log n). `WorkQueue` keeps its priorities in one.
 */

/**
 * What can be in a heap, in one at a time.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Ranked {
  /** The least comes first. */
  readonly priority: number
  /** Decides among equals: the least comes first. No two may have both in common. */
  readonly arrival: number
  /** Where it is. The heap writes to it, and nobody else. */
  index: number
}

/**
 * Tells which of two comes first.
 *
 * @category comparing
 * @stability unstable
 * @since 0.1.0
 */
export const before = (a: Ranked, b: Ranked): boolean =>
  a.priority < b.priority || (a.priority === b.priority && a.arrival < b.arrival)

const arity = 4

/**
 * A heap. Four-ary: half the levels of a binary one, and the four children lie beside each other in memory.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export class IntrusiveHeap<T extends Ranked> {
  private heap: Array<T> = []

  /** All that is in it, in no order. */
  get entries(): ReadonlyArray<T> {
    return this.heap
  }

  /** The first; `undefined` if there is none. */
  get top(): T | undefined {
    return this.heap[0]
  }

  /** Only what is in no heap. */
  add(entry: T): void {
    entry.index = this.heap.length
    // A literal takes one place; the first push to an empty array takes seventeen.
    if (entry.index === 0) this.heap = [entry]
    else this.heap.push(entry)
    this.rise(entry)
  }

  /** Only what is in it. */
  delete(entry: T): void {
    const last = this.heap.pop()!
    if (last === entry) return
    last.index = entry.index
    this.heap[entry.index] = last
    // The entry that fills the hole comes from the bottom, but of another branch: it may belong above or below.
    this.reranked(last)
  }

  /** Takes out what matches, in no order, in O(n); a predicate that throws changes nothing. */
  deleteAll(predicate: (entry: T) => boolean): Array<T> {
    const deleted: Array<T> = []
    const kept: Array<T> = []
    for (const entry of this.heap) (predicate(entry) ? deleted : kept).push(entry)
    if (deleted.length === 0) return deleted
    this.heap = kept
    kept.forEach((entry, index) => entry.index = index)
    for (let i = Math.floor((kept.length - 2) / arity); i >= 0; i--) this.sink(kept[i]!)
    return deleted
  }

  /** To be called when an entry has got another rank, before anything else. */
  reranked(entry: T): void {
    this.rise(entry)
    this.sink(entry)
  }

  private rise(entry: T): void {
    const { heap } = this
    let index = entry.index
    while (index > 0) {
      const above = (index - 1) >> 2
      const parent = heap[above]!
      if (!before(entry, parent)) break
      heap[index] = parent
      parent.index = index
      index = above
    }
    heap[index] = entry
    entry.index = index
  }

  private sink(entry: T): void {
    const { heap } = this
    const size = heap.length
    let index = entry.index
    while (true) {
      const first = index * arity + 1
      if (first >= size) break
      let least = heap[first]!
      for (let i = first + 1; i < first + arity && i < size; i++) {
        const child = heap[i]!
        if (before(child, least)) least = child
      }
      if (!before(least, entry)) break
      const below = least.index
      heap[index] = least
      least.index = index
      index = below
    }
    heap[index] = entry
    entry.index = index
  }
}
