import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Consumer from "../Consumer.ts"
import type { ConsumerLike, ProducerLike } from "../Conveyor.ts"
import type { StartupRejected } from "../ConveyorError.ts"
import type { ConveyorEvent } from "../ConveyorEvent.ts"
import * as ConveyorMetrics from "../ConveyorMetrics.ts"
import * as Lane from "../Lane.ts"
import * as Producer from "../Producer.ts"
import * as memoryLane from "./memoryLane.ts"
import { checkLane } from "./settings.ts"
import { isTraced } from "./spans.ts"

/** The producer that an option names: itself, the one a service holds, or one made of a function. */
export const producerOf = <A, E, R>(
  conveyor: string,
  producer: ProducerLike<A, E, R>
): Effect.Effect<Producer.Producer<A, E, R>, never, R> => {
  if (Producer.isProducer(producer)) return Effect.succeed(producer as Producer.Producer<A, E, R>)
  if (Effect.isEffect(producer)) return producer as Effect.Effect<Producer.Producer<A, E>, never, R>
  return Effect.succeed(Producer.fromFunction(conveyor, producer as Producer.Produce<A, E, R>))
}

interface Participant {
  readonly consumer: Consumer.Consumer<any, unknown, any>
  readonly name: string
  readonly options: Lane.LaneOptions
}

/** Starts a lane for each consumer, all at once, so that one that is slow to acquire delays only itself. */
export const startLanes = Effect.fnUntraced(function*<A>(
  conveyor: string,
  consumers: ReadonlyArray<ConsumerLike<A>>,
  context: Context.Context<any>,
  scope: Scope.Scope,
  publish: (event: ConveyorEvent<A, any>) => void
): Effect.fn.Return<ReadonlyArray<Lane.Lane<A>>, StartupRejected> {
  const participants = unique(yield* Effect.provideContext(Effect.forEach(consumers, participant), context))
  for (const { consumer, name, options } of participants) checkLane(conveyor, name, consumer.takes, options)
  return yield* Effect.forEach(participants, ({ consumer, name, options }) =>
    memoryLane.make<A, unknown, any>({
      conveyor,
      name,
      consumer,
      lane: options,
      publish,
      traced: isTraced(context),
      instruments: ConveyorMetrics.lane(context, conveyor, name)
    }), { concurrency: "unbounded" }).pipe(Scope.provide(scope), Effect.provideContext(context))
})

const participant = <A>(like: ConsumerLike<A>): Effect.Effect<Participant, never, any> => {
  const options = Lane.isConfigured(like) ? like.options : {}
  const target = Lane.isConfigured(like) ? like.consumer : like
  const named = (consumer: Consumer.Consumer<any, unknown, any>): Participant => ({
    consumer,
    name: options.name ?? consumer.name,
    options
  })
  if (Consumer.isConsumer(target)) return Effect.succeed(named(target))
  if (Effect.isEffect(target)) {
    return Effect.map(target as unknown as Effect.Effect<Consumer.Consumer<any, unknown>, never, any>, named)
  }
  const consume = target as (payload: A) => Effect.Effect<unknown, unknown, any>
  return Effect.succeed(named(Consumer.fromFunction(consume.name === "" ? "consumer" : consume.name, consume)))
}

/** Two lanes of one name would share their metrics: the second is called `name#2`. */
const unique = (participants: ReadonlyArray<Participant>): ReadonlyArray<Participant> => {
  const seen = new Map<string, number>()
  return participants.map((participant) => {
    const times = (seen.get(participant.name) ?? 0) + 1
    seen.set(participant.name, times)
    return times === 1 ? participant : { ...participant, name: `${participant.name}#${times}` }
  })
}
