// The connectors in code: this machine's readings on the console and in a SQLite file.
// #region connectors
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import { Cadence, Conveyor } from "effect-conveyor"
import { ConsoleConsumer, HostProducer, SqliteConsumer } from "effect-conveyor-connectors"

const host = Conveyor.run("host", {
  cadence: Cadence.every("5 seconds"),
  producer: HostProducer.make(),
  consumers: [
    ConsoleConsumer.make({ columns: ["load1", "memoryUsedBytes"] }),
    SqliteConsumer.make({ path: "data/history.db", table: "host" })
  ],
  maxTicks: process.argv.includes("--once") ? 1 : "unbounded"
})
Effect.runPromise(Effect.provide(host, NodeServices.layer))
// #endregion

// Output (pattern):
// load1 +memoryUsedBytes
//  *[\d.]+ +\d+
