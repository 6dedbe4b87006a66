import type { About, CrawlEvent } from "effect-crawler/CrawlEvent"
import { type Item, TypeId } from "effect-crawler/CrawlItem"
import { Link } from "effect-crawler/web/LinkCheck"
import { Page } from "effect-crawler/web/Page"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { describe } from "../logging.ts"

/** An event of a crawl, as a line of JSON says it. */
export const eventJson = (event: CrawlEvent): object => {
  const { _tag } = event
  switch (_tag) {
    case "Enqueued":
    case "Started":
      return { _tag, ...aboutJson(event.about) }
    case "Described":
      return { _tag, ...aboutJson(event.about), text: event.text }
    case "Processed":
    case "Settled":
      return { _tag, ...aboutJson(event.about), ...exitJson(event.exit) }
    case "Skipped":
      return { _tag, ...itemJson(event.skipped.item), reason: event.skipped.reason }
    case "Ended": {
      const { roots: _, ...counts } = event.report
      return { _tag, ...counts }
    }
  }
}

const aboutJson = ({ depth, id, item, parentId }: About) => ({ id, parentId, depth, ...itemJson(item) })

const itemJson = (item: Item) => ({
  item: item[TypeId],
  url: item instanceof Page || item instanceof Link ? item.url : undefined
})

const exitJson = (exit: Exit.Exit<unknown, unknown>) => {
  if (Exit.isFailure(exit)) {
    return Cause.hasInterruptsOnly(exit.cause)
      ? { outcome: "interrupted" }
      : { outcome: "failed", error: describe(exit.cause) }
  }
  const { refusal, status } = (exit.value ?? {}) as {
    readonly status?: number
    readonly refusal?: { readonly reason: string }
  }
  return { outcome: "succeeded", status, refusal: refusal?.reason }
}
