import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Consume, Consumer, Rejected } from "../Consumer.ts"
import type { TimedOut } from "../ConveyorError.ts"
import { acquire, type Acquired } from "./acquired.ts"

/** The consumer of a lane, acquired when it is first used and again after it has been released. */
export interface HeldConsumer<in A, out E, out R> {
  readonly use: Effect.Effect<Consume<A, E, R>, E | Rejected | TimedOut, R>
  readonly release: Effect.Effect<void>
}

export const make = <A, E, R>(
  name: string,
  consumer: Consumer<A, E, R>,
  timeout: Duration.Duration | undefined
): HeldConsumer<A, E, R> => {
  // One acquisition at a time: deliveries that run together share the consumer, and wait for it together.
  const acquiring = Semaphore.makeUnsafe(1)
  let current: Acquired<Consume<A, E, R>> | undefined
  const acquireOnce = Effect.suspend(() =>
    current !== undefined
      ? Effect.succeed(current.use)
      : Effect.map(acquire(name, consumer.acquire, timeout), (acquired) => {
        current = acquired
        return acquired.use
      })
  )
  return {
    use: Effect.suspend(() =>
      current !== undefined ? Effect.succeed(current.use) : acquiring.withPermits(1)(acquireOnce)
    ),
    release: Effect.suspend(() => {
      const acquired = current
      current = undefined
      return acquired === undefined ? Effect.void : acquired.release
    })
  }
}
