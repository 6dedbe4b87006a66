import { assert, describe, it } from "@effect/vitest"
import * as Cadence from "../src/Cadence.ts"
import * as MissedTick from "../src/MissedTick.ts"

interface Begun {
  readonly dueAt: number
  readonly at: number
  readonly missed: number
  readonly isCatchUp: boolean
}

/** A naive engine: steps through every millisecond, so it needs no idea of when to wake. */
const simulate = (
  policy: MissedTick.Policy,
  options: { readonly runs: (index: number) => number; readonly until: number; readonly interval?: number }
) => {
  const cadence = Cadence.every(options.interval ?? 1000)
  const begun: Array<Begun> = []
  const ends: Array<number> = []
  let state = MissedTick.start(Cadence.first(cadence, 0))
  let skipped = 0
  let coalesced = 0
  const ask = (now: number) => {
    for (let again = true; again;) {
      const decision = MissedTick.plan(policy, state, { cadence, startedAt: 0, now })
      state = decision.state
      skipped += decision.skipped
      coalesced += decision.coalesced
      if (decision.run !== undefined) {
        ends.push(now + options.runs(begun.length))
        begun.push({ ...decision.run, at: now })
        settle(now)
      }
      again = decision.again
    }
  }
  const settle = (now: number) => {
    for (let index = ends.indexOf(now); index !== -1; index = ends.indexOf(now)) {
      ends.splice(index, 1)
      state = MissedTick.ended(policy, state, now)
      ask(now)
    }
  }
  for (let now = 0; now <= options.until; now++) {
    ask(now)
    settle(now)
  }
  return { begun, skipped, coalesced, running: ends.length }
}

const oneLong = (index: number) => index === 0 ? 2500 : 0

const table = (policy: MissedTick.Policy) =>
  simulate(policy, { runs: oneLong, until: 5000 }).begun.map(({ at, dueAt }) => [at, dueAt])

describe("MissedTick", () => {
  describe("plan, after one run of 2.5 s on a grid of 1 s", () => {
    it("begins under skip at the next due instant", () => {
      assert.deepStrictEqual(table(MissedTick.skip), [[1000, 1000], [4000, 4000], [5000, 5000]])
    })
    it("begins under coalesce at once, due at the latest missed", () => {
      assert.deepStrictEqual(table(MissedTick.coalesce), [[1000, 1000], [3500, 3000], [4000, 4000], [5000, 5000]])
    })
    it("begins under catchUp(2) with all that were missed, oldest first", () => {
      assert.deepStrictEqual(
        table(MissedTick.catchUp(2)),
        [[1000, 1000], [3500, 2000], [3500, 3000], [4000, 4000], [5000, 5000]]
      )
    })
    it("skips the oldest under catchUp(1)", () => {
      assert.deepStrictEqual(table(MissedTick.catchUp(1)), [[1000, 1000], [3500, 3000], [4000, 4000], [5000, 5000]])
    })
    it("begins every tick when due under overlap(2)", () => {
      assert.deepStrictEqual(
        table(MissedTick.overlap(2)),
        [[1000, 1000], [2000, 2000], [3000, 3000], [4000, 4000], [5000, 5000]]
      )
    })
  })
})
