// The peers and the least that Node itself can do, behind one interface: pools of workers that do the tasks of this folder.
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import type { Message } from "./flight.ts"

/** A pool of workers; what it does not offer is not measured. */
export interface Pool {
  readonly echo: (message: Message) => Promise<Message>
  /** There and back: moved where it can be, copied where not. */
  readonly bytes: (bytes: Uint8Array) => Promise<Uint8Array>
  /** Computes for so many milliseconds in the worker; gives how long it took there. */
  readonly spin: (millis: number) => Promise<number>
}

/**
 * What makes the peers fastest at 64 in flight, by trying: piscina with 4, 16, 32 and 64 tasks for each worker, its three kinds of atomics, its
 * two queues, timing on and off; tinypool with as many tasks, with and without atomics, JSON and advanced serialization. workerpool gives a worker
 * one task at a time, whatever its options.
 */
export const tuned = {
  piscina: { concurrentTasksPerWorker: 64, recordTiming: false },
  tinypool: { concurrentTasksPerWorker: 64, useAtomics: false }
}

export const entry = (name: string): string => fileURLToPath(new URL(`${name}.ts`, import.meta.url))

export const piscina = async (size: number, tuning: object = {}): Promise<Pool> => {
  const { move, Piscina } = await import("piscina")
  const pool = new Piscina({ filename: entry("piscina"), minThreads: size, maxThreads: size, ...tuning })
  return {
    echo: (message) => pool.run(message, { name: "echo" }),
    bytes: (bytes) => pool.run(move(bytes), { name: "bytes" }),
    spin: (millis) => pool.run(millis, { name: "spin" })
  }
}

export const tinypool = async (
  runtime: "worker_threads" | "child_process",
  size: number,
  tuning: object = {}
): Promise<Pool> => {
  const { Tinypool } = await import("tinypool")
  const pool = new Tinypool({ filename: entry("tinypool"), runtime, minThreads: size, maxThreads: size, ...tuning })
  return {
    echo: (message) => pool.run(message, { name: "echo" }),
    bytes: (bytes) =>
      runtime === "worker_threads"
        ? pool.run(Tinypool.move(bytes as never), { name: "bytes" })
        : pool.run(bytes, { name: "echo" }),
    spin: (millis) => pool.run(millis, { name: "spin" })
  }
}

export const workerpool = async (
  workerType: "thread" | "process",
  size: number,
  tuning: object = {}
): Promise<Pool> => {
  const { default: { pool: make } } = await import("workerpool")
  const pool = make(entry("workerpool"), { workerType, minWorkers: size, maxWorkers: size, ...tuning })
  // Its promises are its own, and as good to wait for.
  const exec = (task: string, value: unknown, transfer?: Array<object>) =>
    pool.exec(task, [value], transfer && { transfer }) as unknown as Promise<never>
  return {
    echo: (message) => exec("echo", message),
    bytes: (bytes) => workerType === "thread" ? exec("bytes", bytes, [bytes.buffer]) : exec("echo", bytes),
    spin: (millis) => exec("spin", millis)
  }
}

interface Link {
  readonly post: (message: unknown) => void
  readonly onMessage: (receive: (message: never) => void) => void
}

const thread = (): Link => {
  const worker = new Worker(entry("raw"))
  return {
    post: (message) => worker.postMessage(message, []),
    onMessage: (receive) => worker.on("message", receive as (message: unknown) => void)
  }
}

const child = (): Link => {
  const worker = fork(entry("raw"), { serialization: "advanced" })
  return {
    post: (message) => void worker.send(message as object),
    onMessage: (receive) => worker.on("message", receive as (message: unknown) => void)
  }
}

/** Echoes without a pool: each message goes to the next worker as it comes, or all of a turn at once. */
const rawEcho = (link: () => Link, inBatches: boolean) => (size: number): Promise<Pick<Pool, "echo">> => {
  const waiting = new Map<number, (message: Message) => void>()
  const settle = (message: Message): void => {
    waiting.get(message.id)!(message)
    waiting.delete(message.id)
  }
  const lanes = Array.from({ length: size }, () => {
    const { onMessage, post } = link()
    let batch: Array<Message> = []
    onMessage(inBatches ? (messages: ReadonlyArray<Message>) => messages.forEach(settle) : settle)
    const flush = (): void => {
      const messages = batch
      batch = []
      post(messages)
    }
    return inBatches
      ? (message: Message): void => {
        if (batch.push(message) === 1) queueMicrotask(flush)
      }
      : post
  })
  return Promise.resolve({
    echo: (message) =>
      new Promise((resolve) => {
        waiting.set(message.id, resolve)
        lanes[message.id % size]!(message)
      })
  })
}

export const rawThreads = rawEcho(thread, false)
export const rawThreadsInBatches = rawEcho(thread, true)
export const rawProcesses = rawEcho(child, false)
export const rawProcessesInBatches = rawEcho(child, true)
