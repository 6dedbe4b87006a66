import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Schema } from "effect"
import { Simulation } from "effect-simulation"
import { FairOrder } from "../src/internal/fairOrder.ts"
import type { Place, Queued, Serves } from "../src/internal/fairOrder.ts"

class Task implements Queued {
  lane: Queued["lane"] = undefined
  serial = 0
  arrival = 0
  older: Queued | undefined = undefined
  newer: Queued | undefined = undefined
  readonly name: string
  readonly series: string | undefined
  readonly niceness: number
  constructor(name: string, series?: string, niceness = 0) {
    this.name = name
    this.series = series
    this.niceness = niceness
  }
}

const all: Serves = { series: undefined, unnamed: true }
const only = (...series: ReadonlyArray<string>): Serves => ({ series: new Set(series), unnamed: false })

const names = (tasks: ReadonlyArray<Task>): ReadonlyArray<string> => tasks.map((task) => task.name)

const order = (...tasks: ReadonlyArray<Task | readonly [Task, Place]>) => {
  const queue = new FairOrder<Task>()
  for (const entry of tasks) {
    if (entry instanceof Task) queue.push(entry, "inOrder")
    else queue.push(...entry)
  }
  return queue
}

interface Entry {
  readonly task: Task
  readonly priority: number
  readonly place: Place
}

const weight = (niceness: number): number => 1 + ((niceness + 20) / 10) ** 2

/** The naive order: an array in order of arrival, searched at each take. */
class Model {
  queued: Array<Entry> = []
  private greatest = 0
  private floor = 0
  private readonly serials = new Map<string | undefined, number>()
  /** Those whose leaving raises the floor, and what it then is. */
  private watched: { readonly entries: ReadonlyArray<Entry>; readonly greatest: number } | undefined

  push(task: Task, place: Place): void {
    const priorities = { first: -2, next: -1, inOrder: 0, last: Infinity }
    if (place !== "inOrder") return void this.queued.push({ task, priority: priorities[place], place })
    const ahead = this.inOrder()
    if (ahead.length === 0) this.greatest = this.floor = 0
    const before = ahead.some((other) => other.task.series === task.series)
      ? this.serials.get(task.series)!
      : this.greatest
    const serial = Math.max(before, this.floor) + 1
    this.serials.set(task.series, serial)
    this.greatest = Math.max(this.greatest, serial)
    const priority = 17 * this.floor + (serial - this.floor) * weight(task.niceness)
    this.queued.push({ task, priority, place })
    if (ahead.length === 0) this.watch()
  }

  private inOrder(): ReadonlyArray<Entry> {
    return this.queued.filter(({ place }) => place === "inOrder")
  }

  private watch(): void {
    this.watched = { entries: this.inOrder(), greatest: this.greatest }
  }

  sorted({ series, unnamed }: Serves): Array<Task> {
    return this.queued
      .filter(({ task }) => task.series === undefined ? unnamed : series === undefined || series.has(task.series))
      .toSorted((a, b) => a.priority === b.priority ? 0 : a.priority - b.priority)
      .map(({ task }) => task)
  }
  remove(task: Task | undefined): boolean {
    const at = this.queued.findIndex((other) => other.task === task)
    if (at < 0) return false
    const [entry] = this.queued.splice(at, 1)
    if (entry!.place !== "inOrder" || this.inOrder().length === 0) return true
    if (!this.watched!.entries.some((watched) => this.queued.includes(watched))) {
      this.floor = this.watched!.greatest
      this.watch()
    }
    return true
  }
}

const serves: ReadonlyArray<Serves> = [
  all,
  { series: undefined, unnamed: false },
  { series: new Set(), unnamed: true },
  { series: new Set(["a", "c"]), unnamed: true },
  only("b"),
  only("b", "c", "nobody's")
]

const Series = Schema.UndefinedOr(Schema.Literals(["a", "b", "c", "d"]))

const Operation = Schema.Struct({
  kind: Schema.Literals(["push", "push", "push", "push", "take", "take", "remove", "removeSeries", "clear"]),
  series: Series,
  place: Schema.Literals(["inOrder", "inOrder", "inOrder", "inOrder", "first", "next", "last"]),
  niceness: Schema.Literals([-20, -10, 0, 0, 3, 10, 20]),
  n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))
})

describe("FairOrder", () => {
  describe("the order of AsynQueue", () => {
    it("gives two series of niceness 0 and 10 that are filled together 21 and 9 of the first 30", () => {
      const queue = order(
        ...Array.from({ length: 200 }, (_, i) => i % 2 === 0 ? new Task("normal", "a", 0) : new Task("nice", "b", 10))
      )
      const first = Array.from({ length: 30 }, () => queue.take(all)!.name)
      assert.strictEqual(first.filter((name) => name === "normal").length, 21)
      assert.strictEqual(first.filter((name) => name === "nice").length, 9)
    })

    it("interleaves two series that are filled together, as 1, 2, 2, 3, 3, 4", () => {
      const tasks = Array.from({ length: 6 }, (_, i) => new Task(`${i}`, i % 2 === 0 ? "even" : "odd"))
      const queue = order(...tasks)
      assert.deepStrictEqual(tasks.map((task) => task.serial), [1, 2, 2, 3, 3, 4])
      assert.deepStrictEqual(names(queue.clear()), ["0", "1", "2", "3", "4", "5"])
    })

    it("puts a late series behind what waits, and interleaves it from there", () => {
      const queue = order(
        ...["a1", "a2", "a3"].map((name) => new Task(name, "a")),
        ...["b4", "b5", "b6"].map((name) => new Task(name, "b")),
        ...["a4", "a5", "a6"].map((name) => new Task(name, "a"))
      )
      assert.deepStrictEqual(names(queue.clear()), ["a1", "a2", "a3", "b4", "a4", "b5", "a5", "b6", "a6"])
    })

    it("does not interleave series that are filled one after the other", () => {
      const queue = order(
        ...["a1", "a2", "a3"].map((name) => new Task(name, "a")),
        ...["b1", "b2", "b3"].map((name) => new Task(name, "b"))
      )
      assert.deepStrictEqual(names(queue.clear()), ["a1", "a2", "a3", "b1", "b2", "b3"])
    })

    it("runs next, niceness -20, what was there, niceness 20 and last, in this order", () => {
      const queue = order(
        new Task("1"),
        new Task("2"),
        new Task("3"),
        new Task("after", undefined, 20),
        new Task("n-20", undefined, -20),
        [new Task("last"), "last"],
        [new Task("next"), "next"]
      )
      assert.deepStrictEqual(names(queue.clear()), ["next", "1", "n-20", "2", "3", "after", "last"])
    })

    // Of niceness -20 task k has priority k, so those pass whose k is less than ten times the weight.
    for (const [niceness, times] of [[-20, 1], [-10, 2], [0, 5], [10, 10], [20, 17]] as const) {
      const passing = Math.max(0, 10 * times - 11)
      it(`lets ${passing} later tasks of niceness -20 pass the tenth of niceness ${niceness}`, () => {
        const queue = order(...Array.from({ length: 9 }, () => new Task("before", undefined, -20)))
        queue.push(new Task("tenth", undefined, niceness), "inOrder")
        for (let i = 0; i < 200; i++) queue.push(new Task("later", undefined, -20), "inOrder")
        assert.strictEqual(names(queue.clear()).indexOf("tenth"), 9 + passing)
      })
    }
  })

  it("puts what is retried before the next, and the last after all, each first-in first-out", () => {
    const places = ["last", "inOrder", "next", "first"] as const
    const tasks = Array.from(
      { length: 48 },
      (_, i) => [new Task(`${places[i % 4]} ${i >> 2}`), places[i % 4]!] as const
    )
    const expected = ["first", "next", "inOrder", "last"].flatMap((place) =>
      Array.from({ length: 12 }, (_, i) => `${place} ${i}`)
    )
    assert.deepStrictEqual(names(order(...tasks).clear()), expected)
  })

  it("puts a series that was empty behind what waits, however long it was away", () => {
    const queue = order(new Task("b1", "b"), ...Array.from({ length: 5 }, (_, i) => new Task(`a${i}`, "a")))
    assert.strictEqual(queue.take(only("b"))?.name, "b1")
    queue.push(new Task("b2", "b"), "inOrder")
    assert.strictEqual(queue.clear().at(-1)?.name, "b2")
  })

  it("puts a late series behind what waits, whoever was filled last", () => {
    const queue = order(
      ...["a1", "a2"].map((name) => new Task(name, "a")),
      ...["b3", "b4", "b5"].map((name) => new Task(name, "b")),
      new Task("a3", "a"),
      new Task("c6", "c")
    )
    assert.deepStrictEqual(names(queue.clear()), ["a1", "a2", "b3", "a3", "b4", "b5", "c6"])
  })

  it("does not let a series go on where it was because something waits at its end", () => {
    const queue = order([new Task("b last", "b"), "last"], new Task("b1", "b"))
    queue.take(all)
    for (let i = 0; i < 5; i++) queue.push(new Task(`a${i}`, "a"), "inOrder")
    queue.push(new Task("b2", "b"), "inOrder")
    assert.deepStrictEqual(names(queue.clear()), ["a0", "a1", "a2", "a3", "a4", "b2", "b last"])
  })

  it("takes what a worker serves, and leaves the rest where it is", () => {
    const queue = order(new Task("1", "a"), new Task("2", "b"), new Task("3"), new Task("4", "a"), new Task("5"))
    assert.strictEqual(queue.countServed(only("a")), 2)
    assert.strictEqual(queue.countServed({ series: new Set(["a"]), unnamed: true }), 4)
    assert.strictEqual(queue.countServed({ series: undefined, unnamed: false }), 3)
    assert.strictEqual(queue.take(only("b"))?.name, "2")
    assert.strictEqual(queue.take(only("b")), undefined)
    assert.strictEqual(queue.peek({ series: new Set(["b"]), unnamed: true })?.name, "3")
    assert.deepStrictEqual(names(queue.clear()), ["1", "4", "3", "5"])
  })

  it("takes a task again that it has given", () => {
    const task = new Task("1", "a", 5)
    const queue = order(task)
    assert.strictEqual(queue.take(all), task)
    assert.isFalse(queue.remove(task))
    queue.push(new Task("2", "a"), "next")
    assert.isFalse(queue.remove(task))
    queue.push(task, "first")
    assert.strictEqual(queue.take(all), task)
    assert.strictEqual(queue.size, 1)
  })

  it.prop("is the naive order", { operations: Schema.Array(Operation) }, ({ operations }) => {
    const queue = new FairOrder<Task>()
    const model = new Model()
    const pushed: Array<Task> = []
    for (const [id, { kind, n, niceness, place, series }] of operations.entries()) {
      const served = serves[n % serves.length]!
      switch (kind) {
        case "push": {
          const task = new Task(`${id}`, series, niceness)
          pushed.push(task)
          queue.push(task, place)
          model.push(task, place)
          break
        }
        case "take": {
          const expected = model.sorted(served)[0]
          assert.strictEqual(queue.peek(served), expected)
          assert.strictEqual(queue.take(served), expected)
          model.remove(expected)
          break
        }
        case "remove": {
          const task = pushed[n % pushed.length]
          if (task !== undefined) assert.strictEqual(queue.remove(task), model.remove(task))
          break
        }
        default: {
          const which = kind === "clear" ? all : series === undefined ? only() : only(series)
          const expected = model.sorted(which)
          for (const task of expected) model.remove(task)
          assert.deepStrictEqual(kind === "clear" ? queue.clear() : queue.removeSeries(series ?? ""), expected)
        }
      }
      assert.strictEqual(queue.size, model.queued.length)
      assert.sameMembers([...queue.all()], model.sorted(all))
      for (const which of serves) assert.strictEqual(queue.countServed(which), model.sorted(which).length)
    }
    assert.deepStrictEqual(queue.clear(), model.sorted(all))
  })

  it.effect("is the naive order of many series, whatever is tried again", () =>
    Simulation.check(
      Effect.gen(function*() {
        const queue = new FairOrder<Task>()
        const model = new Model()
        const places = ["inOrder", "inOrder", "inOrder", "inOrder", "first", "next", "last"] as const
        const any = <A>(options: ReadonlyArray<A>) =>
          Effect.map(Random.nextIntBetween(0, options.length - 1), (i) => options[i]!)
        const series = [undefined, ...Array.from({ length: 40 }, (_, i) => `${i}`)]
        const push = (task: Task, place: Place) => {
          queue.push(task, place)
          model.push(task, place)
        }
        for (let id = 0; id < 600; id++) {
          const grows = (id >> 7) % 2 === 0
          const kind = yield* any(
            grows ? ["push", "push", "push", "take", "remove"] : ["push", "take", "take", "remove"]
          )
          if (kind === "push") {
            push(new Task(`${id}`, yield* any(series), yield* any([-20, -10, 0, 0, 3, 10, 20])), yield* any(places))
          } else if (kind === "take") {
            const served = yield* any([all, all, only("1", "2", "3")])
            const task = queue.take(served)
            assert.strictEqual(task, model.sorted(served)[0])
            model.remove(task)
            if (task !== undefined && id % 5 === 0) push(task, id % 2 === 0 ? "first" : "inOrder")
          } else if (model.queued.length > 0) {
            const { task } = yield* any(model.queued)
            assert.isTrue(queue.remove(task))
            model.remove(task)
          }
        }
        assert.deepStrictEqual(queue.clear(), model.sorted(all))
      }),
      undefined,
      { runs: 20 }
    ))

  it.prop(
    "lets tasks of one series and one niceness never overtake each other",
    { operations: Schema.Array(Operation) },
    ({ operations }) => {
      const queue = new FairOrder<Task>()
      const takenLast = new Map<string, number>()
      for (const [id, { kind, niceness, series }] of operations.entries()) {
        if (kind === "push") queue.push(new Task(`${id}`, series, niceness), "inOrder")
        const task = kind === "push" ? undefined : queue.take(all)
        if (task === undefined) continue
        const line = `${task.series} ${task.niceness}`
        assert.isAbove(Number(task.name), takenLast.get(line) ?? -1)
        takenLast.set(line, Number(task.name))
      }
    }
  )

  it.prop(
    "starves nothing: of each series, no more pass a task than its priority, whatever comes",
    {
      waiting: Schema.Array(Operation).check(Schema.isMaxLength(20)),
      niceness: Schema.Literals([0, 10, 20]),
      rivals: Schema.Array(Series).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(4)
      )
    },
    ({ niceness, rivals, waiting }) => {
      const queue = new FairOrder<Task>()
      for (const { niceness, series } of waiting) queue.push(new Task("before", series, niceness), "inOrder")
      const patient = new Task("patient", "patient", niceness)
      queue.push(patient, "inOrder")
      const priority = patient.serial * weight(niceness)
      const distinct = new Set(rivals)
      // The worst there can be: everything that comes has the least niceness, and a series that is empty comes again.
      const bound = waiting.length + distinct.size * Math.ceil(priority) + 1
      let taken = 0
      do {
        for (const series of distinct) queue.push(new Task("rival", series, -20), "inOrder")
        assert.isAtMost(++taken, bound)
      } while (queue.take(all) !== patient)
    }
  )

  it("starves nothing even if it alone is left again and again", () => {
    const patient = new Task("patient", "patient", 20)
    const queue = order(patient)
    let passed = 0
    while (passed < 100) {
      queue.push(new Task("rival", "rival", -20), "inOrder")
      if (queue.take(all) === patient) break
      passed++
    }
    assert.strictEqual(passed, 15)
  })

  it("lets as many pass after fifty thousand tasks as after a thousand", () => {
    const passing = (history: number): number => {
      const queue = new FairOrder<Task>()
      const push = (name: string, niceness: number) => queue.push(new Task(name, name, niceness), "inOrder")
      for (let i = 0; i < 10; i++) push("steady", 0)
      for (let i = 0; i < history; i++) {
        push("steady", 0)
        queue.take(all)
      }
      push("nice", 10)
      let passed = 0
      while (queue.take(all)!.name !== "nice") {
        push("steady", 0)
        passed++
      }
      return passed
    }
    assert.isAtMost(passing(50_000), 40)
    assert.strictEqual(passing(50_000), passing(1000))
  })

  it("lets a series that is behind what was served go on from there, its nicest last", () => {
    const b = Array.from({ length: 30 }, (_, i) => new Task(`b${i + 1}`, "b", 20))
    const queue = order(...b, ...Array.from({ length: 70 }, (_, i) => new Task(`a${i}`, "a")))
    queue.take(all)
    queue.push(new Task("b31", "b", 20), "inOrder")
    while (queue.size > 1) queue.take(all)
    for (const [name, niceness] of [["nicest", 20], ["nice", 0], ["least", -20]] as const) {
      queue.push(new Task(name, "b", niceness), "inOrder")
    }
    assert.deepStrictEqual(names(queue.clear()), ["b31", "least", "nice", "nicest"])
  })

  it("shares two to one after any history", () => {
    const queue = new FairOrder<Task>()
    for (let i = 0; i < 10_000; i++) {
      queue.push(new Task("before", "before"), "inOrder")
      if (i >= 10) queue.take(all)
    }
    for (let i = 0; i < 300; i++) {
      queue.push(i % 2 === 0 ? new Task("normal", "a", 0) : new Task("nice", "b", 10), "inOrder")
    }
    const first = queue.clear().filter(({ name }) => name !== "before").slice(0, 150)
    assert.closeTo(first.filter(({ name }) => name === "normal").length, 100, 10)
  })

  it("forgets a series that has nothing queued", () => {
    const queue = new FairOrder<Task>()
    for (let i = 0; i < 1000; i++) queue.push(new Task(`${i}`, `series ${i}`), "inOrder")
    queue.clear()
    assert.strictEqual((queue as unknown as { readonly named: Map<string, unknown> }).named.size, 0)
  })
})
