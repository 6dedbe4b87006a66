import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import {
  type WorkerDetails,
  type WorkerEnd,
  type WorkerLink,
  WorkerStartError,
  type WorkerStartOptions
} from "../WorkerHost.ts"
import { FromWorker, type FromWorkerMessage } from "./messages.ts"
import { errorText } from "./NodeErrorText.ts"

/** A thread or a child process. */
export interface Spawned {
  readonly details: WorkerDetails
  readonly post: WorkerLink["post"]
  /** Ends it, whatever it does. Does nothing once it is gone. */
  readonly signal: (signal: "SIGTERM" | "SIGKILL") => void
}

/** What a thread or a child process tells of itself. */
export interface Observer {
  readonly onBatch: (batch: ReadonlyArray<FromWorkerMessage>) => void
  /** It is gone. Why is asked when all that it said has arrived. */
  readonly onExit: (why: () => WorkerEnd) => void
  /** All that it said has arrived. */
  readonly onClose: () => void
}

/** How a host makes its workers. */
export interface Spawner {
  /** `thread of file:///…/tasks.js` */
  readonly what: string
  readonly startTimeout: Duration.Duration
  readonly spawn: (name: string, observer: Observer) => Spawned
}

/** How long a killed worker is waited for. Only one that is stuck in a system call takes longer. */
const killTimeout = "5 seconds"

/** How long the end of what a dead process said is waited for. A process that it left behind may hold its streams for ever. */
const closeTimeout = "1 second"

/** Starts a worker and waits until it is ready. One that does not become ready, or whose start is interrupted, is killed at once. */
export const start = (
  spawner: Spawner,
  { name, receive }: WorkerStartOptions
): Effect.Effect<WorkerLink, WorkerStartError, Scope.Scope> =>
  Effect.suspend(() => {
    const failed = (reason: WorkerStartError["reason"], detail: string) =>
      new WorkerStartError({ reason, worker: `${name} (${spawner.what})`, detail })
    const ready = Deferred.makeUnsafe<void, WorkerStartError>()
    const exited = Deferred.makeUnsafe<() => WorkerEnd>()
    const closed = Deferred.makeUnsafe<void>()
    const ended = Deferred.makeUnsafe<WorkerEnd>()

    let onBatch = ([message]: ReadonlyArray<FromWorkerMessage>): void => {
      if (message?.[0] === FromWorker.Ready) {
        onBatch = receive
        Deferred.doneUnsafe(ready, Exit.void)
      } else if (message?.[0] === FromWorker.Refused) {
        Deferred.doneUnsafe(ready, Exit.fail(failed("Refused", message[1])))
      }
    }

    const end = (why: WorkerEnd) =>
      Effect.sync(() => {
        onBatch = () => {}
        Deferred.doneUnsafe(ready, Exit.fail(failed("Exited", endText(why))))
        Deferred.doneUnsafe(ended, Exit.succeed(why))
      })

    const awaitEnd = Effect.flatMap(
      Deferred.await(exited),
      (why) =>
        Effect.andThen(Effect.timeoutOption(Deferred.await(closed), closeTimeout), Effect.suspend(() => end(why())))
    )

    const kill = (worker: Spawned) =>
      Effect.suspend(() => {
        worker.signal("SIGKILL")
        return Effect.timeoutOrElse(awaitEnd, {
          duration: killTimeout,
          orElse: () => end({ _tag: "Disconnected", detail: `it did not end within ${killTimeout} of being killed` })
        })
      })

    return Effect.acquireRelease(
      Effect.try({
        try: () =>
          spawner.spawn(name, {
            onBatch: (batch) => onBatch(batch),
            onExit: (why) => Deferred.doneUnsafe(exited, Exit.succeed(why)),
            onClose: () => Deferred.doneUnsafe(closed, Exit.void)
          }),
        catch: (error) => failed("Exited", errorText(error))
      }),
      kill
    ).pipe(
      Effect.tap(() => Effect.forkScoped(awaitEnd, { startImmediately: true })),
      Effect.flatMap((worker) =>
        Deferred.await(ready).pipe(
          Effect.timeoutOrElse({
            duration: spawner.startTimeout,
            orElse: () =>
              Effect.fail(
                failed("Exited", `it was not ready within ${Duration.format(spawner.startTimeout)}, and was killed`)
              )
          }),
          Effect.onError(() => kill(worker)),
          Effect.as<WorkerLink>({
            details: worker.details,
            post: worker.post,
            ended: Deferred.await(ended),
            terminate: Effect.sync(() => worker.signal("SIGTERM")),
            kill: Effect.sync(() => worker.signal("SIGKILL"))
          })
        )
      )
    )
  })

const endText = (end: WorkerEnd): string => {
  switch (end._tag) {
    case "Closed":
      return "it ended before it was ready"
    case "Exited":
      return `it ended with code ${end.code} before it was ready${end.detail === "" ? "" : `: ${end.detail}`}`
    case "Signalled":
      return `it was killed by ${end.signal} before it was ready`
    case "OutOfMemory":
      return `it ran out of memory before it was ready: ${end.detail}`
    case "Disconnected":
      return end.detail
  }
}
