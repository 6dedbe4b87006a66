import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type { Outcome, Sink, Waiter } from "./task.ts"

type Items = readonly [unknown, ...Array<unknown>]

/** Items that came from a worker and were not read yet. What is read is granted to the worker anew, half a window at a time. */
export class StreamBuffer implements Sink, Waiter {
  private readonly buffered: Array<Effect.Effect<ReadonlyArray<unknown>>> = []
  private outcome: Outcome | undefined
  private wake: (() => void) | undefined
  private read = 0
  private readonly window: number
  private readonly grant: (items: number) => void

  constructor(window: number, grant: (items: number) => void) {
    this.window = window
    this.grant = grant
  }

  items(decode: Effect.Effect<ReadonlyArray<unknown>>): void {
    this.buffered.push(decode)
    this.wakeUp()
  }

  settle(outcome: Outcome): void {
    this.outcome = outcome
    this.wakeUp()
  }

  readonly pull: Pull.Pull<Items, unknown> = Effect.suspend(() => {
    if (this.buffered.length > 0) return Effect.flatMap(this.takeAll(), (items) => this.pulled(items))
    if (this.outcome !== undefined) return Effect.flatMap(this.outcome, () => Cause.done())
    return Effect.flatMap(this.awaitMore, () => this.pull)
  })

  /** What came in several chunks is read as one. */
  private takeAll(): Effect.Effect<ReadonlyArray<unknown>> {
    const chunks = this.buffered.splice(0)
    if (chunks.length === 1) return chunks[0]!
    if (!chunks.every(isSuccess)) return Effect.map(Effect.all(chunks), (all) => all.flat())
    return Exit.succeed(chunks.flatMap(({ value }) => value))
  }

  private pulled(items: ReadonlyArray<unknown>): Pull.Pull<Items, unknown> {
    this.read += items.length
    if (this.outcome === undefined && this.read * 2 >= this.window) {
      this.grant(this.read)
      this.read = 0
    }
    return items.length === 0 ? this.pull : Effect.succeed(items as Items)
  }

  private readonly awaitMore = Effect.callback<void>((resume) => {
    // Since the last look the fiber may have yielded.
    if (this.buffered.length > 0 || this.outcome !== undefined) return resume(Effect.void)
    this.wake = () => resume(Effect.void)
  })

  private wakeUp(): void {
    const { wake } = this
    this.wake = undefined
    wake?.()
  }
}

const isSuccess = (
  effect: Effect.Effect<ReadonlyArray<unknown>>
): effect is Exit.Success<ReadonlyArray<unknown>> => Exit.isExit(effect) && Exit.isSuccess(effect)
