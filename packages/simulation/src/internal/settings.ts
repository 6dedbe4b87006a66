import * as DateTime from "effect/DateTime"
import type * as Faults from "../Faults.ts"
import type * as Simulation from "../Simulation.ts"

export const defaults = { maxSteps: 250_000, startAt: 0, traceLimit: 4096, runs: 300, seed: 0 } as const

/** What decides one run, checked and with every default filled in. */
export interface Settings {
  readonly seed: number
  readonly maxSteps: number
  /** Epoch milliseconds. */
  readonly startAt: number
  readonly traceLimit: number
  readonly faults: ReadonlyArray<Faults.Fault>
}

export const fromOptions = (constructor: string, options: Simulation.RunOptions): Settings => ({
  seed: seed(constructor, options.seed),
  maxSteps: count(constructor, "maxSteps", options.maxSteps ?? defaults.maxSteps),
  // A search builds its settings for every run, and most begin at 0: no DateTime is made for those.
  startAt: options.startAt === undefined
    ? defaults.startAt
    : DateTime.toEpochMillis(DateTime.makeUnsafe(options.startAt)),
  traceLimit: count(constructor, "traceLimit", options.traceLimit ?? defaults.traceLimit),
  faults: options.faults ?? []
})

export const seed = (constructor: string, value: number): number => {
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`Simulation.${constructor}: seed must be a safe integer, got ${value}`)
}

export const count = (constructor: string, option: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`Simulation.${constructor}: ${option} must be a whole number from 1, got ${value}`)
}
