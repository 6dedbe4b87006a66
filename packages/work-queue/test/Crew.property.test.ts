import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Random, Scope } from "effect"
import { Faults, Simulation } from "effect-simulation"
import { Crew, WorkQueue } from "effect-work-queue"

const graceMillis = 50
const deadlineMillis = 40
const slackMillis = 1

/** What the seed decides of one program, besides its interleaving. */
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
        return Effect.sync(() => 1)
      default:
        return Effect.uninterruptible(Effect.as(Effect.sleep("500 millis"), 1))
    }
  })

type Ending = "drain" | "stop" | "kill" | "close"

/**
 * Producers offer while somebody resizes, takes out and interrupts, until the crew is ended; then every law that can
 * be seen from outside is looked at.
 */
const life = (ending: Ending, options: { readonly stubborn: boolean; readonly settlement: "sync" | "effect" }) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const settlements = new Map<number, number>()
    const works = new Map<number, Effect.Effect<number, string>>()
    const held = new Set<number>()
    let allowed = 0
    const exceeded: Array<number> = []
    const removed: Array<number> = []
    const dropped: Array<number> = []
    const overflow = yield* Random.choice<Array<WorkQueue.Overflow>>([
      "suspend",
      "suspend",
      "dropNewest",
      "dropOldest"
    ])
    const queue = yield* WorkQueue.make<number>({
      order: yield* Random.choice<Array<WorkQueue.Order<number>>>(["fifo", "lifo", { priority: (n) => n % 3 }]),
      overflow,
      capacity: yield* Random.nextIntBetween(1, 6),
      onDrop: (item) => dropped.push(item)
    })
    const crew = yield* Crew.make(queue, {
      size: allowed = yield* Random.nextIntBetween(0, 4),
      grace: graceMillis,
      work: (item) => {
        held.add(item)
        // An assertion here would only settle the item with a defect.
        if (held.size > allowed) exceeded.push(item)
        return works.get(item)!
      },
      onSettled: (item) => {
        held.delete(item)
        settlements.set(item, (settlements.get(item) ?? 0) + 1)
        if (options.settlement === "effect") return Effect.sleep("3 millis")
        return undefined
      }
    }).pipe(Effect.provideService(Scope.Scope, scope))

    let id = 0
    const produce = Effect.gen(function*() {
      for (let i = 0; i < 6; i++) {
        const item = id++
        works.set(item, yield* chooseWork(options.stubborn))
        yield* WorkQueue.offer(queue, item)
      }
    })
    const resize = Effect.gen(function*() {
      for (let i = 0; i < 4; i++) {
        const size = yield* Random.nextIntBetween(0, 4)
        yield* Effect.sleep("5 millis")
        // In the step of the resize: a shrunken crew may finish what it had begun, and begins nothing more.
        yield* Effect.map(Crew.resize(crew, size), () => allowed = Math.max(size, held.size))
      }
    })
    const meddle = Effect.gen(function*() {
      yield* Effect.sleep("4 millis")
      removed.push(...(yield* WorkQueue.remove(queue, (item) => item % 5 === 0)))
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
        : ending === "kill"
        ? Crew.kill(crew)
        : options.stubborn
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
    assert.strictEqual(stats.depth, 0)
    assert.strictEqual(settlements.size, accepted, "every accepted item is settled")
    for (const [item, times] of settlements) assert.strictEqual(times, 1, `item ${item} settled ${times} times`)
    for (const item of [...removed, ...dropped]) assert.isFalse(settlements.has(item))

    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(exceeded, [], "more than size at once")
    const { busy, flow, size, state } = yield* Crew.stats(crew)
    assert.deepStrictEqual({ busy, size, state }, { busy: 0, size: 0, state: "Ended" })
    // What is dropped on arrival never was in the system.
    const arrivals = stats.offered - (overflow === "dropNewest" ? stats.dropped : 0)
    assert.deepInclude(flow, { depth: 0, busy: 0, size: 0, arrivals, departures: arrivals })
    assert.strictEqual(flow.outcomes.dropped, stats.dropped)
    assert.strictEqual(flow.outcomes.succeeded + flow.outcomes.failed, report.settled)
    assert.strictEqual(flow.outcomes.interrupted, report.interrupted + report.left.length + report.abandoned)
    assert.closeTo(flow.littleResidual, 0, 1e-6)
    for (const times of settlements.values()) assert.strictEqual(times, 1, "settled again after the end")
  })

describe("Crew laws", () => {
  for (const ending of ["drain", "stop", "kill", "close"] as const) {
    for (const settlement of ["sync", "effect"] as const) {
      it.effect(`settle each accepted item once and leave no fiber: ${ending}, ${settlement} settlements`, () =>
        Simulation.check(() => life(ending, { stubborn: false, settlement }), undefined, { runs: 70 }))

      it.effect(`keep their deadlines against work that ignores them: ${ending}, ${settlement} settlements`, () =>
        Simulation.check(() => life(ending, { stubborn: true, settlement }), undefined, { runs: 70 }))
    }
  }

  it.effect("after resize the count converges", () =>
    Simulation.check(
      Effect.scoped(Effect.gen(function*() {
        let running = 0
        const queue = yield* WorkQueue.make<number>({ capacity: "unbounded" })
        const crew = yield* Crew.make(queue, {
          size: 3,
          work: () =>
            Effect.acquireUseRelease(
              Effect.sync(() => running++),
              () => Effect.sleep("5 millis"),
              () => Effect.sync(() => running--)
            )
        })
        yield* WorkQueue.offerAll(queue, Array.from({ length: 400 }, (_, i) => i))
        const resizer = Effect.gen(function*() {
          for (let i = 0; i < 5; i++) {
            yield* Crew.resize(crew, yield* Random.nextIntBetween(0, 8))
            yield* Effect.sleep(yield* Random.nextIntBetween(0, 4))
          }
        })
        yield* Effect.all([resizer, resizer], { concurrency: 2 })
        const size = yield* Random.nextIntBetween(0, 8)
        yield* Crew.resize(crew, size)
        // Items begin and end at whole milliseconds; looked at between two of those, nobody is between two items.
        yield* Effect.sleep("7500 micros")
        assert.strictEqual(running, size)
        assert.strictEqual((yield* Crew.stats(crew)).busy, size)
      })),
      undefined,
      { runs: 100 }
    ))

  it.effect("settle each item once when interrupts strike the crew's own fibers", () =>
    Effect.gen(function*() {
      let struck = 0
      // Uninterruptible, so that the interrupts strike the crew and not the program that watches it.
      const program = Effect.uninterruptible(Effect.scoped(Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 3 })
        const settlements: Array<number> = []
        const crew = yield* Crew.make(queue, {
          size: 3,
          work: (item) => item % 2 === 0 ? Effect.yieldNow : Effect.sleep("3 millis"),
          onSettled: (item) => {
            settlements.push(item)
          }
        })
        const items = Array.from({ length: 20 }, (_, i) => i)
        yield* WorkQueue.offerAll(queue, items)
        const report = yield* Crew.drain(crew)
        assert.deepStrictEqual(settlements.toSorted((a, b) => a - b), items)
        struck += report.interrupted
      })))
      yield* Simulation.check(program, undefined, {
        runs: 100,
        faults: [Faults.interruptFibers({ probability: 0.05 })]
      })
      assert.isAbove(struck, 0)
    }))

  it.effect("idle fibers of a shrunken crew end at once", () =>
    Simulation.check(
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>()
        // The Scope stays open: whatever is left over was left by the resize.
        const scope = yield* Scope.make()
        const crew = yield* Effect.provideService(
          Crew.make(queue, { size: 4, work: () => Effect.yieldNow }),
          Scope.Scope,
          scope
        )
        yield* WorkQueue.offerAll(queue, [1, 2, 3])
        yield* Crew.awaitIdle(crew)
        yield* Crew.resize(crew, 0)
      }),
      undefined,
      { runs: 50 }
    ))

  it.effect("batches hold every item once, in order, and are never too large", () =>
    Simulation.check(
      Effect.scoped(Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 7 })
        const settled: Array<number> = []
        let batches = 0
        const crew = yield* Crew.makeBatch(queue, {
          size: yield* Random.nextIntBetween(1, 4),
          batch: { size: 4, wait: "5 millis" },
          work: (items) => {
            assert.isAtMost(items.length, 4)
            assert.deepStrictEqual(items.toSorted((a, b) => a - b), [...items])
            return Effect.sleep("2 millis")
          },
          onSettled: (items, exit) => {
            batches++
            assert.isTrue(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause), String(exit))
            settled.push(...items)
          }
        })
        for (let i = 0; i < 20; i++) {
          yield* WorkQueue.offer(queue, i)
          if (yield* Random.nextBoolean) yield* Effect.sleep("1 millis")
        }
        const end = yield* Random.choice([Crew.drain(crew), Crew.stop(crew), Crew.kill(crew)])
        yield* end
        assert.deepStrictEqual(settled.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i))
        assert.isAtLeast(batches, 5)
      })),
      undefined,
      { runs: 150 }
    ))
})
