// What workers cost beside the tasks they do: on long tasks, when they start, and while they wait.
import { setTimeout as pause } from "node:timers/promises"
import type { Group } from "./harness.ts"
import { median } from "./harness.ts"
import { message } from "./workers/flight.ts"
import type { Kind } from "./workers/ours.ts"
import type { Pool } from "./workers/pools.ts"
import * as pools from "./workers/pools.ts"

interface Maker<P> {
  /** Loads the package, and starts nothing. */
  readonly load: () => Promise<unknown>
  readonly make: (size: number) => Promise<P>
}

type Echoing = Maker<Pick<Pool, "echo">>
type Computing = Maker<Pick<Pool, "echo" | "spin">>

const ours = (kind: Kind): Computing => ({
  load: () => import("./workers/ours.ts"),
  make: async (size) => (await import("./workers/ours.ts")).pool(kind, size)
})

const piscina: Computing = { load: () => import("piscina"), make: pools.piscina }

const tinypool = (runtime: "worker_threads" | "child_process"): Computing => ({
  load: () => import("tinypool"),
  make: (size) => pools.tinypool(runtime, size)
})

const workerpool = (kind: Kind): Computing => ({
  load: () => import("workerpool"),
  make: (size) => pools.workerpool(kind, size)
})

const raw = (make: (size: number) => Promise<Pick<Pool, "echo">>) => ({ load: async () => {}, make })

/** From asking to the answer, without what the worker computed for. */
const beyond = ({ make }: Computing) => async () => {
  const { spin } = await make(1)
  const cost = async (millis: number, times: number): Promise<number> => {
    const costs: Array<number> = []
    for (let i = 0; i < times; i++) {
      const from = performance.now()
      const computed = await spin(millis)
      costs.push(performance.now() - from - computed)
      if (computed < millis) throw new Error(`${computed} ms instead of ${millis}`)
    }
    return median(costs)
  }
  await cost(1, 50)
  return [await cost(100, 9), await cost(1000, 3)]
}

const starting = ({ load, make }: Echoing) => async () => {
  await load()
  const from = performance.now()
  const { echo } = await make(1)
  const { id } = await echo(message(1))
  const millis = performance.now() - from
  if (id !== 1) throw new Error(`1 was answered by ${id}`)
  return [millis]
}

const threads = 8
const idleMillis = 4000

const idle = ({ load, make }: Echoing) => async () => {
  await load()
  const resident = async (): Promise<number> => {
    globalThis.gc!()
    await pause(1000)
    return process.memoryUsage.rss()
  }
  const before = await resident()
  const { echo } = await make(threads)
  await Promise.all(Array.from({ length: 1000 }, (_, id) => echo(message(id))))
  await pause(1000)
  const bytes = await resident() - before
  const from = process.cpuUsage()
  await pause(idleMillis)
  const { system, user } = process.cpuUsage(from)
  return [bytes / threads / 2 ** 20, (system + user) / idleMillis]
}

const onThreads = (measure: (maker: Echoing) => () => Promise<ReadonlyArray<number>>): Group["subjects"] => ({
  ours: measure(ours("thread")),
  piscina: measure(piscina),
  tinypool: measure(tinypool("worker_threads")),
  workerpool: measure(workerpool("thread")),
  "floor: Worker": measure(raw(pools.rawThreads))
})

export const groups: ReadonlyArray<Group> = [
  {
    cases: [
      { case: "a task of 100 ms on a process, beyond itself", unit: "ms", better: "less" },
      { case: "a task of 1 s on a process, beyond itself", unit: "ms", better: "less" }
    ],
    subjects: {
      ours: beyond(ours("process")),
      tinypool: beyond(tinypool("child_process")),
      workerpool: beyond(workerpool("process"))
    }
  },
  {
    cases: [{ case: "from a new pool to the first answer of a thread", unit: "ms", better: "less" }],
    subjects: onThreads(starting)
  },
  {
    cases: [{ case: "from a new pool to the first answer of a process", unit: "ms", better: "less" }],
    subjects: {
      ours: starting(ours("process")),
      tinypool: starting(tinypool("child_process")),
      workerpool: starting(workerpool("process")),
      "floor: fork": starting(raw(pools.rawProcesses))
    }
  },
  {
    cases: [
      { case: "each of 8 idle threads, memory", unit: "MiB", better: "less" },
      { case: "8 idle threads, CPU time of a second", unit: "ms", better: "less" }
    ],
    subjects: onThreads(idle)
  }
]
