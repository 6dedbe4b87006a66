import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { codes } from "../../ExitCode.ts"

/** How a crawl is stopped: each signal after the first asks for more haste. */
export interface Ladder {
  /** Resumes at the first SIGINT, SIGTERM or SIGHUP: what runs is to be finished. */
  readonly awaitStop: Effect.Effect<NodeJS.Signals>
  /** Resumes at the second: what runs is to be interrupted. */
  readonly awaitInterrupt: Effect.Effect<NodeJS.Signals>
}

/**
 * How soon, in milliseconds, a signal of the same kind is taken for an echo: a terminal sends Ctrl-C to every process of its group, and npm passes
 * on to its child what it got as well.
 */
const echo = 250

/** Takes the signals for the rest of the process's life; the third ends it at once. */
export const take: Effect.Effect<Ladder> = Effect.sync(() => {
  const steps = [Deferred.makeUnsafe<NodeJS.Signals>(), Deferred.makeUnsafe<NodeJS.Signals>()] as const
  let last = { signal: "SIGINT" as NodeJS.Signals, at: -Infinity }
  const on = (signal: NodeJS.Signals): void => {
    const at = performance.now()
    if (signal === last.signal && at - last.at < echo) return
    last = { signal, at }
    if (steps.some((step) => Deferred.doneUnsafe(step, Effect.succeed(signal)))) return
    process.exit(signal === "SIGINT" ? codes.forcedByInterrupt : codes.forcedByTermination)
  }
  // A terminal that closes sends SIGHUP; what it leaves behind is as if it had been asked to stop.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, on)
  return { awaitStop: Deferred.await(steps[0]), awaitInterrupt: Deferred.await(steps[1]) }
})
