import type { KeyedBacklog, Line } from "./keyedBacklog.ts"
import { List } from "./list.ts"
import type { Offers, PendingOffer } from "./offers.ts"

// The bound is shared by the dynamic threshold of Choudhury and Hahne ("Dynamic queue length thresholds for shared-memory
// packet switches", 1998, with alpha = 1): a key may have another item waiting only while it has fewer waiting than there
// is free room. One key alone takes half of the room, two a third each; what they leave is for those who come.
//
// At rest, no line with waiting offers is shorter than the free room. One departure adds one to the room and takes one
// from one line, so a single item may enter after it, of the shortest line: nobody else's offers are looked at.
//
// An offer of several items stands in the line of its next one. Once that has entered, it goes to the line of the one
// after: behind the offers that wait there, or, if that has a better claim than anybody who waits, straight in.

/** Those of one key in the order they came; between keys, whoever has fewest waiting, and of equals who has so longest. */
export class KeyedOffers<A> implements Offers<A> {
  size = 0
  private readonly backlog: KeyedBacklog<A>
  private readonly capacity: number
  private readonly now: () => number
  /** The one that goes straight in. */
  private leading: PendingOffer<A> | undefined = undefined

  constructor(backlog: KeyedBacklog<A>, capacity: number, now: () => number) {
    this.backlog = backlog
    this.capacity = capacity
    this.now = now
  }

  private get room(): number {
    return this.capacity - this.backlog.size
  }

  add(offer: PendingOffer<A>): void {
    offer.isWaiting = true
    this.size++
    this.join(offer, this.lineOf(offer))
  }

  delete(offer: PendingOffer<A>): boolean {
    if (!offer.isWaiting) return false
    offer.isWaiting = false
    this.size--
    this.leave(offer)
    return true
  }

  next(): PendingOffer<A> | undefined {
    return this.leading ?? this.backlog.levels.lowest(this.room)?.offers!.first
  }

  advance(offer: PendingOffer<A>): void {
    const line = this.lineOf(offer)
    if (offer.line === line) return
    this.leave(offer)
    // To stand there for a moment would only cost whoever looks next the walk back up.
    if (line.items.size < Math.min(this.backlog.levels.low, this.room)) this.leading = offer
    else this.join(offer, line)
  }

  toArray(): Array<PendingOffer<A>> {
    return [...this.backlog.lines.values()].flatMap((line) => [...line.offers ?? []])
  }

  private lineOf(offer: PendingOffer<A>): Line<A> {
    return this.backlog.line(offer.keys[offer.next], this.now())
  }

  private join(offer: PendingOffer<A>, line: Line<A>): void {
    if (line.offers === undefined) {
      line.offers = new List()
      line.place = this.backlog.levels.insert(line, line.items.size)
    }
    line.offers.append(offer)
    offer.line = line
  }

  private leave(offer: PendingOffer<A>): void {
    if (this.leading === offer) this.leading = undefined
    const { line } = offer
    if (line === undefined) return
    offer.line = undefined
    line.offers!.delete(offer)
    if (line.offers!.first !== undefined) return
    line.offers = undefined
    this.backlog.levels.delete(line.place!)
    line.place = undefined
    this.backlog.update(line)
  }
}
