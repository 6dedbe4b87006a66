/**
 * What is told about a crawl when it ends.
 *
 * @since 0.1.0
 */
import { paint } from "./internal/color.ts"

/**
 * How a crawl ended. Pages are those of this run, not of those before that it went on from.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Outcome {
  readonly ending: "finished" | "stopped" | "interrupted"
  readonly millis: number
  readonly pages: number
  readonly bytes: number
  /** Pages that were answered, by the first digit of the status. */
  readonly byStatus: ReadonlyMap<number, number>
  /** Pages that were not fetched, not read or not kept, by reason. */
  readonly byReason: ReadonlyMap<string, number>
  /** What is left to be done, by whoever goes on. */
  readonly left: number
  readonly output: string | undefined
  readonly state: string | undefined
}

/**
 * Renders how a crawl ended: its pages by status and by what stopped them, and where they are.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const render = (outcome: Outcome): string => {
  const { byReason, byStatus, bytes, ending, left, millis, output, pages, state } = outcome
  const head = [
    `${pages} ${pages === 1 ? "page" : "pages"} in ${(millis / 1000).toFixed(1)} s`,
    `${rateOf(outcome).toFixed(rateOf(outcome) < 10 ? 1 : 0)}/s`,
    sizeText(bytes),
    ...(left > 0 ? [`${left} left`] : [])
  ]
  const rows = [
    ...sorted(byStatus).map(([digit, count]) => [`${digit}xx`, count] as const),
    ...sorted(byReason)
  ]
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return [
    `${paint("bold", ending)}: ${head.join(", ")}`,
    ...rows.map(([name, count]) => `  ${name.padEnd(width)}  ${count}`),
    ...(output === undefined ? [] : [`  pages → ${output}`]),
    ...(state === undefined ? [] : [`  state → ${state}`])
  ].join("\n")
}

/**
 * Gives an ended crawl as data.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const toJson = (outcome: Outcome): object => ({
  ...outcome,
  millis: Math.round(outcome.millis),
  pagesPerSecond: Math.round(rateOf(outcome) * 10) / 10,
  byStatus: Object.fromEntries(sorted(outcome.byStatus).map(([digit, count]) => [`${digit}xx`, count])),
  byReason: Object.fromEntries(sorted(outcome.byReason))
})

const rateOf = ({ millis, pages }: Outcome): number => millis > 0 ? pages * 1000 / millis : 0

const sorted = <K extends string | number>(counts: ReadonlyMap<K, number>): ReadonlyArray<readonly [K, number]> =>
  [...counts].sort(([a], [b]) => a < b ? -1 : 1)

const sizeText = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"]
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
