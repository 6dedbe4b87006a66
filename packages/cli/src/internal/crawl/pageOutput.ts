import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CrawlFailed } from "../../CommandFailed.ts"
import type { PageRecord } from "./pageRecord.ts"

/** Where pages are written. */
export interface PageOutput {
  /** What has been written to it before, by URL, in that order; nothing where writing a page again does no harm or cannot be helped. */
  readonly written: Stream.Stream<string, CrawlFailed> | undefined
  /** Writes all of them; resumes when they have been taken. */
  readonly write: (pages: ReadonlyArray<PageRecord>) => Effect.Effect<void, CrawlFailed>
}
