import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Faults, Simulation, Trace } from "effect-simulation"

const Store = Faults.point("store")

const program = Effect.gen(function*() {
  const child = yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 second"), Effect.fail("no")))
  yield* Effect.void.pipe(Faults.at(Store))
  yield* Simulation.adjustWallClock("1 hour")
  yield* Fiber.await(child)
}).pipe(Effect.withSpan("root"))

const run = (seed: number) =>
  Simulation.runSync(program, { seed, faults: [Faults.delay(Store, { min: 10, max: 10 })] }).trace

const scheduling: ReadonlySet<Trace.Kind> = new Set(["run", "yield"])

describe("Trace", () => {
  it("tells what happened, with fibers numbered from 1", () => {
    for (let seed = 0; seed < 50; seed++) {
      const told = run(seed).events
        .filter(({ kind }) => !scheduling.has(kind))
        .map(({ detail, fiber, kind, time }) => `${time} #${fiber} ${kind} ${detail}`.trimEnd())
      assert.sameMembers(told, [
        "0 #1 start",
        "0 #1 fault delay at store",
        "0 #1 sleep until 10 ms",
        "0 #2 start root",
        "0 #2 sleep until 1000 ms",
        "10 #1 wake",
        "10 #1 clock wall clock moved by 3600000 ms",
        "1000 #2 wake",
        "1000 #2 end failed",
        "1000 #1 end succeeded"
      ])
    }
  })

  it("goes forward in time and in steps", () => {
    const { events } = run(3)
    const pairs = events.slice(1).map((event, index) => [events[index], event] as const)
    for (const [before, event] of pairs) {
      assert.isAtLeast(event.time, before!.time)
      assert.isAtLeast(event.step, before!.step)
    }
  })

  it("is written as one line an event, and limited to the last ones", () => {
    const trace = run(3)
    assert.lengthOf(Trace.format(trace).split("\n"), trace.events.length + 1)
    const short = Trace.format(trace, { last: 2 }).split("\n")
    assert.lengthOf(short, 4)
    assert.include(short[1], `${trace.events.length - 2} earlier events`)
    assert.match(short[3]!, /1000 ms +\d+ {2}#1 {4}end succeeded$/)
  })
})
