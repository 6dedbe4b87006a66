// Effect's Cron, made complete around daylight saving. Folds (clocks set back) it handles as its policy says. Around a gap (clocks set
// forward) it gives no wrong instant, but passes over some: `0,30 2 29 3 *` in Berlin on 2026-03-29 gives 03:00 and not 03:30, and `15,40 2`
// on Lord Howe (half an hour) gives 02:45 and not 02:40. The law wanted here is simpler than a search: a local time before the gap is read
// with the old offset, one after it with the new, and one inside it with the old, which makes it as much later as the clocks moved.
// So near a gap the same cron is asked in two zones of fixed offset, where there is nothing to get wrong.
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

const day = 86_400_000

/** The same cron in another zone. */
export const withZone = (cron: Cron.Cron, zone: DateTime.TimeZone, onDstOverlap: Cron.DstOverlapPolicy): Cron.Cron =>
  // Not `Cron.make`: whether days and weekdays must both match is not visible in the type, and would be lost.
  Object.assign(Object.create(Object.getPrototypeOf(cron)), cron, { tz: Option.some(zone), onDstOverlap })

/** The first due instant strictly later than `after`; `Infinity` when there is none. */
export const nextOfCron = (cron: Cron.Cron, after: number): number => {
  const known = memory(cron)
  const { answer, instants } = known
  if (known.from <= after && after < instants.at(-1)!) {
    return instants[instants.findLastIndex((instant) => instant <= after) + 1]!
  }
  if (answer === undefined || after < answer.after || after >= answer.next) {
    known.answer = { after, next: search(cron, after) }
  }
  return known.answer!.next
}

/** The due instants within (after, until], at most `limit` of them, and whether that left some out. */
export const instantsOfCron = (
  cron: Cron.Cron,
  after: number,
  until: number,
  limit: number
): { readonly instants: ReadonlyArray<number>; readonly hasMore: boolean } => {
  const known = memory(cron)
  const start = known.from <= after ? known.instants.findIndex((instant) => instant > after) : -1
  const instants = start === -1 ? [nextOfCron(cron, after)] : known.instants.slice(start)
  while (instants.length <= limit && instants.at(-1)! <= until) {
    instants.push(nextOfCron(cron, instants.at(-1)!))
  }
  known.from = after
  known.instants = instants
  const end = instants.findIndex((instant, index) => instant > until || index === limit)
  return { instants: instants.slice(0, end), hasMore: instants[end]! <= until }
}

// One search costs 30–100 µs, and an engine asks the same when it counts, when it plans and when it sleeps; with ticks waiting to be
// caught up it counts them again before each. So what was counted last is kept (all instants from `from` to the last of them, which is
// the one after the span), and so is the last answer to a question beyond it. A cron is immutable, so neither grows stale.
interface Memory {
  from: number
  instants: ReadonlyArray<number>
  answer: { readonly after: number; readonly next: number } | undefined
}

const memories = new WeakMap<Cron.Cron, Memory>()

const memory = (cron: Cron.Cron): Memory => {
  const known = memories.get(cron) ?? { from: Infinity, instants: [], answer: undefined }
  memories.set(cron, known)
  return known
}

const search = (cron: Cron.Cron, after: number): number => {
  const zone = Option.getOrUndefined(cron.tz)
  const found = ask(cron, after)
  if (zone === undefined || zone._tag === "Offset" || zone.id === "UTC" || found === Infinity) {
    return found
  }
  // A gap up to a day ago still matters: the longest ever was a day, and what it swallowed is due until as long after it.
  for (let gap = firstGap(zone, after - day, found); gap !== undefined; gap = firstGap(zone, gap.at, found)) {
    const next = nextAround(gap, cron, after)
    if (next < found) {
      return next
    }
  }
  return found
}

/** The first due instant after `after` that owes itself to a gap, or lies within a day beyond it. */
const nextAround = (gap: Gap, cron: Cron.Cron, after: number): number => {
  const from = Math.max(after, gap.at - 1)
  const swallowed = ask(withZone(cron, DateTime.zoneMakeOffset(gap.before), "earlier"), from)
  const beyond = ask(withZone(cron, DateTime.zoneMakeOffset(gap.after), "earlier"), from)
  return Math.min(
    swallowed < gap.at + gap.after - gap.before ? swallowed : Infinity,
    beyond < gap.at + day ? beyond : Infinity
  )
}

const ask = (cron: Cron.Cron, after: number): number =>
  // Cron throws when it finds no date.
  Result.getOrElse(Result.try(() => Cron.next(cron, Math.floor(after)).getTime()), () => Infinity)

const offsetAt = (zone: DateTime.TimeZone, instant: number): number =>
  DateTime.zonedOffset(DateTime.makeZonedUnsafe(instant, { timeZone: zone }))

interface Gap {
  readonly at: number
  readonly before: number
  readonly after: number
}

/** The first instant within (from, until] at which clocks are set forward. */
const firstGap = (zone: DateTime.TimeZone, from: number, until: number): Gap | undefined => {
  let low = from
  let before = offsetAt(zone, low)
  // A week at a time: no zone has set its clocks forward and back again within one.
  while (low < until) {
    const high = Math.min(low + 7 * day, until)
    const after = offsetAt(zone, high)
    if (after > before) {
      return { at: bisect(zone, low, high, before), before, after }
    }
    low = high
    before = after
  }
  return undefined
}

/** The first instant within (low, high] whose offset is not that of `low`. */
const bisect = (zone: DateTime.TimeZone, low: number, high: number, before: number): number => {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(zone, middle) === before) {
      low = middle
    } else {
      high = middle
    }
  }
  return high
}
