// How many consumers the load needs, by Little's law. The load is λS: arrivals per millisecond times the service demand
// of each, which is the number of consumers it keeps busy on average. S is operational, the time worked divided by what
// departed, so that it rises when work hangs and nothing settles.
//
// It is measured over two memories, because an average that is both quick and quiet does not exist. The long one is
// believed, since chance hardly moves it, until a backlog that the margin cannot clear is there and the short one
// contradicts it by more than chance explains; then the long one forgets what it knew.
//
// A backlog does not wait for either. With `size` consumers for `clearWithin` (C), of n in the system as many can be begun
// as there are consumers, and C/S times as many again: all that is there and will come is begun if
// size · (1 + C/S) ≥ n + λC, and so if size ≥ load + (n − load) · S/(S + C).
//
// The crew grows at once, and shrinks when a smaller one has sufficed for the whole of `coolDown`, as with the stabilisation
// window of Kubernetes' autoscaler. In between it stays while chance explains the difference.
import type { Sample } from "../ScalingPolicy.ts"

export interface Settings {
  readonly wipMargin: number
  readonly clearWithin: number
  readonly coolDown: number
}

/** Sums that fade: what happened a memory ago weighs 1/e of what happens now. */
interface Flow {
  readonly elapsed: number
  readonly arrivals: number
  readonly departures: number
  readonly busyTime: number
}

/** What was needed at an instant. Those after which more was needed are not kept, so that the first is the greatest. */
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
}

// A memory lasts for a time, or for a number of departures if that is longer: the mean of fewer is mostly chance.
const shortDepartures = 20
const longDepartures = 400
// But no longer than so many times the time: what was long ago is not known of now.
const longest = 10

const nothing: Flow = { elapsed: 0, arrivals: 0, departures: 0, busyTime: 0 }

export const start = (sample: Sample): Demand => ({
  size: sample.min,
  seen: sample,
  short: nothing,
  long: nothing,
  needs: []
})

export const observe = (settings: Settings, state: Demand, sample: Sample): Demand => {
  const short = remember(state.short, state.seen, sample, settings.clearWithin, shortDepartures)
  const long = remember(state.long, state.seen, sample, settings.coolDown, longDepartures)
  const inSystem = sample.busy + sample.depth
  const share = shareOf(short, settings.clearWithin)
  const presses = share * (inSystem - loadOf(long)) > settings.wipMargin * loadOf(long)
  const believed = presses && contradicts(short, long) ? short : long
  const need = needOf(settings, loadOf(believed), inSystem, share)
  const needs = [...state.needs.filter((past) => isRecent(settings, past, sample) && past.size > need), {
    at: sample.now,
    size: need
  }]
  return {
    // By what was believed before, so that a greater backlog never makes a smaller crew.
    size: resized(state.size, needs[0]!.size, sample, chanceOf(long)),
    // Samples at one instant have no rate; the next span includes what happened between them.
    seen: sample.now === state.seen.now ? state.seen : sample,
    short,
    long: believed,
    needs
  }
}

const remember = (flow: Flow, from: Sample, to: Sample, memory: number, events: number): Flow => {
  const elapsed = growth(from.now, to.now)
  if (elapsed === 0) return flow
  const departures = growth(from.departures, to.departures)
  const age = Math.max(elapsed / (longest * memory), Math.min(elapsed / memory, departures / events))
  const kept = Math.exp(-age)
  return {
    elapsed: flow.elapsed * kept + elapsed,
    arrivals: flow.arrivals * kept + growth(from.arrivals, to.arrivals),
    departures: flow.departures * kept + departures,
    busyTime: flow.busyTime * kept + growth(from.busyTime, to.busyTime)
  }
}

/** By how much a total grew; one that fell is another count, and says nothing. */
export const growth = (from: number, to: number): number => Math.max(0, to - from)

/** Unknown, and so without bound, until something has departed. */
const loadOf = (flow: Flow): number =>
  flow.departures > 0 ? flow.arrivals / flow.elapsed * (flow.busyTime / flow.departures) : Infinity

const shareOf = (flow: Flow, clearWithin: number): number => {
  if (flow.departures === 0) return 1
  const service = flow.busyTime / flow.departures
  return service / (service + clearWithin)
}

/** The relative error of a load, that of a ratio of counts of independent events. */
const errorOf = (flow: Flow): number => flow.departures > 0 ? 1 / Math.sqrt(flow.departures) : Infinity

const contradicts = (short: Flow, long: Flow): boolean => loadOf(short) * (1 - 3 * errorOf(short)) > loadOf(long)

const needOf = (settings: Settings, load: number, inSystem: number, share: number): number =>
  load === Infinity
    ? inSystem
    // More consumers than there are events, and the margin, would find nothing to do, whatever the averages say.
    : Math.min(
      inSystem * (1 + settings.wipMargin),
      Math.max(load * (1 + settings.wipMargin), load + share * (inSystem - load))
    )

/** How far the need for a steady load moves by chance. */
const chanceOf = (flow: Flow): number => flow.departures > 0 ? 2 * errorOf(flow) * loadOf(flow) : 0

const isRecent = (settings: Settings, past: Need, sample: Sample): boolean =>
  past.at > sample.now - settings.coolDown && past.at <= sample.now

const resized = (size: number, need: number, { max, min }: Sample, chance: number): number => {
  const wanted = Math.max(min, Math.min(max, Math.ceil(need)))
  const grows = need > size + chance
  const shrinks = need < size - 1 - chance || need === 0
  return grows || shrinks ? wanted : Math.max(min, Math.min(max, size))
}
