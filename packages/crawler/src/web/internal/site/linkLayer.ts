import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as CrawlItem from "../../../CrawlItem.ts"
import { Fetcher } from "../../Fetcher.ts"
import type { FetchError } from "../../FetchError.ts"
import { Link, type LinkRecord } from "../../LinkCheck.ts"
import { Robots } from "../../Robots.ts"
import { ask, type Question, robotsRefusal, type Site } from "./site.ts"

/** What GET may do better: what passes, and what a server answers that does not know what HEAD is. */
const mayPass = ({ isTransient, reason }: FetchError): boolean => isTransient || reason === "BadResponse"

/** Asks for the targets of links. */
export const linkLayer = (site: Site): Layer.Layer<Link, never, Fetcher | Robots> =>
  Link.toLayer(Effect.gen(function*() {
    const fetcher = yield* Fetcher
    const robots = yield* Robots
    return {
      process: Effect.fnUntraced(function*({ url }: Link, crawl: CrawlItem.Processing) {
        yield* crawl.describe(`checking ${url}`)
        const refused = yield* robotsRefusal(site, robots, url)
        if (refused !== undefined) return { url, finalUrl: url, refusal: refused }
        const question: Question<void> = {
          url,
          method: "HEAD",
          // Nothing is read of what GET gives.
          contentTypes: [],
          refusal: (to) => robotsRefusal(site, robots, to),
          read: () => Effect.void,
          waiting: crawl.describe(`waiting to check ${url}`)
        }
        const get = ask(site, fetcher, { ...question, method: "GET" })
        return yield* ask({ ...site, retries: 0 }, fetcher, question).pipe(
          Effect.catchIf((error) => error._tag === "FetchError" && mayPass(error), () => Effect.undefined),
          Effect.flatMap((answer) =>
            answer === undefined || answer.fetched.status >= 400 ? get : Effect.succeed(answer)
          ),
          Effect.map(({ fetched }): LinkRecord => ({ url, finalUrl: fetched.url, status: fetched.status })),
          Effect.catchTag("Refused", ({ refusal }) => Effect.succeed<LinkRecord>({ url, finalUrl: url, refusal }))
        )
      })
    }
  }))
