import * as Crawler from "effect-crawler/Crawler"
import type { CrawlStore } from "effect-crawler/CrawlStore"
import * as EventRecord from "effect-crawler/EventRecord"
import type { LiveTerminal } from "effect-crawler/LiveTerminal"
import * as ProgressDisplay from "effect-crawler/ProgressDisplay"
import type { Fetcher } from "effect-crawler/web/Fetcher"
import * as LinkCheck from "effect-crawler/web/LinkCheck"
import type { Page } from "effect-crawler/web/Page"
import type { Robots } from "effect-crawler/web/Robots"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { CrawlFailed } from "../../CommandFailed.ts"
import * as StandardStreams from "../standardStreams.ts"
import type { Ladder } from "./ladder.ts"
import { type Observe, observed } from "./observed.ts"
import { pageRecordOf } from "./pageRecord.ts"
import type { PageSink } from "./pageSink.ts"
import type { CrawlPlan } from "./plan.ts"
import { storedOutcome } from "./storedOutcome.ts"
import { storeFailure } from "./storeFailure.ts"
import * as Tally from "./tally.ts"

export interface Options {
  readonly plan: CrawlPlan
  readonly roots: ReadonlyArray<Page>
  readonly store: CrawlStore | undefined
  readonly sink: PageSink
  readonly ladder: Ladder
  readonly printsEvents: boolean
  readonly checksLinks: boolean
  readonly isShown: boolean
}

/** How a crawl went. */
export interface Run {
  readonly ending: "finished" | "stopped" | "interrupted"
  readonly stoppedBy: NodeJS.Signals | undefined
  readonly millis: number
  readonly left: number
  readonly tally: Tally.Tally
  readonly links: LinkCheck.LinkReport | undefined
}

/** Crawls until all is done, or what there is to stop it has stopped it. */
export const run = Effect.fnUntraced(function*(
  { checksLinks, isShown, ladder, plan, printsEvents, roots, sink, store }: Options
): Effect.fn.Return<Run, CrawlFailed, Fetcher | Robots | LiveTerminal> {
  const { site } = plan
  let tally = Tally.empty
  let processed = 0
  const outcomes: Array<LinkCheck.Outcome> = []
  const observe: Observe = (outcome, depth) => {
    processed++
    // A state keeps them itself.
    if (checksLinks && store === undefined) outcomes.push(outcome)
    const page = pageRecordOf(outcome, depth)
    if (page === undefined) return Effect.void
    tally = Tally.add(tally, page)
    return sink.take(page)
  }
  const crawling = Effect.gen(function*() {
    const startedAt = yield* Clock.monotonicTimeNanos
    const crawl = yield* Effect.mapError(Crawler.make(roots, { ...site.options, store }), storeFailure)
    const before = processedOf(yield* crawl.stats) - processed
    const told = printsEvents ? yield* printEvents(crawl) : Effect.void
    const stop = yield* stopping(crawl, ladder)
    const ended = Effect.mapError(
      isShown ? ProgressDisplay.awaitEnd(crawl, { title: titleOf(site.roots) }) : crawl.awaitEnd,
      storeFailure
    )
    const report = yield* Effect.raceFirst(sink.attend, ended)
    const millis = Number((yield* Clock.monotonicTimeNanos) - startedAt) / 1e6
    yield* sink.finish
    yield* told
    // A crawl that was not stopped has finished, also where other processes did the last of it, which this one has not counted.
    const left = stop.ending === "finished" ? 0 : report.enqueued - before - processed
    return { ending: left > 0 ? stop.ending : "finished" as const, stoppedBy: stop.signal, millis, left, tally }
  })
  // The crawl ends before what it is made of does.
  const ran = yield* Effect.provide(Effect.scoped(crawling), observed(site, observe))
  if (!checksLinks) return { ...ran, links: undefined }
  const found = store === undefined ? outcomes : yield* storedOutcomes(store)
  return { ...ran, links: LinkCheck.report(found) }
})

/** Pages and links that are neither waiting nor under way. */
const processedOf = ({ enqueued, processing, waiting }: Crawler.CrawlStats): number =>
  enqueued - processing.length - [...waiting.values()].reduce((sum, count) => sum + count, 0)

/** Stops the crawl when asked to, and interrupts it when asked again. */
const stopping = Effect.fnUntraced(function*(crawl: Crawler.Crawl<Page, unknown>, ladder: Ladder) {
  const stop: { ending: Run["ending"]; signal: NodeJS.Signals | undefined } = { ending: "finished", signal: undefined }
  const hasSignal = Effect.map(ladder.awaitStop, (signal) => {
    stop.signal = signal
  })
  yield* Effect.forkScoped(Effect.gen(function*() {
    yield* Effect.raceFirst(hasSignal, StandardStreams.awaitOutputClosed)
    stop.ending = "stopped"
    const { processing } = yield* crawl.stats
    yield* Effect.logInfo(`stopping when the ${processing.length} under way are done; Ctrl-C again interrupts them`)
    // How it ends is told to those who wait for the end.
    yield* Effect.forkScoped(Effect.ignore(crawl.stop), { startImmediately: true })
    yield* ladder.awaitInterrupt
    stop.ending = "interrupted"
    yield* Effect.ignore(crawl.kill)
  }))
  return stop
})

/** Prints what a crawl tells, for as long as it runs; gives what waits for the last of it. */
const printEvents = (crawl: Pick<Crawler.Crawl, "events">) =>
  Effect.map(
    crawl.events.pipe(
      Stream.runForEach((event) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => StandardStreams.print(`${EventRecord.line(event, now)}\n`))
      ),
      Effect.forkScoped({ startImmediately: true })
    ),
    // Bounded, for a reader that does not read.
    (fiber) => Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), "1 second"))
  )

const storedOutcomes = (store: CrawlStore): Effect.Effect<ReadonlyArray<LinkCheck.Outcome>, CrawlFailed> =>
  store.items().pipe(Stream.mapError(storeFailure), Stream.mapEffect(storedOutcome), Stream.runCollect)

const titleOf = ([first, ...others]: ReadonlyArray<Page>): string =>
  `${first!.url}${others.length === 0 ? "" : ` and ${others.length} more`}`
