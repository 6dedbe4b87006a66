import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import { suite } from "./support/TaskQueueSuite.ts"

const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
const execArgv = ["--conditions=conveyor-source"]

suite({
  name: "threads",
  layer: NodeThreads.layer(tasks, { execArgv }),
  crashes: true,
  bytes: "moved",
  virtual: false
})

suite({
  name: "processes",
  layer: NodeProcesses.layer(tasks, { execArgv }),
  crashes: true,
  bytes: "copied",
  virtual: false
})
