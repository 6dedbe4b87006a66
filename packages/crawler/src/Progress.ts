/**
 * What is shown of a crawl while it runs: a fold of its statistics, and what it looks like.
 *
 * Pure: what it knows is what it was shown, at the instants it was told. {@link frame} draws it for a terminal, {@link line} says it in a line for a log.
 *
 * **Source** aqueue's live display: an overall bar, a line for each worker, what waits by class with its high-water mark. Rates, failures and a height
 * that fits the terminal are new.
 *
 * @since 0.1.0
 */
import type { CrawlStats, Processed } from "./Crawler.ts"
import * as internal from "./internal/display/frame.ts"
import { see, type Seen } from "./internal/display/trend.ts"

/**
 * How many items wait, and the most that were seen to.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Waiting {
  readonly current: number
  readonly most: number
}

/**
 * What is looked at: the statistics of a crawl, and, where it is counted, how often items were tried again.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Statistics = CrawlStats & { readonly retried?: number | undefined }

/**
 * A crawl as it was last seen, and what is remembered of before.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Progress {
  readonly state: "running" | "ended" | "interrupted"
  /** What was seen first. */
  readonly began: Seen
  /** When it was last seen. Instants are in milliseconds since the Unix epoch. */
  readonly at: number
  readonly stats: Statistics
  /** As many places as were ever taken at once. An item keeps its place for as long as it is worked on. */
  readonly workers: ReadonlyArray<Processed | undefined>
  /** By class, in the order in which they were first seen. */
  readonly waiting: ReadonlyMap<string, Waiting>
  readonly waitingInAll: Waiting
  /** What rates are made of: the last half minute. */
  readonly history: ReadonlyArray<Seen>
}

/**
 * Where and how a {@link frame} is drawn.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface FrameOptions {
  /** The width no line exceeds, in cells of the terminal. */
  readonly columns: number
  /** The most lines there may be. */
  readonly rows: number
  readonly colors: boolean
  /** In milliseconds since the Unix epoch. */
  readonly now: number
  /** Stands above. Defaults to nothing. */
  readonly title?: string | undefined
}

/**
 * Begins with the first statistics. What had settled by then, in a crawl that goes on from a store, does not count for the rate.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const begin = (stats: Statistics, now: number): Progress =>
  observe(
    {
      state: "running",
      began: seenOf(stats, now),
      at: now,
      stats,
      workers: [],
      waiting: new Map(),
      waitingInAll: { current: 0, most: 0 },
      history: []
    },
    stats,
    now
  )

/**
 * Adds the statistics of an instant. How often it is called changes nothing but how fine rates and high-water marks are.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const observe = (progress: Progress, stats: Statistics, now: number): Progress => {
  const inAll = [...stats.waiting.values()].reduce((sum, count) => sum + count, 0)
  const classes = [...new Set([...progress.waiting.keys(), ...stats.waiting.keys()])]
  const marked = (current: number, before: Waiting | undefined): Waiting => ({
    current,
    most: Math.max(current, before?.most ?? 0)
  })
  return {
    ...progress,
    at: now,
    stats,
    workers: placed(progress.workers, stats.processing),
    waiting: new Map(
      classes.map((name) => [name, marked(stats.waiting.get(name) ?? 0, progress.waiting.get(name))])
    ),
    waitingInAll: marked(inAll, progress.waitingInAll),
    history: see(progress.history, seenOf(stats, now))
  }
}

/**
 * Adds the last statistics.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const end = (
  progress: Progress,
  state: "ended" | "interrupted",
  stats: Statistics,
  now: number
): Progress => ({ ...observe(progress, stats, now), state })

/**
 * Draws it: at most `rows` lines, none wider than `columns`. Where there are more workers than lines, those that have been at their item for longest are
 * shown, and how many more there are.
 *
 * **Details** Descriptions and names cannot leave their line, whatever they contain. Where there are colours they keep the styles they come with.
 *
 * @category rendering
 * @stability unstable
 * @since 0.1.0
 */
export const frame: (progress: Progress, options: FrameOptions) => ReadonlyArray<string> = internal.frame

/**
 * Says it in one line, without escape codes.
 *
 * @category rendering
 * @stability unstable
 * @since 0.1.0
 */
export const line: (progress: Progress, options?: { readonly title?: string | undefined }) => string = internal.line

const seenOf = ({ failed, interrupted, overall, succeeded }: Statistics, at: number): Seen => ({
  at,
  done: succeeded + failed + interrupted,
  ...overall
})

/** Those who are still there keep their places; those who are new take the first that are free. */
const placed = (
  places: ReadonlyArray<Processed | undefined>,
  processing: ReadonlyArray<Processed>
): ReadonlyArray<Processed | undefined> => {
  const left = new Map(processing.map((processed) => [processed.id, processed]))
  const next = places.map((before) => {
    const now = before === undefined ? undefined : left.get(before.id)
    if (now !== undefined) left.delete(now.id)
    return now
  })
  let free = 0
  for (const processed of left.values()) {
    while (next[free] !== undefined) free++
    next[free] = processed
  }
  return next
}
