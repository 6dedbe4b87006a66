import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { root } from "./repository.ts"

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly millis: number
}

interface Running {
  readonly pid: number
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for the process, not for who else holds its streams. */
  readonly ended: Effect.Effect<Ended>
}

/** Starts an example as its first lines say; it is killed with the Scope at the latest. */
export const start = (path: string, args: ReadonlyArray<string>): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--conditions=conveyor-source", path, ...args], {
          cwd: root,
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => ({
      pid: child.pid!,
      kill: (signal) => Effect.sync(() => child.kill(signal)),
      ended: Effect.promise(exitOf(child))
    })
  )

/** Runs an example to its end. */
export const run = (path: string, args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(path, args), ({ ended }) => ended))

const exitOf = (child: ChildProcess): () => Promise<Ended> => {
  const begin = performance.now()
  const printed = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() }
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]!.on("data", (chunk: Buffer) => printed[stream].push(chunk))
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) =>
      resolve({
        code,
        stdout: Buffer.concat(printed.stdout),
        stderr: Buffer.concat(printed.stderr).toString(),
        millis: performance.now() - begin
      }))
  })
  return () => ended
}

const parentOf = (pid: string): number => {
  try {
    return Number(/\) \S (?<parent>\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.groups!["parent"])
  } catch {
    return 0
  }
}

/** The processes that a process has started, and that have not ended. */
const childrenOf = (pid: number): ReadonlyArray<number> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === pid).map(Number)

/** Waits until the process has started so many; dies if it ends before. */
export const awaitChildren = (pid: number, count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.suspend(() => {
    const children = childrenOf(pid)
    if (children.length >= count) return Effect.succeed(children)
    if (!isAlive(pid)) return Effect.die(new Error(`ended with ${children.length} children instead of ${count}`))
    return Effect.delay(awaitChildren(pid, count), "20 millis")
  })

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
