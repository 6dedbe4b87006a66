export * as Crawler from "./Crawler.ts"
export * as CrawlEvent from "./CrawlEvent.ts"
export * as CrawlItem from "./CrawlItem.ts"
export * as CrawlOutcome from "./CrawlOutcome.ts"
