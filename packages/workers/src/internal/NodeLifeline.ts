import * as fs from "node:fs"
import * as workerThreads from "node:worker_threads"
import { errorText } from "./NodeErrorText.ts"

// A socket between a child process and its parent, beside the channel of messages. It breaks when the parent dies, however it dies, and
// takes what the child says last: writing to it is synchronous, while a message would still wait for its turn when the process ends.
// Polling the parent's pid instead would be late by its interval, and is blind on Windows, where an orphan keeps it.

/** Its file descriptor in the child: the first after the streams and the channel. */
export const lifelineFd = 4

/** Milliseconds for an orphan to release what its handlers hold. */
const orphanGrace = 1000

/**
 * A thread is told of the end by the socket while the process is stuck in a loop, or in a system call. It is source text, since it must stay
 * one file with its module when that is bundled.
 */
const watch = `
const socket = new (require("node:net").Socket)({ fd: ${lifelineFd} })
socket.on("error", () => {})
socket.on("close", () => setTimeout(() => process.kill(process.pid, "SIGKILL"), ${orphanGrace}))
socket.resume()
`

/** Lets this process die with its parent, and tell what it dies of. */
export const hold = (): void => {
  new workerThreads.Worker(watch, {
    eval: true,
    execArgv: [],
    env: {},
    name: "lifeline",
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 }
  }).unref()
  process.on("uncaughtExceptionMonitor", (error) => {
    try {
      fs.writeSync(lifelineFd, errorText(error))
    } catch {
      // Nobody is left to tell, and Node prints it.
    }
  })
}
