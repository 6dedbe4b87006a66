import * as AddressGuard from "effect-crawler/web/AddressGuard"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as Politeness from "effect-crawler/web/Politeness"
import * as Selector from "effect-crawler/web/Selector"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { resolve } from "node:path"
import { UsageError } from "../../CommandFailed.ts"
import { FlagTexts } from "../flagTexts.ts"
import { type Destination, parseDestination } from "./destination.ts"
import type { Input } from "./flags.ts"

/** What is to be done. */
export interface CrawlPlan {
  readonly site: SiteCrawl.SiteCrawl
  readonly fetcher: NodeFetcher.Options
  /** The name by which robots.txt files know the crawl. */
  readonly agent: string
  /** The names of the selectors. */
  readonly selectors: ReadonlyArray<string>
  readonly destination: Destination
}

/** Checks what was given and makes a plan of it, or says what is wrong with all of it. */
export const planOf = Effect.fnUntraced(function*(
  input: Input,
  isTerminal: boolean
): Effect.fn.Return<CrawlPlan, UsageError> {
  const flags = new FlagTexts()
  const { problems } = flags
  const maxPages = flags.count("max-pages", input.maxPages, 1)
  const maxDepth = flags.count("max-depth", input.maxDepth, 0)
  const concurrency = flags.count("concurrency", input.concurrency, 1)
  const hostConcurrency = flags.count("per-host", input.perHost, 1)
  const delay = flags.time("delay", input.delay)
  const timeout = flags.time("timeout", input.timeout, (millis) => millis > 0, " of more than 0")
  const maxBytes = flags.bytes("max-size", input.maxSize, "of at least 1 byte, such as 10 MiB", (bytes) => bytes >= 1)
  const userAgent = flags.read(
    "user-agent",
    input.userAgent,
    "printable characters, beginning with a name such as examplebot/1.0",
    (text) => /^[\w-]+(?:[/ (][ -~]*)?$/.test(text) ? text : undefined
  )
  const select = input.select.flatMap((text) => {
    const selector = Selector.parse(text)
    if (Result.isSuccess(selector)) return [selector.success]
    problems.push(`--select ${text}: expected NAME=CSS or NAME=CSS@ATTRIBUTE, such as price=.price`)
    return []
  })
  const names = select.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) problems.push(`--select ${twice}: is given twice; give each its own name`)
  const destination = parseDestination(input, isTerminal)
  if (Result.isFailure(destination)) problems.push(destination.failure)
  if (Option.isSome(input.state) && Option.isSome(input.output) && isSameFile(input.state.value, input.output.value)) {
    problems.push(`--output ${input.output.value}: is the file of --state; name another one`)
  }
  if (input.resume && Option.isNone(input.state)) problems.push("--resume: needs the --state to go on from")

  const site = yield* Effect.result(SiteCrawl.make(input.urls, {
    scope: { within: input.scope, include: input.include, exclude: input.exclude },
    page: { select },
    politeness: {
      minDelay: delay ?? Politeness.defaults.minDelay,
      maxDelay: Duration.max(delay ?? Duration.zero, Duration.fromInputUnsafe(Politeness.defaults.maxDelay))
    },
    robots: input.noRobots ? "ignore" : "obey",
    directives: input.noRobots ? "ignore" : "obey",
    links: input.checkLinks ? "check" : "follow",
    order: input.order,
    maxItems: maxPages,
    maxDepth,
    concurrency,
    hostConcurrency
  }))
  if (Result.isFailure(site)) problems.push(siteProblem(site.failure))
  if (problems.length > 0 || Result.isFailure(site) || Result.isFailure(destination)) {
    return yield* new UsageError({ problem: problems.join("\n") })
  }
  return {
    site: site.success,
    agent: (userAgent ?? NodeFetcher.defaults.userAgent).split(/[/ (]/, 1)[0]!,
    selectors: names,
    destination: destination.success,
    fetcher: {
      userAgent,
      timeout,
      maxBytes,
      keepCookies: input.cookies,
      maxConnectionsPerOrigin: Math.max(hostConcurrency ?? 1, NodeFetcher.defaults.maxConnectionsPerOrigin),
      addressGuard: AddressGuard.make({
        startUrls: site.success.roots.map(({ url }) => url),
        allowPrivate: input.allowPrivate
      })
    }
  }
})

const isSameFile = (a: string, b: string): boolean => resolve(a) === resolve(b)

const siteProblem = (error: Effect.Error<ReturnType<typeof SiteCrawl.make>>): string => {
  switch (error._tag) {
    case "InvalidStartUrl":
      return `${error.message}; expected a page such as https://example.org/`
    case "InvalidPattern":
      return `--${error.option} ${error.pattern}: expected a regular expression: ${error.detail}`
    case "InvalidSelector":
      return `--select ${error.text}: expected a CSS selector: ${error.detail}`
  }
}
