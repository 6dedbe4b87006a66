/**
 * Workers that are threads of this process.
 *
 * They start fastest, and messages between threads cost least; a `Transferable.Uint8Array` is moved instead of being copied. They share the
 * process: a task that ends it (a crash in native code, an allocation that V8 cannot refuse) ends all. Where tasks are not
 * trusted that far, use `NodeProcesses`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as os from "node:os"
import * as workerThreads from "node:worker_threads"
import { ToWorker } from "./internal/messages.ts"
import { errorText } from "./internal/NodeErrorText.ts"
import { mebibytes, taskEntry, toUrl } from "./internal/NodeWorkerFile.ts"
import { postMoving } from "./internal/NodeWorkerPort.ts"
import { type Observer, type Spawned, start } from "./internal/NodeWorkerStart.ts"
import { type WorkerEnd, WorkerHost } from "./WorkerHost.ts"

/**
 * How threads are started.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** What `process.env` is in a thread. Defaults to a copy of this process's. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Options of Node for a thread. Defaults to those of this process. */
  readonly execArgv?: ReadonlyArray<string> | undefined
  /**
   * Bytes of heap a thread may use, rounded up to whole mebibytes; one that needs more ends as `OutOfMemory`. Buffers are not counted. Defaults to
   * what Node gives this process.
   */
  readonly maxHeapBytes?: number | undefined
  /** The other limits of Node for a thread. Defaults to Node's. */
  readonly resourceLimits?: Omit<workerThreads.ResourceLimits, "maxOldGenerationSizeMb"> | undefined
  /** How long a thread may take until its handlers are there; then it is killed, and its start has failed. Defaults to 30 seconds. */
  readonly startTimeout?: Duration.Input | undefined
  /** Where what is printed goes: through this process, while its event loop turns, or nowhere. Defaults to `"inherit"`. */
  readonly stdout?: "inherit" | "ignore" | undefined
  /** As `stdout`. Defaults to `"inherit"`. */
  readonly stderr?: "inherit" | "ignore" | undefined
}

/**
 * Starts threads that load a task module.
 *
 * **When to use** Use this for work that keeps a processor busy.
 *
 * **Details** `module` is the URL, or the absolute path, of a module whose default export is what `TaskModule.make` returns:
 * `new URL("./tasks.js", import.meta.url)`. Each thread imports it and builds its Layer once. Threads keep the process alive as long as the Scope
 * in which they were started; when that closes they are ended, whatever they do, within moments: only one that is stuck in a system call is not, and is given up
 * after five seconds.
 *
 * **Errors** A start fails with `WorkerStartError`: `Refused` if the module cannot be loaded, has no task module, or its Layer fails;
 * `Exited` if the thread ends or is not ready in time. Dies if the module is neither a URL nor an absolute path, or a number is out of its range.
 *
 * **Gotchas** A thread does not see signals; `process.exit` ends the thread only, and what changes the process (`process.chdir`, `umask`) throws in it.
 * Terminated or killed it is ended by the same means, and reported as `Signalled` with the name of what was asked for.
 *
 * **Source** AsynQueue's `ThreadWorker`, whose threads shared one interpreter and could not be ended.
 *
 * @see {@link layerEntry} for programs that are bundled
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (module: URL | string, options: Options = {}): Layer.Layer<WorkerHost> =>
  Layer.effect(
    WorkerHost,
    Effect.sync(() => make("NodeThreads.layer", taskEntry, module, options))
  )

/**
 * Starts threads that run a program which makes itself a worker with `NodeTaskRunner.run`.
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
    Effect.sync(() => make("NodeThreads.layerEntry", toUrl("NodeThreads.layerEntry", entry), entry, options))
  )

const make = (where: string, entry: URL, module: URL | string, options: Options): WorkerHost["Service"] => {
  const { href } = toUrl(where, module)
  const threadOptions: workerThreads.WorkerOptions = {
    workerData: href,
    ...options.env === undefined ? {} : { env: options.env },
    ...options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] },
    resourceLimits: {
      ...options.resourceLimits,
      ...options.maxHeapBytes === undefined
        ? {}
        : { maxOldGenerationSizeMb: mebibytes(where, options.maxHeapBytes) }
    },
    // Taken from Node, to be thrown away.
    stdout: options.stdout === "ignore",
    stderr: options.stderr === "ignore"
  }
  const spawner = {
    what: `thread of ${href}`,
    startTimeout: Duration.fromInputUnsafe(options.startTimeout ?? "30 seconds"),
    spawn: (name: string, observer: Observer) => spawn(entry, { ...threadOptions, name }, observer)
  }
  return {
    kind: "thread",
    workers: os.availableParallelism(),
    shares: false,
    start: (worker) => start(spawner, worker)
  }
}

const spawn = (entry: URL, options: workerThreads.WorkerOptions, observer: Observer): Spawned => {
  const thread = new workerThreads.Worker(entry, options)
  let closing = false
  let asked: string | undefined
  let uncaught: { readonly error: unknown } | undefined

  const why = (code: number): WorkerEnd => {
    if (uncaught !== undefined) {
      const detail = errorText(uncaught.error)
      return (uncaught.error as NodeJS.ErrnoException | null)?.code === "ERR_WORKER_OUT_OF_MEMORY"
        ? { _tag: "OutOfMemory", detail: (uncaught.error as Error).message }
        : { _tag: "Exited", code, detail }
    }
    // What Node makes of `terminate`.
    if (asked !== undefined && code === 1) return { _tag: "Signalled", signal: asked }
    return closing && code === 0 ? { _tag: "Closed" } : { _tag: "Exited", code, detail: "" }
  }

  thread.on("message", observer.onBatch)
  thread.on("error", (error) => uncaught ??= { error })
  // A message that cannot be read would leave a task without its end.
  thread.on("messageerror", (cause) => {
    uncaught ??= { error: new Error("a message of the thread could not be read", { cause }) }
    void thread.terminate()
  })
  thread.on("exit", (code) => {
    observer.onExit(() => why(code))
    // Node has handed over every message by then.
    observer.onClose()
  })
  if (options.stdout) thread.stdout.resume()
  if (options.stderr) thread.stderr.resume()

  return {
    details: { pid: process.pid, threadId: thread.threadId },
    post: (batch, transfers) => {
      closing ||= batch.at(-1)?.[0] === ToWorker.Close
      postMoving(thread, batch, transfers)
    },
    signal: (signal) => {
      asked ??= signal
      void thread.terminate()
    }
  }
}
