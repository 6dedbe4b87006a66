import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, type Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

/** The arguments that start the command from its sources. */
export const command: ReadonlyArray<string> = ["--conditions=conveyor-source", bin]

export const moduleFile = (name: string): string => fileURLToPath(new URL(`modules/${name}.ts`, import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly millis: number
}

export interface Running {
  readonly pid: number
  /** What has been printed so far. */
  readonly printed: { readonly stdout: string; readonly stderr: string }
  readonly kill: (signal: NodeJS.Signals) => void
  readonly closeOutput: () => void
  /** Resumes once the text has been printed; `ended` says what was, if it never is. */
  readonly awaitText: (stream: "stdout" | "stderr", text: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/** Starts the command; it is killed with the Scope at the latest. */
export const start = (
  directory: string,
  args: ReadonlyArray<string>,
  environment: { readonly [name: string]: string } = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const started = performance.now()
      const child = spawn(process.execPath, [...command, ...args], {
        cwd: directory,
        env: { PATH: process.env["PATH"], ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const printed = { stdout: "", stderr: "" }
      const waiting = new Set<() => void>()
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].on("data", (chunk) => {
          printed[stream] += String(chunk)
          for (const look of waiting) look()
        })
      }
      const closed = new Promise<Ended>((resolve) => {
        child.on("close", (code) => resolve({ code, ...printed, millis: performance.now() - started }))
      })
      const running: Running = {
        pid: child.pid!,
        printed,
        kill: (signal) => void child.kill(signal),
        closeOutput: () => void child.stdout.destroy(),
        ended: Effect.promise(() => closed),
        awaitText: (stream, text) =>
          Effect.raceFirst(
            Effect.callback<void>((resume) => {
              const look = () => {
                if (printed[stream].includes(text)) resume(Effect.void)
              }
              waiting.add(look)
              look()
              return Effect.sync(() => waiting.delete(look))
            }),
            Effect.flatMap(
              Effect.promise(() => closed),
              (ended) => Effect.die(new Error(`ended without printing ${text}: ${JSON.stringify(ended)}`))
            )
          )
      }
      return { child, running }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  ).pipe(Effect.map(({ running }) => running))

/** Runs the command to its end. */
export const run = (
  directory: string,
  args: ReadonlyArray<string>,
  environment?: { readonly [name: string]: string }
): Effect.Effect<Ended, never, Scope.Scope> => Effect.flatMap(start(directory, args, environment), ({ ended }) => ended)

/** A directory that lasts as long as the Scope, with these files in it. */
export const directoryWith = (files: { readonly [name: string]: string | Uint8Array }) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    for (const [name, content] of Object.entries(files)) {
      yield* fs.writeFile(
        `${directory}/${name}`,
        typeof content === "string" ? new TextEncoder().encode(content) : content
      )
    }
    return directory
  }).pipe(Effect.orDie, Effect.provide(NodeServices.layer))

/** Makes a directory a file system of its own, of a size, as long as the Scope lasts; needs the right to mount. */
export const mountSmall = (directory: string, size: string) =>
  Effect.acquireRelease(
    Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory])),
    () => Effect.sync(() => execFileSync("umount", ["-l", directory]))
  )
