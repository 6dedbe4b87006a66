import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Recorder from "./recorder.ts"
import type { Dispatcher, World } from "./world.ts"

const nanosPerMilli = 1_000_000n

/**
 * The clock of one run. Timers follow the monotonic time alone: moving the wall clock neither wakes a sleeper nor delays
 * it, as on a real machine.
 */
export const make = (world: World): Clock.Clock => {
  const wallMillis = (): number => Math.floor(world.now + world.wallOffset)
  const wallNanos = (): bigint => BigInt(wallMillis()) * nanosPerMilli
  const monotonicNanos = (): bigint => BigInt(Math.round(world.now * 1e6))
  return {
    currentTimeMillisUnsafe: wallMillis,
    currentTimeMillis: Effect.sync(wallMillis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) => sleep(world, Duration.toMillis(duration))
  }
}

const sleep = (world: World, millis: number): Effect.Effect<void> => {
  if (millis <= 0) return Effect.yieldNow
  if (!Number.isFinite(millis)) return Effect.never
  return Effect.callback<void>((resume) => {
    const fiber = Fiber.getCurrent()!
    const number = world.numberOf(fiber)
    const until = world.now + millis
    // The sleeper's own dispatcher, so that a fiber keeps its priority over a sleep.
    const timer = world.timers.add(until, number, fiber.currentDispatcher as Dispatcher, () => {
      world.record(Recorder.Wake, number, 0)
      resume(Effect.void)
    })
    world.record(Recorder.Sleep, number, until)
    return Effect.sync(() => world.timers.remove(timer))
  })
}
