import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Logger, Random, Scope } from "effect"
import { Faults, Simulation } from "effect-simulation"
import { Crew, WorkQueue } from "effect-work-queue"
import { KeyedModel, orders } from "./KeyedModel.ts"
import type { Item } from "./KeyedModel.ts"
import { KeyedWatch } from "./KeyedWatch.ts"

const graceMillis = 50
const deadlineMillis = 40
const slackMillis = 1

const chooseWork = (stubborn: boolean) =>
  Effect.map(Random.nextIntBetween(0, stubborn ? 7 : 6), (kind): Effect.Effect<number, string> => {
    switch (kind) {
      case 0:
        return Effect.succeed(1)
      case 1:
        return Effect.as(Effect.sleep("7 millis"), 1)
      case 2:
        return Effect.andThen(Effect.yieldNow, Effect.fail("no"))
      case 3:
        return Effect.andThen(Effect.yieldNow, Effect.die("defect"))
      case 4:
        return Effect.suspend(() => {
          throw new Error("thrown")
        })
      case 5:
        return Effect.as(Effect.yieldNow, 1)
      default:
        return Effect.uninterruptible(Effect.as(Effect.sleep("500 millis"), 1))
    }
  })

type Ending = "drain" | "stop" | "kill" | "close"

/** One item at a time, or several in a batch: as far as the laws go, one is a batch of one. */
const makeCrew = (
  queue: WorkQueue.WorkQueue<Item>,
  isBatch: boolean,
  options: Crew.CrewOptions & {
    readonly work: (items: ReadonlyArray<Item>) => Effect.Effect<number, string>
    readonly onSettled: (items: ReadonlyArray<Item>) => void | Effect.Effect<void>
  }
) =>
  isBatch
    ? Crew.makeBatch(queue, { ...options, batch: { size: 3, wait: "2 millis" } })
    : Crew.make(queue, {
      ...options,
      work: (item) => options.work([item]),
      onSettled: (item) => options.onSettled([item])
    })

/** Producers offer to few keys while somebody resizes, takes out and interrupts, until the crew is ended. */
const life = (
  ending: Ending,
  options: { readonly stubborn: boolean; readonly settlement: "sync" | "effect"; readonly batch: boolean }
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const wrongs: Array<string> = []
    const settlements = new Map<Item, number>()
    const works = new Map<Item, Effect.Effect<number, string>>()
    const removed: Array<Item> = []
    const dropped: Array<Item> = []
    const concurrency = yield* Random.nextIntBetween(1, 4)
    // An item's key is asked for in the step in which it takes its place, and, if it has to wait, once more. One of an
    // offer of several keys takes its place later than that.
    const places = new Map<Item, number>()
    const mixed = new Set<Item>()
    const held = new Map<number, number>()
    const lastPlace = new Map<number, number>()
    let place = 0
    const queue = yield* WorkQueue.make<Item>({
      overflow: yield* Random.choice<Array<WorkQueue.Overflow>>(["suspend", "suspend", "dropNewest", "dropOldest"]),
      capacity: yield* Random.nextIntBetween(1, 6),
      keyed: {
        by: (item) => {
          places.set(item, place++)
          return item.key
        },
        concurrency
      },
      onDrop: (item) => dropped.push(item)
    })
    const begin = (item: Item) => {
      held.set(item.key, (held.get(item.key) ?? 0) + 1)
      if (held.get(item.key)! > concurrency) wrongs.push(`${item.id} begins beside too many of ${item.key}`)
      if (mixed.has(item)) return
      if (places.get(item)! < (lastPlace.get(item.key) ?? -1)) wrongs.push(`${item.id} begins out of order`)
      lastPlace.set(item.key, places.get(item)!)
    }
    const begun = new Set<Item>()
    const over = (item: Item) => {
      if (begun.has(item)) held.set(item.key, held.get(item.key)! - 1)
    }
    const crew = yield* makeCrew(queue, options.batch, {
      size: yield* Random.nextIntBetween(0, 4),
      grace: graceMillis,
      work: (items) => {
        for (const item of items) {
          begun.add(item)
          begin(item)
        }
        return works.get(items[0]!)!
      },
      onSettled: (items) => {
        for (const item of items) settlements.set(item, (settlements.get(item) ?? 0) + 1)
        const end = () => {
          for (const item of items) over(item)
          if (items[0]!.id % 5 === 0) throw new Error("a settlement may die")
        }
        return options.settlement === "sync" ? end() : Effect.andThen(Effect.sleep("3 millis"), Effect.sync(end))
      }
    }).pipe(Effect.provideService(Scope.Scope, scope))

    let id = 0
    const produce = Effect.gen(function*() {
      for (let i = 0; i < 6; i++) {
        const items: Array<Item> = []
        for (let j = yield* Random.nextIntBetween(1, 3); j > 0; j--) {
          const item = { id: id++, key: yield* Random.nextIntBetween(0, 3), priority: 0 }
          works.set(item, yield* chooseWork(options.stubborn))
          items.push(item)
        }
        if (items.some((item) => item.key !== items[0]!.key)) { for (const item of items) mixed.add(item) }
        yield* items.length === 1 ? WorkQueue.offer(queue, items[0]!) : WorkQueue.offerAll(queue, items)
      }
    })
    const resize = Effect.gen(function*() {
      for (let i = 0; i < 4; i++) {
        yield* Effect.sleep("5 millis")
        yield* Crew.resize(crew, yield* Random.nextIntBetween(0, 4))
      }
    })
    const meddle = Effect.gen(function*() {
      yield* Effect.sleep("4 millis")
      removed.push(...(yield* WorkQueue.remove(queue, (item) => item.id % 5 === 0)))
    })
    const fibers = yield* Effect.forEach(
      [produce, produce, produce, resize, meddle],
      (effect) => Effect.forkChild(effect)
    )
    yield* Effect.sleep(yield* Random.nextIntBetween(0, 25))
    if (yield* Random.nextBoolean) yield* Fiber.interrupt(fibers[0]!)

    const [elapsed, report] = yield* Effect.timed(
      ending === "drain"
        ? Crew.drain(crew, { deadline: deadlineMillis })
        : ending === "stop"
        ? Crew.stop(crew, { deadline: deadlineMillis })
        : ending === "kill" || options.stubborn
        ? Crew.kill(crew)
        : Effect.andThen(Scope.close(scope, Exit.void), Crew.awaitEnd(crew))
    )
    if (ending !== "close") {
      const bound = graceMillis + (ending === "kill" ? 0 : deadlineMillis)
      assert.isAtMost(Duration.toMillis(elapsed), bound + slackMillis, "past the deadline and the grace")
    }
    for (const fiber of fibers) yield* Fiber.interrupt(fiber)

    const stats = yield* WorkQueue.stats(queue)
    const accepted = report.settled + report.interrupted + report.left.length + report.abandoned
    assert.strictEqual(stats.offered - stats.dropped, accepted + removed.length, "in = settled + dropped + left")
    assert.deepInclude(stats, { depth: 0, ready: 0, dropped: dropped.length })
    assert.strictEqual(settlements.size, accepted, "every accepted item is settled")
    for (const [item, times] of settlements) assert.strictEqual(times, 1, `item ${item.id} settled ${times} times`)
    for (const item of [...removed, ...dropped]) assert.isFalse(settlements.has(item))
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(wrongs, [])
    assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 0 }, "whatever ended, its key was released")
    assert.deepInclude(yield* Crew.stats(crew), { busy: 0, state: "Ended" })
  })

describe("Crew keyed laws", () => {
  for (const ending of ["drain", "stop", "kill", "close"] as const) {
    for (const settlement of ["sync", "effect"] as const) {
      for (const batch of [false, true]) {
        const what = `${ending}, ${settlement} settlements, ${batch ? "batches" : "single items"}`

        it.effect(`hold order and concurrency within a key, settle once and release: ${what}`, () =>
          Simulation.check(() => life(ending, { stubborn: false, settlement, batch }), undefined, { runs: 40 }))

        it.effect(`release what is abandoned: ${what}`, () =>
          Simulation.check(() => life(ending, { stubborn: true, settlement, batch }), undefined, { runs: 40 }))
      }
    }
  }

  for (const [name, order] of orders) {
    for (const concurrency of [1, 2]) {
      it.effect(`takes what the naive keyed queue gives, fairly: ${name}, concurrency ${concurrency}`, () =>
        Effect.gen(function*() {
          let slack = Infinity
          yield* Simulation.check(
            Effect.map(besideModel(order, concurrency), (least) => slack = Math.min(slack, least)),
            undefined,
            { runs: 50 }
          )
          assert.strictEqual(slack, 0, "the bound is not met, and may be too wide")
        }))
    }
  }

  it.effect("releases what interrupts strike in the crew's own fibers", () =>
    Simulation.check(
      // Uninterruptible, so that the interrupts strike the crew and not the program that watches it.
      Effect.uninterruptible(Effect.scoped(Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 6, keyed: { by: (item) => item % 3 } })
        const begun: Array<number> = []
        const crew = yield* Crew.make(queue, {
          size: 3,
          work: (item) => {
            begun.push(item)
            return item % 2 === 0 ? Effect.yieldNow : Effect.sleep("3 millis")
          }
        })
        const items = Array.from({ length: 24 }, (_, i) => i)
        yield* WorkQueue.offerAll(queue, items)
        yield* Crew.drain(crew)
        for (const key of [0, 1, 2]) {
          const ofKey = (item: number) => item % 3 === key
          assert.deepStrictEqual(begun.filter(ofKey), items.filter(ofKey))
        }
        assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 0 })
      }))),
      undefined,
      { runs: 100, faults: [Faults.interruptFibers({ probability: 0.05 })] }
    ))

  it.effect("releases an item whose work or settlement is no Effect, or has none inside", () =>
    Simulation.check(
      Effect.scoped(Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ keyed: { by: () => "one for all" } })
        const settled: Array<number> = []
        const logged: Array<unknown> = []
        const noEffect: Effect.Effect<void> = Effect.flatMap(Effect.yieldNow, () => 5 as never)
        const crew = yield* Crew.make(queue, {
          size: 2,
          work: (item): Effect.Effect<void> => item === 0 ? 5 as never : item === 1 ? noEffect : Effect.void,
          onSettled: (item) => {
            settled.push(item)
            return item === 2 ? noEffect : undefined
          }
        }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))])))
        yield* WorkQueue.offerAll(queue, [0, 1, 2, 3])
        yield* Crew.awaitIdle(crew)
        assert.deepStrictEqual(settled, [0, 1, 2, 3])
        assert.deepInclude(yield* WorkQueue.stats(queue), { held: 0, keys: 0 })
        assert.strictEqual((yield* Crew.drain(crew)).settled, 4)
        // Logged by a fiber of its own, which nobody waits for before the Scope is closed.
        yield* Effect.sleep("1 millis")
        assert.strictEqual(logged.length, 1, "the settlement that died")
      })),
      undefined,
      { runs: 50 }
    ))

  it.effect("drain what is blocked as soon as its key is released by somebody else", () =>
    Simulation.check(
      Effect.scoped(Effect.gen(function*() {
        const queue = yield* WorkQueue.make<string>({ keyed: { by: (item) => item[0] } })
        const begun: Array<string> = []
        yield* WorkQueue.offerAll(queue, ["a1", "a2", "a3"])
        yield* WorkQueue.take(queue)
        const crew = yield* Crew.make(queue, { size: 2, work: (item) => Effect.sync(() => begun.push(item)) })
        const drain = yield* Effect.forkChild(Crew.drain(crew))
        yield* Effect.sleep("10 millis")
        assert.deepStrictEqual(begun, [])
        yield* WorkQueue.release(queue, "a1")
        yield* Fiber.join(drain)
        assert.deepStrictEqual(begun, ["a2", "a3"])
      })),
      undefined,
      { runs: 50 }
    ))
})

/** A crew of changing size beside the naive queue, which it tells of each beginning and settlement. */
const besideModel = (order: WorkQueue.Order<Item>, concurrency: number) =>
  Effect.scoped(Effect.gen(function*() {
    const model = new KeyedModel({ order, overflow: "suspend", capacity: Infinity, concurrency, pausing: false })
    const watch = new KeyedWatch(concurrency)
    const queue = yield* WorkQueue.make<Item>({
      order,
      capacity: "unbounded",
      keyed: { by: (item) => item.key, concurrency }
    })
    const crew = yield* Crew.make(queue, {
      size: 3,
      work: (item) => {
        const expected = model.take()
        if (expected !== item) watch.wrongs.push(`${item.id} begins before ${expected?.id}`)
        watch.began(item)
        return item.id % 3 === 0 ? Effect.fail("no") : Effect.sleep(item.id % 3 * 2)
      },
      onSettled: (item) => {
        model.release(item.key)
        watch.released(item)
      }
    })
    let id = 0
    const produce = Effect.gen(function*() {
      for (let i = 0; i < 12; i++) {
        const isHot = (yield* Random.nextIntBetween(0, 10)) > 0
        const key = isHot ? 0 : yield* Random.nextIntBetween(1, 5)
        const priority = yield* Random.nextIntBetween(0, 3)
        yield* Effect.sync(() => {
          const item = { id: id++, key, priority }
          model.offer(item)
          watch.arrived(item)
          WorkQueue.offerUnsafe(queue, item)
        })
        if (yield* Random.nextBoolean) yield* Effect.sleep(yield* Random.nextIntBetween(0, 3))
      }
    })
    const resize = Effect.gen(function*() {
      for (let i = 0; i < 4; i++) {
        yield* Effect.sleep("3 millis")
        yield* Crew.resize(crew, yield* Random.nextIntBetween(1, 5))
      }
    })
    yield* Effect.all([produce, produce, produce, resize], { concurrency: 4 })
    yield* Crew.drain(crew)
    assert.deepStrictEqual(watch.wrongs, [])
    assert.deepInclude(yield* WorkQueue.stats(queue), { depth: 0, held: 0, keys: 0 })
    return watch.slack
  }))
