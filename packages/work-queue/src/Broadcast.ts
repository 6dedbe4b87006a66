/**
 * What a machine tells those who watch it: events published in a step, to as many as have subscribed, up to a last one that ends
 * every subscription. Publishing never waits and runs nobody's code; a subscriber that is far behind misses the oldest events, and
 * never the last.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * A broadcast of events `A`.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Broadcast<in out A> {
  /** Tells every subscriber. Nothing, after the last event. */
  readonly publish: (event: A) => void
  /** Whether anybody has ever subscribed: an event that happens often need not even be made for nobody. */
  readonly isWatched: () => boolean
  /** Subscribes now, for as long as the Scope lives, and gives the events from now on, which may be read once. */
  readonly subscribe: Effect.Effect<Stream.Stream<A>, never, Scope.Scope>
  /** The events from when it is run, up to the last; none, if that has been. May be run as often as one likes. */
  readonly events: Stream.Stream<A>
}

/** Events a subscriber may be behind before it misses the oldest. */
const bufferedEvents = 1024

/**
 * Makes a broadcast.
 *
 * **Details**
 *
 * `isLast` tells the event after which there are no others. A subscriber that is more than 1024 events behind misses the oldest.
 * Until somebody subscribes, an event costs one call of `isLast`.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = <A>(isLast: (event: A) => boolean): Broadcast<A> => {
  // Made for the first who watches: most machines are watched by nobody, and its ring is larger than all the rest of them.
  let pubsub: PubSub.PubSub<A> | undefined
  let over = false
  const watched = Effect.suspend(() =>
    pubsub !== undefined
      ? Effect.succeed(pubsub)
      // Another subscriber may have made one in the meantime.
      : Effect.map(PubSub.sliding<A>(bufferedEvents), (made) => pubsub ??= made)
  )
  const subscribe = Effect.map(Effect.flatMap(watched, PubSub.subscribe), (subscription) =>
    // Who subscribed before the last event has it, even if it came before this look; who came after it would wait for ever.
    over && !Option.exists(PubSub.remainingUnsafe(subscription), (remaining) => remaining > 0)
      ? Stream.empty
      : Stream.fromSubscription(subscription).pipe(
        // A PubSub resumes its subscribers inside the step that publishes, where a machine is in the middle of a move.
        Stream.mapArrayEffect((events) => Effect.as(Effect.yieldNow, events)),
        Stream.takeUntil(isLast)
      ))
  return {
    publish: (event) => {
      // Whatever came after the last event could push it out of the ring of a subscriber that is far behind.
      if (over) return
      over = isLast(event)
      // Refused by a ring that is full: only the Effect makes room, and it waits for nothing.
      if (pubsub !== undefined && !PubSub.publishUnsafe(pubsub, event)) Effect.runSync(PubSub.publish(pubsub, event))
    },
    isWatched: () => pubsub !== undefined,
    subscribe,
    events: Stream.unwrap(subscribe)
  }
}
