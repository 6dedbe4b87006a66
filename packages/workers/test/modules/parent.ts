import { Effect, Scope } from "effect"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import * as WorkerHost from "effect-workers/WorkerHost"
import { ToWorker } from "../../src/internal/messages.ts"

// A program with workers, for tests that look at it from outside: each of them is given one task, and then the program ends, or stays.

const [kind, task, count, then, print] = process.argv.slice(2)

const { layer, layerEntry } = kind === "threads" ? NodeThreads : NodeProcesses
const options = {
  // A hundred of them start at once.
  startTimeout: "2 minutes",
  ...print === "quiet" ? { stdout: "ignore", stderr: "ignore" } as const : {}
} as const
const host = task === "spin"
  ? layerEntry(new URL("puppet.ts", import.meta.url), options)
  : layer(new URL("duties.ts", import.meta.url), options)

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const main = Effect.gen(function*() {
  const { start } = yield* WorkerHost.WorkerHost
  const links = yield* Effect.all(
    Array.from({ length: Number(count) }, (_, i) => start({ name: `worker-${i}`, encoded: true, receive: () => {} })),
    { concurrency: 8 }
  )
  for (const link of links) {
    link.post([[ToWorker.Begin, "worker", 1], [ToWorker.Call, 1, task!, undefined, 1, 0, undefined]])
  }
  yield* Effect.sleep("300 millis")
  yield* say(`workers ${links.map(({ details }) => details.pid).join(" ")}`)
  if (then === "stay") return yield* Effect.never
})

// All are ended at once, as a queue ends its workers.
void Effect.runPromise(Effect.acquireUseRelease(
  Scope.make("parallel"),
  (scope) => Effect.provide(Scope.provide(main, scope), host),
  Scope.close
))
