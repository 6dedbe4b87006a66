import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { CanonicalUrl } from "../../CanonicalUrl.ts"
import type { Fetched, Fetcher, FetchOptions } from "../../Fetcher.ts"
import { FetchError } from "../../FetchError.ts"
import type { Refusal } from "../../Page.ts"
import type { PageParser } from "../../PageParser.ts"
import type { Robots, RobotsFile } from "../../Robots.ts"
import { hostOf, type Scope } from "../../Scope.ts"
import type { Claims } from "./claims.ts"
import type { Hosts } from "./hosts.ts"

/** What the items of one crawl have in common. */
export interface Site {
  readonly canonical: CanonicalUrl
  readonly scope: Scope
  readonly parser: PageParser
  readonly hosts: Hosts
  readonly claims: Claims
  readonly robots: "obey" | "ignore"
  readonly directives: "obey" | "ignore"
  readonly links: "follow" | "check"
  readonly retries: number
  /** Pages at this depth have no children that are pages; only where the crawl itself cannot see to that. */
  readonly maxPageDepth: number
}

/** A place where a redirect leads is not to be fetched. */
export class Refused extends Data.TaggedError("Refused")<{ readonly refusal: Refusal }> {}

/** A host has said that it is too much, and may be asked again. */
class Overloaded<A> extends Data.TaggedError("Overloaded")<{ readonly answer: Answer<A> }> {}

/** An answer, and what was read of it. */
export interface Answer<out A> {
  readonly fetched: Fetched
  readonly read: A
}

/** How one URL is asked for. */
export interface Question<out A> {
  readonly url: string
  readonly method: "GET" | "HEAD"
  readonly contentTypes: FetchOptions["contentTypes"]
  /** Says why a redirect is not to be followed, if it is not. */
  readonly refusal: (url: string) => Effect.Effect<Refusal | undefined>
  readonly read: (fetched: Fetched) => Effect.Effect<A, FetchError>
  /** Runs when the host has to be waited for. */
  readonly waiting: Effect.Effect<void>
}

const again = Schedule.exponential("1 second")

const isOverload = (status: number): boolean => status === 429 || status === 503

/** Asks until there is an answer, or nothing more to try: in turn with others, and once more for what may pass. */
export const ask = <A>(
  site: Site,
  fetcher: Fetcher["Service"],
  question: Question<A>
): Effect.Effect<Answer<A>, FetchError | Refused> =>
  attempt(site, fetcher, question).pipe(
    Effect.retry({
      times: site.retries,
      schedule: again,
      while: (error) => error._tag === "Overloaded" || error._tag === "FetchError" && error.isTransient
    }),
    Effect.catchTag("Overloaded", ({ answer }) => Effect.succeed(answer as Answer<A>))
  )

const attempt = Effect.fnUntraced(function*<A>(
  { canonical, hosts }: Site,
  { fetch }: Fetcher["Service"],
  { contentTypes, method, read, refusal, url, waiting }: Question<A>
) {
  const host = hostOf(url)
  let startedAt = yield* hosts.turn(host, waiting)
  const fetched = yield* fetch(url, {
    method,
    contentTypes,
    beforeHop: (to) =>
      Effect.gen(function*() {
        const next = canonical(to.href)
        if (Result.isFailure(next)) {
          const { reason, reference } = next.failure
          return yield* new FetchError({ url, reason: "BadRedirect", detail: `leads to ${reference} (${reason})` })
        }
        const refused = yield* refusal(next.success)
        if (refused !== undefined) return yield* new Refused({ refusal: refused })
        startedAt = yield* hosts.turn(hostOf(next.success), waiting)
      })
  }).pipe(
    Effect.tapErrorTag("FetchError", () => observe(hosts, host, startedAt, 0, undefined, undefined))
  )
  const answerer = canonical(fetched.url)
  yield* observe(
    hosts,
    Result.isSuccess(answerer) ? hostOf(answerer.success) : host,
    startedAt,
    Duration.toMillis(fetched.latency),
    fetched.status,
    fetched.retryAfter
  )
  const answer = { fetched, read: yield* read(fetched) }
  return isOverload(fetched.status) ? yield* new Overloaded({ answer }) : answer
}, Effect.scoped)

const observe = (
  hosts: Hosts,
  host: string,
  startedAt: number,
  latency: number,
  status: number | undefined,
  retryAfter: Duration.Duration | undefined
): Effect.Effect<void> =>
  Effect.clockWith((clock) =>
    Effect.sync(() =>
      hosts.observed(host, {
        startedAt,
        endedAt: Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
        latency,
        status,
        retryAfter: retryAfter === undefined ? undefined : Duration.toMillis(retryAfter)
      })
    )
  )

/** Why the robots.txt of its origin keeps a URL from being fetched, if it does; its delay is taken note of. */
export const robotsRefusal = (
  { hosts, robots }: Site,
  files: Robots["Service"],
  url: string
): Effect.Effect<Refusal | undefined> =>
  robots === "ignore" ? Effect.undefined : Effect.map(files.file(url), (file) => {
    if (file.crawlDelay !== undefined) hosts.crawlDelay(hostOf(url), Duration.toMillis(file.crawlDelay))
    return file.isAllowed(url) ? undefined : { reason: "robots", detail: detailOf(file) }
  })

const detailOf = ({ detail }: RobotsFile): string => detail ?? "robots.txt does not allow it"
