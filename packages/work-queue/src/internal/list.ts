/** What stands in a list, in one at a time: its neighbours are its own, so joining and leaving allocate nothing. */
export class Link<Self> {
  older: Self | undefined = undefined
  newer: Self | undefined = undefined
}

/** Links in the order they were appended; any of them leaves in O(1). */
export class List<T extends Link<T>> {
  first: T | undefined = undefined
  last: T | undefined = undefined

  append(link: T): void {
    link.older = this.last
    if (this.last === undefined) this.first = link
    else this.last.newer = link
    this.last = link
  }

  /** Only what stands in this list. */
  delete(link: T): void {
    if (link.older === undefined) this.first = link.newer
    else link.older.newer = link.newer
    if (link.newer === undefined) this.last = link.older
    else link.newer.older = link.older
    link.older = undefined
    link.newer = undefined
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let link = this.first; link !== undefined; link = link.newer) yield link
  }
}
