import type { Backlog } from "./backlog.ts"
import type { Line } from "./keyedBacklog.ts"
import { Link, List } from "./list.ts"

/** An offer that waits for room, of one item or of several. */
export class PendingOffer<A> extends Link<PendingOffer<A>> {
  readonly items: ReadonlyArray<A>
  readonly priorities: ReadonlyArray<number>
  readonly keys: ReadonlyArray<unknown>
  readonly resume: (refused: Array<A>) => void
  /** Which of its items enters next. */
  next = 0
  isWaiting = false
  /** The line it stands in, if there are keys. */
  line: Line<A> | undefined = undefined

  constructor(
    items: ReadonlyArray<A>,
    priorities: ReadonlyArray<number>,
    keys: ReadonlyArray<unknown>,
    resume: (refused: Array<A>) => void
  ) {
    super()
    this.items = items
    this.priorities = priorities
    this.keys = keys
    this.resume = resume
  }
}

/** The offers that wait for room, and who of them is next. */
export interface Offers<A> {
  readonly size: number
  add(offer: PendingOffer<A>): void
  /** False if it does not wait. */
  delete(offer: PendingOffer<A>): boolean
  /** The offer that has room for its next item, if one has. */
  next(): PendingOffer<A> | undefined
  /** To be called after an item of an offer has entered, and another is to follow. */
  advance(offer: PendingOffer<A>): void
  toArray(): Array<PendingOffer<A>>
}

/** One after the other, in the order they came. */
export class OffersInTurn<A> implements Offers<A> {
  size = 0
  private readonly backlog: Backlog<A>
  private readonly capacity: number
  private readonly list = new List<PendingOffer<A>>()

  constructor(backlog: Backlog<A>, capacity: number) {
    this.backlog = backlog
    this.capacity = capacity
  }

  add(offer: PendingOffer<A>): void {
    offer.isWaiting = true
    this.list.append(offer)
    this.size++
  }

  delete(offer: PendingOffer<A>): boolean {
    if (!offer.isWaiting) return false
    offer.isWaiting = false
    this.list.delete(offer)
    this.size--
    return true
  }

  next(): PendingOffer<A> | undefined {
    return this.backlog.size < this.capacity ? this.list.first : undefined
  }

  advance(): void {}

  toArray(): Array<PendingOffer<A>> {
    return [...this.list]
  }
}
