import * as Effect from "effect/Effect"
import type * as Faults from "../Faults.ts"
import type { RandomSource } from "./randomSource.ts"
import * as Recorder from "./recorder.ts"
import type { AnyFiber, World } from "./world.ts"

type PointFault = Extract<Faults.Fault, { readonly point: string }>

interface Rule {
  readonly fault: PointFault
  arrivals: number
  strikes: number
}

// A wrapped effect that is running and will be struck when the run reaches `step`, unless it has ended by then.
interface Region {
  readonly fault: PointFault
  readonly fiber: AnyFiber
  readonly step: number
}

const decided = (rule: Rule, random: RandomSource): boolean => {
  rule.arrivals++
  if (rule.arrivals <= rule.fault.skip || rule.strikes >= rule.fault.times) return false
  // Drawn only where the fault may strike, so `skip: n` and `skip: n + 1` explore different things of one seed.
  if (!random.chance(rule.fault.probability)) return false
  rule.strikes++
  return true
}

/** Decides, from the seed, which arrivals at which points are struck. */
export class Injector {
  private readonly world: World
  private readonly random: RandomSource
  private readonly rules: ReadonlyArray<Rule>
  private readonly interrupts: Array<{ readonly probability: number; times: number }> = []
  private readonly regions = new Set<Region>()
  private crashStep = Infinity

  constructor(world: World, random: RandomSource, faults: ReadonlyArray<Faults.Fault>) {
    this.world = world
    this.random = random
    const rules: Array<Rule> = []
    for (const fault of faults) {
      if (fault._tag === "InterruptFibers") this.interrupts.push({ probability: fault.probability, times: fault.times })
      else if (fault._tag !== "CrashAnywhere") rules.push({ fault, arrivals: 0, strikes: 0 })
      else if (random.chance(fault.probability)) {
        this.crashStep = Math.min(this.crashStep, 1 + random.below(fault.within))
      }
    }
    this.rules = rules
  }

  around<A, E, R>(point: string, fiber: AnyFiber, self: Effect.Effect<A, E, R>): Effect.Effect<A, unknown, R> {
    let wrapped: Effect.Effect<A, unknown, R> = self
    let before: Effect.Effect<unknown, unknown> | undefined
    for (const rule of this.rules) {
      // All is decided on arrival, so a fault "after" an effect that then fails has used up its strike.
      if (rule.fault.point !== point || !decided(rule, this.random)) continue
      const fault = rule.fault
      if (fault.when === "after") wrapped = Effect.tap(wrapped, this.strike(fault))
      else if (fault.when === "during") wrapped = this.during(fault, fiber, wrapped)
      else before = before === undefined ? this.strike(fault) : Effect.andThen(before, this.strike(fault))
    }
    if (before !== undefined) wrapped = Effect.andThen(before, wrapped)
    return wrapped
  }

  /** Runs before each step. */
  beforeStep(): void {
    const { crashStep, random, world } = this
    if (world.steps >= crashStep) return world.crash(`step ${world.steps}`)
    for (const region of this.regions) {
      if (world.steps < region.step) continue
      this.regions.delete(region)
      if (region.fault._tag === "Crash") return world.crash(region.fault.point)
      this.interrupt(region.fiber)
    }
    for (const rule of this.interrupts) {
      if (rule.times > 0 && random.chance(rule.probability)) {
        // The main fiber is the first that a run meets, and so the first here.
        const others = Array.from(world.live.keys()).slice(1)
        if (others.length === 0) continue
        rule.times--
        this.interrupt(others[random.below(others.length)]!)
      }
    }
  }

  private interrupt(fiber: AnyFiber): void {
    this.world.record(Recorder.Interrupt, this.world.numberOf(fiber), 0)
    fiber.interruptUnsafe()
  }

  private during<A, E, R>(
    fault: PointFault & { readonly within: number },
    fiber: AnyFiber,
    self: Effect.Effect<A, E, R>
  ) {
    const region: Region = { fault, fiber, step: this.world.steps + 1 + this.random.below(fault.within) }
    return Effect.suspend(() => {
      this.regions.add(region)
      return Effect.onExit(self, () => Effect.sync(() => this.regions.delete(region)))
    })
  }

  private strike(fault: PointFault): Effect.Effect<unknown, unknown> {
    return Effect.withFiber((fiber) => {
      const { random, world } = this
      if (fault._tag === "Crash") {
        world.crash(fault.point)
        return Effect.never
      }
      const name = world.recorder.name(`${fault._tag.toLowerCase()} at ${fault.point}`)
      world.record(Recorder.Fault, world.numberOf(fiber), name)
      switch (fault._tag) {
        case "Fail":
          return Effect.failSync(fault.error)
        case "Die":
          return Effect.die(fault.defect())
        case "Delay":
          return Effect.sleep(fault.min + random.double() * (fault.max - fault.min))
        case "Interrupt":
          fiber.interruptUnsafe()
          return Effect.void
      }
    })
  }
}
