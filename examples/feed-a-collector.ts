// Two machines meet at a plain function: a conveyor polls, and its consumer is the publisher of a collector queue.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Collector, CollectorQueue } from "effect-collector"
import { Cadence, Conveyor } from "effect-conveyor"

interface Reading {
  readonly meter: number
  readonly watts: number
}

// #region compose
class Store extends Collector.Service<Store, Reading>()("home/Store") {
  static readonly layer = Collector.layer(
    Store,
    Effect.succeed(({ meter, watts }) => Console.log(`meter ${meter}: ${watts} W`))
  )
}
class Readings extends CollectorQueue.Service<Readings>()("home/Readings", { collectors: [Store] }) {
  // Readings of one meter are stored in order, however many consumers there are.
  static readonly layer = CollectorQueue.layer(this, { logging: false, keyed: { by: ({ meter }) => meter } })
}

const program = Effect.flatMap(Readings, ({ publisher }) =>
  Conveyor.run("meters", {
    cadence: Cadence.every("1 second", { anchor: "start" }),
    producer: ({ index }) => Effect.succeed([1, 2, 3].map((meter) => ({ meter, watts: 100 * meter + index }))),
    consumers: [publisher.sendAll],
    maxTicks: process.argv.includes("--once") ? 2 : "unbounded"
  }))
// #endregion

program.pipe(
  Effect.provide(Readings.layer.pipe(Layer.provide(Store.layer))),
  NodeRuntime.runMain
)

// Output:
// meter 1: 100 W
// meter 2: 200 W
// meter 3: 300 W
// meter 1: 101 W
// meter 2: 201 W
// meter 3: 301 W
