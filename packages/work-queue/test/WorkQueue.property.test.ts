import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Random, Schema } from "effect"
import { Simulation } from "effect-simulation"
import { WorkQueue } from "effect-work-queue"

interface Item {
  readonly id: number
  readonly priority: number
}

const orders: ReadonlyArray<readonly [string, WorkQueue.Order<Item>]> = [
  ["fifo", "fifo"],
  ["lifo", "lifo"],
  ["priority", { priority: (item) => item.priority }]
]

/** The naive queue: a list, in order of arrival, looked through at each take. */
class Model {
  items: Array<Item> = []
  readonly order: WorkQueue.Order<Item>
  constructor(order: WorkQueue.Order<Item>) {
    this.order = order
  }
  sorted(): Array<Item> {
    if (this.order === "fifo") return [...this.items]
    if (this.order === "lifo") return this.items.toReversed()
    return this.items.toSorted((a, b) => a.priority - b.priority)
  }
  take(): Item | undefined {
    const next = this.sorted()[0]
    this.items = this.items.filter((item) => item !== next)
    return next
  }
}

const Operation = Schema.Struct({
  kind: Schema.Literals(["offer", "offer", "offer", "take", "take", "remove", "clear"]),
  n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))
})

describe("WorkQueue laws", () => {
  for (const [name, order] of orders) {
    for (const overflow of ["dropNewest", "dropOldest"] as const) {
      it.effect.prop(
        `is the naive queue: ${name}, ${overflow}`,
        { operations: Schema.Array(Operation) },
        ({ operations }) =>
          Effect.gen(function*() {
            const dropped: Array<Item> = []
            const queue = yield* WorkQueue.make<Item>({
              order,
              overflow,
              capacity: 5,
              onDrop: (item) => dropped.push(item)
            })
            const model = new Model(order)
            const modelDropped: Array<Item> = []
            for (const [id, { kind, n }] of operations.entries()) {
              switch (kind) {
                case "offer": {
                  const item = { id, priority: n }
                  const full = model.items.length === 5
                  if (full) modelDropped.push(overflow === "dropNewest" ? item : model.items.shift()!)
                  if (!full || overflow === "dropOldest") model.items.push(item)
                  assert.strictEqual(yield* WorkQueue.offer(queue, item), !full || overflow === "dropOldest")
                  break
                }
                case "take": {
                  const taken = WorkQueue.takeUnsafe(queue)
                  assert.deepStrictEqual(taken && Exit.isSuccess(taken) ? taken.value : undefined, model.take())
                  break
                }
                case "remove": {
                  const expected = model.sorted().filter((item) => item.priority === n)
                  model.items = model.items.filter((item) => item.priority !== n)
                  assert.deepStrictEqual(yield* WorkQueue.remove(queue, (item) => item.priority === n), expected)
                  break
                }
                default: {
                  const expected = model.sorted()
                  model.items = []
                  assert.deepStrictEqual(yield* WorkQueue.clear(queue), expected)
                }
              }
              const stats = yield* WorkQueue.stats(queue)
              assert.strictEqual(stats.depth, model.items.length)
              assert.strictEqual(stats.offered, stats.taken + stats.dropped + stats.removed + stats.depth)
            }
            assert.deepStrictEqual(dropped, modelDropped)
          })
      )
    }

    it.effect(`order holds under any interleaving: ${name}`, () =>
      Simulation.check(
        Effect.gen(function*() {
          const queue = yield* WorkQueue.make<Item>({ order, capacity: "unbounded" })
          const model = new Model(order)
          let id = 0
          const produce = Effect.gen(function*() {
            for (let i = 0; i < 8; i++) {
              const priority = yield* Random.nextIntBetween(0, 3)
              yield* Effect.sync(() => {
                const item = { id: id++, priority }
                model.items.push(item)
                WorkQueue.offerUnsafe(queue, item)
              })
            }
          })
          // `take` delivers in the step that takes, and `map` goes on in it: the model sees the same order.
          const consume = Effect.forever(
            Effect.map(WorkQueue.take(queue), (item) => assert.deepStrictEqual(item, model.take()))
          )
          const consumers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Effect.exit(consume)))
          yield* Effect.all([produce, produce, produce], { concurrency: 3 })
          yield* WorkQueue.end(queue)
          for (const exit of yield* Fiber.joinAll(consumers)) {
            assert.isTrue(Exit.isFailure(exit) && Cause.isDone(Cause.squash(exit.cause)), String(exit))
          }
        }),
        undefined,
        { runs: 100 }
      ))

    for (const overflow of ["suspend", "dropNewest", "dropOldest"] as const) {
      it.effect(`loses and duplicates nothing under interruption: ${name}, ${overflow}`, () =>
        Simulation.check(everyItemIsAccountedFor(order, overflow), undefined, { runs: 100 }))
    }
  }

  it.effect("an offer takes room that came before it could wait for it", () =>
    Simulation.check(
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 1 })
        yield* WorkQueue.offer(queue, 1)
        const offer = yield* Effect.forkChild(WorkQueue.offer(queue, 2))
        // Taken once only: nobody comes later to let a forgotten offer in.
        assert.strictEqual(yield* WorkQueue.take(queue), 1)
        assert.isTrue(yield* Fiber.join(offer))
      }),
      undefined,
      { runs: 200 }
    ))

  it.effect("order holds when the oldest is dropped from the middle", () =>
    Simulation.check(
      Effect.gen(function*() {
        const model: Array<Item> = []
        const queue = yield* WorkQueue.make<Item>({
          order: { priority: (item) => item.priority },
          capacity: 40,
          overflow: "dropOldest"
        })
        for (let id = 0; id < 120; id++) {
          const item = { id, priority: yield* Random.nextIntBetween(0, 1000) }
          yield* WorkQueue.offer(queue, item)
          if (model.push(item) > 40) model.shift()
        }
        assert.deepStrictEqual(yield* WorkQueue.takeAll(queue), model.toSorted((a, b) => a.priority - b.priority))
      }),
      undefined,
      { runs: 50 }
    ))

  for (const order of ["fifo", "lifo"] as const) {
    it.effect(`order holds while the ring grows, wraps and shrinks: ${order}`, () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ order, capacity: "unbounded" })
        let model: Array<number> = []
        let id = 0
        for (
          const [offers, takes] of [[10, 7], [30, 20], [9000, 8000], [500, 1513], [20_000, 20_000], [3, 3]] as const
        ) {
          const items = Array.from({ length: offers }, () => id++)
          model.push(...items)
          yield* WorkQueue.offerAll(queue, items)
          const taken = yield* WorkQueue.takeBetween(queue, 1, takes)
          assert.deepStrictEqual(taken, order === "fifo" ? model.slice(0, takes) : model.slice(-takes).reverse())
          model = order === "fifo" ? model.slice(takes) : model.slice(0, -takes)
        }
        assert.strictEqual(yield* WorkQueue.size(queue), 0)
      }))
  }

  it.effect("after end takers drain and then all finish", () =>
    Simulation.check(
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 2 })
        let taken = 0
        const takers = yield* Effect.forEach([1, 2, 3, 4], (need) =>
          Effect.forkChild(Effect.exit(Effect.forever(
            Effect.map(WorkQueue.takeBetween(queue, need, 4), (items) => taken += items.length)
          ))))
        const offers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(WorkQueue.offerAll(queue, [1, 2, 3])))
        yield* Effect.yieldNow
        yield* WorkQueue.end(queue)
        yield* WorkQueue.awaitEnd(queue)
        const refused = (yield* Fiber.joinAll(offers)).flat().length
        yield* Fiber.joinAll(takers)
        assert.strictEqual(taken + refused, 9)
      }),
      undefined,
      { runs: 200 }
    ))

  it.effect("ageing keeps an item from starving", () =>
    Simulation.check(
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ order: { priority: (n) => n, ageEvery: "1 second" } })
        yield* WorkQueue.offer(queue, 10)
        let rounds = 0
        // An urgent item arrives as often as one is taken, so without ageing the first would wait for ever.
        while (true) {
          yield* WorkQueue.offer(queue, 0)
          if ((yield* WorkQueue.take(queue)) === 10) break
          rounds++
          yield* Effect.sleep("1 second")
          if (rounds > 20) break
        }
        assert.isAtMost(rounds, 11)
      }),
      undefined,
      { runs: 20 }
    ))
})

const everyItemIsAccountedFor = (order: WorkQueue.Order<Item>, overflow: WorkQueue.Overflow) =>
  Effect.gen(function*() {
    const seen: Array<number> = []
    const queue = yield* WorkQueue.make<Item>({
      order,
      overflow,
      capacity: 3,
      onDrop: (item) => seen.push(item.id)
    })
    const refused: Array<number> = []
    // Interrupted at an offer, a producer cannot know what became of it.
    const unsure = new Set<number>()
    let id = 0
    const produce = Effect.gen(function*() {
      for (let i = 0; i < 5; i++) {
        const item = { id: id++, priority: yield* Random.nextIntBetween(0, 3) }
        unsure.add(item.id)
        const accepted = yield* WorkQueue.offer(queue, item)
        unsure.delete(item.id)
        if (!accepted && !seen.includes(item.id)) refused.push(item.id)
      }
    })
    const consume = Effect.forever(Effect.map(WorkQueue.take(queue), (item) => seen.push(item.id)))
    const interruptSome = (fibers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>) =>
      Effect.forEach(fibers, (fiber) =>
        Effect.andThen(
          Effect.sleep("1 milli"),
          Effect.flatMap(Random.nextBoolean, (yes) => yes ? Fiber.interrupt(fiber) : Effect.void)
        ))
    const fork = (effect: Effect.Effect<unknown, unknown>) => Effect.forkChild(Effect.exit(effect))
    const producers = yield* Effect.forEach([1, 2, 3], () => fork(produce))
    const consumers = yield* Effect.forEach([1, 2, 3], () => fork(consume))
    const interrupter = yield* fork(Effect.flatMap(Effect.sync(() => [...producers, ...consumers]), interruptSome))
    const removed = yield* WorkQueue.remove(queue, (item) => item.id % 4 === 0)
    yield* Fiber.join(interrupter)
    const left = yield* WorkQueue.shutdown(queue)
    yield* Effect.forEach([...producers, ...consumers], Fiber.await)
    const out = [...seen, ...removed.map((item) => item.id), ...left.map((item) => item.id), ...refused]
    assert.strictEqual(new Set(out).size, out.length, "an item came out twice")
    const missing = Array.from({ length: id }, (_, i) => i).filter((i) => !out.includes(i) && !unsure.has(i))
    assert.deepStrictEqual(missing, [])
    const stats = yield* WorkQueue.stats(queue)
    assert.strictEqual(stats.offered, stats.taken + stats.dropped + stats.removed)
    const dropped = overflow === "suspend" ? 0 : stats.dropped
    assert.strictEqual(seen.length, stats.taken + dropped, "what was taken is what takers saw")
  })
