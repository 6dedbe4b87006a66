/**
 * Workers that are child processes.
 *
 * Each has a heap, and a fate, of its own: whatever a task does to its process, the others go on. They take longer to start than threads, need
 * more memory, and every message is copied twice.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as childProcess from "node:child_process"
import type * as net from "node:net"
import * as os from "node:os"
import * as url from "node:url"
import { type FromWorkerMessage, ToWorker } from "./internal/messages.ts"
import { errorText } from "./internal/NodeErrorText.ts"
import { lifelineFd } from "./internal/NodeLifeline.ts"
import { processEnd, Tail } from "./internal/NodeProcessEnd.ts"
import { mebibytes, taskEntry, toUrl } from "./internal/NodeWorkerFile.ts"
import { sendTo } from "./internal/NodeWorkerPort.ts"
import { type Observer, type Spawned, start } from "./internal/NodeWorkerStart.ts"
import { WorkerHost } from "./WorkerHost.ts"

/**
 * How processes are started.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** The environment of a process, instead of this one's. Defaults to this one's. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Options of Node for a process. Defaults to those of this process. */
  readonly execArgv?: ReadonlyArray<string> | undefined
  /** The directory a process runs in. Defaults to this one's. */
  readonly cwd?: string | undefined
  /**
   * Bytes of heap a process may use, rounded up to whole mebibytes; one that needs more ends as `OutOfMemory`. Buffers are not counted. Defaults to
   * what Node gives every process.
   */
  readonly maxHeapBytes?: number | undefined
  /** How long a process may take until its handlers are there; then it is killed, and its start has failed. Defaults to 30 seconds. */
  readonly startTimeout?: Duration.Input | undefined
  /** Whether a process prints on this one's standard output, or nowhere. Defaults to `"inherit"`. */
  readonly stdout?: "inherit" | "ignore" | undefined
  /** The same for standard error, which goes through this process, while its event loop turns: its end tells how a process died. Defaults to `"inherit"`. */
  readonly stderr?: "inherit" | "ignore" | undefined
}

/**
 * Starts child processes that load a task module.
 *
 * **When to use** Use this for tasks that may crash, leak, or exhaust their memory.
 *
 * **Details** `module` is the URL, or the absolute path, of a module whose default export is what `TaskModule.make` returns:
 * `new URL("./tasks.js", import.meta.url)`. Each process imports it and builds its Layer once. Processes keep this one alive as long as the Scope
 * in which they were started; when that closes they are killed. They end with this process, however it ends, at the latest
 * a second later. They ignore SIGINT and SIGHUP, which a terminal sends to all processes at once.
 *
 * **Errors** A start fails with `WorkerStartError`: `Refused` if the module cannot be loaded, has no task module, or its Layer fails;
 * `Exited` if the process cannot be made, ends, or is not ready in time. Dies if the module is neither a URL nor an absolute path, or a number is out
 * of its range.
 *
 * **Gotchas** A service manager may send SIGTERM to every process of a service at once (systemd does, unless it has `KillMode=mixed`), and workers end by it.
 * The kernel, short of memory, kills with SIGKILL, which looks like everybody else's.
 *
 * **Source** AsynQueue's `ProcessWorker`: one process per worker, deaf to Ctrl-C. That one polled its pipe, and hung when the process died.
 *
 * @see {@link layerEntry} for programs that are bundled
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (module: URL | string, options: Options = {}): Layer.Layer<WorkerHost> =>
  Layer.effect(
    WorkerHost,
    Effect.sync(() => make("NodeProcesses.layer", taskEntry, module, options))
  )

/**
 * Starts child processes that run a program which makes itself a worker with `NodeTaskRunner.run`.
 *
 * **Details** As `layer`, but for the program, whose URL or absolute path is `entry`.
 *
 * **Errors** As those of `layer`.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layerEntry = (entry: URL | string, options: Options = {}): Layer.Layer<WorkerHost> =>
  Layer.effect(
    WorkerHost,
    Effect.sync(() => make("NodeProcesses.layerEntry", toUrl("NodeProcesses.layerEntry", entry), entry, options))
  )

const make = (where: string, entry: URL, module: URL | string, options: Options): WorkerHost["Service"] => {
  const { href } = toUrl(where, module)
  const heap = options.maxHeapBytes === undefined
    ? []
    : [`--max-old-space-size=${mebibytes(where, options.maxHeapBytes)}`]
  const forkOptions: childProcess.ForkOptions = {
    ...options.env === undefined ? {} : { env: options.env },
    ...options.cwd === undefined ? {} : { cwd: options.cwd },
    execArgv: [...options.execArgv ?? process.execArgv, ...heap],
    serialization: "advanced",
    // As many as `lifelineFd` says.
    stdio: ["ignore", options.stdout ?? "inherit", "pipe", "ipc", "pipe"]
  }
  const print = options.stderr === "ignore" ? () => {} : (chunk: Buffer) => void process.stderr.write(chunk)
  const spawner = {
    what: `process of ${href}`,
    startTimeout: Duration.fromInputUnsafe(options.startTimeout ?? "30 seconds"),
    spawn: (_name: string, observer: Observer) =>
      spawn(() => childProcess.fork(url.fileURLToPath(entry), [href], forkOptions), print, observer)
  }
  return {
    kind: "process",
    workers: os.availableParallelism(),
    shares: false,
    start: (worker) => start(spawner, worker)
  }
}

const spawn = (
  fork: () => childProcess.ChildProcess,
  print: (chunk: Buffer) => void,
  observer: Observer
): Spawned => {
  const child = fork()
  const printed = new Tail()
  let lastWords = ""
  let closing = false

  child.on("message", (batch) => observer.onBatch(batch as unknown as ReadonlyArray<FromWorkerMessage>))
  child.on("exit", (code, signal) => {
    observer.onExit(() => processEnd({ closing, code, signal, lastWords, printed: printed.text }))
    // What the process left behind may hold it open.
    stderr?.unref()
  })
  child.on("close", observer.onClose)
  child.on("error", (error) => {
    // Later errors, of killing or sending, are of a process that is going.
    if (child.pid !== undefined) return
    observer.onExit(() => ({ _tag: "Exited", code: -1, detail: errorText(error) }))
    observer.onClose()
  })
  // There are none if the process could not be made.
  const stderr = child.stderr as net.Socket | undefined
  stderr?.on("data", (chunk: Buffer) => {
    printed.add(chunk)
    print(chunk)
  })
  const lifeline = child.stdio?.[lifelineFd] as net.Socket | undefined
  lifeline?.setEncoding("utf8").on("data", (text: string) => lastWords += text).on("error", () => {})

  const send = sendTo(child)
  return {
    details: { pid: child.pid },
    post: (batch) => {
      closing ||= batch.at(-1)?.[0] === ToWorker.Close
      send(batch)
    },
    signal: (signal) => void child.kill(signal)
  }
}
