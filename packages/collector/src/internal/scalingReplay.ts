// All work in progress advances at one speed, so what is done of each is measured on one odometer that runs at that speed:
// an event is over when the odometer has advanced by its work, and the order in which those in progress end never changes.
import type { TimeStats } from "effect-work-queue/FlowMetrics"
import type * as ScalingPolicy from "../ScalingPolicy.ts"
import type { Arrival, Change, Point, Replay } from "../ScalingReplay.ts"

interface Settings {
  readonly policy: ScalingPolicy.ScalingPolicy
  readonly arrivals: ReadonlyArray<Arrival>
  readonly min: number
  readonly max: number
  readonly monitorInterval: number
  readonly pointEvery: number
  readonly lasts: number
  readonly slowdown: (at: number, busy: number) => number
}

interface InProgress {
  readonly endsAt: number
  readonly beganAt: number
}

export const replay = (settings: Settings): Replay => {
  const queue = new ReplayedQueue(settings)
  const nextSample = ticks(settings.monitorInterval)
  const nextPoint = ticks(settings.pointEvery)
  queue.sample()
  while (queue.now < settings.lasts) {
    const until = Math.min(nextSample.at, nextPoint.at, queue.nextArrival(), queue.nextEnd(), settings.lasts)
    queue.advance(until)
    // What ends at an instant makes room for what arrives at it, and both are seen by a sample taken then.
    queue.settle()
    queue.arrive()
    if (until === nextSample.at) {
      queue.sample()
      nextSample.pass()
    }
    if (until === nextPoint.at) {
      queue.mark()
      nextPoint.pass()
    }
  }
  return queue.result()
}

/** Multiples of an interval, computed and not summed up, so that they do not drift. */
const ticks = (interval: number) => ({
  count: 1,
  at: interval,
  pass() {
    this.count++
    this.at = this.count * interval
  }
})

class ReplayedQueue {
  now = 0
  private readonly settings: Settings
  private decision: ScalingPolicy.Decision | undefined
  private size: number
  private odometer = 0
  private slowdown = 1
  private arrived = 0
  private begun = 0
  private readonly inProgress: Array<InProgress> = []
  private busyTime = 0
  private sizeTime = 0
  private maxSize = 0
  private maxDepth = 0
  private backlogSince = 0
  private longestBacklog = 0
  private readonly waits: Array<number> = []
  private readonly services: Array<number> = []
  private serviceTime = 0
  private readonly changes: Array<Change> = []
  private readonly points: Array<Point> = []
  private marked = { at: 0, arrived: 0, begun: 0, settled: 0 }

  constructor(settings: Settings) {
    this.settings = settings
    this.size = settings.min
  }

  private get depth(): number {
    return this.arrived - this.begun
  }

  private get busy(): number {
    return this.inProgress.length
  }

  nextArrival(): number {
    return this.settings.arrivals[this.arrived]?.at ?? Infinity
  }

  nextEnd(): number {
    if (this.busy === 0) return Infinity
    const remaining = this.inProgress[0]!.endsAt - this.odometer
    // Nothing times a downstream that hangs is no number.
    return remaining > 0 ? this.now + remaining * this.slowdown : this.now
  }

  advance(to: number): void {
    const elapsed = to - this.now
    // Set and not added, so that rounding never leaves a remainder that would take no time.
    this.odometer = to === this.nextEnd() ? this.inProgress[0]!.endsAt : this.odometer + elapsed / this.slowdown
    this.busyTime += elapsed * this.busy
    this.sizeTime += elapsed * this.size
    this.now = to
    this.measureSpeed()
  }

  settle(): void {
    while (this.busy > 0 && this.inProgress[0]!.endsAt <= this.odometer) {
      const service = this.now - this.inProgress.shift()!.beganAt
      this.serviceTime += service
      this.services.push(service)
    }
    this.begin()
  }

  arrive(): void {
    while (this.nextArrival() <= this.now) {
      if (this.depth === 0) this.backlogSince = this.now
      this.arrived++
      this.begin()
    }
    this.maxDepth = Math.max(this.maxDepth, this.depth)
  }

  sample(): void {
    const { max, min, policy } = this.settings
    const sample = {
      now: this.now,
      arrivals: this.arrived,
      departures: this.services.length,
      depth: this.depth,
      busy: this.busy,
      size: this.size,
      busyTime: this.busyTime,
      serviceTime: this.serviceTime,
      min,
      max
    }
    this.decision = this.decision?.next(sample) ?? policy.start(sample)
    const to = this.decision.size
    if (to !== this.size) this.changes.push({ at: this.now, from: this.size, to })
    this.size = to
    this.maxSize = Math.max(this.maxSize, to)
    this.begin()
    this.measureSpeed()
  }

  mark(): void {
    const { arrived, at, begun, settled } = this.marked
    this.points.push({
      at: this.now,
      rate: (this.arrived - arrived) / (this.now - at) * 1000,
      size: this.size,
      busy: this.busy,
      depth: this.depth,
      wait: mean(this.waits.slice(begun)),
      service: mean(this.services.slice(settled))
    })
    this.marked = { at: this.now, arrived: this.arrived, begun: this.begun, settled: this.services.length }
  }

  result(): Replay {
    if (this.depth > 0) this.closeBacklog()
    return {
      points: this.points,
      changes: this.changes,
      settled: this.services.length,
      left: this.arrived - this.services.length,
      wait: timeStats(this.waits),
      service: timeStats(this.services),
      meanSize: this.now === 0 ? this.size : this.sizeTime / this.now,
      maxSize: this.maxSize,
      utilization: this.sizeTime === 0 ? 0 : this.busyTime / this.sizeTime,
      maxDepth: this.maxDepth,
      longestBacklog: this.longestBacklog
    }
  }

  private begin(): void {
    const waited = this.depth > 0
    while (this.depth > 0 && this.busy < this.size) {
      const { at, service } = this.settings.arrivals[this.begun]!
      this.begun++
      this.waits.push(this.now - at)
      const endsAt = this.odometer + service
      const after = this.inProgress.findLastIndex((other) => other.endsAt <= endsAt)
      this.inProgress.splice(after + 1, 0, { endsAt, beganAt: this.now })
      this.measureSpeed()
    }
    if (waited && this.depth === 0) this.closeBacklog()
  }

  private closeBacklog(): void {
    this.longestBacklog = Math.max(this.longestBacklog, this.now - this.backlogSince)
  }

  private measureSpeed(): void {
    if (this.busy === 0) return
    this.slowdown = this.settings.slowdown(this.now, this.busy)
    if (!(this.slowdown > 0)) {
      throw new RangeError(`ScalingReplay.run: slowdown must give a number > 0, got ${this.slowdown}`)
    }
  }
}

const mean = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

const timeStats = (values: ReadonlyArray<number>): TimeStats => {
  const sorted = Float64Array.from(values).sort()
  const percentile = (p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0
  return { mean: mean(values), p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) }
}
