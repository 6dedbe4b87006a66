// What an item of a stream costs: a million small ones, one after another from one thread.
import type { Group } from "./harness.ts"

const items = 1_000_000

/** Runs a stream of so many items; each must be the next number. */
type Counting = (items: number, emitted: (n: number) => void) => Promise<unknown>

const counted = async (count: Counting): Promise<ReadonlyArray<number>> => {
  const run = async (items: number): Promise<void> => {
    let next = 0
    await count(items, (n) => {
      if (n !== next++) throw new Error(`${n} came instead of ${next - 1}`)
    })
    if (next !== items) throw new Error(`${next} items of ${items} came`)
  }
  for (let i = 0; i < 3; i++) await run(items / 10)
  const from = performance.now()
  await run(items)
  return [items * 1000 / (performance.now() - from)]
}

const ours = (task: "count" | "countOneByOne") => async () => {
  const { counting } = await import("./workers/ours.ts")
  return counted(await counting(task))
}

const workerpool = async () => {
  const { default: { pool } } = await import("workerpool")
  const { entry } = await import("./workers/pools.ts")
  const workers = pool(entry("workerpool"), { workerType: "thread", minWorkers: 1, maxWorkers: 1 })
  return counted((items, emitted) => Promise.resolve(workers.exec("count", [items], { on: emitted })))
}

const raw = (atOnce: number) => async () => {
  const { Worker } = await import("node:worker_threads")
  const { entry } = await import("./workers/pools.ts")
  const worker = new Worker(entry("raw"))
  return counted((items, emitted) =>
    new Promise<void>((resolve, reject) => {
      worker.removeAllListeners()
      worker.on("error", reject)
      worker.on("message", (batch: ReadonlyArray<number> | "end") => {
        if (batch === "end") resolve()
        else batch.forEach(emitted)
      })
      worker.postMessage({ count: items, atOnce }, [])
    })
  )
}

export const groups: ReadonlyArray<Group> = [{
  cases: [{ case: "a million small items from one thread", unit: "items/s", better: "more" }],
  subjects: {
    ours: ours("count"),
    "ours, items that come one by one": ours("countOneByOne"),
    "workerpool, workerEmit": workerpool,
    "postMessage for each item": raw(1),
    "floor: postMessage for 1024 items": raw(1024)
  }
}]
