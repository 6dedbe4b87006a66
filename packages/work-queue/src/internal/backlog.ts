/** What waits in a queue: items in the order they will be taken, each with the time it arrived. */
export interface Backlog<A> {
  readonly size: number
  /** How many may be taken now: all, unless keys are at their concurrency, are paused or may pause. */
  readonly ready: number
  /** When the item that `take` or `displace` returned last had arrived. */
  readonly lastArrivedAt: number
  /** Arrival of the item waiting longest; only while size > 0. O(1) in every order. */
  oldestArrivedAt(): number
  push(item: A, arrivedAt: number, priority: number, key: unknown): void
  /** Only while ready > 0, as `peek`. */
  take(): A
  peek(): A
  /** Puts an item in the place of the oldest, which it returns: of the oldest of its key, if there are keys. Only while size > 0. */
  displace(item: A, arrivedAt: number, priority: number, key: unknown): A
  /** Takes out what matches and reports each one's arrival; a predicate that throws changes nothing. */
  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A>
}

/** The items of one key, in the order they will be taken. */
export interface Items<A> {
  readonly size: number
  push(item: A, arrivedAt: number, priority: number): void
  /** Only while size > 0, as `peek` and `dropOldest`. */
  take(): A
  peek(): A
  dropOldest(): A
  inOrder(): Array<A>
  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): void
}
