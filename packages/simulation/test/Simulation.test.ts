import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  ConfigProvider,
  Context,
  DateTime,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Random,
  Ref,
  Schedule
} from "effect"
import { type Outcome, Simulation, SimulationError, type Trace } from "effect-simulation"

const defectOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined

const valueOf = <A>(exit: Exit.Exit<A, unknown>): A =>
  Exit.isSuccess(exit) ? exit.value : assert.fail(Cause.pretty(exit.cause))

const holds = (outcome: Outcome.Outcome<boolean>): boolean => valueOf(outcome.exit)

const asked = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const checkFailed = <E>(check: Effect.Effect<unknown, E | SimulationError.CheckFailed>) =>
  Effect.map(
    Effect.flip(check),
    (error) => error instanceof SimulationError.CheckFailed ? error : assert.fail(String(error))
  )

// Fibers asleep until the same moment, in the order of what the trace says of them.
const fibersOf = (trace: Trace.Trace, kind: Trace.Kind): string =>
  trace.events.filter((event) => event.kind === kind && event.fiber > 1).map(({ fiber }) => fiber).join("")

// Two fibers, a sleep, a fork that outlives nothing: enough for every kind of scheduling decision.
const program = Effect.gen(function*() {
  const ref = yield* Ref.make("")
  const write = (letter: string) => Ref.update(ref, (text) => text + letter)
  const left = yield* Effect.forkChild(Effect.forEach(["a", "b", "c"], write))
  const right = yield* Effect.forkChild(Effect.forEach(["x", "y", "z"], write))
  yield* Effect.sleep("1 second")
  yield* Fiber.joinAll([left, right])
  return yield* Ref.get(ref)
})

describe("Simulation", () => {
  describe("runSync", () => {
    it("replays one seed identically a thousand times", () => {
      const first = Simulation.runSync(program, { seed: 42 })
      for (let time = 0; time < 1000; time++) {
        const again = Simulation.runSync(program, { seed: 42 })
        assert.strictEqual(again.trace.digest, first.trace.digest)
      }
      assert.deepStrictEqual(Simulation.runSync(program, { seed: 42 }).trace.events, first.trace.events)
    })

    it("takes many courses under many seeds", () => {
      const runs = Array.from({ length: 200 }, (_, seed) => Simulation.runSync(program, { seed }))
      assert.isAbove(new Set(runs.map((run) => run.trace.digest)).size, 100)
      assert.isAbove(new Set(runs.map((run) => valueOf(run.exit))).size, 10)
    })

    it("gives a program the same random numbers under the same seed", () => {
      const draw = Effect.all([Random.next, Random.nextInt, Random.nextBetween(5, 6)])
      assert.deepStrictEqual(
        Simulation.runSync(draw, { seed: 7 }).exit,
        Simulation.runSync(draw, { seed: 7 }).exit
      )
      assert.notDeepEqual(Simulation.runSync(draw, { seed: 7 }).exit, Simulation.runSync(draw, { seed: 8 }).exit)
    })

    it("tells far and negative seeds apart", () => {
      const digests = [1, -1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].map((seed) =>
        Simulation.runSync(Effect.all([Random.next, program]), { seed }).exit
      )
      assert.strictEqual(new Set(digests.map(String)).size, 5)
    })

    it("refuses a seed that is no safe integer", () => {
      assert.throws(
        () => Simulation.runSync(Effect.void, { seed: 0.5 }),
        /runSync: seed must be a safe integer, got 0.5/
      )
      assert.throws(
        () => Simulation.runSync(Effect.void, { seed: 1, maxSteps: 0 }),
        /maxSteps must be a whole number from 1/
      )
    })

    it("passes failures through untouched", () => {
      assert.deepStrictEqual(Simulation.runSync(Effect.fail("no"), { seed: 1 }).exit, Exit.fail("no"))
    })

    it("forgets early events beyond the trace limit, but not in the digest", () => {
      const full = Simulation.runSync(program, { seed: 5 })
      const short = Simulation.runSync(program, { seed: 5, traceLimit: 4 })
      assert.strictEqual(short.trace.digest, full.trace.digest)
      assert.strictEqual(short.trace.omitted, full.trace.events.length - 4)
      assert.deepStrictEqual(short.trace.events, full.trace.events.slice(-4))
    })
  })

  describe("run", () => {
    it.effect("uses the services of the surrounding program", () =>
      Effect.gen(function*() {
        const Name = Context.Reference("test/Name", { defaultValue: () => "nobody" })
        const outcome = yield* Simulation.run(Name, { seed: 1 }).pipe(Effect.provideService(Name, "somebody"))
        assert.deepStrictEqual(outcome.exit, Exit.succeed("somebody"))
      }))

    it.effect("leaves the clock of the surrounding program alone", () =>
      Effect.gen(function*() {
        const before = yield* Clock.currentTimeMillis
        yield* Simulation.run(Effect.sleep("1 hour"), { seed: 1 })
        assert.strictEqual(yield* Clock.currentTimeMillis, before)
      }))
  })

  describe("the clock", () => {
    it("passes a day of ticks without waiting", () => {
      let ticks = 0
      const day = Effect.sync(() => ticks++).pipe(
        Effect.schedule(Schedule.spaced("30 seconds")),
        Effect.timeoutOption("1 day")
      )
      const outcome = Simulation.runSync(day, { seed: 1 })
      assert.strictEqual(Duration.toMillis(outcome.elapsed), Duration.toMillis("1 day"))
      assert.isAtLeast(ticks, 2879)
    })

    it("rings timers in order of time, and equal ones in every order", () => {
      const orders = new Set<string>()
      const rings = Effect.gen(function*() {
        const rung: Array<number> = []
        const ring = (at: number, id: number) => Effect.andThen(Effect.sleep(at), Effect.sync(() => rung.push(id)))
        yield* Effect.all([ring(20, 4), ring(10, 1), ring(10, 2), ring(10, 3), ring(5, 0), ring(30, 5)], {
          concurrency: "unbounded"
        })
        return rung
      })
      for (let seed = 0; seed < 300; seed++) {
        const rung = valueOf(Simulation.runSync(rings, { seed }).exit)
        assert.deepStrictEqual([rung[0], ...rung.slice(4)], [0, 4, 5])
        orders.add(rung.slice(1, 4).join(""))
      }
      assert.strictEqual(orders.size, 6)
    })

    it("orders equal timers by the seed, not by when they were set", () => {
      const both = Effect.all([Effect.sleep(10), Effect.sleep(10)], { concurrency: 2 })
      const traces = Array.from({ length: 100 }, (_, seed) => Simulation.runSync(both, { seed }).trace)
      assert.isTrue(traces.some((trace) => fibersOf(trace, "sleep") === fibersOf(trace, "wake")))
      assert.isTrue(traces.some((trace) => fibersOf(trace, "sleep") !== fibersOf(trace, "wake")))
    })

    it("begins where it is told to", () => {
      const outcome = Simulation.runSync(DateTime.now, { seed: 1, startAt: "2026-03-29T00:59:00Z" })
      assert.strictEqual(DateTime.formatIso(valueOf(outcome.exit)), "2026-03-29T00:59:00.000Z")
    })

    it("does not keep a cancelled timer", () => {
      const program = Effect.andThen(Effect.timeout(Effect.sleep("1 second"), "1 day"), Effect.never)
      const outcome = Simulation.runSync(program, { seed: 1 })
      assert.strictEqual(outcome.ending, "deadlock")
      assert.strictEqual(Duration.toMillis(outcome.elapsed), 1000)
    })

    it("moves the wall clock without moving monotonic time or a timer", () => {
      const jumps = Effect.gen(function*() {
        const sleeper = yield* Effect.forkChild(Effect.sleep("1 minute"))
        yield* Effect.sleep("10 seconds")
        yield* Simulation.setWallClock("2030-01-01T00:00:00Z")
        const forwards = yield* Clock.currentTimeMillis
        yield* Simulation.adjustWallClock("-1 hour")
        const backwards = yield* Clock.currentTimeMillis
        yield* Fiber.join(sleeper)
        return [forwards, backwards, yield* Clock.monotonicTimeNanos] as const
      })
      const outcome = Simulation.runSync(jumps, { seed: 3 })
      const midnight = Date.UTC(2030, 0, 1)
      assert.deepStrictEqual(outcome.exit, Exit.succeed([midnight, midnight - 3_600_000, 60_000_000_000n] as const))
    })

    it.effect("cannot be moved outside a simulation", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Simulation.setWallClock(0))
        assert.match(String(defectOf(exit)), /setWallClock: must be used inside a simulation/)
      }))
  })

  describe("leftover fibers", () => {
    it("are reported with what they wait for, and interrupted", () => {
      let interrupted = 0
      const stay = (effect: Effect.Effect<unknown>) =>
        effect.pipe(Effect.onInterrupt(() => Effect.sync(() => interrupted++)), Effect.forkDetach)
      const leaks = Effect.gen(function*() {
        yield* stay(Effect.withSpan(Effect.never, "stuck"))
        yield* stay(Effect.sleep("1 hour"))
        yield* Effect.forkDetach(Effect.yieldNow)
      })
      for (let seed = 0; seed < 100; seed++) {
        interrupted = 0
        const outcome = Simulation.runSync(leaks, { seed })
        assert.strictEqual(outcome.ending, "completed")
        assert.deepStrictEqual(outcome.leftover.map(({ wakesAt }) => wakesAt).sort(), [3_600_000, undefined])
        assert.include(outcome.leftover.map(({ span }) => span), "stuck")
        assert.strictEqual(interrupted, 2)
      }
    })

    it("do not count when they end by themselves once the main fiber has", () => {
      const tail = Effect.forkDetach(Effect.forEach([1, 2, 3], () => Effect.yieldNow))
      for (let seed = 0; seed < 100; seed++) assert.lengthOf(Simulation.runSync(tail, { seed }).leftover, 0)
    })

    it("run finalizers that sleep", () => {
      let closed = false
      const slow = Effect.never.pipe(
        Effect.onInterrupt(() => Effect.andThen(Effect.sleep("1 minute"), Effect.sync(() => closed = true)))
      )
      const outcome = Simulation.runSync(Effect.andThen(Effect.forkDetach(slow), Effect.sleep(1)), { seed: 1 })
      assert.lengthOf(outcome.leftover, 1)
      assert.isTrue(closed)
      assert.strictEqual(Duration.toMillis(outcome.elapsed), 1)
    })

    it("that refuse to end cannot act in a later run", () => {
      let acted = 0
      const releases: Array<() => void> = []
      const stubborn = Effect.callback<void>((resume) => {
        releases.push(() => resume(Effect.sync(() => acted++)))
      }).pipe(Effect.uninterruptible)
      Simulation.runSync(Effect.andThen(Effect.forkDetach(stubborn), Effect.sleep(1)), { seed: 1 })
      assert.lengthOf(releases, 1)
      for (const release of releases) release()
      assert.strictEqual(acted, 0)
    })
  })

  describe("a run without an end", () => {
    it("is a deadlock when nothing can happen any more", () => {
      const outcome = Simulation.runSync(
        Effect.withSpan(Effect.flatMap(Deferred.make<void>(), Deferred.await), "door"),
        { seed: 1 }
      )
      const defect = defectOf(outcome.exit)
      assert.strictEqual(outcome.ending, "deadlock")
      assert.instanceOf(defect, SimulationError.Deadlock)
      assert.match(String(defect), /waiting: #1 in door/)
      assert.lengthOf(outcome.leftover, 0)
    })

    it("is a deadlock when it waits for something real", () => {
      const outcome = Simulation.runSync(Effect.promise(() => Promise.resolve(1)), { seed: 1 })
      assert.match(String(defectOf(outcome.exit)), /real input or output/)
    })

    it("is a livelock after the steps allowed", () => {
      for (let seed = 0; seed < 20; seed++) {
        const outcome = Simulation.runSync(Effect.forever(Effect.void), { seed, maxSteps: 500 })
        assert.strictEqual(outcome.ending, "livelock")
        assert.instanceOf(defectOf(outcome.exit), SimulationError.Livelock)
        assert.strictEqual(outcome.steps, 500)
      }
    })

    it("is no livelock when a fiber spins until another has run", () => {
      const spin = Effect.gen(function*() {
        const flag = yield* Ref.make(false)
        const wait = Effect.yieldNow.pipe(Effect.andThen(Ref.get(flag)), Effect.repeat({ until: (set) => set }))
        const spinners = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(wait))
        yield* Effect.forkChild(Ref.set(flag, true))
        yield* Fiber.joinAll(spinners)
      })
      for (let seed = 0; seed < 300; seed++) {
        assert.strictEqual(Simulation.runSync(spin, { seed, maxSteps: 20_000 }).ending, "completed")
      }
    })
  })

  describe("check", () => {
    const fails = Effect.map(Random.nextIntBetween(0, 10), (number) => number !== 3)

    it.effect("prints the failing seed, the line that replays it, the exit and the trace", () =>
      Effect.gen(function*() {
        const failed = yield* checkFailed(Simulation.check(fails, holds))
        assert.include(failed.message, `seed ${failed.seed} failed`)
        assert.include(failed.message, `Simulation.replay(effect, property, { seed: ${failed.seed} })`)
        assert.include(failed.message, "exit: success false")
        assert.match(failed.message, /#1 +end succeeded/)
      }))

    it.effect("replays the seed it has printed", () =>
      Effect.gen(function*() {
        const { seed } = yield* Effect.flatMap(Effect.flip(Simulation.check(fails, holds)), (error) =>
          error._tag === "CheckFailed" ? Effect.succeed(error) : Effect.die(error))
        assert.strictEqual((yield* Effect.flip(Simulation.replay(fails, holds, { seed }))).seed, seed)
        assert.isTrue(Exit.isSuccess((yield* Simulation.replay(fails, undefined, { seed })).exit))
      }))

    it.effect("asks for success and no leftover fibers when given no property", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Simulation.check(Effect.void), Simulation.defaults.runs)
        const failed = yield* checkFailed(Simulation.check(Effect.fail("no")))
        assert.include(failed.message, "Simulation.replay(effect, undefined, { seed: 0 })")
        assert.include(failed.message, "not a successful exit without leftover fibers")
        assert.strictEqual((yield* Effect.flip(Simulation.check(Effect.forkDetach(Effect.never))))._tag, "CheckFailed")
      }))

    it.effect("fails for a property that throws, fails, or gives false in an effect", () =>
      Effect.gen(function*() {
        const properties: ReadonlyArray<Simulation.Property<void, never, string>> = [
          () => assert.fail("thrown"),
          () => Effect.fail("failed"),
          () => Effect.succeed(false)
        ]
        for (const property of properties) {
          const failed = yield* Effect.flip(Simulation.check(Effect.void, property))
          assert.strictEqual(failed._tag, "CheckFailed")
        }
        assert.include((yield* Effect.flip(Simulation.check(Effect.void, properties[0]))).message, "thrown")
      }))

    it.effect("takes the number of runs and the first seed from outside", () =>
      Effect.gen(function*() {
        const seeds: Array<number> = []
        const tried = yield* Simulation.check(({ seed }) => Effect.sync(() => seeds.push(seed)), undefined, { runs: 9 })
        assert.strictEqual(tried, 3)
        assert.deepStrictEqual(seeds, [70, 71, 72])
      }).pipe(asked({ SIMULATION_RUNS: "3", SIMULATION_SEED: "70" })))

    it.effect("goes on for the minutes asked for, from a fresh seed", () =>
      Effect.gen(function*() {
        const seeds: Array<number> = []
        const program = ({ seed }: { readonly seed: number }) => Effect.sync(() => seeds.push(seed))
        const tried = yield* Simulation.check(program, undefined, { runs: 2 })
        yield* Simulation.check(program, undefined, { runs: 2 })
        assert.isAbove(tried, 2)
        assert.notStrictEqual(seeds[0], seeds[tried])
      }).pipe(asked({ SIMULATION_MINUTES: "0.0002" })))

    it.effect.each(["many", "0", "-3", "1.5"])(
      "fails typed when asked from outside for %s runs",
      (runs) =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Simulation.check(Effect.void)))._tag, "ConfigError")
        }).pipe(asked({ SIMULATION_RUNS: runs }))
    )

    it.effect("dies when its own options are wrong", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Simulation.check(Effect.void, undefined, { runs: 0 }))
        assert.match(String(defectOf(exit)), /Simulation.check: runs must be a whole number from 1, got 0/)
      }))
  })

  describe("forEachSeed", () => {
    it.effect("reports every run of the seed that failed", () =>
      Effect.gen(function*() {
        const failed = yield* Effect.flip(Simulation.forEachSeed((seed) =>
          Effect.gen(function*() {
            yield* Simulation.run(Effect.succeed("first"), { seed })
            yield* Simulation.run(Effect.succeed("second"), { seed })
            return seed < 4
          })
        ))
        assert.include(failed.message, "seed 4 failed, run 5")
        assert.include(failed.message, "{ seed: 4, runs: 1 }")
        assert.include(failed.message, "success first")
        assert.include(failed.message, "success second")
      }))
  })

  it.effect("knows its seed inside a run only", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(Simulation.runSync(Simulation.currentSeed, { seed: 12 }).exit, Exit.succeed(12))
      assert.isUndefined(yield* Simulation.currentSeed)
    }))
})
