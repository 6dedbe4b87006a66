/** What one fiber schedules through. Only some strategies look at its priority: the higher one is picked first. */
export interface Lane {
  priority: number
}

/**
 * The tasks that could run now. They stand in order of arrival from `head` on; taking one from the middle puts the
 * newest in its place, so that every pick costs the same and only a strategy that asks for order pays attention to it.
 */
export class ReadyList {
  private tasks: Array<() => void> = []
  private lanes: Array<Lane> = []
  private head = 0

  get size(): number {
    return this.tasks.length - this.head
  }

  push(task: () => void, lane: Lane): void {
    this.tasks.push(task)
    this.lanes.push(lane)
  }

  /** The lane of the task at `place`, 0 being the oldest. */
  lane(place: number): Lane {
    return this.lanes[this.head + place]!
  }

  take(place: number): () => void {
    const index = this.head + place
    const task = this.tasks[index]!
    if (place === 0 && this.size > 1) {
      this.tasks[index] = taken
      this.head++
      // 1 024 taken slots are worth a copy only once they are most of the array: amortised constant time.
      if (this.head > 1024 && this.head * 2 > this.tasks.length) this.compact()
      return task
    }
    const lastTask = this.tasks.pop()!
    const lastLane = this.lanes.pop()!
    if (index < this.tasks.length) {
      this.tasks[index] = lastTask
      this.lanes[index] = lastLane
    }
    if (this.size === 0) this.clear()
    return task
  }

  clear(): void {
    this.tasks.length = 0
    this.lanes.length = 0
    this.head = 0
  }

  private compact(): void {
    this.tasks = this.tasks.slice(this.head)
    this.lanes = this.lanes.slice(this.head)
    this.head = 0
  }
}

const taken = (): void => {}
