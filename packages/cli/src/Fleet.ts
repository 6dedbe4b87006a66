/**
 * The conveyors and Layers that one process runs, each by itself: what happens to one does not touch another.
 *
 * @since 0.1.0
 */
import type * as Connector from "effect-conveyor-connectors/Connector"
import type { Conveyor } from "effect-conveyor/Conveyor"
import type { ShutdownReport } from "effect-conveyor/ConveyorEvent"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type ConveyorPlan, start } from "./ConveyorPlan.ts"
import { describe } from "./internal/logging.ts"
import type { LayerModule } from "./LayerModule.ts"
import type { Sources } from "./Sources.ts"

/**
 * How one of them ended.
 *
 * **Details** `Unsettled` did not end within its drain timeout and a grace of three seconds, and is left to itself.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "Ended"; readonly plan: ConveyorPlan; readonly report: ShutdownReport }
  | { readonly _tag: "NotStarted"; readonly plan: ConveyorPlan; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Unsettled"; readonly plan: ConveyorPlan }
  | { readonly _tag: "ModuleEnded"; readonly module: LayerModule; readonly exit: Exit.Exit<unknown, unknown> }

/**
 * A running fleet.
 *
 * **Details**
 *
 * `apply` makes the fleet run exactly what is given: what is new is started; what differs or is gone is stopped in order first, and how it
 * ended is returned; what is the same goes on undisturbed. `awaitEnd` waits until nothing runs. `stop` ends all in order.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Fleet {
  readonly apply: (sources: Pick<Sources, "modules" | "plans">) => Effect.Effect<ReadonlyArray<Outcome>>
  readonly awaitEnd: Effect.Effect<void>
  readonly stop: Effect.Effect<ReadonlyArray<Outcome>>
}

type Running = Conveyor<unknown, Connector.ConnectorFailure>

interface Member {
  readonly fingerprint: string
  readonly fiber: Fiber.Fiber<Outcome>
  readonly stop: Effect.Effect<Outcome>
}

/**
 * Makes a fleet in which nothing runs yet.
 *
 * **Details** `onStarted` gets each conveyor that starts, in the Scope in which it runs.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: {
  readonly onStarted: (conveyor: Running) => Effect.Effect<void, never, Scope.Scope>
}): Effect.Effect<Fleet, never, Connector.Services> =>
  Effect.map(Effect.context<Connector.Services>(), (context) => {
    const members = new Map<string, Member>()
    // Fibers of their own: the fleet ends them in order, one by one, and never by interrupting whoever made it.
    const fork = Effect.runForkWith(context)

    const ofPlan = (plan: ConveyorPlan): Member => {
      let running: Running | undefined
      const life = Effect.gen(function*() {
        running = yield* start(plan)
        yield* options.onStarted(running)
        yield* Effect.annotateLogs(Effect.logInfo(`started from ${plan.file}`), { conveyor: plan.name })
        return yield* running.awaitEnd
      }).pipe(
        Effect.scoped,
        Effect.matchCauseEffect({
          onFailure: (cause) =>
            Effect.as(logEnd(plan.name, "not started", cause), { _tag: "NotStarted", plan, cause } as const),
          onSuccess: (report) => Effect.succeed({ _tag: "Ended", plan, report } as const)
        })
      )
      const fiber = fork(life)
      const stop = Effect.gen(function*() {
        // One that is still starting has nothing to drain.
        if (running === undefined) fiber.interruptUnsafe()
        const exit = yield* Effect.timeoutOption(
          Effect.andThen(running?.stop ?? Effect.void, Fiber.await(fiber)),
          running === undefined ? grace : Duration.sum(plan.drainTimeout, grace)
        )
        return Option.getOrElse(Option.flatMap(exit, Exit.getSuccess), (): Outcome => ({ _tag: "Unsettled", plan }))
      })
      return { fingerprint: plan.fingerprint, fiber, stop }
    }

    const ofModule = (module: LayerModule): Member => {
      const fiber = fork(
        Effect.exit(Layer.launch(module.layer)).pipe(
          Effect.tap((exit) => Exit.isFailure(exit) ? logEnd(module.file, "failed", exit.cause) : Effect.void),
          Effect.map((exit): Outcome => ({ _tag: "ModuleEnded", module, exit }))
        )
      )
      return {
        // What a module would do now cannot be compared with what it did.
        fingerprint: "",
        fiber,
        stop: Effect.map(Fiber.interrupt(fiber), (): Outcome => ({ _tag: "ModuleEnded", module, exit: Exit.void }))
      }
    }

    const stopAll = (keys: Iterable<string>) =>
      Effect.forEach(Array.from(keys), (key) => {
        const member = members.get(key)!
        members.delete(key)
        return member.stop
      }, { concurrency: "unbounded" })

    return {
      apply: ({ modules, plans }) =>
        Effect.gen(function*() {
          const wanted = new Map<string, { readonly fingerprint: string; readonly begin: () => Member }>([
            ...plans.map((plan) =>
              [`conveyor ${plan.name}`, { fingerprint: plan.fingerprint, begin: () => ofPlan(plan) }] as const
            ),
            ...modules.map((module) =>
              [`module ${module.file}`, { fingerprint: "changed", begin: () => ofModule(module) }] as const
            )
          ])
          const isSame = (key: string): boolean => {
            const member = members.get(key)
            return member !== undefined && member.fingerprint === wanted.get(key)?.fingerprint &&
              member.fiber.pollUnsafe() === undefined
          }
          // All that goes has gone before anything comes: two may want the same file.
          const stopped = yield* stopAll(Array.from(members.keys()).filter((key) => !isSame(key)))
          for (const [key, { begin }] of wanted) if (!members.has(key)) members.set(key, begin())
          return stopped
        }),
      awaitEnd: Effect.suspend(() =>
        Effect.forEach(Array.from(members.values()), ({ fiber }) => Fiber.await(fiber), {
          concurrency: "unbounded",
          discard: true
        })
      ),
      stop: Effect.suspend(() => stopAll(members.keys()))
    }
  })

/** How much longer than its drain timeout a conveyor may take, and how long anything else may take to end. */
const grace = Duration.seconds(3)

const logEnd = (name: string, what: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Cause.hasInterruptsOnly(cause)
    ? Effect.void
    : Effect.annotateLogs(Effect.logError(`${what}: ${describe(cause)}`), { conveyor: name })
