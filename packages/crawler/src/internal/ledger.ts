import * as Broadcast from "effect-work-queue/Broadcast"
import type * as Clock from "effect/Clock"
import type { CrawlStats } from "../Crawler.ts"
import type { CrawlEvent } from "../CrawlEvent.ts"
import type { Entry } from "./entry.ts"

/** What waits by class, what is worked on, and those who watch: the same wherever the tree is kept. */
export class Ledger {
  readonly watchers = Broadcast.make<CrawlEvent>((event) => event._tag === "Ended")
  private readonly waiting = new Map<string, number>()
  private readonly working = new Set<Entry>()
  private readonly clock: Clock.Clock

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  tell(event: CrawlEvent): void {
    this.watchers.publish(event)
  }

  /** Items of a class wait. */
  waits(name: string, items: number): void {
    this.waiting.set(name, (this.waiting.get(name) ?? 0) + items)
  }

  begins(entry: Entry): void {
    entry.state = "processing"
    this.works(entry)
    if (this.watchers.isWatched()) this.tell({ _tag: "Started", about: entry })
  }

  /** Work on an item begins: on itself, or on its hook. */
  works(entry: Entry): void {
    entry.startedAt = this.clock.currentTimeMillisUnsafe()
    this.working.add(entry)
  }

  rests(entry: Entry): void {
    this.working.delete(entry)
  }

  close(): void {
    this.working.clear()
    this.waiting.clear()
  }

  stats(): Pick<CrawlStats, "waiting" | "processing"> {
    return {
      waiting: new Map([...this.waiting].filter(([, count]) => count > 0)),
      processing: [...this.working].map(({ description, id, item, startedAt }) => ({
        id,
        item,
        description,
        startedAt
      }))
    }
  }
}
