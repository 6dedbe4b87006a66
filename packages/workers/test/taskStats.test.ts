import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { TaskMeters } from "../src/internal/taskStats.ts"
import type { Measured } from "../src/internal/taskStats.ts"
import type { TaskFlow, TaskOutcome } from "../src/TaskStats.ts"

const outcomes: ReadonlyArray<TaskOutcome> = [
  "succeeded",
  "failed",
  "cancelled",
  "timedOut",
  "expired",
  "lost",
  "quarantined",
  "unserved",
  "closed"
]

const aTask = (tag = "double", series?: string): Measured => ({
  tag,
  series,
  tagMeter: undefined,
  seriesMeter: undefined,
  since: 0,
  isRunning: false
})

const withMeters = <A>(use: (meters: TaskMeters) => Effect.Effect<A>) =>
  Effect.flatMap(Effect.context<never>(), (context) => use(new TaskMeters(context)))

const settledOf = (flow: TaskFlow): number => Object.values(flow.outcomes).reduce((sum, count) => sum + count, 0)

const assertBalanced = (flow: TaskFlow): void =>
  assert.strictEqual(flow.submitted, flow.queued + flow.running + settledOf(flow))

const Operation = Schema.Struct({
  kind: Schema.Literals(["submit", "submit", "refuse", "go", "go", "go", "retry", "settle"]),
  tag: Schema.Literals(["a", "b"]),
  series: Schema.UndefinedOr(Schema.Literals(["x", "y"])),
  outcome: Schema.Literals(outcomes),
  n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 }))
})

describe("TaskStats", () => {
  it.prop("counts every task once, wherever it is", { operations: Schema.Array(Operation) }, ({ operations }) => {
    const meters = new TaskMeters(Context.empty())
    const waiting: Array<Measured> = []
    const running: Array<Measured> = []
    const refused = { a: 0, b: 0, x: 0, y: 0 }
    const takeFrom = (tasks: Array<Measured>, n: number) => tasks.splice(n % tasks.length, 1)[0]
    for (const { kind, n, outcome, series, tag } of operations) {
      if (kind === "submit") {
        waiting.push(aTask(tag, series))
        meters.submitted(waiting.at(-1)!, 0)
      } else if (kind === "refuse") {
        refused[tag]++
        if (series !== undefined) refused[series]++
        meters.refused(aTask(tag, series))
      } else {
        const from = kind === "go" || (kind === "settle" && n % 2 === 0) ? waiting : running
        const task = takeFrom(from, n)
        if (task === undefined) continue
        if (kind === "settle") meters.settled(task, 0, outcome)
        else if (kind === "go") {
          meters.begun(task, 0)
          running.push(task)
        } else {
          meters.retried(task, 0)
          waiting.push(task)
        }
      }
    }
    const { series, tasks, total } = meters.snapshot([])
    for (const flow of [total, ...tasks.values(), ...series.values()]) assertBalanced(flow)
    assert.deepStrictEqual([total.queued, total.running], [waiting.length, running.length])
    assert.strictEqual(total.refused, refused.a + refused.b)
    for (const tag of ["a", "b"] as const) {
      const flow = tasks.get(tag)
      assert.strictEqual(flow?.queued ?? 0, waiting.filter((task) => task.tag === tag).length)
      assert.strictEqual(flow?.running ?? 0, running.filter((task) => task.tag === tag).length)
      assert.strictEqual(flow?.refused ?? 0, refused[tag])
    }
    for (const name of ["x", "y"] as const) {
      const flow = series.get(name)
      assert.strictEqual(flow?.queued ?? 0, waiting.filter((task) => task.series === name).length)
      assert.strictEqual(flow?.running ?? 0, running.filter((task) => task.series === name).length)
      assert.strictEqual(flow?.refused ?? 0, refused[name])
    }
    for (const key of ["submitted", "retried"] as const) {
      assert.strictEqual(total[key], [...tasks.values()].reduce((sum, flow) => sum + flow[key], 0))
    }
  })

  for (const outcome of outcomes) {
    it(`counts what was ${outcome}, whether it had begun or not`, () => {
      const meters = new TaskMeters(Context.empty())
      const queued = aTask("double", "x")
      const begun = aTask("double", "x")
      meters.submitted(queued, 0)
      meters.submitted(begun, 0)
      meters.begun(begun, 0)
      meters.settled(queued, 0, outcome)
      meters.settled(begun, 0, outcome)
      const { series, tasks, total } = meters.snapshot([])
      for (const flow of [total, tasks.get("double")!, series.get("x")!]) {
        assert.strictEqual(flow.outcomes[outcome], 2)
        assert.strictEqual(settledOf(flow), 2)
        assertBalanced(flow)
      }
    })
  }

  it.effect("measures the wait from submission to beginning, and the run from there to the answer", () =>
    withMeters((meters) =>
      Effect.gen(function*() {
        for (const [wait, run] of [[10, 300], [30, 100]] as const) {
          const task = aTask()
          meters.submitted(task, 1000)
          meters.begun(task, 1000 + wait)
          meters.settled(task, 1000 + wait + run, "succeeded")
        }
        yield* TestClock.adjust(2000)
        const { total } = meters.snapshot([])
        assert.deepStrictEqual(total.waitTime, { mean: 20, p50: 10, p95: 30, p99: 30, max: 30 })
        assert.deepStrictEqual(total.runTime, { mean: 200, p50: 100, p95: 300, p99: 300, max: 300 })
      })
    ))

  it.effect("measures each time that a task waits and runs", () =>
    withMeters((meters) =>
      Effect.gen(function*() {
        const task = aTask()
        meters.submitted(task, 0)
        meters.begun(task, 10)
        meters.retried(task, 110)
        meters.begun(task, 140)
        meters.settled(task, 340, "failed")
        yield* TestClock.adjust(1000)
        const { total } = meters.snapshot([])
        assert.deepStrictEqual([total.submitted, total.retried], [1, 1])
        assert.deepStrictEqual([total.waitTime.p50, total.waitTime.max], [10, 30])
        assert.deepStrictEqual([total.runTime.p50, total.runTime.max], [100, 200])
      })
    ))

  it("does not measure the wait of what never began", () => {
    const meters = new TaskMeters(Context.empty())
    const task = aTask()
    meters.submitted(task, 0)
    meters.settled(task, 500, "expired")
    const { total } = meters.snapshot([])
    assert.deepStrictEqual([total.waitTime.max, total.runTime.max], [0, 0])
  })

  it("measures a series from its second task on, and counts it from its first", () => {
    const meters = new TaskMeters(Context.empty())
    const runFor = (millis: number) => {
      const task = aTask("double", "x")
      meters.submitted(task, 0)
      meters.begun(task, millis)
      meters.settled(task, 2 * millis, "succeeded")
    }
    runFor(10)
    assert.strictEqual(meters.snapshot([]).series.get("x")!.runTime.max, 0)
    runFor(5)
    const { runTime, submitted, waitTime } = meters.snapshot([]).series.get("x")!
    assert.deepStrictEqual([submitted, waitTime.max, runTime.max], [2, 5, 5])
  })

  describe("series", () => {
    const pass = (meters: TaskMeters, series: string) => {
      const task = aTask("double", series)
      meters.submitted(task, 0)
      meters.settled(task, 0, "succeeded")
    }

    it("are the 1000 that were seen last, and all are in the total", () => {
      const meters = new TaskMeters(Context.empty())
      for (let i = 0; i < 1000; i++) pass(meters, `${i}`)
      pass(meters, "0")
      for (let i = 1000; i < 1500; i++) pass(meters, `${i}`)
      const { series, tasks, total } = meters.snapshot([])
      const expected = [...Array.from({ length: 499 }, (_, i) => `${i + 501}`), "0"]
      for (let i = 1000; i < 1500; i++) expected.push(`${i}`)
      assert.deepStrictEqual([...series.keys()], expected)
      assert.strictEqual(series.get("0")!.submitted, 2)
      assert.strictEqual(total.submitted, 1501)
      assert.strictEqual(tasks.get("double")!.outcomes.succeeded, 1501)
    })

    it("that have something queued or running are not forgotten", () => {
      const meters = new TaskMeters(Context.empty())
      const queued = aTask("double", "queued")
      const running = aTask("double", "running")
      meters.submitted(queued, 0)
      meters.submitted(running, 0)
      meters.begun(running, 0)
      for (let i = 0; i < 3000; i++) pass(meters, `${i}`)
      const before = meters.snapshot([]).series
      assert.strictEqual(before.size, 1000)
      assert.strictEqual(before.get("queued")?.queued, 1)
      assert.strictEqual(before.get("running")?.running, 1)
      meters.settled(queued, 0, "cancelled")
      meters.settled(running, 0, "succeeded")
      for (let i = 0; i < 3000; i++) pass(meters, `${i}`)
      assert.isFalse(meters.snapshot([]).series.has("queued"))
    })

    it("beyond 1000 that are at it are counted in the total and by tag only", () => {
      const meters = new TaskMeters(Context.empty())
      const tasks = Array.from({ length: 1001 }, (_, i) => aTask("double", `${i}`))
      for (const task of tasks) meters.submitted(task, 0)
      assert.isFalse(meters.snapshot([]).series.has("1000"))
      meters.refused(aTask("double", "1001"))
      for (const task of tasks) meters.begun(task, 0)
      meters.retried(tasks[1000]!, 0)
      for (const task of tasks) meters.settled(task, 0, "succeeded")
      const after = meters.snapshot([])
      assert.deepStrictEqual([after.total.submitted, after.total.refused, after.total.retried], [1001, 1, 1])
      assert.strictEqual(after.series.size, 1000)
      for (const flow of [after.total, ...after.tasks.values(), ...after.series.values()]) assertBalanced(flow)
      pass(meters, "1000")
      assert.isTrue(meters.snapshot([]).series.has("1000"))
    })
  })

  describe("workers", () => {
    it.effect("are as busy as their tasks, since they are ready and over the last minute", () =>
      withMeters((meters) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("7 minutes")
          const worker = meters.worker(2)
          assert.deepStrictEqual(worker.snapshot(), { running: 0, utilization: 0, recentUtilization: 0 })
          const minute = 60_000
          const at = 7 * minute
          worker.begun(at)
          worker.begun(at)
          yield* TestClock.adjust("1 minute")
          worker.ended(at + minute, at)
          assert.deepStrictEqual(worker.snapshot(), { running: 1, utilization: 1, recentUtilization: 1 })
          yield* TestClock.adjust("1 minute")
          const { recentUtilization, running, utilization } = worker.snapshot()
          assert.deepStrictEqual([running, utilization], [1, 0.75])
          // The window moves in steps of a second.
          assert.closeTo(recentUtilization, 0.5, 0.02)
        })
      ))

    it.effect("that have a task now count it before it ends", () =>
      withMeters((meters) =>
        Effect.gen(function*() {
          const worker = meters.worker(1)
          yield* TestClock.adjust(1000)
          worker.begun(1000)
          yield* TestClock.adjust(3000)
          assert.deepStrictEqual(worker.snapshot(), { running: 1, utilization: 0.75, recentUtilization: 0.75 })
        })
      ))

    it("are listed as they are given", () => {
      const meters = new TaskMeters(Context.empty())
      const worker = {
        name: "fiber-1.1",
        kind: "fiber" as const,
        details: {},
        pool: 1,
        state: "ready" as const,
        done: 3,
        restarts: 0,
        ...meters.worker(1).snapshot()
      }
      assert.deepStrictEqual(meters.snapshot([worker]).workers, [worker])
    })
  })
})
