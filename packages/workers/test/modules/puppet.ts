import { spawn, spawnSync } from "node:child_process"
import { FromWorker, type FromWorkerMessage, ToWorker, type ToWorkerMessage } from "../../src/internal/messages.ts"
import * as NodeWorkerPort from "../../src/internal/NodeWorkerPort.ts"
import { unreadable } from "./unreadable.ts"

// The worker's end of a link, without a task server: it does what it is told, in the order in which it is told.

const port = NodeWorkerPort.open()!

const answer = (id: number, value: unknown): FromWorkerMessage => [FromWorker.Succeeded, id, 0, value]

const kept: Array<Uint8Array> = []

const spin = () => {
  for (;;);
}

const exhaust = () => {
  const kept: Array<Array<object>> = []
  for (;;) kept.push(Array.from({ length: 1000 }, () => ({})))
}

const acts: Record<string, (payload: any, id: number) => unknown> = {
  echo: (payload) => payload,
  exit: (code) => process.exit(code),
  throw: (text) =>
    void setImmediate(() => {
      throw new Error(text)
    }),
  throwString: (text) =>
    void setImmediate(() => {
      throw text
    }),
  reject: (text) => void Promise.reject(new TypeError(text)),
  spin,
  exhaust,
  signal: (signal) => process.kill(process.pid, signal),
  print: (text) => {
    process.stdout.write(text)
    process.stderr.write(text)
  },
  kind: (bytes) => bytes.constructor.name,
  memory: () => port.memory(),
  keep: (bytes) => kept.push(new Uint8Array(bytes).fill(1)),
  sleep: (seconds) => spawnSync("sleep", [String(seconds)]).status,
  /** Leaves a process behind that holds its standard error. */
  leave: (seconds) => {
    spawn("sleep", [String(seconds)], { stdio: ["ignore", "ignore", "inherit"] }).unref()
    process.exit(2)
  },
  surroundings: () => [process.cwd(), process.env["ONLY"], process.env["PATH"]],
  /** Gives bytes, and tells next whether they are gone from here. */
  move: (length, id) => {
    const bytes = new Uint8Array(length).fill(7)
    port.post([answer(id, bytes)], [bytes.buffer])
    return bytes.byteLength === 0
  },
  /** Posts as many messages and is gone. */
  burst: (count, id) => {
    for (let i = 0; i < count; i++) port.post([answer(id, i)])
    process.exit(9)
  },
  garble: (_payload, id) => port.post([answer(id, unreadable())]),
  uncloneable: (_payload, id) => {
    try {
      port.post([answer(id, "before"), answer(id, () => {})])
      return "posted"
    } catch (error) {
      return (error as Error).name
    }
  }
}

const obey = (message: ToWorkerMessage): ReadonlyArray<FromWorkerMessage> =>
  message[0] === ToWorker.Call ? [answer(message[1], acts[message[2]]!(message[3], message[1]))] : []

const starts: Record<string, () => void> = {
  hang: () => {},
  spin,
  exhaust,
  exit: () => process.exit(3),
  throw: () => {
    throw new Error("while starting")
  },
  refuse: () => port.post([[FromWorker.Refused, "it does not want to"]])
}

port.listen((batch) => {
  port.post(batch.flatMap(obey))
  if (batch.at(-1)?.[0] === ToWorker.Close) port.exit(0)
})
const start = starts[process.env["PUPPET"] ?? ""]
if (start !== undefined) start()
else port.post([[FromWorker.Ready, Object.keys(acts)]])
