/**
 * Shows a crawl while it runs: live on a terminal, in a line now and then elsewhere.
 *
 * It looks at the crawl ten times a second, and does nothing for an item or an event, so that a crawl is as fast with it as without.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Crawl } from "./Crawler.ts"
import type { Item } from "./CrawlItem.ts"
import type { CrawlReport } from "./CrawlOutcome.ts"
import { LiveTerminal } from "./LiveTerminal.ts"
import * as Progress from "./Progress.ts"

/**
 * How a crawl is shown.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** What is crawled. Defaults to nothing above the frame, and `crawl` before a line. */
  readonly title?: string | undefined
  /** How often a line is printed where nothing can be drawn, more than 0. Defaults to 10 seconds. */
  readonly lineInterval?: Duration.Input | undefined
}

/**
 * What {@link awaitEnd} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { lineInterval: "10 seconds" } as const

/**
 * Waits for the end of a crawl as its own `awaitEnd` does, and shows it meanwhile. The last frame, or line, remains. Interrupting it ends the display and
 * leaves the crawl alone.
 *
 * **Errors** Those of the crawl. Dies when an option is out of range, naming it.
 *
 * **Example** (A crawl that is seen)
 *
 * ```ts
 * const crawl = yield* Crawler.make(roots)
 * const report = yield* ProgressDisplay.awaitEnd(crawl, { title: "my site" })
 * ```
 *
 * @category running
 * @stability unstable
 * @since 0.1.0
 */
export const awaitEnd = <I extends Item, E>(
  crawl: Pick<Crawl<I, E>, "stats" | "awaitEnd">,
  options: Options = {}
): Effect.Effect<CrawlReport<I>, E, LiveTerminal> =>
  Effect.gen(function*() {
    const { title } = options
    const lineInterval = Duration.fromInputUnsafe(options.lineInterval ?? defaults.lineInterval)
    if (!Duration.isGreaterThan(lineInterval, Duration.zero)) {
      return yield* Effect.die(
        new RangeError(`ProgressDisplay.awaitEnd: lineInterval must be > 0, got ${Duration.format(lineInterval)}`)
      )
    }
    const terminal = yield* LiveTerminal
    const seen = Effect.all([crawl.stats, Clock.currentTimeMillis])
    let progress = Progress.begin(...yield* seen)
    /** Looks at the crawl, for the last time if there is an Exit. */
    const look = (exit: Exit.Exit<unknown, unknown> | undefined) =>
      Effect.map(seen, ([stats, now]) => {
        progress = exit === undefined
          ? Progress.observe(progress, stats, now)
          : Progress.end(progress, Exit.isSuccess(exit) ? "ended" : "interrupted", stats, now)
        return progress
      })
    if (terminal.isLive) {
      return yield* terminal.drawWhile(crawl.awaitEnd, (size, exit) =>
        Effect.map(look(exit), (progress) =>
          Progress.frame(progress, { ...size, colors: terminal.colors, now: progress.at, title })))
    }
    const print = (exit?: Exit.Exit<unknown, unknown>) =>
      Effect.flatMap(look(exit), (progress) =>
        terminal.print(Progress.line(progress, { title })))
    const lineByLine = Effect.forever(Effect.andThen(Effect.sleep(lineInterval), print()))
    return yield* Effect.onExit(Effect.raceFirst(crawl.awaitEnd, lineByLine), print)
  })
