import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LoadAverage } from "../../src/internal/loadAverage.ts"

const window = 600
/** A bucket of the window: how much of what is about to leave it may have left already. */
const width = window / 60

const Steps = Schema.Array(Schema.Struct({
  after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 900 })),
  load: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
}))

/** The integral of a load that changes at these instants, from one instant to another, by its definition. */
const areaOf = (changes: ReadonlyArray<{ at: number; load: number }>, from: number, to: number): number =>
  changes.reduce((area, { at, load }, i) => {
    const until = Math.min(to, changes[i + 1]?.at ?? to)
    return area + Math.max(0, until - Math.max(from, at)) * load
  }, 0)

describe("LoadAverage", () => {
  it.prop("is the average over the window, to within a bucket", { steps: Steps }, ({ steps }) => {
    const startedAt = 12_345
    const average = new LoadAverage(window, 0, startedAt)
    const changes = [{ at: startedAt, load: 0 }]
    let now = startedAt
    for (const { after, load } of steps) {
      now += after
      const from = Math.max(startedAt, (Math.floor(now / width) - 59) * width)
      const expected = now <= from ? changes.at(-1)!.load : areaOf(changes, from, now) / (now - from)
      assert.approximately(average.average(now), expected, 1e-9)
      average.observe(now, load)
      changes.push({ at: now, load })
    }
  })

  it("is what it was told at the very beginning, and 0 until the warm-up is over", () => {
    const average = new LoadAverage(window, 0, 100)
    average.observe(100, 3)
    assert.strictEqual(average.average(100), 3)
    const cold = new LoadAverage(window, 50, 100)
    cold.observe(100, 3)
    assert.strictEqual(cold.average(149), 0)
    assert.strictEqual(cold.average(150), 3)
  })
})
