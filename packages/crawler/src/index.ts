/** What a crawl tells while it runs. */
export * as CrawlEvent from "./CrawlEvent.ts"

/** A kind of work: a Schema class for the data, a Layer for the behaviour. */
export * as CrawlItem from "./CrawlItem.ts"

/** What becomes of items, and of a crawl. */
export * as CrawlOutcome from "./CrawlOutcome.ts"

/** Tree-shaped work that finishes: items enqueue children, and each settles after everything below it has. */
export * as Crawler from "./Crawler.ts"

/** Where a crawl keeps what it must not forget. */
export * as CrawlStore from "./CrawlStore.ts"

/** Why the state of a crawl cannot be used. */
export * as CrawlStoreError from "./CrawlStoreError.ts"

/** Events as lines of JSON. */
export * as EventRecord from "./EventRecord.ts"

/** A terminal on which something is drawn below what is printed. */
export * as LiveTerminal from "./LiveTerminal.ts"

/** The same, on a stream of Node's. */
export * as NodeLiveTerminal from "./NodeLiveTerminal.ts"

/** How a crawl goes, as it is shown: rates, what waits, and what each worker does. */
export * as Progress from "./Progress.ts"

/** The live display of a crawl. */
export * as ProgressDisplay from "./ProgressDisplay.ts"

/** The state of a crawl in SQLite, or shared by several processes in PostgreSQL. */
export * as SqlCrawlStore from "./SqlCrawlStore.ts"
