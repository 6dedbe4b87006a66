import type { CrawlStore, StoredItem } from "effect-crawler/CrawlStore"
import { Page } from "effect-crawler/web/Page"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import type { CrawlFailed } from "../../CommandFailed.ts"
import type { PageOutput } from "./pageOutput.ts"
import { type PageRecord, pageRecordOf } from "./pageRecord.ts"
import { storedOutcome } from "./storedOutcome.ts"
import { storeFailure } from "./storeFailure.ts"

// With a state, an output is a projection of it: what it holds is what the state holds of pages, in the order in which they were processed, as far
// as it has come. The state alone says what is done; so whatever ends the process, the output can be brought up to it again, and no page
// stands in it twice.

/** Pages read and written at once. */
const batchSize = 512

/** How often the state is asked what there is to write. */
const interval = "200 millis"

export interface Projection {
  /** Waits while the output is behind, so that a slow one slows the crawl. */
  readonly awaitRoom: Effect.Effect<void>
  /** Follows the state until it is interrupted, which is between two batches. */
  readonly follow: Effect.Effect<never, CrawlFailed>
  /** Writes what is left, when the crawl has ended. */
  readonly finish: Effect.Effect<void, CrawlFailed>
}

/** Begins where the output stands. */
export const make = Effect.fnUntraced(function*(
  store: CrawlStore,
  output: PageOutput
): Effect.fn.Return<Projection, CrawlFailed> {
  const { strays, ...begun } = yield* reconcile(store, output)
  const room = yield* Latch.make(true)
  let { after } = begun

  /** Gives whether there may be more. */
  const writeBatch = Effect.uninterruptible(Effect.gen(function*() {
    const items = yield* Stream.runCollect(Stream.take(itemsOf(store, after), batchSize))
    const pages: Array<PageRecord> = []
    for (const item of items) {
      const page = yield* pageOf(item)
      if (page !== undefined && !strays.delete(page.url)) pages.push(page)
    }
    if (pages.length > 0) {
      // Before, for it is the write that may take long.
      yield* room.close
      yield* output.write(pages)
    }
    after = items.at(-1)?.sequence ?? after
    const isBehind = items.length === batchSize
    if (!isBehind) yield* room.open
    return isBehind
  }))
  const writeAll = Effect.repeat(writeBatch, { while: (isBehind) => isBehind })
  return {
    awaitRoom: room.await,
    follow: Effect.forever(Effect.andThen(writeAll, Effect.sleep(interval))),
    finish: Effect.asVoid(writeAll)
  }
})

/** How far an output has come, and the pages in it that are not where they would have been written: somebody has edited it. */
const reconcile = Effect.fnUntraced(function*(store: CrawlStore, { written }: PageOutput) {
  const strays = new Set<string>()
  if (written === undefined) return { after: 0, strays }
  const { after, count } = yield* Stream.zip(written, pagesOf(store)).pipe(
    Stream.takeWhile(([url, page]) => url === page.url),
    Stream.runFold(() => ({ after: 0, count: 0 }), ({ count }, [, { sequence }]) => ({
      after: sequence,
      count: count + 1
    }))
  )
  yield* Stream.runForEach(Stream.drop(written, count), (url) => Effect.sync(() => strays.add(url)))
  return { after, strays }
})

const pagesOf = (store: CrawlStore) =>
  itemsOf(store, 0).pipe(
    Stream.mapEffect((item) => Effect.map(pageOf(item), (page) => ({ sequence: item.sequence, url: page?.url }))),
    Stream.filter(({ url }) => url !== undefined)
  )

const pageOf = (item: StoredItem): Effect.Effect<PageRecord | undefined, CrawlFailed> =>
  item.name === Page.itemName
    ? Effect.map(storedOutcome(item), (outcome) => pageRecordOf(outcome, item.depth))
    : Effect.undefined

const itemsOf = (store: CrawlStore, after: number): Stream.Stream<StoredItem, CrawlFailed> =>
  Stream.mapError(store.items(after), storeFailure)
