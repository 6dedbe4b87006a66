import type { Items } from "./backlog.ts"

// A key mostly has few items, and there are many keys: one that has a single item takes an array of one. A ring begins
// with the room of sixteen, twice.

/** An array of which the front is let go once it is longer than what is left, and this long. */
const keptFront = 16

/** First-in first-out, or last-in first-out, in as little memory as a few items need. */
export class Deque<A> implements Items<A> {
  private readonly order: "fifo" | "lifo"
  private items: Array<A | undefined> = []
  private head = 0

  constructor(order: "fifo" | "lifo") {
    this.order = order
  }

  get size(): number {
    return this.items.length - this.head
  }

  push(item: A): void {
    // A literal takes one place; the first push to an empty array takes seventeen.
    if (this.items.length === 0) this.items = [item]
    else this.items.push(item)
  }

  take(): A {
    return this.order === "fifo" ? this.dropOldest() : this.takeNewest()
  }

  peek(): A {
    return this.items[this.order === "fifo" ? this.head : this.items.length - 1]!
  }

  dropOldest(): A {
    const item = this.items[this.head]!
    this.items[this.head++] = undefined
    if (this.head === this.items.length) this.clear()
    else if (this.head >= keptFront && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return item
  }

  inOrder(): Array<A> {
    const items = this.items.slice(this.head) as Array<A>
    return this.order === "fifo" ? items : items.reverse()
  }

  remove(predicate: (item: A) => boolean): void {
    this.items = (this.items.slice(this.head) as Array<A>).filter((item) => !predicate(item))
    this.head = 0
  }

  private takeNewest(): A {
    const item = this.items.pop()!
    if (this.head === this.items.length) this.clear()
    return item
  }

  private clear(): void {
    this.items = []
    this.head = 0
  }
}
