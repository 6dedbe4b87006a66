// How many consumers the load needs, by Little's law: the load that keeps consumers busy is λS, arrivals per millisecond
// times the service demand of each. S is operational, the time worked divided by what departed, so that it rises when
// work hangs and nothing settles.
//
// Both are taken twice: over a short memory (`clearWithin`) that sees a change at once, and over a long one (`coolDown`)
// that chance does not move. The long one is believed, until a backlog that the margin cannot clear proves it too small;
// then the short one is, and the long one forgets. An average that is quick and quiet at once does not exist.
//
// What was needed at any moment of the cool-down is kept, as in the stabilisation window of Kubernetes' autoscaler: a
// crew grows at once, and shrinks when a smaller one has sufficed for that long.
import type { Sample } from "../ScalingPolicy.ts"

export interface Settings {
  readonly wipMargin: number
  readonly clearWithin: number
  readonly coolDown: number
}

/** Exponentially decayed averages per millisecond: what happened a memory ago weighs 1/e of what happens now. */
interface Flow {
  readonly arrivals: number
  readonly departures: number
  readonly busyTime: number
  /** The share of the memory that is filled; below 1 while there is less past than that. */
  readonly filled: number
}

/** What was needed at an instant; only instants after which less was needed are kept, so both fields are monotone. */
interface Need {
  readonly at: number
  readonly size: number
}

export interface Demand {
  readonly size: number
  readonly seen: Sample
  readonly short: Flow
  readonly long: Flow
  readonly needs: ReadonlyArray<Need>
  readonly changedAt: number
}

const nothing: Flow = { arrivals: 0, departures: 0, busyTime: 0, filled: 0 }

export const start = (sample: Sample): Demand => ({
  size: sample.min,
  seen: sample,
  short: nothing,
  long: nothing,
  needs: [],
  changedAt: -Infinity
})

export const observe = (settings: Settings, state: Demand, sample: Sample): Demand => {
  const short = remember(state.short, state.seen, sample, settings.clearWithin)
  let long = remember(state.long, state.seen, sample, settings.coolDown)
  const loadShort = loadOf(short)
  const spare = (flow: Flow): number => loadOf(flow) * settings.wipMargin
  const clearing = (flow: Flow): number => sample.depth * Math.min(1, serviceOf(flow) / settings.clearWithin)
  const presses = clearing(long) > spare(long)
  if (presses && loadShort > loadOf(long)) long = short
  const load = loadOf(long)
  const inSystem = sample.busy + sample.depth
  const needed = Number.isFinite(load)
    ? Math.min(Math.ceil(inSystem * (1 + settings.wipMargin)), Math.ceil(load + Math.max(spare(long), clearing(long))))
    : inSystem
  const size = Math.max(sample.min, Math.min(sample.max, needed))
  const needs = [
    ...state.needs.filter((need) => need.at > sample.now - settings.coolDown && need.size > size),
    { at: sample.now, size }
  ]
  return { ...state, size: needs[0]!.size, seen: sample, short, long, needs }
}

const remember = (flow: Flow, from: Sample, to: Sample, memory: number): Flow => {
  const elapsed = to.now - from.now
  if (!(elapsed > 0)) return flow
  const kept = Math.exp(-elapsed / memory)
  const taken = (1 - kept) / elapsed
  return {
    arrivals: flow.arrivals * kept + (to.arrivals - from.arrivals) * taken,
    departures: flow.departures * kept + (to.departures - from.departures) * taken,
    busyTime: flow.busyTime * kept + (to.busyTime - from.busyTime) * taken,
    filled: flow.filled * kept + (1 - kept)
  }
}

const serviceOf = (flow: Flow): number => flow.departures > 0 ? flow.busyTime / flow.departures : Infinity

const loadOf = (flow: Flow): number =>
  flow.departures > 0 ? flow.arrivals / flow.filled * (flow.busyTime / flow.departures) : Infinity
