// As FlowMetrics does with its window: a ring of buckets, each with an integral over its own span of the clock, forgotten
// a whole bucket at a time. The load is taken to stay what it was when it was looked at last.

const bucketCount = 60

/** The average of a load over a sliding window of the clock. Times are in milliseconds. */
export class LoadAverage {
  private readonly width: number
  private readonly areas = new Float64Array(bucketCount)
  private readonly startedAt: number
  private readonly warmup: number
  private bucket: number
  private lastAt: number
  private load = 0

  constructor(window: number, warmup: number, now: number) {
    this.width = window / bucketCount
    this.warmup = warmup
    this.startedAt = now
    this.lastAt = now
    this.bucket = Math.floor(now / this.width)
  }

  /** Says what the load is from now on. */
  observe(now: number, load: number): void {
    this.advance(now)
    this.load = load
  }

  average(now: number): number {
    this.advance(now)
    if (now - this.startedAt < this.warmup) return 0
    const from = Math.max(this.startedAt, (this.bucket - bucketCount + 1) * this.width)
    return now <= from ? this.load : this.areas.reduce((sum, area) => sum + area, 0) / (now - from)
  }

  private advance(now: number): void {
    const to = Math.floor(now / this.width)
    // Of a silence longer than the window only what still lies in it is walked; every bucket is then emptied on the way.
    const first = Math.max(this.bucket + 1, to - bucketCount + 1)
    for (let bucket = first; bucket <= to; bucket++) {
      this.accumulate(bucket * this.width)
      this.areas[bucket % bucketCount] = 0
      this.bucket = bucket
    }
    this.accumulate(now)
  }

  private accumulate(until: number): void {
    this.areas[this.bucket % bucketCount]! += (until - this.lastAt) * this.load
    this.lastAt = until
  }
}
