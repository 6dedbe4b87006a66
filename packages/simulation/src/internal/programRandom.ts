import type * as Random from "effect/Random"
import { RandomSource } from "./randomSource.ts"
import { streams } from "./world.ts"

const span = Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER + 1

/** Effect's `Random` for one run. Drawn up only when the program first asks: most small runs never do. */
export const make = (seed: number): Random.Random => {
  let source: RandomSource | undefined
  const double = (): number => (source ??= new RandomSource(seed, streams.program)).double()
  return {
    nextDoubleUnsafe: double,
    nextIntUnsafe: () => Math.floor(double() * span) + Number.MIN_SAFE_INTEGER
  }
}
