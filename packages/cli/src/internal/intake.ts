import * as CollectorQueue from "effect-collector/CollectorQueue"
import type { MessageBus, ShutDownReport } from "effect-collector/MessageBus"
import type { QueueMetrics } from "effect-collector/QueueMetrics"
import type * as Receipt from "effect-collector/Receipt"
import * as Router from "effect-collector/Router"
import type * as Connector from "effect-conveyor-connectors/Connector"
import type { Rejected } from "effect-conveyor/Consumer"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { CollectorPlan } from "../CollectorPlan.ts"
import * as ConsumerCollector from "./consumerCollector.ts"
import { ReceiptBook } from "./receiptBook.ts"
import { type Origin, Submission } from "./submission.ts"

/** There is no room for that many events now. */
export class Full extends Data.TaggedError("Full") {}

/** The collector is shutting down and takes no more events. */
export class Stopping extends Data.TaggedError("Stopping") {}

/** An event that was accepted, and the id by which it can be asked for. */
export interface Accepted {
  readonly id: string
  readonly receipt: Receipt.Receipt
}

/** Where events enter: the queue of a collector, with its consumers behind it. */
export interface Intake {
  /** Events that can ever wait at one time. */
  readonly capacity: number
  /** Accepts all of these events now, or none. */
  readonly submit: (events: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Accepted>, Full | Stopping>
  /** Accepts these events one after the other, waiting for room, and tells of each that it is in. */
  readonly feed: (
    events: ReadonlyArray<unknown>,
    onAccepted: (accepted: Accepted) => void
  ) => Effect.Effect<void, Stopping>
  readonly find: (id: string) => Receipt.Receipt | undefined
  readonly metrics: Effect.Effect<QueueMetrics>
  readonly messageBus: MessageBus
  /** Whether intake has ended. */
  readonly isStopping: () => boolean
  /** Fails once intake ends. */
  readonly awaitStopping: Effect.Effect<never, Stopping>
  /** Ends intake and drains the queue; again, joins the end that is under way. */
  readonly stop: Effect.Effect<ShutDownReport>
  readonly counts: () => ReadonlyArray<{ readonly name: string; readonly delivered: number; readonly failed: number }>
}

export const make = Effect.fnUntraced(function*(
  plan: CollectorPlan
): Effect.fn.Return<Intake, Rejected, Connector.Services | Scope.Scope> {
  const { capacity = CollectorQueue.defaults.capacity, keyed, overflow = CollectorQueue.defaults.overflow } = plan.queue
  const hurrying = Latch.makeUnsafe(false)
  const consumers = plan.consumers.map((planned) => ConsumerCollector.make(planned, hurrying))
  const queue = yield* CollectorQueue.make(plan.name, {
    ...plan.queue,
    keyed: keyed === undefined ? undefined : { ...keyed, by: ({ event }: Submission) => keyed.by(event) },
    collectors: consumers.map(({ collector }) => collector),
    // A consumer that waits for its batch does not keep the event from the others.
    router: Router.concurrent(Router.all)
  })
  const { publisher } = queue

  const clock = yield* Clock.Clock
  const origin: Origin = {
    run: clock.currentTimeMillisUnsafe().toString(36),
    consumers: consumers.length,
    keyOf: keyed === undefined ? () => undefined : keyed.by,
    waiting: 0,
    waitingOf: new Map()
  }
  const book = new ReceiptBook()
  let number = 0
  const submission = (event: unknown) => new Submission(origin, ++number, event, clock.currentTimeMillisUnsafe())
  const enter = (one: Submission, receipt: Receipt.Receipt): Accepted => {
    // Dropped at once where the queue is full and told to drop.
    if (!receipt.isSettled) one.wait()
    book.add(one.receipt, receipt)
    return { id: one.receipt, receipt }
  }

  // Known here, because asking the queue for its metrics on every request would cost as much as the request.
  const room = () => overflow === "dropOldest" || capacity === "unbounded" ? Infinity : capacity - origin.waiting

  /** Whether all of these enter without waiting: there is room, and where there are keys, for each its share of it. */
  const hasRoom = (events: ReadonlyArray<unknown>): boolean => {
    let free = room()
    if (keyed === undefined || free === Infinity) return events.length <= free
    const entering = new Map<unknown, number>()
    for (const event of events) {
      const key = origin.keyOf(event)
      const waiting = entering.get(key) ?? origin.waitingOf.get(key) ?? 0
      if (waiting >= free) return false
      entering.set(key, waiting + 1)
      free--
    }
    return true
  }

  const stopping = Deferred.makeUnsafe<never, Stopping>()
  const awaitStopping = Deferred.await(stopping)
  const isStopping = () => Deferred.isDoneUnsafe(stopping)

  const send = (events: ReadonlyArray<unknown>) => {
    const submissions = events.map(submission)
    return Effect.map(
      publisher.sendAll(submissions),
      (receipts) => receipts.map((receipt, i) => enter(submissions[i]!, receipt))
    )
  }

  return {
    capacity: capacity === "unbounded" ? Infinity : capacity,
    submit: (events) =>
      Effect.suspend((): Effect.Effect<ReadonlyArray<Accepted>, Full | Stopping> => {
        if (isStopping()) return Effect.fail(new Stopping())
        if (!hasRoom(events)) return Effect.fail(new Full())
        return Effect.catchTag(send(events), "QueueShutDown", () => Effect.fail(new Stopping()))
      }),
    feed: Effect.fnUntraced(function*(events, onAccepted) {
      for (let at = 0; at < events.length;) {
        if (isStopping()) return yield* new Stopping()
        const many = events.slice(at, overflow === "suspend" ? at + Math.max(1, room()) : undefined)
        const enters = overflow !== "suspend" || hasRoom(many)
        // Where there is no room one event waits alone, for of several it would not be known how many got in.
        const some = enters ? many : many.slice(0, 1)
        const sent = enters ? send(some) : Effect.raceFirst(send(some), awaitStopping)
        const accepted = yield* Effect.catchTag(sent, "QueueShutDown", () => Effect.fail(new Stopping()))
        accepted.forEach(onAccepted)
        at += some.length
      }
    }),
    find: (id) => book.get(id),
    metrics: queue.metrics,
    messageBus: queue.messageBus,
    isStopping,
    awaitStopping,
    stop: Effect.suspend(() => {
      Deferred.doneUnsafe(stopping, Effect.fail(new Stopping()))
      hurrying.openUnsafe()
      return queue.shutDown
    }),
    counts: () => consumers.map(({ counts, planned }) => ({ name: planned.name, ...counts() }))
  }
})
