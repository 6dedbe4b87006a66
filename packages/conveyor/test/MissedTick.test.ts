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

const missed = (policy: MissedTick.Policy) =>
  simulate(policy, { runs: oneLong, until: 5000 }).begun.map((run) => run.missed)

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

  describe("plan", () => {
    const cadence = Cadence.every(1000)
    const ask = (policy: MissedTick.Policy, state: MissedTick.State, now: number) =>
      MissedTick.plan(policy, state, { cadence, startedAt: 0, now })
    const every = [MissedTick.skip, MissedTick.coalesce, MissedTick.catchUp(2), MissedTick.overlap(1)]

    it("tells the next run how many were missed", () => {
      assert.deepStrictEqual(missed(MissedTick.skip), [0, 2, 0])
      assert.deepStrictEqual(missed(MissedTick.coalesce), [0, 1, 0, 0])
      assert.deepStrictEqual(missed(MissedTick.catchUp(2)), [0, 0, 0, 0, 0])
      assert.deepStrictEqual(missed(MissedTick.catchUp(1)), [0, 1, 0, 0])
    })

    it("marks only runs that make up for a missed tick", () => {
      const { begun } = simulate(MissedTick.catchUp(2), { runs: oneLong, until: 5000 })
      assert.deepStrictEqual(begun.map((run) => run.isCatchUp), [false, true, true, false, false])
      const coalesced = simulate(MissedTick.coalesce, { runs: oneLong, until: 5000 })
      assert.isFalse(coalesced.begun.some((run) => run.isCatchUp))
      assert.strictEqual(coalesced.coalesced, 1)
      assert.strictEqual(coalesced.skipped, 0)
    })

    it("takes a tick that is due when the last run ends as on time", () => {
      for (const policy of every) {
        const { begun, coalesced, skipped } = simulate(policy, { runs: () => 1000, until: 5999 })
        assert.deepStrictEqual(begun.map((run) => run.at), [1000, 2000, 3000, 4000, 5000])
        assert.strictEqual(skipped + coalesced, 0)
        assert.isFalse(begun.some((run) => run.isCatchUp))
      }
    })

    it("runs the latest tick when it is asked late and nothing was running", () => {
      const decide = (policy: MissedTick.Policy) => ask(policy, MissedTick.start(1000), 7_200_400)
      const skipped = decide(MissedTick.skip)
      assert.strictEqual(skipped.skipped, 7199)
      assert.deepStrictEqual(skipped.run, { dueAt: 7_200_000, missed: 7199, isCatchUp: false })
      const coalesced = decide(MissedTick.coalesce)
      assert.strictEqual(coalesced.coalesced, 7199)
      assert.deepStrictEqual(coalesced.run, { dueAt: 7_200_000, missed: 7199, isCatchUp: false })
      // Two that wait, and the one that is on time.
      const caughtUp = decide(MissedTick.catchUp(2))
      assert.strictEqual(caughtUp.skipped, 7197)
      assert.deepStrictEqual(caughtUp.run, { dueAt: 7_198_000, missed: 7197, isCatchUp: true })
      const overlapping = decide(MissedTick.overlap(2))
      assert.strictEqual(overlapping.skipped, 7198)
      assert.deepStrictEqual(overlapping.run, { dueAt: 7_199_000, missed: 7198, isCatchUp: false })
      assert.isTrue(overlapping.again)
      assert.strictEqual(ask(MissedTick.overlap(2), overlapping.state, 7_200_400).run!.dueAt, 7_200_000)
    })

    it("gives every slot one run when the clock is set back", () => {
      for (const policy of every) {
        const first = ask(policy, MissedTick.start(1000), 5000)
        const state = MissedTick.ended(policy, first.state, 5000)
        const back = ask(policy, { ...state, decided: 5000 }, 2000)
        assert.isUndefined(back.run)
        assert.strictEqual(back.skipped + back.coalesced, 0)
        assert.strictEqual(ask(policy, { ...back.state, freeSince: 2000 }, 6000).run!.dueAt, 6000)
      }
    })

    it("runs a tick that had a place when it was due, though another run ended since", () => {
      const policy = MissedTick.overlap(2)
      const first = ask(policy, MissedTick.start(1000), 1000)
      const state = MissedTick.ended(policy, first.state, 2400)
      assert.strictEqual(ask(policy, state, 2400).run?.dueAt, 2000)
    })

    it("leaves nothing to decide open when it says so", () => {
      for (const policy of every) {
        let decision = ask(policy, MissedTick.start(1000), 10_000)
        while (decision.again) decision = ask(policy, decision.state, 10_000)
        const once = ask(policy, decision.state, 10_000)
        assert.deepStrictEqual([once.run, once.skipped, once.coalesced], [undefined, 0, 0])
      }
    })
  })

  describe("constructors", () => {
    it("refuse a bound that is not an integer of at least 1", () => {
      assert.throws(
        () => MissedTick.catchUp(0),
        "MissedTick.catchUp: max must be an integer ≥ 1 or \"unbounded\", got 0"
      )
      assert.throws(() => MissedTick.catchUp(1.5), "got 1.5")
      assert.throws(() => MissedTick.overlap(NaN), "MissedTick.overlap: max must be an integer ≥ 1, got NaN")
      assert.throws(() => MissedTick.overlap(Infinity), "got Infinity")
      assert.deepStrictEqual(MissedTick.catchUp("unbounded"), { _tag: "CatchUp", max: "unbounded" })
    })
  })
})
