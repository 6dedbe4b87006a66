import type { CrawlStore } from "effect-crawler/CrawlStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { CrawlFailed } from "../../CommandFailed.ts"
import type { PageOutput } from "./pageOutput.ts"
import type { PageRecord } from "./pageRecord.ts"
import * as Projection from "./projection.ts"

/** Brings the pages of a crawl to their output. */
export interface PageSink {
  /** Is told of each page before the crawl goes on from it, and holds it up when there is no room. */
  readonly take: (page: PageRecord) => Effect.Effect<void>
  /** Works beside the crawl; ends it when the output cannot be written to. */
  readonly attend: Effect.Effect<never, CrawlFailed>
  /** Writes what is left, when the crawl has ended. */
  readonly finish: Effect.Effect<void, CrawlFailed>
}

/** For pages that nobody wants. */
export const none: PageSink = { take: () => Effect.void, attend: Effect.never, finish: Effect.void }

/** Writes pages out of the state of the crawl. */
export const stored = (store: CrawlStore, output: PageOutput): Effect.Effect<PageSink, CrawlFailed> =>
  Effect.map(Projection.make(store, output), ({ awaitRoom, finish, follow }) => ({
    take: () => awaitRoom,
    attend: follow,
    finish
  }))

/** Writes each page as it comes. */
export const direct = (output: PageOutput): Effect.Effect<PageSink> =>
  Effect.map(
    Effect.all([Deferred.make<never, CrawlFailed>(), Semaphore.make(1)]),
    ([failed, lock]) => ({
      take: (page) =>
        output.write([page]).pipe(
          lock.withPermits(1),
          // Whoever attends ends the crawl, and with it what waits here.
          Effect.catch((failure) => Effect.andThen(Deferred.fail(failed, failure), Effect.never))
        ),
      attend: Deferred.await(failed),
      finish: Effect.void
    })
  )
