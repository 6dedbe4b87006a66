import * as Crew from "effect-work-queue/Crew"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { Consumer } from "../Consumer.ts"
import { StartupRejected } from "../ConveyorError.ts"
import type { ConveyorEvent } from "../ConveyorEvent.ts"
import type { LaneInstruments } from "../ConveyorMetrics.ts"
import { defaults, type Lane, type LaneOptions, type LaneStats } from "../Lane.ts"
import type { Tick } from "../Tick.ts"
import { timeoutOption, within } from "./acquired.ts"
import * as Deliveries from "./delivery.ts"
import * as HeldConsumer from "./heldConsumer.ts"
import * as Ledger from "./ledger.ts"

/** How long a conveyor waits at its start for a consumer to be acquired; after that the lane goes on by itself. */
const startTimeout = Duration.seconds(5)

export interface MemoryLaneOptions<A, E, R> {
  readonly conveyor: string
  readonly name: string
  readonly consumer: Consumer<A, E, R>
  readonly lane: LaneOptions
  readonly instruments: LaneInstruments
  readonly traced: boolean
  readonly publish: (event: ConveyorEvent<A>) => void
}

/**
 * Makes a lane in memory: a queue, the crew that works it off, and the consumer they share.
 *
 * The effect resumes when the consumer has been acquired for the first time or has failed to be. A refusal is reported to the
 * caller; any other failure is left to the deliveries, which acquire again under the lane's back-off.
 */
export const make = Effect.fnUntraced(function*<A, E, R>(
  { consumer, conveyor, instruments, lane, name, publish, traced }: MemoryLaneOptions<A, E, R>
): Effect.fn.Return<Lane<A>, StartupRejected, R | Scope.Scope> {
  const ledger = Ledger.make(conveyor, name, instruments, publish)
  const held = HeldConsumer.make(name, consumer, timeoutOption(lane.timeout ?? defaults.timeout))
  const { deliver, hurry } = Deliveries.make({ conveyor, name, held, ledger, lane, instruments, traced })

  // Released after the crew's own finalizer has run, since finalizers run last in, first out.
  yield* Effect.addFinalizer(() => held.release)
  const acquired = yield* Effect.exit(within(name, held.use, startTimeout))
  if (Exit.isFailure(acquired)) {
    const cause = Deliveries.rejectionOf(acquired.cause)
    if (cause !== undefined) return yield* new StartupRejected({ conveyor, consumer: name, cause })
    ledger.failed(0, 0, acquired.cause, 0)
  }

  const queue = yield* WorkQueue.make<Ledger.Entry<A>>({
    capacity: lane.capacity ?? defaults.capacity,
    overflow: lane.overflow ?? defaults.overflow,
    onDrop: ledger.dropped
  })
  const begun = new WeakSet<Ledger.Batch<A>>()
  const crew = yield* Crew.makeBatch(queue, {
    size: lane.concurrency ?? defaults.concurrency,
    batch: { size: lane.batch?.size ?? 1, wait: lane.batch?.wait ?? 0 },
    work: (batch: Ledger.Batch<A>) => {
      begun.add(batch)
      ledger.delivering(batch)
      return deliver(batch)
    },
    onSettled: (batch) => ledger.over(batch, begun.has(batch))
  })

  // The queue counts what it accepts in the same step; a count kept here would miss an offer that is interrupted as it resumes.
  const stats = Effect.map(WorkQueue.stats(queue), ({ depth, offered, oldestAge }): LaneStats => ({
    name,
    accepted: offered,
    depth,
    oldestAge,
    ...ledger.counts()
  }))
  const put = (payload: A, tick: Tick, span: Tracer.AnySpan | undefined): Effect.Effect<void> =>
    Effect.asVoid(WorkQueue.offer(queue, { payload, tick, span, settled: false }))
  return {
    name,
    offer: (payload, tick) =>
      traced
        ? Effect.withFiber((fiber) => put(payload, tick, Context.getOrUndefined(fiber.context, Tracer.ParentSpan)))
        : put(payload, tick, undefined),
    drain: (deadline) => Effect.andThen(hurry, Effect.andThen(Crew.drain(crew, { deadline }), stats)),
    stats
  }
})
