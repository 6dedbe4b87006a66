/** What waits in a queue: items in the order they will be taken, each with the time it arrived. */
export interface Backlog<A> {
  readonly size: number
  /** When the item that `take` or `dropOldest` returned last had arrived. */
  readonly lastArrivedAt: number
  /** Arrival of the item waiting longest; only while size > 0. O(1) in every order. */
  oldestArrivedAt(): number
  push(item: A, arrivedAt: number, priority: number): void
  /** Only while size > 0, as `peek` and `dropOldest`. */
  take(): A
  peek(): A
  dropOldest(): A
  /** Takes out what matches and reports each one's arrival; a predicate that throws changes nothing. */
  remove(predicate: (item: A) => boolean, onRemoved: (arrivedAt: number) => void): Array<A>
}
