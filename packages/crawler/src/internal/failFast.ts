import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** What an item that fails with the first of its children, and all below it, have in common. */
export class FailFast {
  /** Whether what belongs to it is not to be done any more. */
  isOver = false
  /** Why its own item fails, if it does. */
  failure: { readonly cause: unknown } | undefined = undefined
  private readonly outer: FailFast | undefined
  /** Those of items below that have not settled: told, so that none has to look up a chain that may be deep. */
  private readonly inner = new Set<FailFast>()
  private readonly signal = Deferred.makeUnsafe<void>()

  constructor(outer: FailFast | undefined) {
    this.outer = outer
    outer?.inner.add(this)
    if (outer?.isOver === true) this.end()
  }

  fail(cause: unknown): void {
    this.failure ??= { cause }
    if (!this.isOver) this.end()
  }

  /** Its item has settled. */
  leave(): void {
    this.outer?.inner.delete(this)
  }

  /** Runs an effect until it ends, or is interrupted because this is over. */
  guard<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.raceFirst(effect, Effect.andThen(Deferred.await(this.signal), Effect.interrupt))
  }

  end(): void {
    const ending: Array<FailFast> = [this]
    for (const each of ending) {
      each.isOver = true
      for (const inner of each.inner) if (!inner.isOver) ending.push(inner)
    }
    // Who hears of it goes on at once, and must find all of them over.
    for (const { signal } of ending) Deferred.doneUnsafe(signal, Exit.void)
  }
}
