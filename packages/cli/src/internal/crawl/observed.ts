import * as CrawlItem from "effect-crawler/CrawlItem"
import type { Fetcher } from "effect-crawler/web/Fetcher"
import { Link, type Outcome } from "effect-crawler/web/LinkCheck"
import { Page } from "effect-crawler/web/Page"
import type { Robots } from "effect-crawler/web/Robots"
import type { SiteCrawl } from "effect-crawler/web/SiteCrawl"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

/** Takes note of what an item came to; the crawl waits for it. */
export type Observe = (outcome: Outcome, depth: number) => Effect.Effect<void>

/** The pages and links of a crawl, where an observer is told what each came to before the crawl is. */
export const observed = ({ layer }: SiteCrawl, observe: Observe): Layer.Layer<Page | Link, never, Fetcher | Robots> =>
  CrawlItem.layers(
    Page.toLayer(Effect.map(processOf(Page.itemName), (process) => ({ process: telling(process, observe) }))),
    Link.toLayer(Effect.map(processOf(Link.itemName), (process) => ({ process: telling(process, observe) })))
  ).pipe(Layer.provide(layer))

type Process = CrawlItem.Behavior<any, any, any, never>["process"]

const processOf = (name: string): Effect.Effect<Process, never, Page | Link> =>
  Effect.contextWith((context) => Effect.succeed(CrawlItem.find(context as never, name)!.behavior.process))

const telling = (process: Process, observe: Observe): Process => (item, crawl) =>
  Effect.exit(process(item, crawl)).pipe(
    // What was interrupted has come to nothing.
    Effect.tap((exit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Effect.void : observe({ item, exit }, crawl.depth)
    ),
    Effect.flatten
  )
