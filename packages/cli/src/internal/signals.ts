import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { codes } from "../ExitCode.ts"

/** What the system asks of a process that runs for long. */
export interface Signals {
  /** Resumes at the first SIGINT or SIGTERM. */
  readonly awaitStop: Effect.Effect<NodeJS.Signals>
  /** Resumes at the next SIGHUP; those that came meanwhile count as one. */
  readonly awaitReload: Effect.Effect<void>
}

/**
 * How soon, in milliseconds, a signal of the same kind is taken for an echo: a terminal sends Ctrl-C to every process of its group, and npm passes
 * on to its child what it got as well.
 */
const echo = 250

/**
 * Takes the signals for the rest of the process's life: a second SIGINT or SIGTERM ends it at once, also while the finalizers of the
 * first one run.
 */
export const take: Effect.Effect<Signals> = Effect.map(Queue.dropping<void>(1), (reloads) => {
  const stop = Deferred.makeUnsafe<NodeJS.Signals>()
  let first = { signal: "SIGINT" as NodeJS.Signals, at: -Infinity }
  const on = (signal: NodeJS.Signals): void => {
    const at = performance.now()
    if (Deferred.doneUnsafe(stop, Effect.succeed(signal))) {
      first = { signal, at }
      return
    }
    if (signal === first.signal && at - first.at < echo) return
    process.exit(signal === "SIGINT" ? codes.forcedByInterrupt : codes.forcedByTermination)
  }
  process.on("SIGINT", on)
  process.on("SIGTERM", on)
  process.on("SIGHUP", () => Queue.offerUnsafe(reloads, undefined))
  return { awaitStop: Deferred.await(stop), awaitReload: Queue.take(reloads) }
})
