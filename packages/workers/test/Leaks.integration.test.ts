import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Stream } from "effect"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import * as TaskQueue from "effect-workers/TaskQueue"
import type { WorkerHost } from "effect-workers/WorkerHost"
import { readdirSync, readFileSync } from "node:fs"
import { SuiteTasks } from "./modules/suiteTasks.ts"
import { through } from "./support/remote.ts"

const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
const execArgv = ["--conditions=conveyor-source"]

const kinds: Record<string, Layer.Layer<WorkerHost>> = {
  threads: NodeThreads.layer(tasks, { execArgv }),
  processes: NodeProcesses.layer(tasks, { execArgv }),
  "threads over tcp": through("tcp://127.0.0.1:0", NodeThreads.layer(tasks, { execArgv }))
}

const readStat = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch {
    // It has ended since it was listed.
    return ""
  }
}

/** The parent is the second word after the name, which stands in parentheses. */
const children = (): ReadonlyArray<string> =>
  readdirSync("/proc").filter((pid) => /\) \S (\d+) /.exec(readStat(pid))?.[1] === String(process.pid))

/** Descriptors, handles and requests that keep this process busy, and child processes. */
const held = () => ({
  descriptors: readdirSync("/proc/self/fd").length,
  resources: process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate").toSorted(),
  children: children().length
})

/** All that may go wrong with workers, and a queue that ends in the middle of it. */
const turmoil = (host: Layer.Layer<WorkerHost>) =>
  Effect.scoped(
    Effect.gen(function*() {
      const queue = yield* TaskQueue.make(SuiteTasks, { max: 3, drainTimeout: "200 millis" })
      yield* Effect.forEach(
        Array.from({ length: 300 }, (_, n) => n),
        (n) => TaskQueue.call(queue, "echo", n),
        { concurrency: 50, discard: true }
      )
      yield* Stream.runDrain(Stream.take(TaskQueue.stream(queue, "count", 1_000_000), 10))
      yield* Effect.exit(TaskQueue.call(queue, "exit", 3))
      yield* Effect.exit(TaskQueue.call(queue, "spin", undefined, { timeout: "100 millis" }))
      yield* Effect.forkScoped(Effect.exit(TaskQueue.call(queue, "spin", undefined)))
      yield* Effect.forkScoped(Effect.exit(TaskQueue.call(queue, "hang", { name: "on" })))
      yield* Effect.sleep("200 millis")
    })
  ).pipe(Effect.provide(host))

describe.runIf(process.platform === "linux")("a queue that has ended", () => {
  for (const [name, host] of Object.entries(kinds)) {
    it.live(`leaves no worker, descriptor or timer behind (${name})`, () =>
      Effect.gen(function*() {
        // What Node itself opens for the first, and keeps.
        yield* turmoil(host)
        yield* Effect.sleep("500 millis")
        const before = held()
        yield* turmoil(host)
        yield* Effect.sleep("500 millis")
        assert.deepStrictEqual(held(), before)
      }))
  }
})
