import type { FetchError } from "effect-crawler/web/FetchError"
import type { Outcome } from "effect-crawler/web/LinkCheck"
import { Page, type PageRecord as SitePage } from "effect-crawler/web/Page"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"

/** A page as it stands in an output; `url` comes first, for an output is read back by it. */
export interface PageRecord {
  readonly url: string
  /** Where the answer came from, after redirects. */
  readonly finalUrl: string | null
  readonly status: number | null
  readonly contentType: string | null
  readonly title: string | null
  readonly language: string | null
  readonly canonical: string | null
  readonly depth: number
  /** The page that led to it first. */
  readonly referrer: string | null
  readonly linksFound: number
  readonly linksFollowed: number
  readonly bytes: number
  /** Until the first byte of the answer. */
  readonly millis: number | null
  /** Why it was not fetched, not read or not kept on purpose. */
  readonly refusal: string | null
  /** What stopped the fetch. */
  readonly error: string | null
  /** More about the one or the other. */
  readonly message: string | null
  readonly meta: Readonly<Record<string, string>>
  readonly selected: Readonly<Record<string, ReadonlyArray<string>>>
}

/** What is to be written of an item that has been processed; nothing for what is no page, or was interrupted. */
export const pageRecordOf = ({ exit, item }: Outcome, depth: number): PageRecord | undefined => {
  if (!(item instanceof Page)) return undefined
  const { referrer = null, url } = item
  if (Exit.isSuccess(exit)) return kept(exit.value as SitePage, depth)
  if (Cause.hasInterruptsOnly(exit.cause)) return undefined
  return { ...blank, url, depth, referrer, ...failureOf(exit.cause) }
}

const kept = (page: SitePage, depth: number): PageRecord => ({
  url: page.url,
  finalUrl: page.finalUrl,
  status: page.status ?? null,
  contentType: page.contentType ?? null,
  title: page.title ?? null,
  language: page.language ?? null,
  canonical: page.canonical ?? null,
  depth,
  referrer: page.referrer ?? null,
  linksFound: page.links.found,
  linksFollowed: page.links.followed,
  bytes: page.bytes,
  millis: page.status === undefined ? null : Math.round(page.latency * 10) / 10,
  refusal: page.refusal?.reason ?? null,
  error: null,
  message: page.refusal?.detail ?? null,
  meta: page.meta,
  selected: page.selected
})

const blank: Omit<PageRecord, "url" | "depth" | "referrer"> = {
  finalUrl: null,
  status: null,
  contentType: null,
  title: null,
  language: null,
  canonical: null,
  linksFound: 0,
  linksFollowed: 0,
  bytes: 0,
  millis: null,
  refusal: null,
  error: null,
  message: null,
  meta: {},
  selected: {}
}

const failureOf = (cause: Cause.Cause<unknown>): Pick<PageRecord, "error" | "message"> => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) return { error: "Defect", message: String(Cause.squash(cause)) }
  const { detail, reason } = failure.error as FetchError
  return { error: reason, message: detail }
}

export type Cell = string | number | null

const fixed = [
  "url",
  "finalUrl",
  "status",
  "contentType",
  "title",
  "language",
  "canonical",
  "depth",
  "referrer",
  "linksFound",
  "linksFollowed",
  "bytes",
  "millis",
  "refusal",
  "error",
  "message"
] as const satisfies ReadonlyArray<keyof PageRecord>

/** Columns that hold numbers. */
export const numbers: ReadonlySet<string> = new Set<keyof PageRecord>([
  "status",
  "depth",
  "linksFound",
  "linksFollowed",
  "bytes",
  "millis"
])

/** What stands in each column of a table of pages, in order. */
export const columnsOf = (selectors: ReadonlyArray<string>): ReadonlyMap<string, (page: PageRecord) => Cell> => {
  const columns = new Map<string, (page: PageRecord) => Cell>([
    ...fixed.map((name) => [name, (page: PageRecord) => page[name]] as const),
    ["meta", ({ meta }) => JSON.stringify(meta)]
  ])
  // Names that differ in case only are one column to SQLite.
  const taken = new Set(Array.from(columns.keys(), (name) => name.toLowerCase()))
  for (const name of selectors) {
    let column = name
    for (let n = 1; taken.has(column.toLowerCase()); n++) {
      column = n === 1
        ? `selected.${name}`
        : `selected.${name}_${n}`
    }
    taken.add(column.toLowerCase())
    columns.set(column, ({ selected }) => valueOf(selected[name] ?? []))
  }
  return columns
}

/** Several values are lines of one cell: what is selected has none. */
const valueOf = (values: ReadonlyArray<string>): string | null => values.length === 0 ? null : values.join("\n")
