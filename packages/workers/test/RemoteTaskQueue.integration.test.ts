import { Effect, Layer } from "effect"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import { requires } from "../../../test/support/requires.ts"
import { makeAuthority } from "./support/certificates.ts"
import { through } from "./support/remote.ts"
import { suite } from "./support/TaskQueueSuite.ts"

const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
const execArgv = ["--conditions=conveyor-source"]
const threads = NodeThreads.layer(tasks, { execArgv })

const remote = { crashes: true, bytes: "copied", virtual: false } as const

suite({ name: "threads of a host, over tcp", layer: through("tcp://127.0.0.1:0", threads), ...remote })

suite({ name: "threads of a host, over ws", layer: through("ws://127.0.0.1:0", threads), ...remote })

suite({
  name: "processes of a host, over a socket in the file system",
  layer: through(`unix:///tmp/conveyor-${process.pid}.sock`, NodeProcesses.layer(tasks, { execArgv })),
  ...remote
})

requires("openssl")("with certificates", () => {
  suite({
    name: "threads of a host, over tls",
    layer: Layer.unwrap(Effect.map(makeAuthority, ({ ca, sign }) =>
      through("tls://127.0.0.1:0", threads, {
        host: { secret: undefined, tls: { ...sign("host"), ca } },
        client: { secret: undefined, tls: { ...sign("queue"), ca } }
      }))),
    ...remote
  })
})
