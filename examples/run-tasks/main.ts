// Tasks on two threads: results and errors have their types, a stream ends when its reader has had enough, and every worker, also one
// that is started later, knows what all were told.
import { Console, Effect, Layer, Stream } from "effect"
import { NodeThreads, TaskQueue } from "effect-workers"
import { Tasks } from "./tasks.ts"

// #region queue
class Jobs extends TaskQueue.Service<Jobs>()("app/Jobs", Tasks) {
  static readonly layer = TaskQueue.layer(this, { max: 2 }).pipe(
    // Processes, other machines, or fibers of this process: another Layer, and nothing else changes.
    Layer.provide(NodeThreads.layer(new URL("./tasks.ts", import.meta.url)))
  )
}

const program = Effect.gen(function*() {
  const jobs = yield* Jobs
  yield* TaskQueue.update(jobs, "know", { primes: [2, 3, 5, 7] })

  const factors = yield* Effect.forEach(
    [360, 97, 2 ** 31 - 1],
    (n) => TaskQueue.call(jobs, "factors", { n }, { niceness: n > 1000 ? 10 : 0 }),
    { concurrency: "unbounded" }
  )
  for (const each of factors) yield* Console.log(each.join(" × "))

  const primes = TaskQueue.stream(jobs, "primes", { from: 1_000_000_000 })
  yield* Console.log("next primes:", (yield* Stream.runCollect(Stream.take(primes, 3))).join(", "))

  yield* TaskQueue.call(jobs, "factors", { n: 0 }).pipe(
    Effect.catchTag("NotPositive", ({ n }) => Console.log(`${n} is not positive`)),
    Effect.catchTag("TaskTimeout", ({ message }) => Console.log(message))
  )
})
// #endregion

program.pipe(Effect.provide(Jobs.layer), Effect.runPromise)

// Output:
// 2 × 2 × 2 × 3 × 3 × 5
// 97
// 2147483647
// next primes: 1000000007, 1000000009, 1000000021
// 0 is not positive
