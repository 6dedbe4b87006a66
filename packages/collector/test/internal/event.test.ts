import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { CollectedEvent } from "../../src/internal/event.ts"

/** An event, and how often its origin was asked to wake who waits for it. */
const make = () => {
  let woken = 0
  const event = new CollectedEvent({ queue: "events", wake: () => woken++ }, 1, "payload", 100)
  return { event, woken: () => woken }
}

describe("CollectedEvent", () => {
  it.effect("forgets who has stopped waiting", () =>
    Effect.gen(function*() {
      for (const waiters of [0, 1, 2, 3]) {
        const { event } = make()
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        for (let i = 0; i < waiters; i++) {
          fibers.push(yield* Effect.forkChild(event.results, { startImmediately: true }))
        }
        for (const fiber of fibers) yield* Fiber.interrupt(fiber)
        const remembered: unknown = Reflect.get(event, "waiters")
        assert.isTrue(remembered === undefined || remembered instanceof Set && remembered.size === 0)
      }
    }))

  it.effect("wakes once for all who wait, and lets them go when it is released", () =>
    Effect.gen(function*() {
      const { event, woken } = make()
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let i = 0; i < 3; i++) fibers.push(yield* Effect.forkChild(event.first, { startImmediately: true }))
      event.begin()
      event.settleOne(Exit.succeed(7))
      assert.strictEqual(woken(), 1)
      assert.isTrue(fibers.every((fiber) => fiber.pollUnsafe() === undefined))
      event.release()
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [7, 7, 7])
      assert.isUndefined(Reflect.get(event, "waiters"))
    }))

  it("stands for the Exits that are missing with that of the whole, where a collector was to have it", () => {
    const { event } = make()
    event.begin()
    event.choose([0, 2], 3)
    event.record(0, Exit.succeed("a"))
    const interrupted = Exit.interrupt()
    event.settleEach(3, interrupted)
    assert.deepStrictEqual(Effect.runSync(event.results), [Exit.succeed("a"), undefined, interrupted])
  })
})
