// Ours, as the peers are in their file.
import { Effect, Fiber, identity, Scope, Stream } from "effect"
import * as FiberWorkers from "effect-workers/FiberWorkers"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import * as TaskQueue from "effect-workers/TaskQueue"
import type { Round } from "./flight.ts"
import { buffers, check, checkMark, mark, message } from "./flight.ts"
import type { Pool } from "./pools.ts"
import tasks, { noted, Tasks } from "./tasks.ts"

export type Kind = "thread" | "process"

const module = new URL("tasks.ts", import.meta.url)

const hosts = { thread: NodeThreads.layer(module), process: NodeProcesses.layer(module) }

/** A queue with so many workers, until the sample ends. */
const queueOn = (kind: Kind, size: number) =>
  Effect.runPromise(
    TaskQueue.make(Tasks, { min: size, max: size }).pipe(
      Effect.provide(hosts[kind]),
      Effect.provideService(Scope.Scope, Scope.makeUnsafe())
    )
  )

/** So many fibers, each of which waits for its task before it asks for the next. */
const fibers = <E>(one: (n: number) => Effect.Effect<void, E>): Round => (width, count) =>
  Effect.runPromise(Effect.suspend(() => {
    let next = 0
    const lane = Effect.gen(function*() {
      while (next < count) yield* one(next++)
    })
    return Effect.all(Array.from({ length: width }, () => lane), { concurrency: "unbounded", discard: true })
  }))

export const echo = async (kind: Kind, size: number): Promise<Round> => {
  const queue = await queueOn(kind, size)
  return fibers((id) => {
    const sent = message(id)
    return Effect.map(TaskQueue.call(queue, "echo", sent), (answer) => check(sent, answer))
  })
}

export const bytes = async (kind: Kind, size: number, atOnce: number): Promise<Round> => {
  const queue = await queueOn(kind, size)
  const there = buffers(atOnce)
  return fibers((n) =>
    Effect.suspend(() => {
      const bytes = there.pop()!
      mark(bytes, n)
      return Effect.map(TaskQueue.call(queue, "bytes", bytes), (back) => {
        checkMark(back, n)
        there.push(back)
      })
    })
  )
}

/** Asked with promises, where that is nothing beside what is measured. */
export const pool = async (kind: Kind, size: number): Promise<Pick<Pool, "echo" | "spin">> => {
  const queue = await queueOn(kind, size)
  return {
    echo: (message) => Effect.runPromise(TaskQueue.call(queue, "echo", message)),
    spin: (millis) => Effect.runPromise(TaskQueue.call(queue, "spin", millis))
  }
}

export const counting = async (task: "count" | "countOneByOne") => {
  const queue = await queueOn("thread", 1)
  return (items: number, emitted: (n: number) => void): Promise<void> =>
    TaskQueue.stream(queue, task, items).pipe(
      Stream.runForEachArray((chunk) => Effect.sync(() => chunk.forEach(emitted))),
      Effect.runPromise
    )
}

/** Tasks that wait while the queue is paused, and are then run by a fiber; each may have a fiber that waits for it, too. */
export const scheduling = (waiting: "nobody waits" | "fibers wait") => async (niceness: (n: number) => number) => {
  const queue = await Effect.runPromise(
    TaskQueue.make(Tasks, { capacity: "unbounded" }).pipe(
      Effect.provide(FiberWorkers.layer(tasks)),
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
      Effect.tap(TaskQueue.pause)
    )
  )
  noted.length = 0
  let results: ReadonlyArray<Effect.Effect<unknown, unknown>> = []
  return {
    queue: (count: number): void => {
      results = Array.from({ length: count }, (_, n) => {
        const policy = { niceness: niceness(n) }
        return waiting === "nobody waits"
          ? Effect.runSync(TaskQueue.submit(queue, "note", n, policy)).result
          : Fiber.join(Effect.runFork(TaskQueue.call(queue, "note", n, policy)))
      })
    },
    run: async (): Promise<ReadonlyArray<number>> => {
      await Effect.runPromise(
        Effect.andThen(TaskQueue.resume(queue), Effect.forEach(results, identity, { discard: true }))
      )
      return noted
    }
  }
}
