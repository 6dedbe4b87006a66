import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Cadence from "../src/Cadence.ts"
import * as MissedTick from "../src/MissedTick.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Policies = Schema.Union([
  Schema.Struct({ _tag: Schema.Literals(["Skip", "Coalesce"]) }),
  Schema.Struct({ _tag: Schema.Literal("CatchUp"), max: Schema.Union([int(1, 4), Schema.Literal("unbounded")]) }),
  Schema.Struct({ _tag: Schema.Literal("Overlap"), max: int(1, 4) })
])

// Quarters of the interval, so that runs often end at the very instant a tick is due.
const interval = 1000
const RunTimes = Schema.Array(int(0, 14)).check(Schema.isMinLength(1), Schema.isMaxLength(40))
const runTime = (quarters: ReadonlyArray<number>) => (index: number) => quarters[index % quarters.length]! * 250

interface Begun extends MissedTick.PlannedRun {
  readonly at: number
}

interface Result {
  readonly begun: ReadonlyArray<Begun>
  readonly skipped: number
  readonly coalesced: number
}

/** An engine in small: asks whenever a run ends, when a tick is due, and at whatever other instants it is told to. */
class Engine {
  readonly begun: Array<Begun> = []
  skipped = 0
  coalesced = 0
  most = 0
  readonly ends: Array<number> = []
  state: MissedTick.State
  readonly policy: MissedTick.Policy
  readonly cadence: Cadence.Timetable
  readonly startedAt: number
  readonly runs: (index: number) => number
  constructor(
    policy: MissedTick.Policy,
    cadence: Cadence.Timetable,
    startedAt: number,
    runs: (index: number) => number
  ) {
    this.policy = policy
    this.cadence = cadence
    this.startedAt = startedAt
    this.runs = runs
    this.state = MissedTick.start(Cadence.first(cadence, startedAt))
  }
  ask(now: number) {
    for (let again = true; again;) {
      const { startedAt, cadence } = this
      const decision = MissedTick.plan(this.policy, this.state, { cadence, startedAt, now })
      this.state = decision.state
      this.skipped += decision.skipped
      this.coalesced += decision.coalesced
      if (decision.run !== undefined) {
        this.ends.push(now + this.runs(this.begun.length))
        this.begun.push({ ...decision.run, at: now })
        this.most = Math.max(this.most, this.state.running)
        assert.strictEqual(this.state.running, this.ends.length)
      }
      again = decision.again
    }
  }
  /** Ends every run that is over by `now`, at the instant it is over; what that begins may be over too. */
  settle(now: number) {
    for (let end = Math.min(...this.ends); end <= now; end = Math.min(...this.ends)) {
      this.ends.splice(this.ends.indexOf(end), 1)
      this.state = MissedTick.ended(this.policy, this.state, end)
      this.ask(end)
    }
  }
  get result(): Result {
    return { begun: this.begun, skipped: this.skipped, coalesced: this.coalesced }
  }
  /** Due instants above the watermark. */
  pending(now: number) {
    return Cadence.countDue(this.cadence, { startedAt: this.startedAt, after: this.state.decided, until: now })
      ?.count ?? 0
  }
}

const placesOf = (policy: MissedTick.Policy) => policy._tag === "Overlap" ? policy.max : 1

type Manner = "eager" | "lazy" | "ask before end"

const drive = (policy: MissedTick.Policy, runs: (index: number) => number, ticks: number, manner: Manner): Engine => {
  const engine = new Engine(policy, Cadence.every(interval), 0, runs)
  for (let due = interval; due <= ticks * interval; due += interval) {
    engine.settle(manner === "ask before end" ? due - 1 : due)
    if (manner !== "lazy" || engine.state.running < placesOf(policy)) engine.ask(due)
    engine.settle(due)
    if (manner === "eager") {
      engine.settle(due + 333)
      engine.ask(due + 333)
    }
  }
  engine.settle((ticks + 1) * interval - 1)
  return engine
}

/** The same in the words of the documentation: a waiting line, and no watermark. */
const naive = (policy: MissedTick.Policy, runs: (index: number) => number, ticks: number): Result => {
  const begun: Array<Begun> = []
  let ends: Array<number> = []
  let waiting: Array<number> = []
  let skipped = 0
  let coalesced = 0
  let missed = 0
  const isFree = (now: number) => {
    ends = ends.filter((end) => end > now)
    return ends.length < placesOf(policy)
  }
  const begin = (dueAt: number, at: number, isCatchUp: boolean) => {
    ends.push(at + runs(begun.length))
    begun.push({ dueAt, at, missed, isCatchUp })
    missed = 0
  }
  const drop = (count: number) => {
    missed += count
    return count
  }
  for (let now = 0; now < (ticks + 1) * interval; now++) {
    const isDue = now > 0 && now % interval === 0
    if (policy._tag === "Coalesce") {
      if (isDue) waiting.push(now)
      while (waiting.length > 0 && isFree(now)) {
        coalesced += drop(waiting.length - 1)
        begin(waiting.at(-1)!, now, false)
        waiting = []
      }
      continue
    }
    while (waiting.length > 0 && isFree(now)) begin(waiting.shift()!, now, true)
    if (!isDue) continue
    if (isFree(now)) {
      begin(now, now, false)
    } else if (policy._tag === "CatchUp") {
      waiting.push(now)
      if (waiting.length > (policy.max === "unbounded" ? Infinity : policy.max)) {
        waiting.shift()
        skipped += drop(1)
      }
    } else {
      skipped += drop(1)
    }
    isFree(now)
  }
  // The planner may know sooner that the older of those still waiting are coalesced.
  if (policy._tag === "Coalesce" && waiting.length > 0) coalesced += waiting.length - 1
  return { begun, skipped, coalesced }
}

const inputs = { policy: Policies, times: RunTimes }
const Many = Schema.Struct({ _tag: Schema.Literal("CatchUp"), max: int(200, 600) })
const everyMinute = Cadence.cron("* * * * *")
const runs = { arbitrary: { runs: 150 } }
const ticks = 12

const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
const changes = [
  ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
  ["2026-03-08T07:00Z", "2026-11-01T06:00Z"],
  ["2026-10-03T15:30Z", "2026-04-04T15:00Z"]
]
// Minutes by which the clock moves between two questions: mostly a little forward, sometimes hours, sometimes back.
const Jumps = Schema.Array(Schema.Union([int(0, 30), int(0, 30), int(-180, 300), int(-3, 3)])).check(
  Schema.isMaxLength(40)
)
const cadences = (zone: string) => [
  Cadence.cron("30 2 * * *", { zone }),
  Cadence.cron("*/15 * * * *", { zone }),
  Cadence.every("15 minutes"),
  Cadence.every("7 minutes", { anchor: "start" })
]

describe("MissedTick", () => {
  it.prop("law: the plan is what the words say", inputs, ({ policy, times }) => {
    const planned = drive(policy, runTime(times), ticks, "eager")
    assert.deepStrictEqual(planned.result, naive(policy, runTime(times), ticks))
  }, { arbitrary: { runs: 100 } })

  it.prop("law: how often it is asked changes no outcome", inputs, ({ policy, times }) => {
    const eager = drive(policy, runTime(times), 60, "eager")
    for (const manner of ["lazy", "ask before end"] as const) {
      const other = drive(policy, runTime(times), 60, manner)
      assert.deepStrictEqual(other.begun, eager.begun)
      // Asked once more at the end, so that what nobody asked about yet is decided by both.
      other.ask(61 * interval - 1)
      eager.ask(61 * interval - 1)
      assert.deepStrictEqual(other.result, eager.result)
    }
  }, runs)

  it.prop("law: outcomes add up to the ticks due", inputs, ({ policy, times }) => {
    const engine = drive(policy, runTime(times), 60, "lazy")
    const { begun, coalesced, pending, skipped } = { ...engine.result, pending: engine.pending(60 * interval) }
    assert.strictEqual(begun.length + skipped + coalesced + pending, 60)
  }, runs)

  it.prop("law: missed accounts for every tick between two runs", inputs, ({ policy, times }) => {
    const { begun } = drive(policy, runTime(times), 60, "lazy")
    begun.forEach((run, index) => {
      const previous = begun[index - 1]?.dueAt ?? 0
      assert.strictEqual(run.missed, (run.dueAt - previous) / interval - 1)
    })
  }, runs)

  it.prop("law: runs are in the order of dueAt and never early", inputs, ({ policy, times }) => {
    const { begun } = drive(policy, runTime(times), 60, "eager")
    begun.forEach((run, index) => {
      assert.isAtLeast(run.at, run.dueAt)
      if (index > 0) assert.isAbove(run.dueAt, begun[index - 1]!.dueAt)
    })
  }, runs)

  it.prop("law: never more runs at once than there are places", inputs, ({ policy, times }) => {
    assert.isAtMost(drive(policy, runTime(times), 60, "eager").most, placesOf(policy))
  }, runs)

  it.prop(
    "law: never more than max ticks wait to be caught up",
    { max: int(1, 4), times: RunTimes },
    ({ max, times }) => {
      const policy = MissedTick.catchUp(max)
      const engine = new Engine(policy, Cadence.every(interval), 0, runTime(times))
      for (let now = 250; now <= 60_000; now += 250) {
        engine.settle(now)
        engine.ask(now)
        assert.isAtMost(engine.pending(now - 1), max)
      }
    },
    runs
  )

  it.prop("law: under catchUp without bound every tick runs", { times: RunTimes }, ({ times }) => {
    const { coalesced, skipped } = drive(MissedTick.catchUp("unbounded"), runTime(times), 60, "lazy")
    assert.strictEqual(skipped + coalesced, 0)
  }, runs)

  it.prop(
    "law: one run for each slot while the clock jumps, over both daylight-saving changes",
    { policy: Policies, times: RunTimes, jumps: Jumps, zone: int(0, 2), change: int(0, 1), cadence: int(0, 3) },
    ({ change, jumps, policy, times, zone, ...which }) => {
      const startedAt = Date.parse(changes[zone]![change]!) - 3 * 3_600_000
      const cadence = cadences(zones[zone]!)[which.cadence]!
      const engine = new Engine(policy, cadence, startedAt, (index) => runTime(times)(index) * 400)
      let now = startedAt
      let horizon = startedAt
      for (const minutes of jumps) {
        now += minutes * 60_000
        horizon = Math.max(horizon, now)
        engine.settle(now)
        engine.ask(now)
      }
      engine.begun.forEach((run, index) => {
        assert.isAtMost(run.dueAt, run.at)
        if (index > 0) assert.isAbove(run.dueAt, engine.begun[index - 1]!.dueAt)
      })
      const all = Cadence.countDue(cadence, { startedAt, after: Cadence.first(cadence, startedAt) - 1, until: horizon })
      const { begun, coalesced, skipped } = engine.result
      assert.strictEqual(begun.length + skipped + coalesced + engine.pending(horizon), all?.count ?? 0)
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop(
    "law: a cron's bounded count decides as a grid's unbounded one",
    { policy: Schema.Union([Policies, Many]), suspended: int(250, 1100), running: Schema.Boolean },
    ({ policy, running, suspended }) => {
      const minute = 60_000
      const decide = (cadence: Cadence.Timetable) => {
        const engine = new Engine(policy, cadence, 0, (index) => running && index === 0 ? suspended * minute + 1 : 0)
        engine.ask(minute)
        engine.settle((suspended + 1) * minute + 1)
        engine.ask((suspended + 1) * minute + 1)
        return engine.result
      }
      assert.deepStrictEqual(decide(everyMinute), decide(Cadence.every("1 minute")))
    },
    { arbitrary: { runs: 12 } }
  )
})
