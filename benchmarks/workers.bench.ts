// What a task costs that does next to nothing: small messages, and large buffers, to two workers and back.
import type { Case, Group } from "./harness.ts"
import { perSecond } from "./harness.ts"
import type { Round } from "./workers/flight.ts"
import { buffers, check, checkMark, mark, message, promises } from "./workers/flight.ts"
import type { Kind } from "./workers/ours.ts"
import * as pools from "./workers/pools.ts"

const workers = 2

/** How many are in flight, and how many messages make one round of them. */
const flights = [[1, 4000], [4, 10_000], [64, 20_000]] as const

const casesOn = (what: string): ReadonlyArray<Case> =>
  flights.map(([width]) => ({ case: `echo on 2 ${what}, ${width} in flight`, unit: "tasks/s", better: "more" }))

const timesOn = (what: string): ReadonlyArray<Case> =>
  flights.map(([width]) => ({ case: `CPU time of an echo on ${what}, ${width} in flight`, unit: "µs", better: "less" }))

/** The rates; and the CPU time of a task in this process, with its threads: it says more than they do where others are at work. */
const echoFigures = async (round: Round): Promise<ReadonlyArray<number>> => {
  const [rates, times]: [Array<number>, Array<number>] = [[], []]
  for (const [width, count] of flights) {
    rates.push(await perSecond(count, () => round(width, count)))
    const before = process.cpuUsage()
    await round(width, count)
    const { system, user } = process.cpuUsage(before)
    times.push((system + user) / count)
  }
  return [...rates, ...times]
}

const ourEcho = (kind: Kind) => async () => {
  const { echo } = await import("./workers/ours.ts")
  return echoFigures(await echo(kind, workers))
}

const echoOf = (pool: () => Promise<Pick<pools.Pool, "echo">>) => async () => {
  const { echo } = await pool()
  return echoFigures(promises(async (id) => {
    const sent = message(id)
    check(sent, await echo(sent))
  }))
}

const [atOnce, carried] = [4, 400]

const carryRate = async (round: Round): Promise<ReadonlyArray<number>> => [
  await perSecond(carried, () => round(atOnce, carried))
]

const ourBytes = (kind: Kind) => async () => {
  const { bytes } = await import("./workers/ours.ts")
  return carryRate(await bytes(kind, workers, atOnce))
}

const bytesOf = (pool: () => Promise<Pick<pools.Pool, "bytes">>) => async () => {
  const { bytes: carry } = await pool()
  const there: Array<Uint8Array> = buffers(atOnce)
  return carryRate(promises(async (n) => {
    const bytes = there.pop()!
    mark(bytes, n)
    const back = await carry(bytes)
    checkMark(back, n)
    there.push(back)
  }))
}

// Bytes do not survive the default of processes, JSON.
const advanced = { serialization: "advanced" }

export const groups: ReadonlyArray<Group> = [
  {
    cases: [...casesOn("threads"), ...timesOn("threads")],
    subjects: {
      ours: ourEcho("thread"),
      piscina: echoOf(() => pools.piscina(workers)),
      "piscina, tuned": echoOf(() => pools.piscina(workers, pools.tuned.piscina)),
      tinypool: echoOf(() => pools.tinypool("worker_threads", workers)),
      "tinypool, tuned": echoOf(() => pools.tinypool("worker_threads", workers, pools.tuned.tinypool)),
      workerpool: echoOf(() => pools.workerpool("thread", workers)),
      "floor: postMessage": echoOf(() => pools.rawThreads(workers)),
      "floor: postMessage once a turn": echoOf(() => pools.rawThreadsInBatches(workers))
    }
  },
  {
    // What the processes themselves use is not in their time.
    cases: [...casesOn("processes"), ...timesOn("the queue's side of processes")],
    subjects: {
      ours: ourEcho("process"),
      tinypool: echoOf(() => pools.tinypool("child_process", workers)),
      "tinypool, tuned": echoOf(() => pools.tinypool("child_process", workers, pools.tuned.tinypool)),
      workerpool: echoOf(() => pools.workerpool("process", workers)),
      "floor: send": echoOf(() => pools.rawProcesses(workers)),
      "floor: send once a turn": echoOf(() => pools.rawProcessesInBatches(workers))
    }
  },
  {
    cases: [{ case: "1 MiB moved to a thread and back, 4 in flight", unit: "tasks/s", better: "more" }],
    subjects: {
      ours: ourBytes("thread"),
      piscina: bytesOf(() => pools.piscina(workers)),
      tinypool: bytesOf(() => pools.tinypool("worker_threads", workers)),
      workerpool: bytesOf(() => pools.workerpool("thread", workers))
    }
  },
  {
    cases: [{ case: "1 MiB copied to a process and back, 4 in flight", unit: "tasks/s", better: "more" }],
    subjects: {
      ours: ourBytes("process"),
      "tinypool, advanced": bytesOf(() => pools.tinypool("child_process", workers, advanced)),
      "workerpool, advanced": bytesOf(() => pools.workerpool("process", workers, { forkOpts: advanced }))
    }
  }
]
