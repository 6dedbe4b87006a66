// Draws on standard error until it ends as it is told to.
import { Effect } from "effect"
import * as LiveTerminal from "../../../src/LiveTerminal.ts"
import * as NodeLiveTerminal from "../../../src/NodeLiveTerminal.ts"

const ends: Record<string, () => void> = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error("thrown where nobody catches")
  },
  handled: () => {
    process.on("SIGTERM", () => process.exit(5))
    process.kill(process.pid, "SIGTERM")
  },
  SIGINT: () => process.kill(process.pid, "SIGINT"),
  SIGTERM: () => process.kill(process.pid, "SIGTERM"),
  SIGHUP: () => process.kill(process.pid, "SIGHUP"),
  SIGTSTP: () => {
    process.kill(process.pid, "SIGTSTP")
    setTimeout(() => process.exit(7), 300)
  }
}

Effect.gen(function*() {
  const terminal = yield* LiveTerminal.LiveTerminal
  const work = Effect.gen(function*() {
    yield* Effect.sleep("150 millis")
    yield* terminal.print("printed last")
    setImmediate(ends[process.argv[2]!]!)
    yield* Effect.sleep("1 minute")
  })
  yield* terminal.drawWhile(work, () => Effect.succeed(["the frame"]))
}).pipe(Effect.provide(NodeLiveTerminal.layer({ live: true })), Effect.runFork)
