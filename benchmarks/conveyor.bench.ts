// How late ticks begin, what a tick costs and what an idle schedule weighs, beside two schedulers of functions.
import { Duration, Effect, Logger } from "effect"
import { Cadence, Conveyor } from "effect-conveyor"
import { setTimeout as pause } from "node:timers/promises"
import type { Case, Group } from "./harness.ts"

const settleMillis = 3000
const windowMillis = 6000

const preciseNow = (): number => performance.timeOrigin + performance.now()

/** Lateness of the ticks of `count` schedules, due every second, for some seconds once they have settled; and CPU time. */
const punctuality = (count: number, start: (began: (dueAt: number) => void) => unknown) => async () => {
  const lateness: Array<number> = []
  let measuring = false
  await start((dueAt) => {
    // Taken before it counts, too: the clock's first reading alone costs milliseconds.
    const late = preciseNow() - dueAt
    if (measuring) lateness.push(late)
  })
  // From the middle of a second to the middle of one, so that no burst of ticks is cut in two.
  await pause(settleMillis + 1500 - Date.now() % 1000)
  const before = process.cpuUsage()
  measuring = true
  await pause(windowMillis)
  measuring = false
  const { system, user } = process.cpuUsage(before)
  const due = count * windowMillis / 1000
  const sorted = Float64Array.from(lateness).toSorted()
  const percentile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return [percentile(0.5), percentile(0.99), percentile(1), 100 * lateness.length / due, (user + system) / due]
}

/** The due instant of what began now, for schedulers that do not say: timers are at most some milliseconds early. */
const secondOf = (now: number): number => Math.floor((now + 50) / 1000) * 1000

const conveyors = (
  count: number,
  interval: Duration.Input,
  began: (dueAt: number) => void,
  consumers: ReadonlyArray<() => Effect.Effect<void>>
) =>
  Effect.runPromise(
    Effect.forEach(
      Array.from({ length: count }),
      (_, index) =>
        Conveyor.make(`conveyor-${index}`, {
          cadence: Cadence.every(interval),
          producer: (tick) => Effect.sync(() => began(tick.dueAt.epochMilliseconds)),
          consumers
        }),
      { discard: true }
    ).pipe(Effect.andThen(Effect.never), Effect.scoped, Effect.provide(Logger.layer([])), Effect.forkDetach)
  )

const croner = (count: number, began: (dueAt: number) => void, pattern: string) =>
  import("croner").then(({ Cron }) =>
    Array.from({ length: count }, () => new Cron(pattern, () => began(secondOf(preciseNow()))))
  )

const nodeCron = (count: number, began: (dueAt: number) => void, pattern: string) =>
  import("node-cron").then(({ schedule }) =>
    Array.from({ length: count }, () => schedule(pattern, ({ date }) => began(date.getTime())))
  )

const everySecond = "* * * * * *"
const everyYear = "0 0 0 1 1 *"
const nothing = () => {}
const noop = () => Effect.void

const casesOf = (count: string): ReadonlyArray<Case> => [
  { case: `${count} every second: lateness, p50`, unit: "ms", better: "less" },
  { case: `${count} every second: lateness, p99`, unit: "ms", better: "less" },
  { case: `${count} every second: lateness, max`, unit: "ms", better: "less" },
  { case: `${count} every second: ticks begun`, unit: "%", better: "more" },
  { case: `${count} every second: CPU time of a tick`, unit: "µs", better: "less" }
]

/** Bytes that each schedule keeps alive while it waits. */
const weight = (count: number, start: () => unknown) => async () => {
  const used = async () => {
    await pause(300)
    globalThis.gc!()
    await pause(300)
    globalThis.gc!()
    const { external, heapUsed } = process.memoryUsage()
    return heapUsed + external
  }
  const before = await used()
  const kept = await start()
  const bytes = await used() - before
  return kept === undefined ? [] : [bytes / count / 1024]
}

const many = 10_000

const punctualityOf = (count: number, cases: ReadonlyArray<Case>): Group => ({
  cases,
  subjects: {
    "ours": punctuality(count, (began) => conveyors(count, "1 second", began, [])),
    "croner": punctuality(count, (began) => croner(count, began, everySecond)),
    "node-cron": punctuality(count, (began) => nodeCron(count, began, everySecond))
  }
})

export const groups: ReadonlyArray<Group> = [
  // The time of one tick a second is lost in that of the idle process.
  punctualityOf(1, casesOf("1").slice(0, -1)),
  punctualityOf(many, casesOf("10 000")),
  {
    cases: casesOf("10 000 with a consumer"),
    subjects: { ours: punctuality(many, (began) => conveyors(many, "1 second", began, [noop])) }
  },
  {
    cases: [{ case: "memory of one that waits", unit: "KiB", better: "less" }],
    subjects: {
      "ours": weight(many, () => conveyors(many, Duration.days(1), nothing, [])),
      "croner": weight(many, () => croner(many, nothing, everyYear)),
      "node-cron": weight(many, () => nodeCron(many, nothing, everyYear))
    }
  },
  {
    cases: [{ case: "memory of one that waits, with a consumer", unit: "KiB", better: "less" }],
    subjects: { ours: weight(many, () => conveyors(many, Duration.days(1), nothing, [noop])) }
  }
]
