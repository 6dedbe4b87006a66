import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { WorkerLost } from "../TaskError.ts"
import { describeEnd, type WorkerEnd } from "../WorkerHost.ts"
import type { Engine } from "./engine.ts"
import { ToWorker } from "./messages.ts"
import type { Pool } from "./pool.ts"
import type { Worker } from "./worker.ts"

/** What came of an update on one worker. */
export type UpdateAnswer =
  | { readonly _tag: "Succeeded"; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly exit: unknown }
  | { readonly _tag: "NotPosted"; readonly cause: unknown }
  | { readonly _tag: "Lost"; readonly end: WorkerEnd }

export interface Update {
  readonly tag: string
  /** Encoded as tasks are; posted to many, so never moved. */
  readonly payload: unknown
  /** Only the last with a key is remembered. */
  readonly key: string | undefined
  /** Only for workers that serve it. */
  readonly series: string | undefined
  /** Whether workers that come later need not have it. */
  readonly ephemeral: boolean
}

type Result = Exit.Exit<unknown, unknown>

/**
 * What every worker has been told, and each that comes must be told before its first task. A link keeps order and a worker begins
 * nothing past an update, so posting in time is all it takes.
 */
export class Updates {
  private log: Array<Update> = []
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Tells all that are there, and gives what came of it on each, in no order. */
  tell(update: Update): Effect.Effect<ReadonlyArray<Result>> {
    return Effect.callback((resume) => {
      if (!update.ephemeral) {
        if (update.key !== undefined) this.log = this.log.filter(({ key }) => key !== update.key)
        this.log.push(update)
      }
      const results: Array<Effect.Effect<Result>> = []
      let unanswered = 0
      for (const pool of this.engine.pools) {
        if (!concerns(update, pool)) continue
        for (const worker of pool.workers) {
          if (worker.state !== "ready" && worker.state !== "leaving") continue
          unanswered++
          this.post(worker, update, (result) => {
            results.push(result)
            if (--unanswered === 0) resume(Effect.all(results))
          })
        }
      }
      if (unanswered === 0) resume(Effect.succeed([]))
    })
  }

  /** Tells a worker that has just come all it must know. */
  replay(worker: Worker): void {
    for (const update of this.log) {
      if (concerns(update, worker.pool)) this.post(worker, update, () => {})
    }
  }

  private post(worker: Worker, update: Update, answered: (result: Effect.Effect<Result>) => void): void {
    const id = this.engine.nextId()
    const codec = worker.pool.codecOf(update.tag)
    worker.updates.set(id, (answer) => {
      worker.updates.delete(id)
      switch (answer._tag) {
        case "Succeeded":
          return answered(Effect.exit(codec.decodeSuccess(answer.value)))
        case "Failed":
          return answered(codec.decodeFailure(answer.exit))
        case "NotPosted":
          return answered(Effect.succeed(Exit.die(answer.cause)))
        case "Lost":
          return answered(Effect.succeed(Exit.fail(
            new WorkerLost({ task: update.tag, worker: worker.name, detail: describeEnd(answer.end) })
          )))
      }
    })
    worker.post([ToWorker.Update, id, update.tag, this.engine.payloadFor(worker.pool, update.tag, update.payload)])
  }
}

/** One of no series concerns all, those that serve their series exclusively, too. */
const concerns = ({ series }: Update, pool: Pool): boolean => series === undefined || pool.serves(series)
