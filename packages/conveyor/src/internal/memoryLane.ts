import * as Crew from "effect-work-queue/Crew"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Tracer from "effect/Tracer"
import { type Consume, type Consumer, type Delivery, Rejected } from "../Consumer.ts"
import { StartupRejected, type TimedOut } from "../ConveyorError.ts"
import type { ConveyorEvent } from "../ConveyorEvent.ts"
import type { LaneInstruments } from "../ConveyorMetrics.ts"
import { defaults, type Lane, type LaneOptions, type LaneStats } from "../Lane.ts"
import type { Tick } from "../Tick.ts"
import { acquire, type Acquired, timeoutOption, within } from "./acquired.ts"
import * as Spans from "./spans.ts"

/** A payload in the lane; `settled` once it was delivered, dropped or given to the dead letters. */
interface Entry<A> {
  readonly payload: A
  readonly tick: Tick
  readonly span: Tracer.AnySpan | undefined
  settled: boolean
}

type Batch<A> = Arr.NonEmptyReadonlyArray<Entry<A>>

/** How long a conveyor waits at its start for a consumer to be acquired; after that the lane goes on by itself. */
const startTimeout = Duration.seconds(5)

export interface MemoryLaneOptions<A, E, R> {
  readonly conveyor: string
  readonly name: string
  readonly consumer: Consumer<A, E, R>
  readonly options: LaneOptions
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
  { consumer, conveyor, instruments, name, options, publish, traced }: MemoryLaneOptions<A, E, R>
): Effect.fn.Return<Lane<A>, StartupRejected, R | Scope.Scope> {
  const attempts = options.attempts ?? defaults.attempts
  const minBackoff = Duration.toMillis(options.backoff?.min ?? defaults.backoff.min)
  const maxBackoff = Math.max(minBackoff, Duration.toMillis(options.backoff?.max ?? defaults.backoff.max))
  const timeout = timeoutOption(options.timeout ?? defaults.timeout)
  const rebuildAfter = options.rebuildAfter ?? defaults.rebuildAfter
  const draining = Latch.makeUnsafe(false)
  const counts = { delivering: 0, delivered: 0, retried: 0, dropped: 0, deadLettered: 0, left: 0 }
  let lastError: string | undefined
  let failuresInRow = 0

  // One acquisition at a time: deliveries that run together share the consumer, and wait for it together.
  const acquiring = Semaphore.makeUnsafe(1)
  let current: Acquired<Consume<A, E, R>> | undefined
  const use = Effect.suspend(() =>
    current !== undefined
      ? Effect.succeed(current)
      : acquiring.withPermits(1)(Effect.suspend(() =>
        current !== undefined
          ? Effect.succeed(current)
          : Effect.map(acquire(name, consumer.acquire, timeout), (acquired) => current = acquired)
      ))
  )
  const release = Effect.suspend(() => {
    const acquired = current
    current = undefined
    return acquired === undefined ? Effect.void : acquired.release
  })

  const settle = (entry: Entry<A>): void => {
    entry.settled = true
  }

  const deadLetter = (batch: Batch<A>, made: number, reason: Rejected | "attempts", cause: Cause.Cause<unknown>) =>
    Effect.sync(() => {
      for (const entry of batch) {
        settle(entry)
        counts.deadLettered++
        publish({
          _tag: "DeadLettered",
          conveyor,
          consumer: name,
          payload: entry.payload,
          tick: entry.tick,
          attempts: made,
          reason,
          cause
        })
      }
      instruments.deadLettered(batch.length)
    })

  const delivered = (batch: Batch<A>) => {
    failuresInRow = 0
    lastError = undefined
    for (const entry of batch) settle(entry)
    counts.delivered += batch.length
    instruments.delivered(batch.length)
  }

  // While draining there is no time for long pauses: what can be delivered before the deadline is tried at the shortest one.
  const pause = (millis: number) =>
    Effect.raceFirst(Effect.sleep(millis), Effect.andThen(draining.await, Effect.sleep(Math.min(millis, minBackoff))))

  const attempt = (batch: Batch<A>, number: number): Effect.Effect<void, E | Rejected | TimedOut, R> =>
    Effect.flatMap(use, (acquired) =>
      within(
        name,
        Effect.suspend(() =>
          acquired.use(batch.map(({ payload, tick }): Delivery<A> => ({ payload, tick, attempt: number })) as never)
        ),
        timeout
      ))

  const spanned = (batch: Batch<A>, number: number) =>
    traced
      ? Spans.delivery(attempt(batch, number), { conveyor, consumer: name, attempt: number, batch })
      : attempt(batch, number)

  const deliver = (batch: Batch<A>, number: number): Effect.Effect<void, never, R> =>
    Effect.flatMap(
      instruments.timed(Effect.exit(spanned(batch, number))),
      (exit) => Exit.isSuccess(exit) ? Effect.sync(() => delivered(batch)) : failed(batch, number, exit.cause)
    )

  const failed = (batch: Batch<A>, number: number, cause: Cause.Cause<unknown>): Effect.Effect<void, never, R> => {
    lastError = summarise(cause)
    const rejected = cause.reasons.find((reason) => Cause.isFailReason(reason) && reason.error instanceof Rejected)
    if (rejected !== undefined) {
      return batch.length === 1
        ? deadLetter(batch, number, (rejected as Cause.Fail<Rejected>).error, cause)
        : Effect.forEach(batch, (entry) => deliver([entry], number), { discard: true })
    }
    failuresInRow++
    if (attempts !== "unbounded" && number >= attempts) return deadLetter(batch, number, "attempts", cause)
    const millis = Math.min(maxBackoff, minBackoff * 2 ** Math.min(number - 1, 60))
    counts.retried += batch.length
    publish({
      _tag: "DeliveryFailed",
      conveyor,
      consumer: name,
      attempt: number,
      payloads: batch.length,
      cause,
      retryIn: Duration.millis(millis)
    })
    const stale = rebuildAfter !== "never" && failuresInRow >= rebuildAfter
    return (stale ? Effect.ensuring(release, Effect.sync(() => failuresInRow = 0)) : Effect.void).pipe(
      Effect.andThen(pause(millis)),
      Effect.andThen(deliver(batch, number + 1))
    )
  }

  // Released after the crew's own finalizer has run, since finalizers run last in, first out.
  yield* Effect.addFinalizer(() => release)
  yield* firstAcquisition(conveyor, name, within(name, use, startTimeout), (cause) => {
    lastError = summarise(cause)
    publish({
      _tag: "DeliveryFailed",
      conveyor,
      consumer: name,
      attempt: 0,
      payloads: 0,
      cause,
      retryIn: Duration.zero
    })
  })

  const drop = (entry: Entry<A>, reason: "dropNewest" | "dropOldest") => {
    settle(entry)
    counts.dropped++
    instruments.dropped(1)
    publish({
      _tag: "Dropped",
      conveyor,
      consumer: name,
      payload: entry.payload,
      tick: entry.tick,
      reason,
      total: counts.dropped
    })
  }
  const queue = yield* WorkQueue.make<Entry<A>>({
    capacity: options.capacity ?? defaults.capacity,
    overflow: options.overflow ?? defaults.overflow,
    onDrop: drop
  })
  const crew = yield* Crew.makeBatch(queue, {
    size: options.concurrency ?? defaults.concurrency,
    batch: { size: options.batch?.size ?? 1, wait: options.batch?.wait ?? 0 },
    work: (batch: Batch<A>) => {
      counts.delivering += batch.length
      return Effect.ensuring(
        deliver(batch, 1),
        Effect.sync(() => {
          counts.delivering -= batch.length
        })
      )
    },
    onSettled: (batch) => {
      for (const entry of batch) {
        if (!entry.settled) counts.left++
      }
    }
  })

  // The queue counts what it accepts in the same step; a count kept here would miss an offer that is interrupted as it resumes.
  const stats = Effect.map(WorkQueue.stats(queue), ({ depth, offered, oldestAge }): LaneStats => ({
    name,
    accepted: offered,
    depth,
    oldestAge,
    ...counts,
    lastError
  }))
  const put = (payload: A, tick: Tick, span: Tracer.AnySpan | undefined): Effect.Effect<void> =>
    Effect.asVoid(WorkQueue.offer(queue, { payload, tick, span, settled: false }))
  return {
    name,
    offer: (payload, tick) =>
      traced
        ? Effect.withFiber((fiber) => put(payload, tick, Context.getOrUndefined(fiber.context, Tracer.ParentSpan)))
        : put(payload, tick, undefined),
    drain: (deadline) => Effect.andThen(draining.open, Effect.andThen(Crew.drain(crew, { deadline }), stats)),
    stats
  }
})

/** Waits for the first attempt to acquire a consumer; only a refusal stops the conveyor from starting. */
const firstAcquisition = <R>(
  conveyor: string,
  consumer: string,
  use: Effect.Effect<unknown, unknown, R>,
  onFailure: (cause: Cause.Cause<unknown>) => void
): Effect.Effect<void, StartupRejected, R> =>
  Effect.flatMap(Effect.exit(use), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.void
    const reason = exit.cause.reasons.find(Cause.isFailReason)
    if (reason?.error instanceof Rejected) {
      return Effect.fail(new StartupRejected({ conveyor, consumer, cause: reason.error }))
    }
    return Effect.sync(() => onFailure(exit.cause))
  })

const summarise = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}
