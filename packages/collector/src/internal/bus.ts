import * as Broadcast from "effect-work-queue/Broadcast"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BusEvent, Handler, MessageBus } from "../MessageBus.ts"

/** How long handlers may take for the last events before they are interrupted. */
const grace = Duration.seconds(1)

export interface Bus extends MessageBus {
  readonly publish: (event: BusEvent) => void
  /** Lets the handlers finish, for no longer than the grace. `ShutDown` must have been published. */
  readonly close: Effect.Effect<void>
}

/** Makes a bus; what it says on the log is left to the caller. */
export const make = (onFailure: (tag: string) => (cause: unknown) => Effect.Effect<void>): Bus => {
  const { events, publish, subscribe } = Broadcast.make<BusEvent>((event) => event._tag === "ShutDown")
  const handling = new Set<Fiber.Fiber<unknown, unknown>>()

  const add = <R>({ run, tag }: Handler<R>): Effect.Effect<void, never, R | Scope.Scope> =>
    Effect.gen(function*() {
      // Here and not in the fiber: whatever is published once the handler is added concerns it.
      const told = yield* subscribe
      const fiber = yield* told.pipe(
        Stream.runForEach((event) =>
          event._tag !== tag ? Effect.void : Effect.suspend(() => run(event)).pipe(Effect.catchCause(onFailure(tag)))
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      handling.add(fiber)
      fiber.addObserver(() => handling.delete(fiber))
    })

  return {
    publish,
    events,
    add,
    close: Effect.suspend(() => Effect.asVoid(Effect.timeoutOption(Fiber.awaitAll([...handling]), grace)))
  }
}
