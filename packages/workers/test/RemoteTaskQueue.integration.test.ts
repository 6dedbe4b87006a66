import { Effect, Layer } from "effect"
import * as NodeProcesses from "effect-workers/NodeProcesses"
import * as NodeThreads from "effect-workers/NodeThreads"
import { tmpdir } from "node:os"
import { requires } from "../../../test/support/requires.ts"
import { makeAuthority } from "./support/certificates.ts"
import { through } from "./support/remote.ts"
import { suite } from "./support/TaskQueueSuite.ts"

const tasks = new URL("modules/suiteTasks.ts", import.meta.url)
const execArgv = ["--conditions=conveyor-source"]
const threads = NodeThreads.layer(tasks, { execArgv })

let sockets = 0

const remote = { crashes: true, bytes: "copied", virtual: false } as const

suite({ name: "threads of a host, over tcp", layer: through("tcp://127.0.0.1:0", threads), ...remote })

suite({ name: "threads of a host, over ws", layer: through("ws://127.0.0.1:0", threads), ...remote })

suite({
  name: "processes of a host, over a socket in the file system",
  // A test may have two hosts.
  layer: Layer.unwrap(
    Effect.sync(() =>
      through(`unix://${tmpdir()}/conveyor-${process.pid}-${++sockets}.sock`, NodeProcesses.layer(tasks, { execArgv }))
    )
  ),
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
