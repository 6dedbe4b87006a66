import { CrawlFailed } from "../../CommandFailed.ts"

export const unavailable = (problem: string): CrawlFailed => new CrawlFailed({ reason: "Unavailable", problem })

export const badData = (problem: string): CrawlFailed => new CrawlFailed({ reason: "BadData", problem })
