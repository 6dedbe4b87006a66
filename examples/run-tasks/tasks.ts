// What can be asked of a worker, and how it is done. Every worker loads this file: a thread, a process, or another machine.
import { Effect, Schema, Stream } from "effect"
import { TaskModule, TaskPolicy } from "effect-workers"
import { Rpc, RpcGroup } from "effect/rpc"

export class NotPositive extends Schema.TaggedError<NotPositive>()("NotPositive", { n: Schema.Number }) {}

// #region tasks
export class Tasks extends RpcGroup.make(
  Rpc.make("factors", { payload: { n: Schema.Number }, success: Schema.Array(Schema.Number), error: NotPositive })
    .annotate(TaskPolicy.Policy, { timeout: "5 seconds", retryable: true }),
  Rpc.make("primes", { payload: { from: Schema.Number }, success: Schema.Number, stream: true }),
  Rpc.make("know", { payload: { primes: Schema.Array(Schema.Number) } })
) {}
// #endregion

const layer = Tasks.toLayer(Effect.sync(() => {
  let known: ReadonlyArray<number> = []

  const smallestFactor = (n: number): number => {
    for (const prime of known) if (n % prime === 0) return prime
    for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return factor
    return n
  }

  const factors = (n: number): ReadonlyArray<number> => {
    if (n === 1) return []
    const factor = smallestFactor(n)
    return [factor, ...factors(n / factor)]
  }

  return {
    factors: ({ n }) => n < 1 ? Effect.fail(new NotPositive({ n })) : Effect.sync(() => factors(n)),
    primes: ({ from }) => Stream.iterate(from, (n) => n + 1).pipe(Stream.filter((n) => smallestFactor(n) === n)),
    know: ({ primes }) =>
      Effect.sync(() => {
        known = primes
      })
  }
}))

export default TaskModule.make(Tasks, layer)
