/**
 * A scripted producer and a recording consumer, for proving a conveyor on a virtual clock.
 *
 * Both are ordinary producers and consumers: they stand in for the real ones by Layer, and everything else is the conveyor as it
 * runs in production. Give them a `TestClock` (every `it.effect` has one) and move time with `TestClock.adjust`. A test that ends
 * while a run or a delivery is under way needs `drainTimeout: 0`: nobody moves the clock for an orderly end.
 *
 * **Example** (Proving that a slow run skips ticks)
 *
 * ```ts
 * it.effect("skips the ticks that a slow run overruns", () =>
 *   Effect.gen(function*() {
 *     const readings = TestConveyor.recorder<number>()
 *     yield* Conveyor.make("meter", {
 *       cadence: Cadence.every("1 second"),
 *       producer: TestConveyor.script([{ succeed: 1, after: "2500 millis" }, { succeed: 2 }]),
 *       consumers: [readings.consumer]
 *     })
 *     yield* TestClock.adjust("5 seconds")
 *     assert.deepStrictEqual(readings.dueAt, [1000, 4000, 5000])
 *   }))
 * ```
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Consumer from "./Consumer.ts"
import * as Producer from "./Producer.ts"
import type { Tick } from "./Tick.ts"

/**
 * What a scripted producer or consumer does in one run.
 *
 * **Details** After waiting `after` (nothing unless given) it succeeds, fails, dies, or never comes back. `ignoreInterruption` makes it
 * finish its wait whatever happens.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Step<A, E = never> =
  & { readonly after?: Duration.Input | undefined; readonly ignoreInterruption?: boolean | undefined }
  & (
    | { readonly succeed: A }
    | { readonly fail: E }
    | { readonly die: unknown }
    | { readonly never: true }
  )

/**
 * Makes a producer that follows a script, one step for each run; the last step repeats.
 *
 * **Details** `onAcquire` and `onRelease` are told each time the conveyor acquires and releases it, with the number of acquisitions so far.
 * Steps go on across acquisitions.
 *
 * @category testing
 * @stability stable
 * @since 0.1.0
 */
export const script = <A, E = never>(
  steps: Arr.NonEmptyReadonlyArray<Step<A, E>>,
  options: {
    readonly name?: string | undefined
    readonly onAcquire?: ((acquisition: number) => Effect.Effect<void, E>) | undefined
    readonly onRelease?: ((acquisition: number) => Effect.Effect<void>) | undefined
  } = {}
): Producer.Producer<A, E> => {
  let next = 0
  let acquisitions = 0
  return Producer.make(
    options.name ?? "script",
    Effect.suspend(() => {
      const acquisition = ++acquisitions
      return Effect.acquireRelease(
        options.onAcquire?.(acquisition) ?? Effect.void,
        () => options.onRelease?.(acquisition) ?? Effect.void
      ).pipe(Effect.as(() => Effect.suspend(() => play(steps[Math.min(next++, steps.length - 1)]!))))
    })
  )
}

/**
 * A consumer that remembers, and what it remembers.
 *
 * **Details** In order of arrival: `payloads` and `ticks` of what succeeded, `dueAt` those ticks in milliseconds since the Unix epoch,
 * `batches` the payloads of each successful call, `attempts` those of every call, failed ones too.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Recorder<in out A, out E = never> {
  readonly consumer: Consumer.Consumer<A, E>
  readonly payloads: ReadonlyArray<A>
  readonly ticks: ReadonlyArray<Tick>
  readonly dueAt: ReadonlyArray<number>
  readonly batches: ReadonlyArray<ReadonlyArray<A>>
  readonly attempts: ReadonlyArray<ReadonlyArray<A>>
}

/**
 * Makes a consumer that records what it is given.
 *
 * **Details** `steps` script its calls one by one as those of {@link script}; when they are used up every further call succeeds at once.
 * `takes` is `batch` unless given.
 *
 * @category testing
 * @stability stable
 * @since 0.1.0
 */
export const recorder = <A, E = never>(
  options: {
    readonly name?: string | undefined
    readonly takes?: "one" | "batch" | undefined
    readonly steps?: ReadonlyArray<Step<void, E | Consumer.Rejected>> | undefined
    readonly onAcquire?: Effect.Effect<void, E | Consumer.Rejected> | undefined
    readonly onRelease?: Effect.Effect<void> | undefined
  } = {}
): Recorder<A, E> => {
  const payloads: Array<A> = []
  const ticks: Array<Tick> = []
  const batches: Array<ReadonlyArray<A>> = []
  const attempts: Array<ReadonlyArray<A>> = []
  const consume = (batch: ReadonlyArray<{ readonly payload: A; readonly tick: Tick }>) =>
    Effect.suspend(() => {
      const given = batch.map((delivery) => delivery.payload)
      const step = options.steps?.[attempts.length]
      attempts.push(given)
      return Effect.map(step === undefined ? Effect.void : play(step), () => {
        batches.push(given)
        payloads.push(...given)
        ticks.push(...batch.map((delivery) => delivery.tick))
      })
    })
  const acquire = <F>(consume: F) =>
    Effect.as(
      Effect.acquireRelease(options.onAcquire ?? Effect.void, () => options.onRelease ?? Effect.void),
      consume
    )
  const name = options.name ?? "recorder"
  return {
    consumer: options.takes === "one"
      ? Consumer.make(name, acquire((payload: A, tick: Tick) => consume([{ payload, tick }])))
      : Consumer.makeBatch(name, acquire((batch: Arr.NonEmptyReadonlyArray<Consumer.Delivery<A>>) => consume(batch))),
    payloads,
    ticks,
    get dueAt() {
      return ticks.map((tick) => DateTime.toEpochMillis(tick.dueAt))
    },
    batches,
    attempts
  }
}

const play = <A, E>(step: Step<A, E>): Effect.Effect<A, E> => {
  const end: Effect.Effect<A, E> = "succeed" in step
    ? Effect.succeed(step.succeed)
    : "fail" in step
    ? Effect.fail(step.fail)
    : "die" in step
    ? Effect.die(step.die)
    : Effect.never
  const all = step.after === undefined ? end : Effect.andThen(Effect.sleep(step.after), end)
  return step.ignoreInterruption === true ? Effect.uninterruptible(all) : all
}
