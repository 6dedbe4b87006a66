// A schedule proved on a virtual clock: an hour passes in milliseconds, and a slow run does what its policy says.
import { Console, Effect } from "effect"
import { Cadence, Conveyor, MissedTick, TestConveyor } from "effect-conveyor"
import { TestClock } from "effect/testing"

const startsOf = Effect.fn(
  function*(missedTicks: MissedTick.Policy) {
    const readings = TestConveyor.recorder<number>()
    const conveyor = yield* Conveyor.make("meter", {
      cadence: Cadence.every("1 second"),
      missedTicks,
      maxSilence: "unbounded",
      producer: TestConveyor.script([{ succeed: 0, after: "2500 millis" }, { succeed: 1 }]),
      consumers: [readings.consumer]
    })
    yield* TestClock.adjust("5 seconds")
    const due = readings.dueAt.map((millis) => millis / 1000)
    yield* TestClock.adjust("1 hour")
    const { ticks } = yield* conveyor.stop
    yield* Console.log(`${missedTicks._tag}: due ${due.join(", ")} … ${ticks.run + ticks.caughtUp} of ${ticks.due}`)
  },
  Effect.scoped,
  Effect.provide(TestClock.layer())
)

Effect.runPromise(
  Effect.forEach([MissedTick.skip, MissedTick.coalesce, MissedTick.catchUp(2), MissedTick.overlap(2)], startsOf)
)

// Output:
// Skip: due 1, 4, 5 … 3603 of 3605
// Coalesce: due 1, 3, 4, 5 … 3604 of 3605
// CatchUp: due 1, 2, 3, 4, 5 … 3605 of 3605
// Overlap: due 2, 3, 1, 4, 5 … 3605 of 3605
