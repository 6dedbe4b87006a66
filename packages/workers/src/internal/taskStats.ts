import * as FlowMetrics from "effect-work-queue/FlowMetrics"
import type * as Context from "effect/Context"
import type { TaskFlow, TaskOutcome, TaskStats, WorkerStats } from "../TaskStats.ts"

// A task is measured thrice: with all others, with those of its tag, and with those of its series. A meter belongs to the task from
// its submission until it is settled, so a series that is forgotten meanwhile loses nothing that it would have to find
// again. An attempt is what flows through a meter's FlowMetrics: a task that is put back leaves the flow and arrives anew.

/** What can be measured. The statistics write to what is below the line, and nobody else. */
export interface Measured {
  readonly tag: string
  readonly series: string | undefined
  // ---
  tagMeter: Meter | undefined
  seriesMeter: Meter | undefined
  /** When it was submitted, put back, or begun: whichever was last. */
  since: number
  isRunning: boolean
}

const always = { samples: FlowMetrics.defaults.samples, from: 1 }

// A flow takes 5 to 13 KB, and microseconds to make. Where every task has a series of its own, none is made.
const ofSeries = { samples: 100, from: 2 }
const seriesKept = 1000

/** How many series are looked at for one that can be forgotten. */
const seriesTried = 8

const flowOutcome = (outcome: TaskOutcome): FlowMetrics.Outcome =>
  outcome === "succeeded" ? "succeeded" : outcome === "cancelled" || outcome === "closed" ? "interrupted" : "failed"

const noTimes: FlowMetrics.TimeStats = { mean: 0, p50: 0, p95: 0, p99: 0, max: 0 }

class Meter {
  submitted = 0
  refused = 0
  queued = 0
  running = 0
  retried = 0
  readonly outcomes: Record<TaskOutcome, number> = {
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    timedOut: 0,
    expired: 0,
    lost: 0,
    quarantined: 0,
    unserved: 0,
    closed: 0
  }
  private readonly context: Context.Context<never>
  private readonly measures: { readonly samples: number; readonly from: number }
  private flow: FlowMetrics.FlowMetrics | undefined = undefined

  constructor(context: Context.Context<never>, measures: { readonly samples: number; readonly from: number }) {
    this.context = context
    this.measures = measures
  }

  submit(now: number): void {
    this.submitted++
    this.queued++
    if (this.submitted === this.measures.from) this.flow = FlowMetrics.makeUnsafe(this.measures, this.context)
    if (this.flow !== undefined) FlowMetrics.arrivedUnsafe(this.flow, now)
  }

  begin(now: number, since: number): void {
    this.queued--
    this.running++
    if (this.flow !== undefined) FlowMetrics.beganUnsafe(this.flow, now, since)
  }

  putBack(now: number, since: number): void {
    this.running--
    this.queued++
    this.retried++
    if (this.flow === undefined) return
    FlowMetrics.settledUnsafe(this.flow, now, since, "interrupted")
    FlowMetrics.arrivedUnsafe(this.flow, now)
  }

  settle(now: number, since: number, isRunning: boolean, outcome: TaskOutcome): void {
    this.outcomes[outcome]++
    if (isRunning) this.running--
    else this.queued--
    if (this.flow === undefined) return
    if (isRunning) FlowMetrics.settledUnsafe(this.flow, now, since, flowOutcome(outcome))
    else FlowMetrics.withdrawnUnsafe(this.flow, now, since, flowOutcome(outcome))
  }

  snapshot(): TaskFlow {
    const { serviceTime = noTimes, waitTime = noTimes } = this.flow === undefined
      ? {}
      : FlowMetrics.statsUnsafe(this.flow)
    return {
      submitted: this.submitted,
      refused: this.refused,
      queued: this.queued,
      running: this.running,
      retried: this.retried,
      outcomes: { ...this.outcomes },
      waitTime,
      runTime: serviceTime
    }
  }
}

/** How busy one worker is, from when it is ready. */
export class WorkerMeter {
  private readonly flow: FlowMetrics.FlowMetrics
  private readonly startedAt: number

  constructor(context: Context.Context<never>, concurrency: number) {
    this.flow = FlowMetrics.makeUnsafe({ samples: 1 }, context)
    this.startedAt = FlowMetrics.nowUnsafe(this.flow)
    FlowMetrics.resizedUnsafe(this.flow, this.startedAt, concurrency)
  }

  begun(now: number): void {
    FlowMetrics.arrivedUnsafe(this.flow, now)
    FlowMetrics.beganUnsafe(this.flow, now, now)
  }

  /** Also if the task was put back. */
  ended(now: number, begunAt: number): void {
    FlowMetrics.settledUnsafe(this.flow, now, begunAt, "succeeded")
  }

  snapshot(): Pick<WorkerStats, "running" | "utilization" | "recentUtilization"> {
    const { busy, busyTime, now, size } = FlowMetrics.totalsUnsafe(this.flow)
    const life = (now - this.startedAt) * size
    return {
      running: busy,
      utilization: life > 0 ? busyTime / life : 0,
      recentUtilization: FlowMetrics.statsUnsafe(this.flow).utilization
    }
  }
}

/** What a queue of tasks has done, in counters and times. `now` never goes back. */
export class TaskMeters {
  private readonly context: Context.Context<never>
  private readonly total: Meter
  private readonly tags = new Map<string, Meter>()
  /** Least recently submitted first. */
  private readonly series = new Map<string, Meter>()
  private lastSeries: string | undefined = undefined

  constructor(context: Context.Context<never>) {
    this.context = context
    this.total = new Meter(context, always)
  }

  /** Before all else, once. */
  submitted(task: Measured, now: number): void {
    task.since = now
    task.tagMeter = this.tagMeter(task.tag)
    task.seriesMeter = task.series === undefined ? undefined : this.seriesMeter(task.series)
    this.total.submit(now)
    task.tagMeter.submit(now)
    task.seriesMeter?.submit(now)
  }

  /** Instead of `submitted`. */
  refused(task: Measured): void {
    this.total.refused++
    this.tagMeter(task.tag).refused++
    const meter = task.series === undefined ? undefined : this.seriesMeter(task.series)
    if (meter !== undefined) meter.refused++
  }

  begun(task: Measured, now: number): void {
    const { since } = task
    task.since = now
    task.isRunning = true
    this.total.begin(now, since)
    task.tagMeter!.begin(now, since)
    task.seriesMeter?.begin(now, since)
  }

  /** It had begun, and waits again. */
  retried(task: Measured, now: number): void {
    const { since } = task
    task.since = now
    task.isRunning = false
    this.total.putBack(now, since)
    task.tagMeter!.putBack(now, since)
    task.seriesMeter?.putBack(now, since)
  }

  /** After all else, once, whether it had begun or not. */
  settled(task: Measured, now: number, outcome: TaskOutcome): void {
    const { isRunning, since } = task
    task.isRunning = false
    this.total.settle(now, since, isRunning, outcome)
    task.tagMeter!.settle(now, since, isRunning, outcome)
    task.seriesMeter?.settle(now, since, isRunning, outcome)
  }

  /** For a worker that is ready. */
  worker(concurrency: number): WorkerMeter {
    return new WorkerMeter(this.context, concurrency)
  }

  snapshot(workers: ReadonlyArray<WorkerStats>): TaskStats {
    return { total: this.total.snapshot(), tasks: snapshots(this.tags), series: snapshots(this.series), workers }
  }

  private tagMeter(tag: string): Meter {
    const there = this.tags.get(tag)
    if (there !== undefined) return there
    const meter = new Meter(this.context, always)
    this.tags.set(tag, meter)
    return meter
  }

  private seriesMeter(series: string): Meter | undefined {
    const there = this.series.get(series)
    if (series === this.lastSeries) return there
    if (there === undefined && this.series.size >= seriesKept && !this.forgetOne()) return undefined
    const meter = there ?? new Meter(this.context, ofSeries)
    this.series.delete(series)
    this.series.set(series, meter)
    this.lastSeries = series
    return meter
  }

  /** Forgets the series that was seen the longest ago; one that has something queued or running counts as seen just now. */
  private forgetOne(): boolean {
    let tried = 0
    for (const [series, meter] of this.series) {
      this.series.delete(series)
      if (meter.queued + meter.running === 0) return true
      this.series.set(series, meter)
      if (++tried === seriesTried) return false
    }
    return false
  }
}

const snapshots = (meters: ReadonlyMap<string, Meter>): ReadonlyMap<string, TaskFlow> =>
  new Map(Array.from(meters, ([name, meter]) => [name, meter.snapshot()]))
