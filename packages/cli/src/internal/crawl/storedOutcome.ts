import type { StoredItem } from "effect-crawler/CrawlStore"
import { FetchError } from "effect-crawler/web/FetchError"
import { Link, LinkRecord, type Outcome } from "effect-crawler/web/LinkCheck"
import { Page, PageRecord } from "effect-crawler/web/Page"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { badData } from "./failure.ts"

// What a crawl keeps of its items is JSON of their schemas, as `CrawlItem` has them.

const page = {
  item: Schema.decodeUnknownEffect(Schema.toCodecJson(Page)),
  exit: Schema.decodeUnknownEffect(Schema.toCodecJson(Schema.Exit(PageRecord, FetchError, Schema.Defect())))
}

const link = {
  item: Schema.decodeUnknownEffect(Schema.toCodecJson(Link)),
  exit: Schema.decodeUnknownEffect(Schema.toCodecJson(Schema.Exit(LinkRecord, FetchError, Schema.Defect())))
}

/** What a stored item came to. */
export const storedOutcome = (
  { data, name, own }: Pick<StoredItem, "data" | "name" | "own">
): Effect.Effect<Outcome, CrawlFailed> => {
  const { exit, item } = name === Page.itemName ? page : link
  return Effect.all({ item: item(JSON.parse(data)), exit: exit(JSON.parse(own)) }).pipe(
    Effect.mapError(() =>
      badData(
        `--state: it holds a page of another version of conveyor: ${data}; go on with that version, or begin anew`
      )
    )
  )
}
