import type { PageRecord } from "./pageRecord.ts"

/** What became of the pages of a run. */
export interface Tally {
  readonly pages: number
  /** Those that were answered, by the first digit of the status. */
  readonly byStatus: ReadonlyMap<number, number>
  /** Those that were not, and those that were passed over, by reason. */
  readonly byReason: ReadonlyMap<string, number>
  readonly bytes: number
}

export const empty: Tally = { pages: 0, byStatus: new Map(), byReason: new Map(), bytes: 0 }

/** Counts one more. */
export const add = ({ byReason, byStatus, bytes, pages }: Tally, page: PageRecord): Tally => {
  const reason = page.error ?? page.refusal
  return {
    pages: pages + 1,
    bytes: bytes + page.bytes,
    byStatus: page.status === null ? byStatus : increased(byStatus, Math.floor(page.status / 100)),
    byReason: reason === null ? byReason : increased(byReason, reason)
  }
}

const increased = <K>(counts: ReadonlyMap<K, number>, key: K): ReadonlyMap<K, number> =>
  new Map([...counts, [key, (counts.get(key) ?? 0) + 1]])
