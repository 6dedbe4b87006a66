// The window is a ring of buckets, each holding sums and integrals over its own span of the clock. An event costs a
// comparison and a few additions; what leaves the window is forgotten a whole bucket at a time. Integrals (how many were
// in the system, busy, hired) are taken when a count changes, with the count that was in force until then, so that
// averages are over time and do not depend on when somebody looks.

const bucketCount = 60

// Offsets of the sums within one bucket.
const arrivals = 0
const departures = 1
const waits = 2
const waitSum = 3
const services = 4
const serviceSum = 5
const sojournSum = 6
const systemArea = 7
const busyArea = 8
const sizeArea = 9
const fields = 10

export type Outcome = "succeeded" | "failed" | "interrupted" | "dropped"

/** The latest `capacity` measurements, of which percentiles are taken. Takes no memory for those it has not seen. */
export class Samples {
  private readonly values: Array<number> = []
  private readonly capacity: number
  private written = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  add(value: number): void {
    this.values[this.written++ % this.capacity] = value
  }

  /** Ascending. */
  sorted(): Float64Array {
    return Float64Array.from(this.values).sort()
  }
}

export class FlowCore {
  arrived = 0
  departed = 0
  waiting = 0
  busy = 0
  size = 0
  /** Milliseconds of work since the start: the integral of `busy`, and the sum of the services that are over. */
  busyTime = 0
  serviceTime = 0
  readonly outcomes: Record<Outcome, number> = { succeeded: 0, failed: 0, interrupted: 0, dropped: 0 }
  readonly waitSamples: Samples
  readonly serviceSamples: Samples
  readonly startedAt: number
  readonly warmup: number
  readonly now: () => number
  /** Of each queue that this measures, the arrival of the item waiting longest. */
  readonly backlogs: Array<() => number | undefined> = []
  private readonly width: number
  private readonly sums = new Float64Array(bucketCount * fields)
  private bucket: number
  private base: number
  private lastAt: number

  constructor(now: () => number, window: number, samples: number, warmup: number) {
    this.now = now
    this.warmup = warmup
    this.width = window / bucketCount
    this.waitSamples = new Samples(samples)
    this.serviceSamples = new Samples(samples)
    this.startedAt = now()
    this.lastAt = this.startedAt
    this.bucket = Math.floor(this.startedAt / this.width)
    this.base = (this.bucket % bucketCount) * fields
  }

  arrive(now: number): void {
    this.advance(now)
    this.waiting++
    this.arrived++
    this.sums[this.base + arrivals]!++
  }

  begin(now: number, arrivedAt: number): void {
    this.advance(now)
    this.waiting--
    this.busy++
    const wait = now - arrivedAt
    this.sums[this.base + waits]!++
    this.sums[this.base + waitSum]! += wait
    this.sums[this.base + sojournSum]! += wait
    this.waitSamples.add(wait)
  }

  settle(now: number, beganAt: number, outcome: Outcome): void {
    this.advance(now)
    this.busy--
    this.departed++
    this.outcomes[outcome]++
    const service = now - beganAt
    this.sums[this.base + departures]!++
    this.sums[this.base + services]!++
    this.sums[this.base + serviceSum]! += service
    this.sums[this.base + sojournSum]! += service
    this.serviceTime += service
    this.serviceSamples.add(service)
  }

  withdraw(now: number, arrivedAt: number, outcome: Outcome | undefined): void {
    this.advance(now)
    this.waiting--
    this.departed++
    if (outcome !== undefined) this.outcomes[outcome]++
    this.sums[this.base + departures]!++
    this.sums[this.base + sojournSum]! += now - arrivedAt
  }

  resize(now: number, by: number): void {
    this.advance(now)
    this.size += by
  }

  /** The window's sums up to now, and the span of the clock they cover. */
  window(now: number) {
    this.advance(now)
    const total = new Float64Array(fields)
    for (let i = 0; i < this.sums.length; i++) total[i % fields]! += this.sums[i]!
    return {
      span: now - Math.max(this.startedAt, (this.bucket - bucketCount + 1) * this.width),
      arrivals: total[arrivals]!,
      departures: total[departures]!,
      waits: total[waits]!,
      waitSum: total[waitSum]!,
      services: total[services]!,
      serviceSum: total[serviceSum]!,
      sojournSum: total[sojournSum]!,
      systemArea: total[systemArea]!,
      busyArea: total[busyArea]!,
      sizeArea: total[sizeArea]!
    }
  }

  /** Brings the integrals up to now. */
  advance(now: number): void {
    if (now >= (this.bucket + 1) * this.width) this.roll(Math.floor(now / this.width))
    const elapsed = now - this.lastAt
    if (elapsed > 0) this.accumulate(elapsed, now)
  }

  private accumulate(elapsed: number, now: number): void {
    this.sums[this.base + systemArea]! += elapsed * (this.waiting + this.busy)
    this.sums[this.base + busyArea]! += elapsed * this.busy
    this.sums[this.base + sizeArea]! += elapsed * this.size
    this.busyTime += elapsed * this.busy
    this.lastAt = now
  }

  private roll(to: number): void {
    // A silence longer than the window is not walked bucket by bucket: what came before it is forgotten anyway.
    const first = Math.max(this.bucket + 1, to - bucketCount + 1)
    if (first > this.bucket + 1) {
      this.busyTime += (first * this.width - this.lastAt) * this.busy
      this.lastAt = first * this.width
    }
    for (let bucket = first; bucket <= to; bucket++) {
      const boundary = bucket * this.width
      this.accumulate(boundary - this.lastAt, boundary)
      this.base = (bucket % bucketCount) * fields
      this.sums.fill(0, this.base, this.base + fields)
    }
    this.bucket = to
  }
}

/** Counts and reads no clock: for those who would rather have the time than know where it went. */
export class CountingFlow extends FlowCore {
  constructor() {
    super(() => 0, 1, 1, Infinity)
  }

  override arrive(): void {
    this.waiting++
    this.arrived++
  }

  override begin(): void {
    this.waiting--
    this.busy++
  }

  override settle(_now: number, _beganAt: number, outcome: Outcome): void {
    this.busy--
    this.departed++
    this.outcomes[outcome]++
  }

  override withdraw(_now: number, _arrivedAt: number, outcome: Outcome | undefined): void {
    this.waiting--
    this.departed++
    if (outcome !== undefined) this.outcomes[outcome]++
  }
}
