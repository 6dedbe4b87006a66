// How many at once the system downstream bears: the concurrency at which its service time is `tolerance` times what it is
// without contention. After Netflix's Gradient2 and Envoy's adaptive concurrency, with other answers to what their users
// complain of:
//
// Slow ramp. The limit moves to where the service time would be as tolerated if all of it were contention, `concurrency ·
// tolerance · baseline / service`, as soon as the direction is certain; far from the truth few events make it certain.
// Creeping up under modest overload. The same formula has a fixed point, and nothing is added to it.
// Baseline drift. The baseline is the service time at the concurrency the policy begins with. It rises with what is measured
// at that concurrency, and otherwise only by evidence that concurrency is not the reason: that fell, and the service time did not.
// Drop spiral. The same evidence ends it, and gives back the limit there was before.
//
// The evidence comes of itself when the limit is lowered. A limit that holds the load back and stays where it is lowered for one
// measurement, to have it; ever more rarely as it is confirmed.
import type { Sample } from "../ScalingPolicy.ts"
import { growth } from "./scalingDemand.ts"

export interface Settings {
  readonly tolerance: number
  readonly clearWithin: number
  readonly coolDown: number
}

interface Baseline {
  readonly service: number
  /** Of how many events it is the mean, at most `lastLook`. */
  readonly weight: number
  /** Up to this concurrency, none of a service time is contention. */
  readonly concurrency: number
}

/** What was seen before the limit was lowered. */
interface Before {
  readonly limit: number
  readonly concurrency: number
  readonly service: number
}

export interface Limit {
  readonly limit: number
  readonly baseline: Baseline | undefined
  readonly before: Before | undefined
  /** Where the present measurement began: not before `opensAt`, when what began under another limit is over. */
  readonly from: Sample
  readonly opensAt: number
  /** At how many events the measurement is looked at next. */
  readonly lookAt: number
  /** Until contention is met for the first time. */
  readonly isRamping: boolean
  /** When it was last certain that the limit is not too low, and for how long, in cool-downs, that is believed. */
  readonly checkedAt: number
  readonly checkAfter: number
  /** When something last departed, or there was nothing to depart. */
  readonly movedAt: number
  readonly departures: number
  readonly seenAt: number
}

interface Measured {
  readonly count: number
  readonly concurrency: number
  /** Time worked by what departed. The mean of the services that are over would lag behind a change by a service. */
  readonly service: number
  /** The standard error of `service` relative to it, if service times are exponential. */
  readonly error: number
}

const initialLimit = 4
// In tolerated service times.
const hangsAfter = 30
const firstBaseline = 32
// Three standard errors make a direction certain; two will do while ramping, when a mistake costs little. It is looked for
// when the count has doubled, not at every sample: chance that is asked often enough says everything.
const certain = 3
const certainWhileRamping = 2
const firstLook = 32
const firstLookWhileRamping = 16
const checkLook = 128
const lastLook = 512
// A measurement begins and ends anywhere between two departures, and equal services depart all together: so it covers as many
// departures as there are at once, several times over.
const generations = 4
// A baseline is found too high at every look of its life, so that it takes more.
const baselineCertain = 5
const maxCheckAfter = 8

export const start = (sample: Sample): Limit => ({
  limit: initialLimit,
  baseline: undefined,
  before: undefined,
  from: sample,
  opensAt: sample.now,
  lookAt: firstBaseline,
  isRamping: true,
  checkedAt: sample.now,
  checkAfter: 1,
  movedAt: sample.now,
  departures: sample.departures,
  seenAt: sample.now
})

export const observe = (settings: Settings, state: Limit, sample: Sample, wanted: number): Limit => {
  const hasMoved = sample.departures !== state.departures || sample.busy === 0
  const movedAt = hasMoved ? sample.now : state.movedAt
  const seen = { ...state, seenAt: sample.now, departures: sample.departures, movedAt }
  // What falls is another clock or another count.
  if (sample.now < state.seenAt || sample.departures < state.departures) {
    return restart({ ...seen, checkedAt: sample.now, movedAt: sample.now }, sample)
  }
  if (hangs(settings, seen, sample)) return halve(seen, sample)
  if (sample.now < state.opensAt) return { ...seen, from: sample }
  const measured = measure(state.from, sample)
  if (measured.count < Math.max(state.lookAt, generations * measured.concurrency)) return seen
  return state.baseline === undefined
    ? restart({ ...seen, baseline: anew(state.baseline, measured) }, sample)
    : look(settings, seen, state.baseline, measured, sample, wanted)
}

const measure = (from: Sample, to: Sample): Measured => {
  const elapsed = growth(from.now, to.now)
  const busyTime = growth(from.busyTime, to.busyTime)
  const count = growth(from.departures, to.departures)
  return {
    count,
    concurrency: elapsed > 0 ? busyTime / elapsed : 0,
    service: count > 0 ? busyTime / count : 0,
    error: 1 / Math.sqrt(Math.max(1, count))
  }
}

/** Begins another measurement, once what is in progress is over if the limit has changed. */
const restart = (state: Limit, sample: Sample, settle = 0): Limit => ({
  ...state,
  from: sample,
  opensAt: sample.now + settle,
  lookAt: state.isRamping ? firstLookWhileRamping : firstLook
})

/** Whether nothing departs for a time in which everything in progress should have, many times over. */
const hangs = (settings: Settings, state: Limit, sample: Sample): boolean =>
  state.baseline !== undefined && sample.now - state.movedAt > hangsAfter * settings.tolerance * state.baseline.service

const halve = (state: Limit, sample: Sample): Limit =>
  restart({
    ...state,
    limit: Math.max(1, state.limit / 2),
    before: { limit: state.before?.limit ?? state.limit, concurrency: 0, service: Infinity },
    movedAt: sample.now
  }, sample)

interface Finding extends Measured {
  readonly isUncontended: boolean
  readonly tolerated: number
  /** The concurrency at which the service time would be as tolerated. */
  readonly target: number
}

type Verdict = "uncertain" | "innocent" | "lower" | "raise" | "hold" | "check" | "untried"

const look = (
  settings: Settings,
  state: Limit,
  baseline: Baseline,
  measured: Measured,
  sample: Sample,
  wanted: number
): Limit => {
  const { concurrency, count, error, service } = measured
  if (service < baseline.service * (1 - baselineCertain * error)) {
    return restart({ ...state, baseline: anew(baseline, measured) }, sample)
  }
  const isUncontended = concurrency <= baseline.concurrency * 1.1
  const tolerated = settings.tolerance * baseline.service
  const factor = isUncontended ? settings.tolerance : Math.min(2, Math.max(0.5, tolerated / service))
  const finding = { ...measured, isUncontended, tolerated, target: concurrency * factor }
  const verdict = judge(settings, state, finding, sample, wanted)
  return verdict === "uncertain"
    ? { ...state, lookAt: 2 * count }
    : act({ ...state, baseline: isUncontended ? pool(baseline, measured) : baseline }, verdict, finding, sample)
}

const judge = (settings: Settings, state: Limit, finding: Finding, sample: Sample, wanted: number): Verdict => {
  const { count, error, isUncontended, service, target, tolerated } = finding
  const size = Math.floor(state.limit)
  const isSlower = service * (1 - certain * error) > tolerated
  const isFaster = isUncontended ||
    service * (1 + (state.isRamping ? certainWhileRamping : certain) * error) < tolerated
  const isDue = count >= checkLook &&
    sample.now - state.checkedAt > (state.isRamping ? settings.clearWithin : state.checkAfter * settings.coolDown)
  if (!isSlower && !isFaster && !isDue && count < lastLook) return "uncertain"
  if (isSlower && size <= Math.max(1, sample.min)) return "innocent"
  if (isInnocent(state.before, finding)) return "innocent"
  if (isSlower) return "lower"
  // A limit that is not reached has not been tried: it is neither raised nor in doubt.
  if (wanted <= size) return "untried"
  if (isFaster && !(isDue && target < 1.25 * size)) return "raise"
  return isDue ? "check" : "hold"
}

const act = (state: Limit, verdict: Exclude<Verdict, "uncertain">, finding: Finding, sample: Sample): Limit => {
  const { concurrency, service, target } = finding
  const before = { limit: state.limit, concurrency, service }
  switch (verdict) {
    case "innocent": {
      const limit = state.before?.limit ?? state.limit
      const renewed = { limit, before: undefined, baseline: anew(state.baseline, finding), checkAfter: 1 }
      return restart({ ...state, ...renewed }, sample, service)
    }
    case "lower": {
      const lowered = { limit: Math.max(1, target), before: state.before ?? before, isRamping: false }
      return restart({ ...state, ...lowered }, sample, service)
    }
    case "raise":
      return restart(
        { ...state, limit: Math.max(target, Math.floor(state.limit) + 1), before: undefined },
        sample,
        service
      )
    case "hold":
      return restart({ ...state, before: undefined }, sample)
    case "untried":
      return restart({ ...state, before: undefined, checkedAt: sample.now }, sample)
    case "check": {
      const checkAfter = Math.min(maxCheckAfter, 2 * state.checkAfter)
      const check = { limit: Math.max(1, concurrency / 2), before, checkedAt: sample.now, checkAfter, isRamping: false }
      return restart({ ...state, ...check }, sample, service)
    }
  }
}

/** Whether concurrency is not the reason for the service time: it fell, and the service time did not. */
const isInnocent = (before: Before | undefined, { concurrency, service }: Measured): boolean => {
  if (before === undefined) return false
  const fell = 1 - concurrency / before.concurrency
  const helped = 1 - service / before.service
  // Were all of it contention, the service time would have fallen as far as the concurrency.
  return fell > 0.25 && helped < fell / 3
}

/** A baseline is never believed at a higher concurrency than before: what was innocent there may not be any more. */
const anew = (baseline: Baseline | undefined, { concurrency, count, service }: Measured): Baseline => ({
  service,
  weight: count,
  concurrency: Math.min(baseline?.concurrency ?? Infinity, concurrency)
})

/** Service times at a concurrency at which there is no contention make the baseline better known, whatever they say. */
const pool = (baseline: Baseline, { count, service }: Measured): Baseline => {
  const weight = Math.min(lastLook, baseline.weight + count)
  return {
    ...baseline,
    weight,
    service: baseline.service + (service - baseline.service) * Math.min(1, count / weight)
  }
}
