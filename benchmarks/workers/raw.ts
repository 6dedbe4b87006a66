// The least a worker can do: it sends back what it gets, and counts when it is told how far.
import { parentPort } from "node:worker_threads"

interface Counting {
  readonly count: number
  readonly atOnce: number
}

const post: (message: unknown) => void = parentPort === null
  ? (message) => void process.send!(message)
  : (message) => parentPort!.postMessage(message, [])

const count = ({ atOnce, count }: Counting): void => {
  for (let from = 0; from < count; from += atOnce) {
    post(Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => from + i))
  }
  post("end")
}

const receive = (message: object): void => {
  if ("count" in message) count(message as Counting)
  else post(message)
}

if (parentPort === null) process.on("message", receive)
else parentPort.on("message", receive)
