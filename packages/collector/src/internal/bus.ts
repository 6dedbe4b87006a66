import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BusEvent, Handler, MessageBus } from "../MessageBus.ts"

/** Events a subscriber may be behind before it misses the oldest. */
const bufferedEvents = 1024

/** How long handlers may take for the last events before they are interrupted. */
const grace = Duration.seconds(1)

export interface Bus extends MessageBus {
  readonly publish: (event: BusEvent) => void
  /** Lets the handlers finish, for no longer than the grace. The last event must have been published. */
  readonly close: Effect.Effect<void>
}

/** Makes a bus; what it says on the log is left to the caller. */
export const make = (onFailure: (tag: string) => (cause: unknown) => Effect.Effect<void>): Effect.Effect<Bus> =>
  Effect.map(PubSub.sliding<BusEvent>(bufferedEvents), (pubsub) => {
    const handling = new Set<Fiber.Fiber<unknown, unknown>>()
    let closed = false
    const untilShutDown = (stream: Stream.Stream<BusEvent>) =>
      Stream.takeUntil(stream, (event) => event._tag === "ShutDown")

    const add = <R>({ run, tag }: Handler<R>): Effect.Effect<void, never, R | Scope.Scope> =>
      Effect.gen(function*() {
        if (closed) return
        const subscription = yield* PubSub.subscribe(pubsub)
        const fiber = yield* untilShutDown(Stream.fromSubscription(subscription)).pipe(
          Stream.runForEach((event) =>
            event._tag !== tag ? Effect.void : Effect.suspend(() => run(event)).pipe(Effect.catchCause(onFailure(tag)))
          ),
          Effect.forkScoped({ startImmediately: true })
        )
        handling.add(fiber)
        fiber.addObserver(() => handling.delete(fiber))
      })

    return {
      publish: (event) => {
        PubSub.publishUnsafe(pubsub, event)
      },
      events: Stream.suspend(() => closed ? Stream.empty : untilShutDown(Stream.fromPubSub(pubsub))),
      add,
      close: Effect.suspend(() => {
        closed = true
        return Effect.timeoutOption(Fiber.awaitAll([...handling]), grace).pipe(
          Effect.andThen(PubSub.shutdown(pubsub))
        )
      })
    }
  })
