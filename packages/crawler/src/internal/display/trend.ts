// How fast a crawl goes, from what was seen of it in the last half minute.

/** What was settled and known at an instant. */
export interface Seen {
  readonly at: number
  /** Items of any class. */
  readonly done: number
  /** Items the overall progress counts. */
  readonly settled: number
  readonly known: number
}

/** When the end is, as far as can be told. */
export type Forecast =
  | { readonly _tag: "Unknown" }
  /** More is discovered than is done. */
  | { readonly _tag: "Growing" }
  | { readonly _tag: "In"; readonly millis: number }

export interface Trend {
  /** Items settled per second, of those the overall progress counts, or of all while it counts none; nothing in the first second. */
  readonly rate: number | undefined
  readonly forecast: Forecast
}

/** Long enough for a steady figure, and short enough to follow a change; in milliseconds. */
const rateWindow = 30_000
/** Shorter: what a root enqueues at once should not count as growth for long. */
const growthWindow = 5000
/** Between what is kept, so that thirty entries do. */
const resolution = 1000

/** Adds what is seen now, and lets go of what is too old to matter. */
export const see = (history: ReadonlyArray<Seen>, now: Seen): ReadonlyArray<Seen> => {
  const latest = history.at(-1)
  const before = history.at(-2)
  const kept = before !== undefined && latest!.at - before.at < resolution ? history.slice(0, -1) : history
  // One that is as old as the window or older stays, or a rate would have nothing to begin from.
  const oldest = kept.findLastIndex(({ at }) => at <= now.at - rateWindow)
  return [...kept.slice(Math.max(0, oldest)), now]
}

export const trendOf = (history: ReadonlyArray<Seen>): Trend => {
  const now = history.at(-1)!
  const rate = perSecond(history, rateWindow, now.known > 0 ? (seen) => seen.settled : (seen) => seen.done)
  const growth = perSecond(history, growthWindow, ({ known }) => known)
  return { rate, forecast: forecast(now.known - now.settled, rate, growth) }
}

const forecast = (left: number, rate: number | undefined, growth: number | undefined): Forecast => {
  // With nothing left to settle that is counted, something else still runs, and may enqueue more.
  if (left === 0 || rate === undefined || growth === undefined) return { _tag: "Unknown" }
  if (growth > 0 && growth >= rate) return { _tag: "Growing" }
  return rate === 0 ? { _tag: "Unknown" } : { _tag: "In", millis: left / (rate - growth) * 1000 }
}

/** How fast a count grew within a window, or since the beginning if that is later. */
const perSecond = (
  history: ReadonlyArray<Seen>,
  window: number,
  count: (seen: Seen) => number
): number | undefined => {
  const now = history.at(-1)!
  const from = history.findLast(({ at }) => at <= now.at - window) ?? history[0]!
  const millis = now.at - from.at
  return millis < resolution ? undefined : (count(now) - count(from)) / millis * 1000
}
