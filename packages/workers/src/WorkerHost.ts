/**
 * Where the workers of a queue come from: fibers of this process, threads, child processes, or other machines.
 *
 * A host starts workers; it knows nothing of tasks. What it gives is a link: a way to post messages to one worker, the moment at which
 * that worker is gone, and two ways to make it so. All the rest (which task goes where, what is tried again, when a worker is
 * replaced) is the queue's, and is therefore the same for every kind of worker.
 *
 * **Source** AsynQueue's `IWorker` with its four implementations. That a worker can be killed is new.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { FromWorkerMessage, ToWorkerMessage } from "./internal/messages.ts"

/**
 * What a worker is.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type WorkerKind = "fiber" | "thread" | "process" | "remote"

/**
 * Why a worker could not be started.
 *
 * **Details**
 *
 * `Refused`: it started, but its task module could not be loaded or its handlers not be built; trying again helps only if that
 * was temporary. `Unreachable`: nothing answers at the address. `Unauthorized`: the secret or the certificate was not accepted;
 * never tried again. `Full`: the host runs as many workers as it may. `Exited`: it ended before it was ready.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class WorkerStartError extends Schema.TaggedError<WorkerStartError>()("WorkerStartError", {
  reason: Schema.Literals(["Refused", "Unreachable", "Unauthorized", "Full", "Exited"]),
  /** What was started, where. */
  worker: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.worker} did not start (${this.reason}): ${this.detail}`
  }
}

/**
 * How a worker ended.
 *
 * **Details**
 *
 * `Closed`: it was asked to, and did. `Exited`: it ended with an exit code, by `process.exit`, or by an error that nobody caught
 * (`detail` has it). `Signalled`: it was killed, by us or by somebody else. `OutOfMemory`: its heap was exhausted. `Disconnected`: it
 * may live, but cannot be reached.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type WorkerEnd =
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Exited"; readonly code: number; readonly detail: string }
  | { readonly _tag: "Signalled"; readonly signal: string }
  | { readonly _tag: "OutOfMemory"; readonly detail: string }
  | { readonly _tag: "Disconnected"; readonly detail: string }

/**
 * How a worker ended, in words that go after its name.
 *
 * @category converting
 * @stability unstable
 * @since 0.1.0
 */
export const describeEnd = (end: WorkerEnd): string => {
  switch (end._tag) {
    case "Closed":
      return "was closed"
    case "Exited":
      return `exited with code ${end.code}${end.detail === "" ? "" : `: ${end.detail}`}`
    case "Signalled":
      return `was killed by ${end.signal}`
    case "OutOfMemory":
      return `ran out of memory: ${end.detail}`
    case "Disconnected":
      return `was disconnected: ${end.detail}`
  }
}

/**
 * What tells one worker from another outside of the queue.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkerDetails {
  /** The process it is, or runs in. */
  readonly pid?: number | undefined
  readonly threadId?: number | undefined
  /** The host it runs on, as it was given: `tcp://10.0.0.7:7000`. */
  readonly address?: string | undefined
}

/**
 * The way to one worker.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkerLink {
  readonly details: WorkerDetails
  /**
   * Posts messages, in order, moving what is in `transfers`. Never waits; does nothing once the worker is gone; throws a
   * `DataCloneError`, with nothing posted, if a message cannot be cloned.
   */
  readonly post: (batch: ReadonlyArray<ToWorkerMessage>, transfers?: ReadonlyArray<object> | undefined) => void
  /** Waits until the worker is gone. After it, nothing is received any more. */
  readonly ended: Effect.Effect<WorkerEnd>
  /** Ends the worker whatever it does, in the gentlest way that works on one that does not listen (SIGTERM). Does not wait. */
  readonly terminate: Effect.Effect<void>
  /** Ends the worker in the surest way there is (SIGKILL). Does not wait. */
  readonly kill: Effect.Effect<void>
}

/**
 * What a worker is started with.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface WorkerStartOptions {
  /** What the queue calls it: `worker-3`. */
  readonly name: string
  /** Whether values cross encoded: always, but for a host that `shares`, where the queue decides. */
  readonly encoded: boolean
  /** Takes what the worker posts, after it was ready; batches come in order, and never inside `post`. */
  readonly receive: (batch: ReadonlyArray<FromWorkerMessage>) => void
}

/**
 * The host that a queue starts its workers on.
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export class WorkerHost extends Context.Service<WorkerHost, {
  readonly kind: WorkerKind
  /** How many workers a pool on it has at most, unless it is told. */
  readonly workers: number
  /** Whether values may cross as they are, without being encoded: workers in the same heap. */
  readonly shares: boolean
  /**
   * Starts a worker and waits until its handlers are there. When the Scope closes, or the effect is interrupted, the worker is
   * killed; one that has ended by then is left alone.
   */
  readonly start: (options: WorkerStartOptions) => Effect.Effect<WorkerLink, WorkerStartError, Scope.Scope>
}>()("effect-workers/WorkerHost") {}
