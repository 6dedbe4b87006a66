import { assert, describe, it } from "@effect/vitest"
import { Cron, Duration, Effect, Option, Result, Schedule } from "effect"
import * as Cadence from "../src/Cadence.ts"

const at = (iso: string) => Date.parse(iso)
const seconds = (instant: number) => instant / 1000

const nextOf = (cadence: Cadence.Timetable, afterSeconds: number) =>
  seconds(Cadence.next(cadence, { startedAt: 0, after: afterSeconds * 1000 }))

const listed = (cadence: Cadence.Timetable, from: string, count: number) => {
  const instants: Array<string> = []
  for (let after = at(from); instants.length < count;) {
    after = Cadence.next(cadence, { startedAt: 0, after })
    instants.push(new Date(after).toISOString().slice(0, 16))
  }
  return instants
}

const every = (interval: number, offset: number) =>
  Cadence.every(Duration.seconds(interval), { offset: Duration.seconds(offset) })

const refusal = (interval: Duration.Input, options?: Cadence.EveryOptions) => () => Cadence.every(interval, options)

describe("Cadence", () => {
  describe("every", () => {
    it("gives the next slot of the wall clock's grid", () => {
      assert.strictEqual(nextOf(every(10, 0), 1000), 1010)
      assert.strictEqual(nextOf(every(10, 0), 1009.999), 1010)
      assert.strictEqual(nextOf(every(10, 3), 1001), 1003)
      assert.strictEqual(nextOf(every(10, 3), 1003), 1013)
      assert.strictEqual(nextOf(every(7, 0), 1000), 1001)
      assert.strictEqual(nextOf(every(300, 120), 1021.9), 1320)
    })

    it("gives the same slots before and after a restart", () => {
      const cadence = Cadence.every("30 seconds")
      const after = at("2026-11-21T08:13:07.123Z")
      const slot = at("2026-11-21T08:13:30Z")
      assert.strictEqual(Cadence.next(cadence, { startedAt: after - 1, after }), slot)
      assert.strictEqual(Cadence.next(cadence, { startedAt: after - 9_999_999, after }), slot)
      assert.strictEqual(Cadence.first(cadence, after), slot)
    })

    it("is due one interval later when it starts on the grid", () => {
      assert.strictEqual(Cadence.first(Cadence.every("10 seconds"), 1_000_000), 1_010_000)
    })

    it("is due at once when anchored to the start", () => {
      const cadence = Cadence.every("10 seconds", { anchor: "start" })
      assert.strictEqual(Cadence.first(cadence, 1234), 1234)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 1234, after: 1234 }), 11_234)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 1234, after: 11_233 }), 11_234)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 1234, after: -5 }), 1234)
    })

    it("begins an offset after the start when anchored to it", () => {
      const cadence = Cadence.every("10 seconds", { anchor: "start", offset: "3 seconds" })
      assert.strictEqual(Cadence.first(cadence, 1000), 4000)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 1000, after: 4000 }), 14_000)
    })

    it("is strictly later for instants between milliseconds and before the epoch", () => {
      const cadence = Cadence.every("1 second")
      assert.strictEqual(Cadence.next(cadence, { startedAt: 0, after: 999.5 }), 1000)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 0, after: 1000.5 }), 2000)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 0, after: -1 }), 0)
      assert.strictEqual(Cadence.next(cadence, { startedAt: 0, after: -1000 }), 0)
    })

    it("refuses what cannot be, naming the option", () => {
      assert.throws(refusal(0), "Cadence.every: interval must be > 0, got 0 millis")
      assert.throws(refusal(-5), "Cadence.every: interval must be > 0, got -5 millis")
      assert.throws(
        refusal("1500 micros"),
        "Cadence.every: interval must be a whole number of milliseconds, got 1.5 millis"
      )
      assert.throws(refusal(Duration.infinity), "interval must be a whole number of milliseconds, got Infinity millis")
      assert.throws(
        refusal("10 seconds", { offset: "10 seconds" }),
        "Cadence.every: offset must be ≥ 0 and < interval (10000 millis), got 10000 millis"
      )
      assert.throws(
        refusal("10 seconds", { offset: -2000 }),
        "offset must be ≥ 0 and < interval (10000 millis), got -2000 millis"
      )
      assert.throws(
        refusal("10 seconds", { jitter: "10 seconds" }),
        "Cadence.every: jitter must be ≥ 0 and < interval (10000 millis), got 10000 millis"
      )
      assert.throws(refusal("10 secnds" as Duration.Input), "Cadence.every: interval must be a duration, got 10 secnds")
    })

    it("gives what is wrong as a value when it comes from outside", () => {
      const error = Result.getOrThrow(Result.flip(Cadence.parseEvery("10 seconds", { offset: "1 minute" })))
      assert.strictEqual(error._tag, "InvalidCadence")
      assert.strictEqual(error.option, "offset")
      assert.strictEqual(error.message, "offset must be ≥ 0 and < interval (10000 millis), got 60000 millis")
      assert.deepStrictEqual(Result.getOrThrow(Cadence.parseEvery("10 seconds")), Cadence.every("10 seconds"))
    })
  })

  describe("countDue", () => {
    it("counts a night of suspension without walking through it", () => {
      const cadence = Cadence.every("1 second", { offset: 300 })
      const due = Cadence.countDue(cadence, { startedAt: 0, after: 300, until: 28_800_299 })!
      assert.strictEqual(due.count, 28_799)
      assert.strictEqual(due.first, 1300)
      assert.strictEqual(due.last, 28_799_300)
      assert.strictEqual(due.at(0), due.first)
      assert.strictEqual(due.at(due.count - 1), due.last)
      assert.isFalse(due.hasMore)
    })

    it("includes until and excludes after", () => {
      const cadence = Cadence.every("1 second")
      assert.strictEqual(Cadence.countDue(cadence, { startedAt: 0, after: 1000, until: 2000 })!.count, 1)
      assert.isUndefined(Cadence.countDue(cadence, { startedAt: 0, after: 1000, until: 1999 }))
      assert.isUndefined(Cadence.countDue(cadence, { startedAt: 0, after: 5000, until: 1000 }))
    })

    it("stops at its limit for a cron and says that there is more", () => {
      const cadence = Cadence.cron("* * * * *")
      const due = Cadence.countDue(cadence, { startedAt: 0, after: 0, until: 600_000, limit: 4 })!
      assert.deepStrictEqual([due.count, due.first, due.last, due.hasMore], [4, 60_000, 240_000, true])
      const rest = Cadence.countDue(cadence, { startedAt: 0, after: due.last, until: 600_000 })!
      assert.deepStrictEqual([rest.count, rest.first, rest.last, rest.hasMore], [6, 300_000, 600_000, false])
    })
  })

  describe("interval", () => {
    it("is that of the grid", () => {
      assert.deepStrictEqual(Cadence.interval(Cadence.every("30 seconds"), 0), Option.some(Duration.seconds(30)))
    })
    it("is the time between the next two instants of a cron", () => {
      const weekdays = Cadence.cron("0 9 * * 1-5")
      assert.deepStrictEqual(Cadence.interval(weekdays, at("2026-11-18T10:00:00Z")), Option.some(Duration.days(1)))
      assert.deepStrictEqual(Cadence.interval(weekdays, at("2026-11-19T10:00:00Z")), Option.some(Duration.days(3)))
    })
    it("is unknown for a schedule", () => {
      assert.deepStrictEqual(Cadence.interval(Cadence.fromSchedule(Schedule.forever), 0), Option.none())
    })
  })

  describe("startDelay", () => {
    it("is nothing without jitter", () => {
      assert.strictEqual(Cadence.startDelay(Cadence.every("1 second"), 0, 0.99), 0)
    })
    it("spreads over the jitter, both ends included", () => {
      const cadence = Cadence.every("1 second", { jitter: 100 })
      assert.strictEqual(Cadence.startDelay(cadence, 0, 0), 0)
      assert.strictEqual(Cadence.startDelay(cadence, 0, 0.5), 50)
      assert.strictEqual(Cadence.startDelay(cadence, 0, 0.999_999), 100)
    })
    it("ends before the next instant of a cron", () => {
      const cadence = Cadence.cron("0,1 0 * * *", { jitter: "1 hour" })
      const midnight = at("2026-11-21T00:00:00Z")
      assert.strictEqual(Cadence.startDelay(cadence, midnight, 0.999_999_99), 59_999)
      assert.strictEqual(Cadence.startDelay(cadence, midnight + 60_000, 0.999_999_99), 3_600_000)
    })
  })

  describe("cron", () => {
    it("is read in UTC unless a zone is given", () => {
      const from = "2026-11-21T00:00:00Z"
      assert.deepStrictEqual(listed(Cadence.cron("30 2 * * *"), from, 1), ["2026-11-21T02:30"])
      assert.deepStrictEqual(listed(Cadence.cron(Cron.parseUnsafe("30 2 * * *")), from, 1), ["2026-11-21T02:30"])
      assert.deepStrictEqual(listed(Cadence.cron("30 2 * * *", { zone: "Asia/Tokyo" }), from, 1), ["2026-11-21T17:30"])
      assert.deepStrictEqual(listed(Cadence.cron("30 2 * * *", { zone: "+03:00" }), from, 1), ["2026-11-21T23:30"])
      assert.deepStrictEqual(
        listed(Cadence.cron(Cron.parseUnsafe("30 2 * * *", "Asia/Tokyo")), from, 1),
        ["2026-11-21T17:30"]
      )
    })

    it("keeps days and weekdays that must both match", () => {
      const fridays13 = Cron.make({ minutes: [0], hours: [0], days: [13], months: [], weekdays: [5], and: true })
      assert.deepStrictEqual(
        listed(Cadence.cron(fridays13, { zone: "Europe/Berlin" }), "2026-03-14T00:00:00Z", 2),
        ["2026-11-12T23:00", "2027-08-12T22:00"]
      )
    })

    it("takes seconds as a first field", () => {
      const cadence = Cadence.cron("*/20 * * * * *")
      assert.strictEqual(nextOf(cadence, 1000), 1020)
      assert.strictEqual(nextOf(cadence, 1019.5), 1020)
      assert.strictEqual(nextOf(cadence, 1020), 1040)
      assert.strictEqual(nextOf(cadence, -0.0005), 0)
    })

    it("runs once, as much later as the clocks moved, when a local time does not exist", () => {
      const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
        ["Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29T01:30", "2026-03-30T00:30"]],
        ["America/New_York", "2026-03-08T00:00Z", ["2026-03-08T07:30", "2026-03-09T06:30"]]
      ]
      for (const [zone, from, expected] of cases) {
        assert.deepStrictEqual(listed(Cadence.cron("30 2 * * *", { zone }), from, 2), expected)
      }
      // Lord Howe moves by half an hour, so 02:15 is skipped and 02:30 is not.
      assert.deepStrictEqual(
        listed(Cadence.cron("15,30 2 * * *", { zone: "Australia/Lord_Howe" }), "2026-10-03T00:00Z", 3),
        ["2026-10-03T15:30", "2026-10-03T15:45", "2026-10-04T15:15"]
      )
    })

    it("runs once when a local time occurs twice", () => {
      const cases: ReadonlyArray<readonly [string, string, string, ReadonlyArray<string>]> = [
        ["Europe/Berlin", "30 2 * * *", "2026-10-24T12:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]],
        ["America/New_York", "30 1 * * *", "2026-11-01T00:00Z", ["2026-11-01T05:30", "2026-11-02T06:30"]],
        ["Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00Z", ["2026-04-04T14:45", "2026-04-05T15:15"]]
      ]
      for (const [zone, expression, from, expected] of cases) {
        assert.deepStrictEqual(listed(Cadence.cron(expression, { zone }), from, 2), expected)
      }
    })

    it("keeps every quarter of an hour when clocks are set back", () => {
      const cadence = Cadence.cron("*/15 * * * *", { zone: "Europe/Berlin" })
      const due = Cadence.countDue(cadence, {
        startedAt: 0,
        after: at("2026-10-24T22:00Z"),
        until: at("2026-10-25T23:00Z")
      })!
      assert.strictEqual(due.count, 25 * 4)
    })

    it("leaves the repeated hour out when told to", () => {
      const cadence = Cadence.cron("*/15 * * * *", { zone: "Europe/Berlin", onDstOverlap: "earlier" })
      const due = Cadence.countDue(cadence, {
        startedAt: 0,
        after: at("2026-10-24T22:00Z"),
        until: at("2026-10-25T23:00Z")
      })!
      assert.strictEqual(due.count, 24 * 4)
    })

    it("finds both halves of an hour that does not exist", () => {
      // Effect's Cron alone passes over the second of each, to the next year.
      assert.deepStrictEqual(
        listed(Cadence.cron("0,30 2 29 3 *", { zone: "Europe/Berlin" }), "2026-01-01T00:00Z", 3),
        ["2026-03-29T01:00", "2026-03-29T01:30", "2027-03-29T00:00"]
      )
      assert.deepStrictEqual(
        listed(Cadence.cron("15,40 2 4 10 *", { zone: "Australia/Lord_Howe" }), "2026-01-01T00:00Z", 3),
        ["2026-10-03T15:40", "2026-10-03T15:45", "2027-10-03T15:15"]
      )
    })

    it("refuses what cannot be, naming the option", () => {
      assert.throws(
        () => Cadence.cron("61 * * * *"),
        "Cadence.cron: expression must be a cron expression of five or six fields, got \"61 * * * *\" (Expected a value between 0 and 59: 61)"
      )
      assert.throws(
        () => Cadence.cron("* *"),
        "got \"* *\" (Invalid number of segments in cron expression)"
      )
      assert.throws(
        () => Cadence.cron("0 0 * * *", { zone: "Europe/Berlyn" }),
        "Cadence.cron: zone must be a known time zone, got \"Europe/Berlyn\""
      )
      assert.throws(
        () => Cadence.cron("0 0 31 2 *"),
        "Cadence.cron: expression must be due on a date that exists, got 0 0 31 2 *"
      )
      assert.throws(() => Cadence.cron("0 0 * * *", { jitter: -1 }), "Cadence.cron: jitter must be ≥ 0, got -1 millis")
    })

    it("gives what is wrong as a value when it comes from outside", () => {
      const error = Result.getOrThrow(Result.flip(Cadence.parseCron("0 0 * * *", { zone: "Mars" })))
      assert.deepStrictEqual([error._tag, error.option, error.got], ["InvalidCadence", "zone", "\"Mars\""])
      assert.isTrue(Result.isSuccess(Cadence.parseCron("0 0 29 2 *")))
    })
  })

  describe("fromSchedule", () => {
    const instants = Effect.fnUntraced(function*(schedule: Schedule.Schedule<unknown, void>, runTime: number) {
      const cadence = Cadence.fromSchedule(schedule)
      const step = yield* Cadence.toStepper(cadence, 1000)
      const dueAt: Array<number> = []
      for (let due: number | undefined = Cadence.first(cadence, 1000); due !== undefined && dueAt.length < 5;) {
        dueAt.push(due)
        due = yield* step(due + runTime)
      }
      return dueAt
    })

    it.effect("is due at once and then when the schedule says after each run", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* instants(Schedule.spaced("1 second"), 300), [1000, 2300, 3600, 4900, 6200])
        assert.deepStrictEqual(yield* instants(Schedule.exponential("100 millis"), 0), [1000, 1100, 1300, 1700, 2500])
      }))

    it.effect("ends when the schedule is done", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* instants(Schedule.recurs(2), 10), [1000, 1010, 1020])
      }))

    it.effect("is strictly increasing without a delay, and when the clock is set back", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* instants(Schedule.forever, 0), [1000, 1001, 1002, 1003, 1004])
        assert.deepStrictEqual(yield* instants(Schedule.forever, -500), [1000, 1001, 1002, 1003, 1004])
      }))

    it.effect("starts each conveyor with a state of its own", () =>
      Effect.gen(function*() {
        const schedule = Schedule.recurs(1)
        assert.deepStrictEqual(yield* instants(schedule, 10), [1000, 1010])
        assert.deepStrictEqual(yield* instants(schedule, 10), [1000, 1010])
      }))
  })
})
