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
  /** Lets the handlers finish, for no longer than the grace. `ShutDown` must have been published. */
  readonly close: Effect.Effect<void>
}

/** Makes a bus; what it says on the log is left to the caller. */
export const make = (onFailure: (tag: string) => (cause: unknown) => Effect.Effect<void>): Effect.Effect<Bus> =>
  Effect.map(PubSub.sliding<BusEvent>(bufferedEvents), (pubsub) => {
    const handling = new Set<Fiber.Fiber<unknown, unknown>>()
    // Who has subscribed ends with `ShutDown`, however far behind; so nothing has to be closed, and nothing is cut off.
    let over = false
    const untilShutDown = (subscription: PubSub.Subscription<BusEvent>) =>
      Stream.takeUntil(Stream.fromSubscription(subscription), (event) => event._tag === "ShutDown")

    const add = <R>({ run, tag }: Handler<R>): Effect.Effect<void, never, R | Scope.Scope> =>
      Effect.gen(function*() {
        const subscription = yield* PubSub.subscribe(pubsub)
        // Looked at after the subscription: one that came too late would wait for ever.
        if (over) return
        const fiber = yield* untilShutDown(subscription).pipe(
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
        over ||= event._tag === "ShutDown"
        // Refused by a buffer that is full: only the Effect makes room, and it waits for nothing.
        if (!PubSub.publishUnsafe(pubsub, event)) Effect.runSync(PubSub.publish(pubsub, event))
      },
      events: Stream.unwrap(
        Effect.map(PubSub.subscribe(pubsub), (subscription) => over ? Stream.empty : untilShutDown(subscription))
      ),
      add,
      close: Effect.suspend(() => Effect.asVoid(Effect.timeoutOption(Fiber.awaitAll([...handling]), grace)))
    }
  })
