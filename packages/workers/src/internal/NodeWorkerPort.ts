import * as v8 from "node:v8"
import * as workerThreads from "node:worker_threads"
import type { FromWorkerMessage, ToWorkerMessage } from "./messages.ts"
import * as NodeLifeline from "./NodeLifeline.ts"

/** The worker's end of a link, in a thread or in a child process. */
export interface NodeWorkerPort {
  readonly post: (batch: ReadonlyArray<FromWorkerMessage>, transfers?: ReadonlyArray<object>) => void
  readonly listen: (receive: (batch: ReadonlyArray<ToWorkerMessage>) => void) => void
  /** Calls back if the process that started this one is gone. */
  readonly onOrphaned: (callback: () => void) => void
  /** The bytes this worker holds. */
  readonly memory: () => number
  /** Ends the worker after what was posted and printed. */
  readonly exit: (code: number) => void
}

/** The port of this thread or process; nothing if no host started it. */
export const open = (): NodeWorkerPort | undefined =>
  workerThreads.parentPort !== null
    ? ofThread(workerThreads.parentPort)
    : process.send !== undefined
    ? ofProcess()
    : undefined

const ofThread = (port: workerThreads.MessagePort): NodeWorkerPort => {
  // A Layer may wait for what keeps no thread alive.
  port.ref()
  // A message that cannot be read would leave a task without its end.
  port.on("messageerror", (cause) => {
    throw new Error("a message to the thread could not be read", { cause })
  })
  return {
    post: (batch, transfers) => postMoving(port, batch, transfers),
    listen: (receive) => port.on("message", receive),
    // Threads die with the process.
    onOrphaned: () => {},
    // Of this isolate alone, while `process.memoryUsage` counts all threads.
    memory: () => {
      const { external_memory: external, used_heap_size: heap } = v8.getHeapStatistics()
      return heap + external
    },
    // Node hands over what a thread has posted and printed.
    exit: (code) => process.exit(code)
  }
}

const ofProcess = (): NodeWorkerPort => {
  NodeLifeline.hold()
  // Ctrl-C and a lost terminal reach every process of the group: what becomes of a worker is for its queue to say.
  for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, ignored)
  return {
    post: sendTo(process),
    listen: (receive) => process.on("message", receive),
    onOrphaned: (callback) => process.connected ? process.once("disconnect", callback) : callback(),
    memory: () => process.memoryUsage.rss(),
    // In order: once this is written, so is everything.
    exit: (code) => process.connected ? process.send!([], undefined, {}, () => process.exit(code)) : process.exit(code)
  }
}

/** Posts a batch to a thread; buffers that cannot be moved, as those of Node's own pool, are copied. */
export const postMoving = (
  port: Pick<workerThreads.MessagePort, "postMessage">,
  batch: ReadonlyArray<unknown>,
  transfers: ReadonlyArray<object> | undefined
): void => {
  if (transfers === undefined || transfers.length === 0) port.postMessage(batch)
  else {
    const movable = [...new Set(transfers)].filter((transfer) => !workerThreads.isMarkedAsUntransferable(transfer))
    port.postMessage(batch, movable as Array<workerThreads.Transferable>)
  }
}

/** Posts batches to the process at the other end; what cannot be cloned is refused as it is on threads. */
export const sendTo = (peer: { readonly send?: NodeJS.Process["send"] }) => (batch: ReadonlyArray<unknown>): void => {
  try {
    // Without a callback, sending to a process that is gone would be an uncaught error.
    peer.send!(batch, undefined, {}, ignored)
  } catch (error) {
    throw new DOMException(error instanceof Error ? error.message : String(error), "DataCloneError")
  }
}

const ignored = (): void => {}
