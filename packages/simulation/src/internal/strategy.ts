/**
 * How a seed explores. No single way of choosing finds every kind of bug: picking uniformly at random rarely holds one fiber
 * back for long, and always running the oldest task never reorders anything. So a seed first picks a strategy, then picks
 * with it.
 *
 * - `random`: any ready task, each as likely.
 * - `others`: any but the newest, which after a yield is the fiber that has yielded: every yield is a switch.
 * - `priorities`: every fiber has a random priority and the highest ready one runs; now and then the one that would run
 *   drops below all others. This is PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010: a bug that needs d ordering
 *   constraints among n fibers and k steps is found with probability at least 1/(n·k^(d-1))). PCT fixes the number
 *   of drops in advance, which needs k; here a drop comes at random with a mean distance, so that a fiber that spins on
 *   `Effect.yieldNow` always drops in the end and starves nobody for ever.
 * - `oldest`: in order of arrival, as Effect's own scheduler would, with a rare random pick.
 *
 * The density of forced yields is picked apart from the strategy, and "none" is one of the choices: some bugs need a
 * fiber to run undisturbed up to its own suspension.
 */
import type { RandomSource } from "./randomSource.ts"
import type { ReadyList } from "./readyList.ts"

export interface Strategy {
  readonly name: string
  /** About how many operations lie between two forced yields; 0 means that there are none. */
  readonly yieldEvery: number
  /** The priority that a fiber is given; only `priorities` looks at it. */
  readonly priority: () => number
  readonly pick: (ready: ReadyList) => number
}

// A pick over more ready tasks than this looks at a random window of them: a run with 100 000 fibers stays linear.
const widestScan = 64

const none = (): number => 0

export const make = (random: RandomSource): Strategy => {
  const yieldEvery = random.pick([0, 1, 1, 2, 2, 4, 8, 64])
  const kind = random.below(10)
  if (kind < 3) return { name: "random", yieldEvery, priority: none, pick: (ready) => random.below(ready.size) }
  if (kind < 5) {
    const pick = (ready: ReadyList): number => random.below(ready.size === 1 ? 1 : ready.size - 1)
    return { name: "others", yieldEvery, priority: none, pick }
  }
  if (kind < 8) return priorities(random, yieldEvery)
  const every = random.pick([2, 4, 16, 64])
  const pick = (ready: ReadyList): number => random.below(every) === 0 ? random.below(ready.size) : 0
  return { name: "oldest", yieldEvery, priority: none, pick }
}

const priorities = (random: RandomSource, yieldEvery: number): Strategy => {
  const dropEvery = random.pick([8, 32, 128])
  let lowest = 0
  const highest = (ready: ReadyList): number => {
    const size = ready.size
    // Starting at a random place makes the pick among equals random.
    const start = random.below(size)
    let best = start
    for (let step = 1; step < Math.min(size, widestScan); step++) {
      const place = (start + step) % size
      if (ready.lane(place).priority > ready.lane(best).priority) best = place
    }
    return best
  }
  return {
    name: "priorities",
    yieldEvery,
    priority: () => 1 + random.below(0x1000_0000),
    pick: (ready) => {
      if (ready.size === 1) return 0
      const best = highest(ready)
      if (random.below(dropEvery) !== 0) return best
      ready.lane(best).priority = --lowest
      return highest(ready)
    }
  }
}

/** Never forces a yield, and picks in order of arrival: used to clean up behind a run. */
export const inOrder: Strategy = { name: "in order", yieldEvery: 0, priority: none, pick: () => 0 }
