import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { execArgv, moduleUrl } from "./support/NodeWorkerSuite.ts"

// Real programs with workers, seen from outside.

interface Program {
  readonly child: ChildProcess
  /** Waits for the pids of its workers. */
  readonly workers: Effect.Effect<ReadonlyArray<number>>
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly out: string; readonly err: string }>
  readonly notes: () => ReadonlyArray<string>
}

const program = (args: ReadonlyArray<string>, options = execArgv) =>
  Effect.acquireRelease(
    Effect.sync((): Program & { readonly directory: string } => {
      const directory = mkdtempSync(`${tmpdir()}/workers-`)
      const notes = `${directory}/notes`
      const child = spawn(process.execPath, [...options, fileURLToPath(moduleUrl("parent")), ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NOTES: notes }
      })
      let out = ""
      let err = ""
      const said = Promise.withResolvers<ReadonlyArray<number>>()
      child.stdout.on("data", (chunk) => {
        out += chunk
        const pids = /^workers (.*)$/m.exec(out)
        if (pids !== null) said.resolve(pids[1]!.split(" ").map(Number))
      })
      child.stderr.on("data", (chunk) => err += chunk)
      const ended = new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>(
        (resolve) => {
          child.on("close", (code) => {
            said.reject(new Error(`the program ended: ${out}${err}`))
            resolve({ code, out, err })
          })
        }
      )
      said.promise.catch(() => {})
      return {
        directory,
        child,
        workers: Effect.promise(() => said.promise),
        ended: Effect.promise(() => ended),
        notes: () => existsSync(notes) ? readFileSync(notes, "utf8").trimEnd().split("\n") : []
      }
    }),
    ({ child, directory }) =>
      Effect.sync(() => {
        child.kill("SIGKILL")
        rmSync(directory, { recursive: true, force: true })
      })
  )

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie is waiting for somebody to read its exit code.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

const awaitGone = (pid: number) =>
  Effect.suspend(() => isAlive(pid) ? Effect.fail(`${pid} is alive`) : Effect.void).pipe(
    Effect.retry({ times: 200, schedule: Schedule.spaced("50 millis") })
  )

describe("NodeProcesses", () => {
  it.live("takes workers that are stuck along when their parent is killed", () =>
    Effect.gen(function*() {
      const { child, workers } = yield* program(["processes", "spin", "2", "stay"])
      const pids = yield* workers
      assert.isTrue(pids.every(isAlive))
      child.kill("SIGKILL")
      for (const pid of pids) yield* awaitGone(pid)
    }))

  it.live("lets workers release what they hold when their parent is killed", () =>
    Effect.gen(function*() {
      const { child, notes, workers } = yield* program(["processes", "never", "1", "stay"])
      const [pid] = yield* workers
      assert.deepStrictEqual(notes(), [`built by ${pid}`, "begun"])
      child.kill("SIGKILL")
      yield* awaitGone(pid!)
      assert.deepStrictEqual(notes(), [`built by ${pid}`, "begun", "interrupted", "released"])
    }))

  it.live("ends a program whose twenty workers are stuck when it closes their Scope", () =>
    Effect.gen(function*() {
      const { ended, workers } = yield* program(["processes", "spin", "20", "close"])
      const pids = yield* workers
      assert.strictEqual((yield* ended).code, 0)
      for (const pid of pids) assert.isFalse(isAlive(pid))
    }))

  for (const [output, printed] of [["loud", true], ["quiet", false]] as const) {
    for (const kind of ["threads", "processes"]) {
      it.live(`${printed ? "passes on" : "drops"} what ${kind} print in a ${output} program`, () =>
        Effect.gen(function*() {
          const { ended } = yield* program([kind, "print", "1", "close", output])
          const { code, err, out } = yield* ended
          assert.strictEqual(code, 0)
          assert.strictEqual(out.includes("printed by a worker"), printed)
          assert.strictEqual(err.includes("complained by a worker"), printed)
        }))
    }
  }

  for (const kind of ["threads", "processes"]) {
    it.live(`starts ${kind} from the package as it was built`, () =>
      Effect.gen(function*() {
        const { ended, workers } = yield* program([kind, "never", "1", "close"], [])
        assert.lengthOf(yield* workers, 1)
        assert.strictEqual((yield* ended).code, 0)
      }))
  }
})

describe("NodeThreads", () => {
  it.live("ends a program whose hundred workers are stuck when it closes their Scope", () =>
    Effect.gen(function*() {
      const { ended, workers } = yield* program(["threads", "spin", "100", "close"])
      assert.lengthOf(yield* workers, 100)
      assert.strictEqual((yield* ended).code, 0)
    }))
})
