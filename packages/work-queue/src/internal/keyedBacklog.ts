import type { Backlog, Items } from "./backlog.ts"
import { Levels } from "./levels.ts"
import type { Place } from "./levels.ts"
import { Link, List } from "./list.ts"
import type { PendingOffer } from "./offers.ts"

// Each key has a line of its items. The lines that may give an item stand in a circle, and the one whose turn it is goes
// to its end: that is all there is to fairness. A line enters the circle behind at most K − 1 others, and nobody who
// comes later stands before it, so at most K − 1 items of others begin before its next one.
//
// A line that is at its concurrency, paused, or empty, stands outside and costs nobody a look. A line of which nothing waits,
// is held or is offered is forgotten, unless it is paused: its next item must not begin before it is resumed.

class Entry<A> extends Link<Entry<A>> {
  readonly item: A
  readonly arrivedAt: number

  constructor(item: A, arrivedAt: number) {
    super()
    this.item = item
    this.arrivedAt = arrivedAt
  }
}

/** What there is of one key. */
export class Line<A> extends Link<Line<A>> {
  readonly key: unknown
  readonly items: Items<Entry<A>>
  /** How many it may give now. */
  ready = 0
  /** How many were taken and not yet released. */
  held = 0
  /** It gives nothing until it is resumed. */
  paused = false
  /** Offers that wait for room, if any does. */
  offers: List<PendingOffer<A>> | undefined = undefined
  /** Where it stands by length, while that matters. */
  place: Place<Line<A>> | undefined = undefined

  constructor(key: unknown, items: Items<Entry<A>>) {
    super()
    this.key = key
    this.items = items
  }
}

export interface KeyedOptions<A> {
  readonly items: <T>(now: number) => Items<T>
  /** How many of one key may be held at once. */
  readonly concurrency: number
  /** Whether a line pauses with an item that is taken from it; never throws. */
  readonly pauses: ((item: A) => boolean) | undefined
  /** Whether somebody asks for the longest line. */
  readonly ranked: boolean
}

/** Each key's items in order, and a turn for each key. */
export class KeyedBacklog<A> implements Backlog<A> {
  size = 0
  ready = 0
  held = 0
  /** How many lines are paused. */
  paused = 0
  lastArrivedAt = 0
  /** Of the item that `take` returned last; undefined where nothing is held. */
  lastLine: Line<A> | undefined = undefined
  readonly lines = new Map<unknown, Line<A>>()
  /** Lines by how many items wait in them: all, if somebody asks for the longest, otherwise those with waiting offers. */
  readonly levels = new Levels<Line<A>>()
  private readonly options: KeyedOptions<A>
  private readonly turns = new List<Line<A>>()
  private readonly arrivals = new List<Entry<A>>()

  constructor(options: KeyedOptions<A>) {
    this.options = options
  }

  oldestArrivedAt(): number {
    return this.arrivals.first!.arrivedAt
  }

  /** How many items of a key wait. */
  waiting(key: unknown): number {
    return this.lines.get(key)?.items.size ?? 0
  }

  line(key: unknown, now: number): Line<A> {
    const known = this.lines.get(key)
    if (known !== undefined) return known
    const line = new Line<A>(key, this.options.items(now))
    if (this.options.ranked) line.place = this.levels.insert(line, 0)
    this.lines.set(key, line)
    return line
  }

  push(item: A, arrivedAt: number, priority: number, key: unknown): void {
    const line = this.line(key, arrivedAt)
    const entry = new Entry(item, arrivedAt)
    this.arrivals.append(entry)
    line.items.push(entry, arrivedAt, priority)
    this.size++
    this.update(line)
  }

  take(): A {
    const line = this.turns.first!
    // To the end of the circle, from where the update takes it out if it may give no more.
    this.turns.delete(line)
    this.turns.append(line)
    const entry = line.items.take()
    if (this.options.concurrency !== Infinity) {
      this.lastLine = line
      line.held++
      this.held++
    }
    if (this.options.pauses === undefined) return this.leave(line, entry)
    // Paused while it is asked, so that nothing is half done should the user's function look at the queue or offer to it.
    this.pause(line)
    const item = this.leave(line, entry)
    if (!this.options.pauses(item)) this.resume(line)
    return item
  }

  peek(): A {
    return this.turns.first!.items.peek().item
  }

  /** The item enters before the oldest leaves, so that a key of which it was the only one keeps its turn. */
  displace(item: A, arrivedAt: number, priority: number, key: unknown): A {
    this.push(item, arrivedAt, priority, key)
    const own = this.lines.get(key)!
    const line = own.items.size > 1 ? own : this.levels.highest()
    return this.leave(line, line.items.dropOldest())
  }

  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A> {
    // All answers come before the first move, so that a throwing predicate changes nothing.
    const matches = new Set(this.inOrder().filter((entry) => predicate(entry.item)))
    if (matches.size === 0) return []
    for (const line of this.lines.values()) {
      if (line.items.size === 0) continue
      line.items.remove((entry) => matches.has(entry), () => {})
      this.update(line)
    }
    for (const entry of matches) {
      this.arrivals.delete(entry)
      onRemoved(entry.arrivedAt)
    }
    this.size -= matches.size
    return Array.from(matches, (entry) => entry.item)
  }

  release(line: Line<A>): void {
    line.held--
    this.held--
    this.update(line)
  }

  /** False if it is paused already. */
  pause(line: Line<A>): boolean {
    if (line.paused) return false
    line.paused = true
    this.paused++
    this.update(line)
    return true
  }

  /** False if it is not paused. */
  resume(line: Line<A>): boolean {
    if (!line.paused) return false
    line.paused = false
    this.paused--
    this.update(line)
    return true
  }

  /** To be called after anything about a line has changed. */
  update(line: Line<A>): void {
    const waiting = line.items.size
    const ready = Math.min(waiting, this.atOnce(line))
    if (line.ready > 0 && ready === 0) this.turns.delete(line)
    if (line.ready === 0 && ready > 0) this.turns.append(line)
    this.ready += ready - line.ready
    line.ready = ready
    if (line.place !== undefined) this.levels.move(line.place, waiting)
    if (waiting > 0 || line.held > 0 || line.offers !== undefined || line.paused) return
    if (line.place !== undefined) this.levels.delete(line.place)
    this.lines.delete(line.key)
  }

  /** How many it may give before anything about it changes: of a line that may pause, the first decides about the second. */
  private atOnce(line: Line<A>): number {
    if (line.paused) return 0
    const free = this.options.concurrency - line.held
    return this.options.pauses === undefined ? free : Math.min(free, 1)
  }

  private leave(line: Line<A>, entry: Entry<A>): A {
    this.arrivals.delete(entry)
    this.lastArrivedAt = entry.arrivedAt
    this.size--
    this.update(line)
    return entry.item
  }

  /** As they would be taken if each was released at once; keys that are at their concurrency come last in each round. */
  private inOrder(): Array<Entry<A>> {
    const blocked = [...this.lines.values()].filter((line) => line.ready === 0 && line.items.size > 0)
    let lines = [...this.turns, ...blocked].map((line) => line.items.inOrder())
    const order: Array<Entry<A>> = []
    for (let round = 0; lines.length > 0; round++) {
      for (const items of lines) order.push(items[round]!)
      lines = lines.filter((items) => items.length > round + 1)
    }
    return order
  }
}
