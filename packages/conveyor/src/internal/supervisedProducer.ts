import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { TimedOut } from "../ConveyorError.ts"
import type { Produce, Producer } from "../Producer.ts"
import * as Supervisor from "../Supervisor.ts"
import { acquire, type Acquired } from "./acquired.ts"
import type { Journal } from "./journal.ts"

/** The producer as its conveyor sees it: there or not, and told how its runs end. */
export interface SupervisedProducer<A, E, R> {
  /** Acquires the producer for the first time; whatever comes of it, the supervisor takes it from there. */
  readonly start: Effect.Effect<void, never, R>
  /** The function to run on a tick, or nothing while the producer is being rebuilt. */
  readonly produce: () => Produce<A, E, R> | undefined
  readonly succeeded: () => void
  readonly failed: (cause: Cause.Cause<E | TimedOut>) => void
  /** Degrades the conveyor when the last success is too long ago; gives the instant to look again. */
  readonly checkSilence: () => number
  readonly restarts: () => number
  /** Gives up rebuilding; what is acquired stays until `release`. */
  readonly stop: () => void
  readonly release: Effect.Effect<void>
}

interface SupervisedProducerOptions<A, E, R> {
  readonly conveyor: string
  readonly producer: Producer<A, E, R>
  readonly timeout: Duration.Duration | undefined
  readonly maxSilence: (since: number) => number
  readonly restart: Supervisor.RestartOptions | undefined
  readonly journal: Journal<A, E>
  readonly context: Context.Context<R>
  readonly onRestart: () => void
  readonly onGiveUp: () => void
}

export const make = <A, E, R>(
  { context, conveyor, journal, maxSilence, onGiveUp, onRestart, producer, restart, timeout }:
    SupervisedProducerOptions<A, E, R>
): SupervisedProducer<A, E, R> => {
  const clock = Context.get(context as Context.Context<never>, Clock.Clock)
  // Spans of time are measured on the monotonic clock: a wall clock that jumps must not look like silence.
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const fork = Effect.runForkWith(context)

  let supervisor = Supervisor.make(now(), restart)
  let current: Acquired<Produce<A, E, R>> | undefined
  let rebuilding: Fiber.Fiber<unknown, unknown> | undefined
  let restarts = 0
  // Computed when silence is first looked at after a sign of life, which for a cron costs more than a tick.
  let silenceLimit: number | undefined
  let stopped = false

  const release = Effect.suspend(() => {
    const acquired = current
    current = undefined
    return acquired === undefined ? Effect.void : acquired.release
  })

  const attempt = Effect.map(
    Effect.exit(acquire(`producer of ${conveyor}`, producer.acquire, timeout)),
    (exit) => {
      if (Exit.isFailure(exit)) return follow(Supervisor.restart(supervisor, now()), exit.cause)
      current = exit.value
      if (restarts > 0) journal.publish({ _tag: "ProducerRebuilt", conveyor })
    }
  )

  const follow = (
    [next, verdict]: readonly [Supervisor.Supervisor, Supervisor.Verdict],
    cause: Cause.Cause<E | TimedOut>
  ): void => {
    supervisor = next
    switch (verdict._tag) {
      case "Continue":
        return
      case "GiveUp": {
        journal.moveTo(
          "failed",
          `gave up: more than ${next.policy.maxRestarts} rebuilds within ${next.policy.period} ms`
        )
        return onGiveUp()
      }
      case "Rebuild": {
        restarts++
        onRestart()
        const after = Duration.millis(verdict.after)
        journal.publish({ _tag: "ProducerRebuilding", conveyor, after, cause })
        journal.moveTo("degraded", "the producer is being rebuilt")
        if (stopped) return
        rebuilding = fork(Effect.andThen(release, Effect.andThen(Effect.sleep(after), attempt)))
      }
    }
  }

  return {
    start: attempt,
    produce: () => current?.use,
    succeeded: () => {
      supervisor = Supervisor.succeeded(supervisor, now())
      silenceLimit = undefined
      journal.moveTo("healthy", "a run succeeded")
    },
    failed: (cause) => {
      // Runs that overlap may all fail on the connection that is being replaced already.
      if (current !== undefined) follow(Supervisor.failed(supervisor, now()), cause)
    },
    checkSilence: () => {
      const silence = now() - supervisor.lastSign
      silenceLimit ??= maxSilence(clock.currentTimeMillisUnsafe() - silence)
      if (silence < silenceLimit) return silenceLimit - silence
      journal.moveTo("degraded", `no success for ${Duration.format(Duration.millis(Math.round(silence)))}`)
      return Infinity
    },
    restarts: () => restarts,
    stop: () => {
      stopped = true
      rebuilding?.interruptUnsafe()
    },
    release
  }
}
