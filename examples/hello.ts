// The smallest conveyor: a greeting every five seconds, given to two consumers. With `--once` it ends after the first.
// #region conveyor
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, DateTime, Effect } from "effect"
import { Cadence, Conveyor, type Tick } from "effect-conveyor"

const produce = Effect.fn(function*(tick: Tick.Tick) {
  const greeting = `hello paul ${tick.index}`
  yield* Console.log(`<<< produce: ${greeting}`)
  return greeting
})

const consume = (greeting: string, tick: Tick.Tick) =>
  Console.log(`consume: ${greeting} @ ${DateTime.formatIso(tick.dueAt)} >>>`)

Conveyor.run("hello", {
  cadence: Cadence.every("5 seconds"), // at :00, :05, :10 … by the clock
  producer: produce,
  consumers: [consume, consume],
  maxTicks: process.argv.includes("--once") ? 1 : "unbounded"
}).pipe(NodeRuntime.runMain)
// #endregion

// Output (pattern):
// <<< produce: hello paul 0
// consume: hello paul 0 @ \d{4}-\d\d-\d\dT\d\d:\d\d:\d[05]\.000Z >>>
// consume: hello paul 0 @ \d{4}-\d\d-\d\dT\d\d:\d\d:\d[05]\.000Z >>>
