import * as Effect from "effect/Effect"
import { TaskCancelled } from "../TaskError.ts"
import type { TaskReceipt } from "../TaskQueue.ts"
import type { Engine } from "./engine.ts"
import type { Outcome, Task, Waiter } from "./task.ts"

/** A task for which nobody need wait: data while it is queued, not a fiber. */
export class Receipt implements TaskReceipt<unknown, unknown>, Waiter {
  private readonly engine: Engine
  private task: Task | undefined
  private outcome: Outcome | undefined
  private waiting: Set<(outcome: Outcome) => void> | undefined

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Of which task; once, before all else. */
  of(task: Task): Task {
    this.task = task
    return task
  }

  settle(outcome: Outcome): void {
    const { waiting } = this
    this.task = undefined
    this.outcome = outcome
    this.waiting = undefined
    if (waiting !== undefined) { for (const resume of waiting) resume(outcome) }
  }

  get result(): Outcome {
    return Effect.suspend(() => this.outcome ?? this.awaitOutcome)
  }

  get isSettled(): Effect.Effect<boolean> {
    return Effect.sync(() => this.outcome !== undefined)
  }

  get cancel(): Effect.Effect<boolean> {
    return Effect.sync(() => {
      const { task } = this
      if (task === undefined) return false
      this.engine.interrupt(task, { error: new TaskCancelled({ task: task.tag, begun: task.isRunning }), again: false })
      return true
    })
  }

  private get awaitOutcome(): Outcome {
    return Effect.callback((resume) => {
      this.waiting ??= new Set()
      this.waiting.add(resume)
      return Effect.sync(() => this.waiting?.delete(resume))
    })
  }
}
