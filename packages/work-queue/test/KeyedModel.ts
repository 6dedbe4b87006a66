import type { WorkQueue } from "effect-work-queue"

/** An item of a key; its id says when it was made. */
export interface Item {
  readonly id: number
  readonly key: number
  readonly priority: number
}

/** Which items pause their key, where keys may pause. */
export const pauses = (item: Item): boolean => item.id % 3 !== 0

/** The orders that every law is checked in. */
export const orders: ReadonlyArray<readonly [string, WorkQueue.Order<Item>]> = [
  ["fifo", "fifo"],
  ["lifo", "lifo"],
  ["priority", { priority: (item) => item.priority }]
]

interface Line {
  held: number
  paused: boolean
  /** When its length last changed, or it began to have offers that wait. */
  since: number
}

interface Offer {
  readonly items: Array<Item>
  /** When it came to wait for the key of its next item. */
  since: number
}

/**
 * The naive keyed queue: one list of items in order of arrival, one of keys in order of turn, one of offers. Everything
 * that is asked is looked for in them.
 */
export class KeyedModel {
  items: Array<Item> = []
  offers: Array<Offer> = []
  readonly dropped: Array<Item> = []
  private turns: Array<number> = []
  private readonly lines = new Map<number, Line>()
  private readonly order: WorkQueue.Order<Item>
  private readonly overflow: WorkQueue.Overflow
  private readonly capacity: number
  private readonly concurrency: number
  private readonly pausing: boolean
  private clock = 0

  constructor(
    options: {
      readonly order: WorkQueue.Order<Item>
      readonly overflow: WorkQueue.Overflow
      readonly capacity: number
      readonly concurrency: number
      readonly pausing: boolean
    }
  ) {
    this.order = options.order
    this.overflow = options.overflow
    this.capacity = options.capacity
    this.concurrency = options.concurrency
    this.pausing = options.pausing
  }

  of(key: number): Array<Item> {
    const items = this.items.filter((item) => item.key === key)
    if (this.order === "fifo") return items
    return this.order === "lifo" ? items.reverse() : items.sort((a, b) => a.priority - b.priority)
  }

  get room(): number {
    return this.capacity - this.items.length
  }

  get stats() {
    return {
      depth: this.items.length,
      ready: this.turns.reduce((sum, key) => sum + this.readyOf(key), 0),
      held: [...this.lines.values()].reduce((sum, line) => sum + line.held, 0),
      keys: this.lines.size,
      paused: [...this.lines.values()].filter(({ paused }) => paused).length
    }
  }

  /** Whether it is accepted at once. */
  offer(item: Item): boolean {
    if (this.of(item.key).length < this.room) {
      this.accept(item)
      return true
    }
    if (this.overflow === "suspend") return false
    if (this.overflow === "dropNewest") {
      this.dropped.push(item)
      return false
    }
    this.accept(item)
    // Beside the one that has just come, which is never the oldest of several.
    const longest = Math.max(...this.items.map(({ key }) => this.of(key).length))
    const oldestOfLength = (length: number) =>
      [...this.lines].filter(([key]) => this.of(key).length === length).sort(([, a], [, b]) => a.since - b.since)[0]![0]
    const from = this.of(item.key).length > 1 ? item.key : oldestOfLength(longest)
    const oldest = this.items.find(({ key }) => key === from)!
    this.dropped.push(oldest)
    this.leave(oldest)
    return true
  }

  /** Offers items in order, and lets those wait that follow one which has no room. */
  offerAll(items: ReadonlyArray<Item>): Offer | undefined {
    const rest = [...items]
    while (rest.length > 0 && this.offer(rest[0]!)) rest.shift()
    if (rest.length === 0) return undefined
    const offer: Offer = { items: rest, since: 0 }
    this.offers.push(offer)
    this.join(offer)
    return offer
  }

  interrupt(offer: Offer): void {
    this.offers = this.offers.filter((other) => other !== offer)
    this.tidy()
  }

  take(): Item | undefined {
    const item = this.takeOne()
    this.admit()
    return item
  }

  takeAll(max: number): Array<Item> {
    const items: Array<Item> = []
    while (items.length < max && this.turns.length > 0) items.push(this.takeOne()!)
    this.admit()
    return items
  }

  release(key: number): boolean {
    const line = this.lines.get(key)
    if (line === undefined || line.held === 0) return false
    line.held--
    this.tidy()
    return true
  }

  pause(key: number): boolean {
    const line = this.lines.get(key)
    if (line?.paused) return false
    if (line === undefined) this.touch(key)
    this.lines.get(key)!.paused = true
    this.tidy()
    return true
  }

  resume(key: number): boolean {
    const line = this.lines.get(key)
    if (line === undefined || !line.paused) return false
    line.paused = false
    this.tidy()
    return true
  }

  remove(predicate: (item: Item) => boolean): Array<Item> {
    const blocked = [...this.lines.keys()].filter((key) => !this.turns.includes(key))
    const lines = [...this.turns, ...blocked].map((key) => this.of(key))
    const order = this.items.flatMap((_, round) => lines.flatMap((line) => line.slice(round, round + 1)))
    const removed = order.filter(predicate)
    for (const key of this.lines.keys()) {
      if (removed.some((item) => item.key === key)) this.touch(key)
    }
    this.items = this.items.filter((item) => !removed.includes(item))
    this.tidy()
    this.admit()
    return removed
  }

  private takeOne(): Item | undefined {
    const key = this.turns.shift()
    if (key === undefined) return undefined
    this.turns.push(key)
    const item = this.of(key)[0]!
    const line = this.lines.get(key)!
    if (this.concurrency !== Infinity) line.held++
    line.paused = this.pausing && pauses(item)
    this.leave(item)
    return item
  }

  private accept(item: Item): void {
    this.items.push(item)
    this.touch(item.key)
    this.tidy()
  }

  private leave(item: Item): void {
    this.items = this.items.filter((other) => other !== item)
    this.touch(item.key)
    this.tidy()
  }

  private touch(key: number): void {
    const line = this.lines.get(key) ?? { held: 0, paused: false, since: 0 }
    line.since = this.clock++
    this.lines.set(key, line)
  }

  private readyOf(key: number): number {
    const { held, paused } = this.lines.get(key)!
    return paused ? 0 : Math.min(this.of(key).length, this.concurrency - held, this.pausing ? 1 : Infinity)
  }

  /** Who may give an item has a turn, and of whom there is nothing is forgotten. */
  private tidy(): void {
    this.turns = this.turns.filter((key) => this.readyOf(key) > 0)
    for (const [key, { held, paused }] of this.lines) {
      if (this.readyOf(key) > 0 && !this.turns.includes(key)) this.turns.push(key)
      if (this.of(key).length === 0 && held === 0 && !paused && this.waitingFor(key).length === 0) {
        this.lines.delete(key)
      }
    }
  }

  private waitingFor(key: number): Array<Offer> {
    return this.offers.filter(({ items }) => items[0]!.key === key).sort((a, b) => a.since - b.since)
  }

  private join(offer: Offer): void {
    const { key } = offer.items[0]!
    if (this.waitingFor(key).length === 1) this.touch(key)
    offer.since = this.clock++
  }

  private admit(): void {
    while (true) {
      const first = [...this.lines]
        .filter(([key]) => this.waitingFor(key).length > 0 && this.of(key).length < this.room)
        .sort(([a, lineOfA], [b, lineOfB]) => this.of(a).length - this.of(b).length || lineOfA.since - lineOfB.since)[0]
      if (first === undefined) return
      const offer = this.waitingFor(first[0])[0]!
      const item = offer.items.shift()!
      const next = offer.items[0]
      if (next === undefined) this.offers = this.offers.filter((other) => other !== offer)
      this.accept(item)
      if (next !== undefined && next.key !== item.key) this.join(offer)
      this.tidy()
    }
  }
}
