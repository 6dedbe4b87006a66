import type { CrawlStore } from "effect-crawler/CrawlStore"
import * as LiveTerminal from "effect-crawler/LiveTerminal"
import * as NodeLiveTerminal from "effect-crawler/NodeLiveTerminal"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as Robots from "effect-crawler/web/Robots"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CrawlFailed } from "../../CommandFailed.ts"
import * as CrawlSummary from "../../CrawlSummary.ts"
import { redact } from "../../Redaction.ts"
import { isColored } from "../color.ts"
import { lines } from "../logging.ts"
import * as StandardStreams from "../standardStreams.ts"
import type { Input } from "./flags.ts"
import * as Ladder from "./ladder.ts"
import { linkText } from "./linkText.ts"
import { openOutput } from "./output.ts"
import * as PageSink from "./pageSink.ts"
import { type CrawlPlan, planOf } from "./plan.ts"
import { resumeCommand } from "./resumeCommand.ts"
import { type Run, run } from "./run.ts"
import { verdict } from "./verdict.ts"

/** Crawls as the flags say, and tells how it went. */
export const crawl = (input: Input) =>
  follow(input).pipe(
    Effect.scoped,
    Effect.provide(layerOf(input))
  )

const follow = Effect.fnUntraced(function*(input: Input) {
  const ladder = yield* Ladder.take
  const plan = yield* planOf(input, process.stdout.isTTY === true)
  const { checkLinks, format, progress, resume } = input
  const place = Option.getOrUndefined(input.state)
  // Loaded when it is used: most crawls need no database.
  const state = place === undefined
    ? undefined
    : yield* Effect.flatMap(Effect.promise(() => import("./state.ts")), ({ open }) => open(place, resume))
  const ran = yield* Effect.gen(function*() {
    const sink = yield* openSink(plan, state?.store, resume)
    const roots = input.sitemaps && state?.isBegun !== true ? yield* withSitemaps(plan, ladder) : plan.site.roots
    return yield* run({
      plan,
      roots,
      store: state?.store,
      sink,
      ladder,
      printsEvents: format === "ndjson",
      checksLinks: checkLinks,
      isShown: progress !== "none"
    })
  }).pipe(Effect.provide(Layer.provideMerge(Robots.layer({ agent: plan.agent }), NodeFetcher.layer(plan.fetcher))))
  yield* tell(input, ran, plan)
  const failure = verdict(ran, place === undefined ? undefined : resumeCommand(process))
  if (failure !== undefined) return yield* failure
})

const openSink = Effect.fnUntraced(function*(plan: CrawlPlan, store: CrawlStore | undefined, resumes: boolean) {
  const output = yield* openOutput(plan.destination, plan.selectors, resumes)
  if (output === undefined) return PageSink.none
  return yield* store === undefined ? PageSink.direct(output) : PageSink.stored(store, output)
})

/** The start pages, and those that sitemaps list. */
const withSitemaps = Effect.fnUntraced(function*({ site }: CrawlPlan, ladder: Ladder.Ladder) {
  const { pages, problems } = yield* Effect.raceFirst(
    site.listed(),
    // Nothing has been begun that could go on without them.
    Effect.andThen(
      ladder.awaitStop,
      Effect.fail(new CrawlFailed({ reason: "Interrupted", problem: "stopped while sitemaps were read" }))
    )
  )
  for (const { message } of problems) yield* Effect.logWarning(message)
  return [...site.roots, ...pages]
})

/** Prints how it went. */
const tell = (
  { format, state }: Input,
  { links, tally, ...ran }: Run,
  { destination }: CrawlPlan
): Effect.Effect<void> => {
  const outcome: CrawlSummary.Outcome = {
    ...ran,
    ...tally,
    output: destination._tag === "File" ? destination.path : undefined,
    state: Option.getOrUndefined(Option.map(state, (place) => String(redact(place))))
  }
  if (format === "json") {
    return StandardStreams.print(`${JSON.stringify({ crawl: CrawlSummary.toJson(outcome), links }, undefined, 2)}\n`)
  }
  const report = format === "text" && links !== undefined ? StandardStreams.print(linkText(links)) : Effect.void
  return Effect.andThen(report, StandardStreams.printError(`${CrawlSummary.render(outcome)}\n`))
}

const layerOf = ({ format, logFormat, output, progress }: Input) => {
  // On one terminal, what is printed there would be drawn over.
  const isShared = process.stdout.isTTY === true && (format === "ndjson" || Option.contains(output, "-"))
  const live = progress === "live" ? true : progress === "auto" && !isShared ? undefined : false
  return Layer.provideMerge(
    LiveTerminal.layerLogger(lines(logFormat)),
    NodeLiveTerminal.layer({ live, colors: isColored(process.stderr, "auto") })
  )
}
