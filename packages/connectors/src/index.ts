/** What may go wrong with a command. */
export * as CommandError from "./CommandError.ts"
/** Gives what a command prints. */
export * as CommandProducer from "./CommandProducer.ts"
/** What a connector is to a program that finds it by name. */
export * as Connector from "./Connector.ts"
/** The connectors by type, each loaded when first needed. */
export * as Connectors from "./Connectors.ts"
/** Prints payloads. */
export * as ConsoleConsumer from "./ConsoleConsumer.ts"
/** Appends payloads to a CSV file. */
export * as CsvConsumer from "./CsvConsumer.ts"
/** Lengths of time as people write them in files. */
export * as DurationText from "./DurationText.ts"
/** What may go wrong with a file. */
export * as FileError from "./FileError.ts"
/** Gives what is appended to a file. */
export * as FileProducer from "./FileProducer.ts"
/** Gives this machine's state. */
export * as HostProducer from "./HostProducer.ts"
/** Sends payloads to a URL. */
export * as HttpConsumer from "./HttpConsumer.ts"
/** What may go wrong with an HTTP exchange. */
export * as HttpError from "./HttpError.ts"
/** Gives JSON from a URL. */
export * as HttpProducer from "./HttpProducer.ts"
/** Appends payloads to a file of JSON lines. */
export * as NdjsonConsumer from "./NdjsonConsumer.ts"
/** An `effect/sql` client over `node:sqlite`. */
export * as NodeSqlite from "./NodeSqlite.ts"
/** How payloads become rows. */
export * as Row from "./Row.ts"
/** Inserts payloads into a SQLite table. */
export * as SqliteConsumer from "./SqliteConsumer.ts"
