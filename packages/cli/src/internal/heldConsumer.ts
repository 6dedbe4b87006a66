import type { Consume, Consumer, Rejected } from "effect-conveyor/Consumer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

/** A consumer that is acquired when it is first used, and again after it has been released. */
export interface HeldConsumer<E, R> {
  readonly use: Effect.Effect<Consume<unknown, E, R>, E | Rejected, R>
  readonly release: Effect.Effect<void>
}

export const make = <E, R>(consumer: Consumer<unknown, E, R>): HeldConsumer<E, R> => {
  // One acquisition at a time: deliveries that run together share the consumer, and wait for it together.
  const acquiring = Semaphore.makeUnsafe(1)
  let held: { readonly consume: Consume<unknown, E, R>; readonly scope: Scope.Closeable } | undefined
  const acquire = Effect.suspend(() => {
    if (held !== undefined) return Effect.succeed(held.consume)
    const scope = Scope.makeUnsafe()
    return consumer.acquire.pipe(
      Scope.provide(scope),
      Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void),
      Effect.map((consume) => {
        held = { consume, scope }
        return consume
      })
    )
  })
  return {
    use: Effect.suspend(() => held !== undefined ? Effect.succeed(held.consume) : acquiring.withPermits(1)(acquire)),
    release: Effect.suspend(() => {
      const released = held
      held = undefined
      return released === undefined ? Effect.void : Scope.close(released.scope, Exit.void)
    })
  }
}
