/**
 * The connectors of this package, by the type that a file names them with.
 *
 * @since 0.1.0
 */
import * as Connector from "./Connector.ts"

/**
 * The producers.
 *
 * @category registry
 * @stability stable
 * @since 0.1.0
 */
export const producers: { readonly [type: string]: Connector.ProducerConnector } = byType([
  Connector.make("command", "what a command prints", () => import("./CommandProducer.ts")),
  Connector.make("file", "what is appended to a file", () => import("./FileProducer.ts")),
  Connector.make("host", "this machine: processor, memory, disk, network", () => import("./HostProducer.ts")),
  Connector.make("http", "JSON from a URL", () => import("./HttpProducer.ts"))
])

/**
 * The consumers.
 *
 * @category registry
 * @stability stable
 * @since 0.1.0
 */
export const consumers: { readonly [type: string]: Connector.ConsumerConnector } = byType([
  Connector.make("console", "a table or JSON lines on standard output", () => import("./ConsoleConsumer.ts")),
  batched(100, Connector.make("csv", "rows of a CSV file", () => import("./CsvConsumer.ts"))),
  batched(100, Connector.make("http", "JSON sent to a URL", () => import("./HttpConsumer.ts"))),
  batched(100, Connector.make("ndjson", "lines of JSON in a file", () => import("./NdjsonConsumer.ts"))),
  batched(500, Connector.make("sqlite", "rows of a SQLite table", () => import("./SqliteConsumer.ts")))
])

function byType<C extends Connector.Connector<unknown>>(connectors: ReadonlyArray<C>): { readonly [type: string]: C } {
  // Without a prototype, so that a file naming `constructor` finds nothing.
  return Object.assign(
    Object.create(null),
    Object.fromEntries(connectors.map((connector) => [connector.type, connector]))
  )
}

function batched<C extends Connector.Connector<unknown>>(size: number, connector: C) {
  return { ...connector, batch: { size } }
}
