/**
 * Why the state of a crawl cannot be used.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * A store cannot be used: it is not there (`Unavailable`), another process has taken the crawl over (`TakenOver`), or it holds what
 * this version or this program does not know (`Incompatible`). `message` says what to do.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class CrawlStoreError extends Data.TaggedError("CrawlStoreError")<{
  readonly reason: "Unavailable" | "TakenOver" | "Incompatible"
  readonly message: string
  readonly cause?: unknown
}> {}
