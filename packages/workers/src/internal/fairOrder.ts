import { before, IntrusiveHeap, type Ranked } from "effect-work-queue/IntrusiveHeap"

// The order of AsynQueue: a task has the priority k·(1 + ((niceness + 20) / 10)²), the least first, where k counts the tasks of its
// series: 1× for a niceness of −20, 2× for −10, 5× for 0, 10× for 10, 17× for 20. So series that are filled at the same time
// take turns, and one of niceness 10 has half the turns of one of niceness 0. Tasks of no series are a series of their own. A
// series that has nothing in order begins at the greatest k of all: behind what waits, and taking turns with it from there.
//
// Counted from the beginning of all time, k grows, and with it the distance that a niceness makes: after a million tasks, one of
// niceness 10 would wait for another million. (In the origin it does; and a series that has been away goes on where it was, and
// passes all that came in the meantime.) Here k is counted from a floor, the greatest k that has surely been served: the priority is
// 17·floor + (k − floor)·weight. While nothing has been served that is the origin's, and later it is the origin's as if it
// had begun with what waits now. Neither the floor nor k ever falls, and 17 is the greatest weight, so what is queued later with the
// same niceness always comes later; and nothing starves, since of every series only so many tasks can still come whose
// priority is less than that of one that waits.
//
// Tasks of one series and one niceness thus never overtake each other. They stand in a lane, a list of which only the first matters;
// what is ordered by heaps is a series' lanes, of which there are few, and the series. So a million tasks cost no more to
// take from than the number of their series and nicenesses, and any of them leaves in O(1) but for the heaps. Those that go
// before or after all others stand in lanes of their own: there, the weight alone is the priority.

/** What can be queued. The order writes to what is below the line, and nobody else. */
export interface Queued {
  readonly series: string | undefined
  /** A whole number from −20 to 20. */
  readonly niceness: number
  // ---
  /** The lane in which it stands; `undefined` says that it is not queued. */
  lane: Lane<any> | undefined
  serial: number
  arrival: number
  older: Queued | undefined
  newer: Queued | undefined
}

/** Before all others, then next; in order; after all others. Within the first, the second and the last: first-in first-out. */
export type Place = "first" | "next" | "inOrder" | "last"

/** What a worker serves. */
export interface Serves {
  /** `undefined` for all. */
  readonly series: ReadonlySet<string> | undefined
  /** Tasks of no series. */
  readonly unnamed: boolean
}

const greatestWeight = 17

const weightOf = (task: Queued, place: Place): number => {
  switch (place) {
    case "first":
      return -2
    case "next":
      return -1
    case "inOrder":
      return 1 + ((task.niceness + 20) / 10) ** 2
    case "last":
      return Infinity
  }
}

const isInOrder = (weight: number): boolean => weight > 0 && weight < Infinity

const everything: Serves = { series: undefined, unnamed: true }

/**
 * The greatest serial that has surely been served. Whenever all that waited at one look has gone, the greatest serial of that look is
 * the floor, and the next look is taken. Of what waits, therefore, nothing is older than two floors: a task knows its own by its arrival.
 */
class Floor {
  now = 0
  private before = 0
  private next = 0
  /** The last arrival of those that waited at the last look, and how many of them still do. */
  private lastArrival = 0
  private left = 0

  of(arrival: number): number {
    return arrival > this.lastArrival ? this.now : this.before
  }

  /** With the first that waits: it has serial 1. */
  begin(arrival: number): void {
    this.before = this.now = 0
    this.look(arrival, 1, 1)
  }

  /** Says whether a new look is to be taken. */
  gone(arrival: number): boolean {
    return arrival <= this.lastArrival && --this.left === 0
  }

  rise(): void {
    this.before = this.now
    this.now = this.next
  }

  look(lastArrival: number, greatest: number, waiting: number): void {
    this.lastArrival = lastArrival
    this.next = greatest
    this.left = waiting
  }
}

/** Tasks of one series and one weight, first-in first-out. Ranks as its first. */
class Lane<T extends Queued> implements Ranked {
  priority = 0
  arrival = 0
  index = 0
  oldest: T | undefined = undefined
  readonly line: Line<T>
  readonly weight: number
  private newest: T | undefined = undefined

  constructor(line: Line<T>, weight: number) {
    this.line = line
    this.weight = weight
  }

  append(task: T): void {
    task.older = this.newest
    if (this.newest === undefined) this.setOldest(task)
    else this.newest.newer = task
    this.newest = task
  }

  delete(task: T): void {
    const older = task.older as T | undefined
    const newer = task.newer as T | undefined
    if (newer === undefined) this.newest = older
    else newer.older = older
    if (older === undefined) this.setOldest(newer)
    else older.newer = newer
    task.older = undefined
    task.newer = undefined
  }

  all(): Array<T> {
    const tasks: Array<T> = []
    for (let task = this.oldest; task !== undefined; task = task.newer as T | undefined) tasks.push(task)
    return tasks
  }

  private setOldest(task: T | undefined): void {
    this.oldest = task
    if (task === undefined) return
    const { floor } = this.line
    this.priority = isInOrder(this.weight)
      ? task.serial * this.weight + floor.of(task.arrival) * (greatestWeight - this.weight)
      : this.weight
    this.arrival = task.arrival
  }
}

/** The tasks of one series. Ranks as its first. */
class Line<T extends Queued> implements Ranked {
  priority = 0
  arrival = 0
  index = 0
  size = 0
  /** How many stand in order, and the greatest serial they had. */
  inOrder = 0
  serial = 0
  readonly series: string | undefined
  readonly floor: Floor
  private readonly lanes = new IntrusiveHeap<Lane<T>>()

  constructor(series: string | undefined, floor: Floor) {
    this.series = series
    this.floor = floor
  }

  /** Only while it has tasks. */
  get first(): T {
    return this.lanes.top!.oldest!
  }

  append(task: T, weight: number): void {
    const there = this.laneOf(weight)
    const lane = there ?? new Lane(this, weight)
    task.lane = lane
    lane.append(task)
    this.size++
    if (there !== undefined) return
    this.lanes.add(lane)
    this.rank()
  }

  delete(task: T): void {
    const lane = task.lane as Lane<T>
    lane.delete(task)
    task.lane = undefined
    this.size--
    if (isInOrder(lane.weight)) this.inOrder--
    if (lane.oldest === undefined) this.lanes.delete(lane)
    else this.lanes.reranked(lane)
    this.rank()
  }

  private laneOf(weight: number): Lane<T> | undefined {
    for (const lane of this.lanes.entries) if (lane.weight === weight) return lane
    return undefined
  }

  all(): Array<T> {
    return this.lanes.entries.flatMap((lane) => lane.all())
  }

  private rank(): void {
    const { top } = this.lanes
    if (top === undefined) return
    this.priority = top.priority
    this.arrival = top.arrival
  }
}

/** The order in which queued tasks run. */
export class FairOrder<T extends Queued> {
  size = 0
  private readonly floor = new Floor()
  private readonly unnamed = new Line<T>(undefined, this.floor)
  private readonly named = new Map<string, Line<T>>()
  private readonly lines = new IntrusiveHeap<Line<T>>()
  /** How many stand in order, and the greatest serial they had. */
  private inOrder = 0
  private greatest = 0
  private arrivals = 0

  /** Only what is not queued. */
  push(task: T, place: Place): void {
    const line = this.lineFor(task.series)
    task.arrival = ++this.arrivals
    task.serial = place === "inOrder" ? this.nextSerial(line) : 0
    line.append(task, weightOf(task, place))
    this.size++
    if (line === this.unnamed) return
    if (line.size === 1) this.lines.add(line)
    else this.lines.reranked(line)
  }

  /** Takes the first of those that are served. */
  take(serves: Serves): T | undefined {
    const task = this.peek(serves)
    if (task !== undefined) this.remove(task)
    return task
  }

  peek(serves: Serves): T | undefined {
    return this.bestLine(serves)?.first
  }

  /** How many are served. */
  countServed({ series, unnamed }: Serves): number {
    if (series === undefined) return unnamed ? this.size : this.size - this.unnamed.size
    let count = unnamed ? this.unnamed.size : 0
    for (const name of series) count += this.named.get(name)?.size ?? 0
    return count
  }

  /** Says whether it was queued. */
  remove(task: T): boolean {
    const lane = task.lane as Lane<T> | undefined
    if (lane === undefined) return false
    const { line } = lane
    line.delete(task)
    this.size--
    if (isInOrder(lane.weight)) this.wasInOrder(task)
    if (line === this.unnamed) return true
    if (line.size > 0) this.lines.reranked(line)
    else {
      this.lines.delete(line)
      this.named.delete(line.series!)
    }
    return true
  }

  /** All that are queued, in no order. */
  all(): Array<T> {
    return [this.unnamed, ...this.named.values()].flatMap((line) => line.all())
  }

  /** Takes all of a series, in order. */
  removeSeries(series: string): ReadonlyArray<T> {
    return this.takeAll({ series: new Set([series]), unnamed: false })
  }

  /** Takes all, in order. */
  clear(): ReadonlyArray<T> {
    return this.takeAll(everything)
  }

  private takeAll(serves: Serves): ReadonlyArray<T> {
    return Array.from({ length: this.countServed(serves) }, () => this.take(serves)!)
  }

  private lineFor(series: string | undefined): Line<T> {
    if (series === undefined) return this.unnamed
    const there = this.named.get(series)
    if (there !== undefined) return there
    const line = new Line<T>(series, this.floor)
    this.named.set(series, line)
    return line
  }

  private nextSerial(line: Line<T>): number {
    if (this.inOrder++ === 0) {
      this.greatest = 0
      this.floor.begin(this.arrivals)
    }
    if (line.inOrder++ === 0) line.serial = this.greatest
    // One that is behind the floor takes its turn before all others, as it would have where it was.
    line.serial = Math.max(line.serial, this.floor.now) + 1
    this.greatest = Math.max(this.greatest, line.serial)
    return line.serial
  }

  private wasInOrder(task: T): void {
    this.inOrder--
    if (!this.floor.gone(task.arrival)) return
    this.floor.rise()
    this.floor.look(this.arrivals, this.greatest, this.inOrder)
  }

  private bestLine({ series, unnamed }: Serves): Line<T> | undefined {
    let best = unnamed && this.unnamed.size > 0 ? this.unnamed : undefined
    if (series === undefined) return sooner(best, this.lines.top)
    for (const name of series) best = sooner(best, this.named.get(name))
    return best
  }
}

const sooner = <L extends Ranked>(a: L | undefined, b: L | undefined): L | undefined =>
  a === undefined || (b !== undefined && before(b, a)) ? b : a
