import * as Collector from "effect-collector/Collector"
import type * as Connector from "effect-conveyor-connectors/Connector"
import type { Rejected } from "effect-conveyor/Consumer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Latch from "effect/Latch"
import type { PlannedConsumer } from "../ConveyorPlan.ts"
import * as Deliverer from "./deliverer.ts"
import * as HeldConsumer from "./heldConsumer.ts"
import { describe } from "./logging.ts"
import type { Settlement, Submission } from "./submission.ts"

/** How long a collector waits at its start for a consumer to be acquired; after that the consumer is tried again later. */
const startTimeout = "5 seconds"

export interface ConsumerCollector {
  readonly planned: PlannedConsumer
  readonly collector: Collector.Collector<Submission, void, unknown, Rejected, Connector.Services>
  readonly counts: Deliverer.Deliverer<never>["counts"]
}

/**
 * Makes a collector of a consumer: one that takes batches gets what the queue's consumers bring at one time, and each event of
 * a batch has its own outcome.
 */
export const make = (planned: PlannedConsumer, hurrying: Latch.Latch): ConsumerCollector => {
  const { consumer, lane, name } = planned
  const held = HeldConsumer.make(consumer)
  const { counts, deliver } = Deliverer.make(planned, held, hurrying)

  const acquire = Effect.gen(function*() {
    yield* Effect.addFinalizer(() => held.release)
    const acquired = yield* Effect.exit(Effect.timeout(held.use, startTimeout))
    if (Exit.isSuccess(acquired)) return
    const rejected = Deliverer.rejectionOf(acquired.cause)
    if (rejected !== undefined) return yield* rejected
    yield* Effect.logWarning(`${name} is not there yet, and is tried again: ${describe(acquired.cause)}`)
  })

  /** What collects one event, out of what has it delivered. */
  const collecting =
    (settlementOf: (submission: Submission) => Effect.Effect<Settlement, never, Connector.Services>) =>
    (submission: Submission) => {
      submission.begin()
      return Effect.flatMap(settlementOf(submission), (settlement) => {
        submission.settle()
        return settlement
      })
    }

  if (lane.batch === undefined) {
    return {
      planned,
      counts,
      collector: Collector.make(
        name,
        Effect.as(
          acquire,
          collecting((submission) => Effect.map(deliver([submission]), ([settlement]) => settlement!))
        )
      )
    }
  }
  const batched = Collector.makeBatch(
    name,
    { size: lane.batch.size, wait: lane.batch.wait ?? 0 },
    Effect.as(acquire, (batch: ReadonlyArray<Submission>) =>
      Effect.map(
        deliver(batch),
        (settlements) => new Map(batch.map((submission, i) => [submission, settlements[i]!]))
      ))
  )
  return {
    planned,
    counts,
    collector: Collector.make(
      name,
      Effect.map(
        batched.setup,
        (collect) =>
          collecting((submission) => Effect.map(collect(submission), (settlements) => settlements.get(submission)!))
      )
    )
  }
}
