interface Item {
  readonly id: number
  readonly key: number
}

interface Wait {
  readonly item: Item
  /** Items of its own key that began before it. */
  own: number
  /** Items of other keys that began before it while its own might have. */
  others: number
  /** The most keys that waited at once meanwhile. */
  keys: number
}

/** Told of each arrival, beginning, release, pause and resumption, it finds what would break the laws of a keyed queue. */
export class KeyedWatch {
  readonly wrongs: Array<string> = []
  readonly begun: Array<Item> = []
  /** How far the item that was nearest to the bound of fairness stayed below it. */
  slack = Infinity
  private readonly concurrency: number
  private readonly held = new Map<number, number>()
  private readonly pausing = new Set<number>()
  private waits: Array<Wait> = []

  constructor(concurrency: number) {
    this.concurrency = concurrency
  }

  arrived(item: Item): void {
    this.waits.push({ item, own: 0, others: 0, keys: 0 })
    this.countKeys()
  }

  began(item: Item): void {
    this.begun.push(item)
    const wait = this.waits.find((wait) => wait.item === item)!
    this.waits = this.waits.filter((other) => other !== wait)
    const slack = (wait.own + 1) * (wait.keys - 1) - wait.others
    if (slack < 0) this.wrongs.push(`${item.id} began after ${wait.others} others, ${-slack} too many`)
    if (wait.keys > 1) this.slack = Math.min(this.slack, slack)
    for (const other of this.waits) {
      if (other.item.key === item.key) other.own++
      else if (this.heldOf(other.item.key) < this.concurrency && !this.pausing.has(other.item.key)) other.others++
    }
    this.held.set(item.key, this.heldOf(item.key) + 1)
    if (this.heldOf(item.key) > this.concurrency) this.wrongs.push(`${item.id} began beside too many of ${item.key}`)
    if (this.pausing.has(item.key)) this.wrongs.push(`${item.id} began while ${item.key} was paused`)
    this.countKeys()
  }

  paused(key: number): void {
    this.pausing.add(key)
  }

  resumed(key: number): void {
    this.pausing.delete(key)
  }

  released(item: Item): void {
    this.held.set(item.key, this.heldOf(item.key) - 1)
  }

  left(items: ReadonlyArray<Item>): void {
    this.waits = this.waits.filter(({ item }) => !items.includes(item))
  }

  private heldOf(key: number): number {
    return this.held.get(key) ?? 0
  }

  private countKeys(): void {
    const keys = new Set(this.waits.map(({ item }) => item.key)).size
    for (const wait of this.waits) wait.keys = Math.max(wait.keys, keys)
  }
}
