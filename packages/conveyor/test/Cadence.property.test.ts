import { assert, describe, it } from "@effect/vitest"
import type { Cron } from "effect"
import { DateTime, Schema } from "effect"
import * as Cadence from "../src/Cadence.ts"
import * as MissedTick from "../src/MissedTick.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const hour = 3_600_000
const day = 24 * hour

const Grid = Schema.Struct({
  interval: Schema.Union([int(1, 50), int(1, 10 * day)]),
  offset: int(0, 10 * day),
  anchor: Schema.Literals(["clock", "start"])
})
const Instant = Schema.Union([int(-1000, 1000), int(0, 4_102_444_800_000)])

const gridOf = ({ anchor, interval, offset }: typeof Grid.Type) =>
  Cadence.every(interval, { offset: offset % interval, anchor })

const baseOf = (cadence: Cadence.GridCadence, startedAt: number) =>
  cadence.offsetMillis + (cadence.anchor === "start" ? startedAt : 0)

const runs = { arbitrary: { runs: 300 } }

/** A conveyor's life under `skip`; a run takes from nothing to three intervals, in fractions of a millisecond. */
const live = (cadence: Cadence.GridCadence, startedAt: number, atLeast: number) => {
  const interval = cadence.intervalMillis
  let now = Cadence.first(cadence, startedAt)
  let state = MissedTick.start(now)
  let last = startedAt
  let ticks = 0
  let missed = 0
  let offGrid = 0
  let random = 1
  while (ticks < atLeast) {
    const { run, ...decision } = MissedTick.plan(MissedTick.skip, state, { cadence, startedAt, now })
    state = decision.state
    ticks += decision.skipped
    missed += decision.skipped
    if (run !== undefined) {
      ticks++
      if (run.dueAt <= last || run.dueAt % interval !== cadence.offsetMillis) offGrid++
      last = run.dueAt
      random = (random * 48_271) % 2_147_483_647
      now += (random / 2_147_483_647) * 3 * interval
      state = MissedTick.ended(MissedTick.skip, state, now)
    } else {
      now = Cadence.next(cadence, { startedAt, after: now })
    }
  }
  return { last, missed, offGrid, ticks }
}

const changes = [
  ["Europe/Berlin", "2026-03-29T00:00Z"],
  ["Europe/Berlin", "2026-10-25T00:00Z"],
  ["America/New_York", "2026-03-08T00:00Z"],
  ["America/New_York", "2026-11-01T00:00Z"],
  ["Australia/Lord_Howe", "2026-10-04T00:00Z"],
  ["Australia/Lord_Howe", "2026-04-05T00:00Z"],
  // One without a change, and one whose clocks change at midnight.
  ["Asia/Kolkata", "2026-06-01T00:00Z"],
  ["Africa/Cairo", "2026-04-24T00:00Z"]
] as const

/** Every instant due in a day and a half around a change: each local time by itself, read as the calendar reads it. */
const naive = (
  fields: { readonly minutes: ReadonlyArray<number>; readonly hours: ReadonlyArray<number> },
  zone: string,
  midnight: number,
  overlap: Cron.DstOverlapPolicy
) => {
  const timeZone = DateTime.zoneMakeNamedUnsafe(zone)
  const read = (local: number, disambiguation: DateTime.Disambiguation) =>
    DateTime.makeZonedUnsafe(local, { timeZone, adjustForTimeZone: true, disambiguation }).epochMilliseconds
  const instants = new Set<number>()
  for (let local = midnight - day; local < midnight + 2 * day; local += hour) {
    if (fields.hours.length > 0 && !fields.hours.includes(new Date(local).getUTCHours())) continue
    for (const minute of fields.minutes) {
      if (overlap !== "later") instants.add(read(local + minute * 60_000, "compatible"))
      if (overlap !== "earlier") instants.add(read(local + minute * 60_000, "later"))
    }
  }
  return [...instants].sort((a, b) => a - b)
}

describe("Cadence", () => {
  describe("every", () => {
    it.prop("law: next is strictly later, on the grid, and the nearest", {
      grid: Grid,
      startedAt: Instant,
      after: Instant
    }, ({ after, grid, startedAt }) => {
      const cadence = gridOf(grid)
      const base = baseOf(cadence, startedAt)
      const next = Cadence.next(cadence, { startedAt, after })
      assert.isAbove(next, after)
      assert.strictEqual(Math.abs((next - base) % cadence.intervalMillis), 0)
      if (cadence.anchor === "start" && after < base) {
        assert.strictEqual(next, base)
      } else {
        assert.isAtMost(next, after + cadence.intervalMillis)
      }
    }, runs)

    it.prop(
      "law: next is monotone in after",
      { grid: Grid, startedAt: Instant, after: Instant, by: int(0, 100_000) },
      ({
        after,
        by,
        grid,
        startedAt
      }) => {
        const cadence = gridOf(grid)
        assert.isAtMost(
          Cadence.next(cadence, { startedAt, after }),
          Cadence.next(cadence, { startedAt, after: after + by })
        )
      },
      runs
    )

    it.prop(
      "law: countDue agrees with enumeration",
      { grid: Grid, startedAt: Instant, after: Instant, span: int(0, 200), fraction: int(0, 99) },
      ({ after, fraction, grid, span, startedAt }) => {
        const cadence = gridOf(grid)
        const until = after + Math.floor(span * cadence.intervalMillis / 3) + fraction / 100
        const instants: Array<number> = []
        for (
          let instant = Cadence.next(cadence, { startedAt, after });
          instant <= until;
          instant = Cadence.next(cadence, { startedAt, after: instant })
        ) {
          instants.push(instant)
        }
        const due = Cadence.countDue(cadence, { startedAt, after, until })
        assert.strictEqual(due?.count ?? 0, instants.length)
        assert.strictEqual(due?.first, instants[0])
        assert.strictEqual(due?.last, instants.at(-1))
        assert.deepStrictEqual(instants.map((_, index) => due!.at(index)), instants)
      },
      runs
    )

    it("law: does not drift over a million ticks, whatever the run times", () => {
      const cadence = Cadence.every(997, { offset: 13 })
      const startedAt = Date.UTC(2026, 0, 1)
      const { last, missed, offGrid, ticks } = live(cadence, startedAt, 1_000_000)
      assert.strictEqual(offGrid, 0)
      assert.strictEqual(last, Cadence.first(cadence, startedAt) + (ticks - 1) * 997)
      assert.isAbove(missed, 100_000)
    })

    it.prop("law: jitter keeps a run within its slot", { grid: Grid, share: int(0, 99), drawn: int(0, 999_999) }, ({
      drawn,
      grid,
      share
    }) => {
      const jitter = Math.floor(grid.interval * share / 100)
      const cadence = Cadence.every(grid.interval, { jitter })
      const dueAt = Cadence.first(cadence, 0)
      const delay = Cadence.startDelay(cadence, dueAt, drawn / 1_000_000)
      assert.isTrue(Number.isInteger(delay) && delay >= 0 && delay <= jitter)
      assert.isBelow(dueAt + delay, Cadence.next(cadence, { startedAt: 0, after: dueAt }))
    }, runs)
  })

  describe("cron", () => {
    it.prop(
      "law: each local time is due once, as the calendar has it, over every change of the clocks",
      {
        change: int(0, changes.length - 1),
        minutes: Schema.Array(int(0, 59)).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
        hours: Schema.Array(int(0, 4)).check(Schema.isMaxLength(3)),
        overlap: Schema.Literals(["earlier", "later", "both"]),
        asked: Schema.Array(int(-12 * 3600, 36 * 3600)).check(Schema.isMaxLength(5))
      },
      ({ asked, change, hours, minutes, overlap }) => {
        const [zone, date] = changes[change]!
        const midnight = Date.parse(date)
        const expression = `${minutes.join(",")} ${hours.length === 0 ? "*" : hours.join(",")} * * *`
        const cadence = Cadence.cron(expression, { zone, onDstOverlap: overlap })
        const from = midnight - 12 * hour
        const until = midnight + 36 * hour
        const all = naive({ minutes, hours }, zone, midnight, overlap)
        const expected = all.filter((instant) => instant > from && instant <= until)
        const due = Cadence.countDue(cadence, { startedAt: 0, after: from, until })
        assert.deepStrictEqual(Array.from({ length: due?.count ?? 0 }, (_, index) => due!.at(index)), expected)
        // And from wherever one asks, so that it is monotone and does not depend on the way there.
        for (const seconds of asked) {
          const after = midnight + seconds * 1000
          const next = all.find((instant) => instant > after)
          if (next !== undefined && next <= until) {
            assert.strictEqual(Cadence.next(Cadence.cron(cadence.cron), { startedAt: 0, after }), next)
          }
        }
      },
      { arbitrary: { runs: 25 } }
    )
  })
})
