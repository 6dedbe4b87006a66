/** What has a rank, and a place of its own in one heap at a time: nothing is allocated for it. */
export interface Ranked {
  readonly priority: number
  readonly arrival: number
  /** Where it is; the heap's alone. */
  index: number
}

const arity = 4

/** Lower priority number first; among equals the one that came first. */
export const before = (a: Ranked, b: Ranked): boolean =>
  a.priority < b.priority || (a.priority === b.priority && a.arrival < b.arrival)

/** A four-ary heap: half the levels of a binary one, and the four children lie beside each other in memory. */
export class Heap<T extends Ranked> {
  entries: Array<T> = []

  get top(): T | undefined {
    return this.entries[0]
  }

  add(entry: T): void {
    entry.index = this.entries.length
    // A literal takes one place; the first push to an empty array takes seventeen.
    if (entry.index === 0) this.entries = [entry]
    else this.entries.push(entry)
    this.rise(entry)
  }

  /** Only what is in it. */
  delete(entry: T): void {
    const last = this.entries.pop()!
    if (last === entry) return
    last.index = entry.index
    this.entries[entry.index] = last
    // The entry that fills the hole comes from the bottom, but of another branch: it may belong above or below.
    this.reranked(last)
  }

  /** Puts what is in it where its rank belongs by now. */
  reranked(entry: T): void {
    this.rise(entry)
    this.sink(entry)
  }

  private rise(entry: T): void {
    const { entries } = this
    let index = entry.index
    while (index > 0) {
      const above = (index - 1) >> 2
      const parent = entries[above]!
      if (!before(entry, parent)) break
      entries[index] = parent
      parent.index = index
      index = above
    }
    entries[index] = entry
    entry.index = index
  }

  private sink(entry: T): void {
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
      const below = least.index
      entries[index] = least
      least.index = index
      index = below
    }
    entries[index] = entry
    entry.index = index
  }
}
