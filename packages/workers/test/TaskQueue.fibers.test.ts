import * as FiberWorkers from "effect-workers/FiberWorkers"
import tasks from "./modules/suiteTasks.ts"
import { suite } from "./support/TaskQueueSuite.ts"

suite({ name: "fibers", layer: FiberWorkers.layer(tasks), crashes: false, bytes: "shared", virtual: true })
