// A conveyor among an application's Layers: an inverter is polled every 30 seconds; its readings go to two places.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Context, Effect, Layer } from "effect"
import { Cadence, Consumer, Conveyor, Lane, Producer } from "effect-conveyor"

interface Reading {
  readonly watts: number
}

class Modbus extends Context.Service<Modbus, { readonly read: Effect.Effect<Reading, "offline"> }>()("home/Modbus") {
  static readonly layer = Layer.effect(
    Modbus,
    Effect.acquireRelease(
      Effect.as(Console.log("connected"), { read: Effect.succeed({ watts: 1730 }) }),
      () => Console.log("disconnected")
    )
  )
}

// #region conveyor
class Inverter extends Producer.Service<Inverter, Reading, "offline">()("home/Inverter") {
  // The connection is a dependency of the producer: after three failures in a row both are built afresh.
  static readonly layer = Producer.layer(Inverter, Effect.map(Modbus, ({ read }) => () => read), {
    dependencies: Modbus.layer
  })
}
class ToConsole extends Consumer.Service<ToConsole, Reading>()("home/ToConsole") {
  static readonly layer = Consumer.layer(ToConsole, Effect.succeed(({ watts }) => Console.log(`${watts} W`)))
}
class ToDatabase extends Consumer.Service<ToDatabase, Reading>()("home/ToDatabase") {
  static readonly layer = Consumer.layerBatch(ToDatabase, Effect.succeed((batch) => Console.log(`${batch.length} row`)))
}

const solar = {
  cadence: Cadence.every("30 seconds", { anchor: process.argv.includes("--once") ? "start" : "clock" }),
  producer: Inverter,
  consumers: [ToConsole, Lane.configure(ToDatabase, { batch: { size: 100, wait: "5 minutes" } })]
} as const // a consumer of another payload would not compile

const main = process.argv.includes("--once")
  ? Conveyor.run("solar", { ...solar, maxTicks: 1 })
  : Layer.launch(Conveyor.layer("solar", solar))

main.pipe(Effect.provide([Inverter.layer, ToConsole.layer, ToDatabase.layer]), NodeRuntime.runMain)
// #endregion

// Output:
// connected
// 1730 W
// 1 row
// disconnected
