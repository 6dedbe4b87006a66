import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Ref } from "effect"
import { Faults, Simulation, SimulationError } from "effect-simulation"

const Write = Faults.point<"lost">("store.write")
const write = Effect.succeed("written").pipe(Faults.at(Write))
const lost = () => "lost" as const

// 1 000 arrivals at the point: how many were struck?
const struck = Effect.map(
  Effect.forEach(Array.from({ length: 1000 }), () => Effect.exit(write)),
  (exits) => exits.filter(Exit.isFailure).length
)

const valueOf = <A>(exit: Exit.Exit<A, unknown>): A =>
  Exit.isSuccess(exit) ? exit.value : assert.fail(Cause.pretty(exit.cause))

const causeOf = (exit: Exit.Exit<unknown, unknown>): Cause.Cause<unknown> =>
  Exit.isFailure(exit) ? exit.cause : assert.fail("succeeded")

const writesWhenLost = (when: "before" | "after"): number => {
  let writes = 0
  const outcome = Simulation.runSync(Effect.sync(() => ++writes).pipe(Faults.at(Write)), {
    seed: 1,
    faults: [Faults.fail(Write, lost, { when })]
  })
  assert.deepStrictEqual(outcome.exit, Exit.fail("lost"))
  return writes
}

describe("Faults", () => {
  describe("at", () => {
    it.effect("is the effect itself outside a simulation", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* write, "written")
      }))

    it("is the effect itself without a fault for its point", () => {
      const faults = [Faults.fail(Faults.point<"lost">("elsewhere"), lost)]
      assert.deepStrictEqual(Simulation.runSync(write, { seed: 1 }).exit, Exit.succeed("written"))
      assert.deepStrictEqual(Simulation.runSync(write, { seed: 1, faults }).exit, Exit.succeed("written"))
    })
  })

  describe("fail", () => {
    it("strikes with the probability given", () => {
      for (const probability of [0, 0.1, 0.5, 1]) {
        let sum = 0
        for (let seed = 0; seed < 10; seed++) {
          sum += valueOf(Simulation.runSync(struck, { seed, faults: [Faults.fail(Write, lost, { probability })] }).exit)
        }
        // Five standard deviations of 10 000 trials.
        assert.closeTo(sum / 10_000, probability, 5 * Math.sqrt(probability * (1 - probability) / 10_000))
      }
    })

    it("skips the first arrivals and stops after the last", () => {
      const faults = [Faults.fail(Write, lost, { skip: 10, times: 3 })]
      assert.strictEqual(valueOf(Simulation.runSync(struck, { seed: 1, faults }).exit), 3)
      const third = Effect.forEach([1, 2, 3, 4], () => Effect.exit(write))
      const exits = valueOf(
        Simulation.runSync(third, { seed: 1, faults: [Faults.fail(Write, lost, { skip: 2, times: 1 })] }).exit
      )
      assert.deepStrictEqual(exits.map((exit) => exit._tag), ["Success", "Success", "Failure", "Success"])
    })

    it("before the effect leaves it undone, after it leaves it done", () => {
      assert.strictEqual(writesWhenLost("before"), 0)
      assert.strictEqual(writesWhenLost("after"), 1)
    })

    it("does not reorder a run before it strikes", () => {
      const program = Effect.gen(function*() {
        const order: Array<number> = []
        const fibers = yield* Effect.forEach(
          [1, 2, 3],
          (id) => Effect.forkChild(Effect.sync(() => order.push(id)).pipe(Effect.andThen(Effect.yieldNow)))
        )
        yield* Fiber.joinAll(fibers)
        return order
      })
      const faults = [Faults.fail(Write, lost)]
      for (let seed = 0; seed < 50; seed++) {
        assert.strictEqual(
          Simulation.runSync(program, { seed, faults }).trace.digest,
          Simulation.runSync(program, { seed }).trace.digest
        )
      }
    })
  })

  it("die raises a defect", () => {
    const outcome = Simulation.runSync(write, { seed: 1, faults: [Faults.die(Write, () => "bug")] })
    assert.isTrue(Cause.hasDies(causeOf(outcome.exit)))
  })

  it("delay holds up for a time within its range", () => {
    const times = new Set<number>()
    for (let seed = 0; seed < 100; seed++) {
      const faults = [Faults.delay(Write, { min: "1 second", max: "2 seconds" })]
      const elapsed = Duration.toMillis(
        Simulation.runSync(Effect.andThen(write, Clock.currentTimeMillis), { seed, faults }).elapsed
      )
      assert.isAtLeast(elapsed, 1000)
      assert.isAtMost(elapsed, 2000)
      times.add(elapsed)
    }
    assert.isAbove(times.size, 90)
  })

  it("several faults of one point strike in the order listed", () => {
    const faults = [Faults.delay(Write, { min: 5, max: 5 }), Faults.fail(Write, lost)]
    const outcome = Simulation.runSync(write, { seed: 1, faults })
    assert.strictEqual(Duration.toMillis(outcome.elapsed), 5)
    assert.deepStrictEqual(outcome.exit, Exit.fail("lost"))
  })

  describe("interrupt", () => {
    it("interrupts the fiber that arrives, and its finalizers run", () => {
      let released = false
      const program = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.ensuring(write, Effect.sync(() => released = true)))
        return yield* Fiber.await(fiber)
      })
      const exit = valueOf(Simulation.runSync(program, { seed: 1, faults: [Faults.interrupt(Write)] }).exit)
      assert.isTrue(Cause.hasInterruptsOnly(causeOf(exit)))
      assert.isTrue(released)
    })

    it("during the effect strikes at any of its steps", () => {
      const reached = new Set<number>()
      for (let seed = 0; seed < 200; seed++) {
        let at = 0
        const steps = Effect.forEach(
          [1, 2, 3, 4],
          (step) => Effect.andThen(Effect.yieldNow, Effect.sync(() => at = step))
        )
        const program = Effect.flatMap(Effect.forkChild(steps.pipe(Faults.at(Write))), Fiber.await)
        Simulation.runSync(program, { seed, faults: [Faults.interrupt(Write, { when: "during", within: 8 })] })
        reached.add(at)
      }
      assert.deepStrictEqual([...reached].sort(), [0, 1, 2, 3, 4])
    })
  })

  it("interrupt during an effect spares a fiber that has left it", () => {
    for (let seed = 0; seed < 100; seed++) {
      let left = false
      let struckOutside = false
      const inside = Effect.yieldNow.pipe(Faults.at(Write))
      const outside = Effect.forEach([1, 2, 3, 4, 5, 6], () => Effect.yieldNow).pipe(
        Effect.onInterrupt(() => Effect.sync(() => struckOutside = left))
      )
      const program = Effect.flatMap(
        Effect.forkChild(Effect.andThen(inside, Effect.andThen(Effect.sync(() => left = true), outside))),
        Fiber.await
      )
      Simulation.runSync(program, { seed, faults: [Faults.interrupt(Write, { when: "during", within: 8 })] })
      assert.isFalse(struckOutside)
    }
  })

  it("interruptFibers strikes forked fibers and never the main one", () => {
    let strikes = 0
    for (let seed = 0; seed < 200; seed++) {
      const program = Effect.gen(function*() {
        const fibers = yield* Effect.forEach(
          [1, 2],
          () => Effect.forkChild(Effect.forEach([1, 2, 3], () => Effect.yieldNow))
        )
        return yield* Fiber.awaitAll(fibers)
      })
      const exits = valueOf(
        Simulation.runSync(program, { seed, faults: [Faults.interruptFibers({ probability: 0.2, times: 1 })] }).exit
      )
      const interrupted = exits.filter(Exit.isFailure).length
      assert.isAtMost(interrupted, 1)
      strikes += interrupted
    }
    assert.isAbove(strikes, 100)
  })

  describe("crash", () => {
    const Commit = Faults.point("commit")

    it("runs no finalizer and nothing else, and says where it struck", () => {
      for (let seed = 0; seed < 100; seed++) {
        const log: Array<string> = []
        const program = Effect.gen(function*() {
          yield* Effect.addFinalizer(() => Effect.sync(() => log.push("finalizer")))
          yield* Effect.forkDetach(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => log.push("later"))))
          yield* Effect.sync(() => log.push("before"))
          yield* Effect.void.pipe(Faults.at(Commit))
          yield* Effect.sync(() => log.push("after"))
        }).pipe(Effect.scoped, Effect.onExit(() => Effect.sync(() => log.push("exit"))))
        const outcome = Simulation.runSync(program, { seed, faults: [Faults.crash(Commit)] })
        assert.deepStrictEqual(log, ["before"])
        assert.strictEqual(outcome.ending, "crash")
        assert.strictEqual(outcome.crashedAt, "commit")
        assert.instanceOf(Cause.squash(causeOf(outcome.exit)), SimulationError.Crash)
        assert.lengthOf(outcome.leftover, 0)
      }
    })

    it.effect("leaves what was done outside for the next start, whichever step it strikes", () =>
      Effect.gen(function*() {
        const found = new Set<number>()
        yield* Simulation.forEachSeed((seed) =>
          Effect.gen(function*() {
            const disk: Array<number> = []
            const work = Effect.gen(function*() {
              while (disk.length < 5) yield* Effect.sync(() => disk.push(disk.length))
            })
            yield* Simulation.run(work, { seed, faults: [Faults.crashAnywhere({ within: 8 })] })
            found.add(disk.length)
            yield* Simulation.run(work, { seed })
            assert.deepStrictEqual(disk, [0, 1, 2, 3, 4])
          })
        )
        assert.isAbove(found.size, 3)
      }))

    it("after an effect strikes once it is done", () => {
      const program = (ref: Array<string>) =>
        Effect.sync(() => ref.push("done")).pipe(Faults.at(Commit), Effect.andThen(Ref.make(0)))
      const done: Array<string> = []
      const outcome = Simulation.runSync(program(done), { seed: 1, faults: [Faults.crash(Commit, { when: "after" })] })
      assert.strictEqual(outcome.ending, "crash")
      assert.deepStrictEqual(done, ["done"])
    })
  })

  it("refuses what is no probability or count", () => {
    assert.throws(
      () => Faults.fail(Write, lost, { probability: 2 }),
      /Faults.fail: probability must be between 0 and 1, got 2/
    )
    assert.throws(() => Faults.crash(Write, { skip: -1 }), /Faults.crash: skip must be/)
    assert.throws(() => Faults.crash(Write, { within: 0 }), /Faults.crash: within must be/)
    assert.throws(() => Faults.delay(Write, { min: 2, max: 1 }), /Faults.delay: min must be/)
    assert.throws(() => Faults.interruptFibers({ times: 0 }), /Faults.interruptFibers: times must be/)
  })
})
