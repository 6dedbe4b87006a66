import type { Processed } from "../../Crawler.ts"
import { TypeId } from "../../CrawlItem.ts"
import type { FrameOptions, Progress, Waiting } from "../../Progress.ts"
import { duration, rate } from "./numbers.ts"
import { fit, neutralise, widthOf } from "./text.ts"
import { type Forecast, trendOf } from "./trend.ts"

// What is shown of a crawl, in as many lines as there are, the most important first to get one: how far it is, what it counts,
// its title, then what waits and who works.

/** On and off. */
const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], yellow: [33, 39], cyan: [36, 39] } as const
type Style = keyof typeof codes
type Paint = (style: Style, text: string) => string

export const frame = (progress: Progress, options: FrameOptions): ReadonlyArray<string> => {
  const { colors, columns, rows } = options
  const paint: Paint = (style, text) =>
    colors && text !== "" ? `\u001B[${codes[style][0]}m${text}\u001B[${codes[style][1]}m` : text
  const title = options.title === undefined ? [] : [paint("bold", neutralise(options.title, colors))]
  const head = [overall(progress, paint, columns), items(progress, paint)]
  const room = Math.max(0, rows - head.length - title.length)
  const waiting = waitingLines(progress, paint, columns)
  const workers = progress.state === "running" ? progress.workers.length : 0
  // A third for what waits, more if the workers leave it.
  const forWaiting = Math.min(waiting.length, Math.max(Math.floor(room / 3), room - workers - 1))
  const lines = [
    ...(rows > head.length ? title : []),
    ...head.slice(0, Math.max(0, rows)),
    ...shortened(waiting, forWaiting, (line) => line, paint),
    ...(workers === 0 ? [] : workerLines(progress, options, paint, room - forWaiting))
  ]
  return lines.map((text) => fit(text, columns))
}

export const line = (progress: Progress, { title = "crawl" }: { readonly title?: string | undefined } = {}): string => {
  const { state, stats: { processing }, waitingInAll } = progress
  const { count, elapsed, forecast, rate, share } = figures(progress)
  const parts = [
    ...(state === "running" ? [] : [`${state} after ${elapsed}`]),
    share === "" ? count : `${count} ${share}`,
    rate,
    ...(state === "running" ? [elapsed, forecast, `${processing.length} at work`] : []),
    `${waitingInAll.current} waiting`,
    ...counts(progress).map(({ text }) => text)
  ]
  return `${neutralise(title, false)}: ${parts.join(", ")}`
}

const figures = ({ at, began, history, state, stats: { overall: { known, settled } } }: Progress) => {
  const trend = trendOf(history)
  const whole = at - began.at
  const last = history.at(-1)!
  return {
    count: `${settled}/${known === 0 ? "?" : known}`,
    share: known === 0 ? "" : `${Math.floor(100 * settled / known)}%`,
    elapsed: duration(whole),
    // Of the whole, once it is over.
    rate: state !== "running" && whole > 0
      ? rate((known > 0 ? settled - began.settled : last.done - began.done) / whole * 1000)
      : trend.rate === undefined
      ? "?/s"
      : rate(trend.rate),
    forecast: forecastText(trend.forecast)
  }
}

const forecastText = (forecast: Forecast): string => {
  switch (forecast._tag) {
    case "Unknown":
      return "ETA ?"
    case "Growing":
      return "ETA ?, growing"
    case "In":
      return `ETA ${duration(forecast.millis)}`
  }
}

const overall = (progress: Progress, paint: Paint, columns: number): string => {
  const { state, stats } = progress
  const { count, elapsed, forecast, rate, share } = figures(progress)
  const parts = state === "running" ? [share, forecast, rate, elapsed] : [share, `${state} after ${elapsed}`, rate]
  const size = barSize(columns)
  const start = `${label("overall", paint)}${bar(stats.overall.settled, stats.overall.known, size, paint)}${count}`
  // The last are left out first.
  return parts.filter((part) => part !== "").reduce(
    ({ open, text }, part) => {
      const longer = `${text}  ${part}`
      return open && widthOf(longer) <= columns ? { text: longer, open } : { text, open: false }
    },
    { text: start, open: true }
  ).text
}

const items = (progress: Progress, paint: Paint): string =>
  label("items", paint) +
  counts(progress).map(({ style, text }) => style === undefined ? text : paint(style, text)).join(", ")

const counts = ({ state, stats }: Progress): ReadonlyArray<{ readonly text: string; readonly style?: Style }> => {
  const { enqueued, failed, interrupted, retried, skipped, succeeded } = stats
  const reasons = [
    [skipped.duplicate, "duplicate"],
    [skipped.maxDepth, "too deep"],
    [skipped.maxItems, "too many"]
  ] as const
  const told = reasons.filter(([count]) => count > 0)
  const inAll = told.reduce((sum, [count]) => sum + count, 0)
  const left = enqueued - succeeded - failed - interrupted
  return [
    { text: `${enqueued} enqueued` },
    { text: `${succeeded} succeeded` },
    failed > 0 ? { text: `${failed} failed`, style: "red" } : { text: "0 failed" },
    ...(retried === undefined ? [] : [{ text: `${retried} retried` }]),
    ...(interrupted > 0 ? [{ text: `${interrupted} interrupted`, style: "yellow" } as const] : []),
    { text: `${inAll} skipped${inAll > 0 ? ` (${told.map((reason) => reason.join(" ")).join(", ")})` : ""}` },
    ...(state !== "running" && left > 0 ? [{ text: `${left} left`, style: "yellow" } as const] : [])
  ]
}

/** None until something has waited: in all, then each class. */
const waitingLines = (
  { waiting, waitingInAll }: Progress,
  paint: Paint,
  columns: number
): ReadonlyArray<string> => {
  if (waitingInAll.most === 0) return []
  const rows: ReadonlyArray<readonly [string, Waiting]> = [
    ["in all", waitingInAll],
    ...[...waiting].map(([name, count]) => [fit(neutralise(name, false), nameSize), count] as const)
  ]
  const nameWidth = Math.max(...rows.map(([name]) => widthOf(name)))
  const digits = String(waitingInAll.most).length
  return rows.map(([name, { current, most }], index) =>
    [
      label(index === 0 ? "waiting" : "", paint),
      name + " ".repeat(nameWidth - widthOf(name) + 2),
      String(current).padStart(digits),
      "  ",
      bar(current, most, barSize(columns), paint),
      paint("dim", `most ${most}`)
    ].join("")
  )
}

const workerLines = (
  { workers }: Progress,
  { colors, now }: FrameOptions,
  paint: Paint,
  room: number
): ReadonlyArray<string> => {
  const numbered = workers.map((processed, index) => ({ processed, number: index + 1 }))
  const digits = String(workers.length).length
  const busy = numbered.filter((worker): worker is { processed: Processed; number: number } =>
    worker.processed !== undefined
  )
  const head = `${label("workers", paint)}${busy.length} of ${workers.length} at work`
  const shown = room > workers.length
    ? numbered
    : busy.toSorted((a, b) => a.processed.startedAt - b.processed.startedAt || a.processed.id - b.processed.id)
  const worker = ({ number, processed }: typeof numbered[number]): string => {
    const label = paint("cyan", `  #${String(number).padEnd(digits)}`)
    if (processed === undefined) return `${label}  ${paint("dim", "      -  idle")}`
    const doing = neutralise(processed.description, colors) || neutralise(processed.item[TypeId], colors)
    return `${label}  ${duration(now - processed.startedAt).padStart(7)}  ${doing}`
  }
  return room < 1 ? [] : [head, ...shortened(shown, room - 1, worker, paint)]
}

/** A line for each, and if that is too many, for the first, and one that says how many more there are. */
const shortened = <A>(
  all: ReadonlyArray<A>,
  room: number,
  draw: (one: A) => string,
  paint: Paint
): ReadonlyArray<string> =>
  // A line is worth more than to be told that there is one.
  all.length <= room || room < 2
    ? all.slice(0, Math.max(0, room)).map(draw)
    : [...all.slice(0, room - 1).map(draw), paint("dim", `  … and ${all.length - room + 1} more`)]

const nameSize = 20

const label = (text: string, paint: Paint): string => paint("dim", text.padEnd(9))

/** Of a fixed size, lest it trembles as the figures beside it change. */
const barSize = (columns: number): number => columns >= 90 ? 30 : columns >= 70 ? 20 : columns >= 50 ? 10 : 0

const bar = (part: number, whole: number, size: number, paint: Paint): string => {
  if (size === 0) return ""
  const filled = whole === 0 ? 0 : Math.min(size, Math.floor(size * part / whole))
  return `${paint("cyan", "━".repeat(filled))}${paint("dim", "─".repeat(size - filled))}  `
}
