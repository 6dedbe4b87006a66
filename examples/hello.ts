// The smallest conveyor: a greeting every five seconds, given to two consumers.
// Press Ctrl-C to end it; with `--once` it ends after one.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, DateTime, Effect } from "effect"
import { Cadence, Conveyor, type Tick } from "effect-conveyor"

const consume = (greeting: string, tick: Tick.Tick) =>
  Console.log(`consume: ${greeting} @ ${DateTime.formatIso(tick.dueAt)} >>>`)

Conveyor.run("hello", {
  cadence: Cadence.every("5 seconds"),
  producer: (tick) =>
    Effect.tap(Effect.succeed(`hello paul ${tick.index}`), (data) => Console.log(`<<< produce: ${data}`)),
  consumers: [consume, consume],
  maxTicks: process.argv.includes("--once") ? 1 : "unbounded"
}).pipe(NodeRuntime.runMain)

// Output (pattern):
// <<< produce: hello paul 0
// consume: hello paul 0 @ \d{4}-\d\d-\d\dT\d\d:\d\d:\d[05]\.000Z >>>
// consume: hello paul 0 @ \d{4}-\d\d-\d\dT\d\d:\d\d:\d[05]\.000Z >>>
