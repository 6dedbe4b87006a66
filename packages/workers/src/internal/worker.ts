import type * as Fiber from "effect/Fiber"
import type { WorkerLink, WorkerStartError } from "../WorkerHost.ts"
import type { Alarm } from "./alarms.ts"
import { ToWorker, type ToWorkerMessage } from "./messages.ts"
import type { Pool } from "./pool.ts"
import type { Task } from "./task.ts"
import type { WorkerMeter } from "./taskStats.ts"
import type { UpdateAnswer } from "./updates.ts"

/**
 * - `starting`: its handlers are being built
 * - `ready`: tasks may be assigned to it
 * - `leaving`: it finishes what it has, and then closes
 * - `closing`: it releases what its handlers hold
 * - `ending`: it was terminated
 */
export type WorkerState = "starting" | "ready" | "leaving" | "closing" | "ending"

/** One worker of a pool, and what is assigned to it. */
export class Worker {
  readonly name: string
  readonly pool: Pool
  state: WorkerState = "starting"
  link: WorkerLink | undefined = undefined
  meter: WorkerMeter | undefined = undefined
  keeper: Fiber.Fiber<void, WorkerStartError> | undefined = undefined
  /** In the order of assignment, which is that in which it begins them: the first `concurrency` run. */
  readonly assigned: Array<Task> = []
  /** Milliseconds that what is assigned is expected to run. */
  expected = 0
  /** Whether it is among the free of its pool. */
  isFree = false
  /** Tasks assigned that another worker has died of: nothing waits behind them. */
  suspects = 0
  /** Updates posted and not yet answered, by their ids. */
  readonly updates = new Map<number, (answer: UpdateAnswer) => void>()
  /** Tasks it has answered. */
  done = 0
  /** Since when it has had nothing to do. */
  idleSince: number
  /** What it was terminated for. */
  terminatedFor: string | undefined = undefined
  /** The next rung: terminating what does not close, killing what was terminated. */
  ladder: Alarm | undefined = undefined
  private outbox: Array<ToWorkerMessage> = []
  private transfers: Array<object> = []

  constructor(name: string, pool: Pool, now: number) {
    this.name = name
    this.pool = pool
    this.idleSince = now
  }

  /** Posts with all else that comes up in this turn. */
  post(message: ToWorkerMessage, transfers?: ReadonlyArray<object>): void {
    if (this.outbox.length === 0) this.pool.atEndOfTurn(this.flush)
    this.outbox.push(message)
    if (transfers !== undefined && transfers.length > 0) this.transfers.push(...transfers)
  }

  find(id: number): Task | undefined {
    // What was assigned first is mostly answered first.
    const { assigned } = this
    for (let i = 0; i < assigned.length; i++) if (assigned[i]!.id === id) return assigned[i]
    return undefined
  }

  private readonly flush = (): void => {
    const { outbox, transfers } = this
    this.outbox = []
    if (transfers.length > 0) this.transfers = []
    try {
      this.link!.post(outbox, transfers)
    } catch {
      for (const message of outbox) this.postAlone(message)
    }
  }

  /** One message of a batch cannot be cloned, or moves what has been moved before: the others must not suffer for it. */
  private postAlone(message: ToWorkerMessage): void {
    const task = message[0] === ToWorker.Call ? this.find(message[1]) : undefined
    try {
      this.link!.post([message], task?.transfers)
    } catch (cause) {
      if (task !== undefined) this.pool.engine.cannotBePosted(task, cause)
      else if (message[0] === ToWorker.Update) this.updates.get(message[1])?.({ _tag: "NotPosted", cause })
    }
  }
}
