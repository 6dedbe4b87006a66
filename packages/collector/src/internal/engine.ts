import * as Crew from "effect-work-queue/Crew"
import * as FlowMetrics from "effect-work-queue/FlowMetrics"
import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type { DropReason } from "../CollectorError.ts"
import type { CollectorLike, CollectorQueue, Contract, Options } from "../CollectorQueue.ts"
import type { BusEvent, ShutDownReport } from "../MessageBus.ts"
import * as QueueMetrics from "../QueueMetrics.ts"
import * as Autoscaler from "./autoscaler.ts"
import * as Bus from "./bus.ts"
import * as Collection from "./collection.ts"
import type { CollectedEvent, Origin } from "./event.ts"
import * as Narrator from "./narrator.ts"
import { setUp } from "./participants.ts"
import * as Sending from "./sending.ts"
import { resolve, type Settings } from "./settings.ts"
import * as Waking from "./waking.ts"

/** How long a consumer that was interrupted may take before it is abandoned, and what it holds with it. */
const grace = Duration.seconds(1)

/**
 * Puts a queue together and starts it.
 *
 * What it starts hangs on Scopes of its own, which only the orderly end closes. The surrounding Scope does no more than ask
 * for that end and wait for it, so it does not matter in which order its finalizers run.
 */
export const make = Effect.fnUntraced(function*(
  name: string,
  options: Contract<ReadonlyArray<CollectorLike>, any> & Options<any, any>
): Effect.fn.Return<CollectorQueue<any>, unknown, any> {
  const settings = resolve(name, options)
  const context = yield* Effect.context<any>()
  const clock = yield* Clock.Clock
  const elapsed = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const narrate = settings.logging ? Narrator.make(name, context) : () => {}
  const warn = (...message: ReadonlyArray<unknown>) =>
    settings.logging ? Effect.annotateLogs(Effect.logWarning(...message), { queue: name }) : Effect.void
  const bus = Bus.make((tag) => (cause) => warn(`a handler of ${tag} failed`, cause))
  const tell = (event: BusEvent) => {
    bus.publish(event)
    narrate(event)
  }

  // Handlers, and within it the collectors, of whom the last is released first; the consumers; what looks after them.
  const scope = Scope.makeUnsafe("sequential")
  const collectorScope = Scope.forkUnsafe(scope, "sequential")
  const crewScope = Scope.makeUnsafe("sequential")
  const watchScope = Scope.makeUnsafe("sequential")
  const held = <A, E, R>(effect: Effect.Effect<A, E, R>, within: Scope.Scope) =>
    effect.pipe(Scope.provide(within), Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
  // Until the orderly end can be asked for, an interruption or a failure closes what has been started so far.
  let started = false
  yield* Effect.addFinalizer((exit) =>
    started
      ? Effect.void
      : Effect.forEach([watchScope, crewScope, scope], (each) => Scope.close(each, exit), { discard: true })
  )
  yield* held(Effect.forEach(options.handlers ?? [], bus.add, { discard: true }), scope)
  const collection = Collection.make(
    yield* held(setUp(name, options.collectors, options.router), collectorScope)
  )

  let drops = 0
  const dropped = (event: CollectedEvent, reason: DropReason) => {
    event.drop(reason)
    tell({ _tag: "Dropped", queue: name, event: event.id, reason, total: ++drops })
  }
  const origin: Origin = { queue: name, wake: Waking.make((yield* Scheduler.Scheduler).makeDispatcher()) }
  const flow = yield* FlowMetrics.make(settings)
  const queue = yield* WorkQueue.make<CollectedEvent>(queueOptions(settings, dropped))
  const crew = yield* Scope.provide(
    Crew.make(queue, {
      name,
      flow,
      grace,
      size: settings.scaling === undefined ? settings.maxConsumers : settings.minConsumers,
      work: collection.work,
      onSettled: (event, exit) => {
        if (event.hasBegun) collection.onSettled(event, exit)
        else dropped(event, "shutDown")
      }
    }),
    crewScope
  )

  const autoscaler = Autoscaler.make({
    flow,
    policy: settings.scaling,
    min: settings.minConsumers,
    max: settings.maxConsumers,
    interval: settings.monitorInterval,
    avgLoadInterval: settings.avgLoadInterval,
    warmup: settings.warmup,
    resize: (from, to) =>
      Effect.map(
        Crew.resize(crew, to),
        () => tell({ _tag: to > from ? "ScaledUp" : "ScaledDown", queue: name, from, to })
      ),
    onDefect: (cause) => warn("the scaling policy failed", cause)
  })
  const metrics = Effect.sync(() =>
    QueueMetrics.fromFlow(FlowMetrics.statsUnsafe(flow), {
      timestamp: clock.currentTimeMillisUnsafe(),
      avgLoad: autoscaler.averageLoad()
    })
  )
  const report = Effect.map(metrics, (metrics) => tell({ _tag: "ReportedMetrics", queue: name, metrics }))

  if (settings.measured) yield* Effect.forkIn(autoscaler.run, watchScope)
  if (settings.reportInterval !== undefined) {
    yield* Effect.forkIn(Effect.forever(Effect.andThen(Effect.sleep(settings.reportInterval), report)), watchScope)
  }

  const ended = Deferred.makeUnsafe<ShutDownReport>()
  const end = Effect.gen(function*() {
    const deadline = elapsed() + Duration.toMillis(settings.consumerShutdownTimeout)
    const { abandoned, interrupted, left, settled } = yield* Crew.drain(crew, {
      deadline: settings.consumerShutdownTimeout
    })
    yield* Scope.close(watchScope, Exit.void)
    // Those that were abandoned have had their grace.
    yield* leave(Scope.close(crewScope, Exit.void), abandoned === 0 ? grace : Duration.zero, warn)
    const report: ShutDownReport = { queue: name, settled, interrupted, left: left.length, abandoned }
    tell({ _tag: "ShutDown", queue: name, report })
    yield* bus.close
    yield* leave(
      Scope.close(collectorScope, Exit.void),
      Duration.max(grace, Duration.millis(Math.max(0, deadline - elapsed()))),
      warn
    )
    // Handlers have had their grace.
    yield* leave(Scope.close(scope, Exit.void), Duration.zero, warn)
    yield* Deferred.succeed(ended, report)
  })
  let ending = false
  // In a fiber of its own, so that whoever asked for the end may be interrupted without stopping it half-way.
  const shutDown = Effect.suspend(() => {
    if (!ending) {
      ending = true
      Effect.runForkWith(context)(end)
    }
    return Deferred.await(ended)
  })
  // In one step: an interruption in between would leave nobody to close what has been started.
  const consumers = yield* Crew.size(crew)
  yield* Effect.uninterruptible(Effect.suspend(() => {
    started = true
    tell({ _tag: "Initialized", queue: name, consumers })
    return Effect.addFinalizer(() => shutDown)
  }))

  return {
    name,
    publisher: Sending.make(settings, queue, origin, autoscaler.arrived),
    messageBus: bus,
    metrics,
    consumerCount: Crew.size(crew),
    currentLoad: Effect.map(metrics, ({ load }) => load),
    awaitIdle: Crew.awaitIdle(crew),
    shutDown,
    awaitEnd: Deferred.await(ended)
  }
})

/** Runs a release to its end, or leaves it to itself: one that hangs must not hold up the end of everything. */
const leave = (
  release: Effect.Effect<void>,
  within: Duration.Duration,
  warn: (...message: ReadonlyArray<unknown>) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.flatMap(
    Effect.forkDetach(Effect.catchCause(release, (cause) => warn("a release failed", cause)), {
      startImmediately: true
    }),
    (fiber) => Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), within))
  )

const queueOptions = (
  { ageEvery, capacity, keyed, overflow, queueType }: Settings,
  onDrop: (event: CollectedEvent, reason: DropReason) => void
): WorkQueue.WorkQueueOptions<CollectedEvent> => ({
  order: queueType === "priority" ? { priority: ({ priority }) => priority, ageEvery } : queueType,
  capacity,
  overflow,
  keyed: keyed && { by: ({ payload }) => keyed.by(payload), concurrency: keyed.concurrency },
  onDrop
})
