import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** What an item that fails with the first of its descendants, and all below it, have in common. */
export class FailFast {
  private cause: unknown = undefined
  private failed = false
  private readonly outer: FailFast | undefined
  private readonly signal = Deferred.makeUnsafe<void>()

  constructor(outer: FailFast | undefined) {
    this.outer = outer
  }

  /** Whether what belongs to it is not to be done any more. */
  get isOver(): boolean {
    return this.failed || this.outer?.isOver === true
  }

  /** Why its own item fails, if it does. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.failed ? { cause: this.cause } : undefined
  }

  fail(cause: unknown): void {
    if (this.failed) return
    this.failed = true
    this.cause = cause
    Deferred.doneUnsafe(this.signal, Exit.void)
  }

  /** Runs an effect until it ends, or is interrupted because this is over. */
  guard<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const over = Effect.andThen(Deferred.await(this.signal), Effect.interrupt)
    const guarded = Effect.raceFirst(effect, over)
    return this.outer === undefined ? guarded : this.outer.guard(guarded)
  }
}
