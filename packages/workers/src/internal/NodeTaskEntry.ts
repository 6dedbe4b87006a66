import * as workerThreads from "node:worker_threads"
import { load, serve } from "./NodeServe.ts"

// What threads and child processes run: the first are told the URL of their task module as data, the others as an argument.
serve(load(workerThreads.isMainThread ? process.argv[2]! : workerThreads.workerData))
