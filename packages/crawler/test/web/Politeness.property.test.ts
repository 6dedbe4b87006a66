import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Politeness from "../../src/web/Politeness.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const statuses = [undefined, 200, 200, 200, 304, 404, 429, 500, 503]
const retryAfters = [undefined, undefined, 0, 500, 30_000, 3_600_000, -5, NaN, Infinity]
const latencies = [-1, NaN, Infinity, 1e12]
const targets = [undefined, undefined, 0.5, 1, 8]
const crawlDelays = [0, 0, 100, 1000, 10_000, 1e9, NaN, Infinity]
const indexOf = (values: ReadonlyArray<unknown>) => int(0, values.length - 1)

const Observed = Schema.Struct({
  /** How long ago it began when it ended; several are on their way at once. */
  lasted: int(0, 3000),
  elapsed: int(0, 5000),
  /** Those below 0 are numbered. */
  latency: int(-latencies.length, 3000),
  status: indexOf(statuses),
  retryAfter: indexOf(retryAfters)
})
const Story = Schema.Struct({
  minDelay: int(0, 500),
  span: int(0, 20_000),
  target: indexOf(targets),
  crawlDelay: indexOf(crawlDelays),
  observations: Schema.Array(Observed).check(Schema.isMaxLength(60))
})
const many = { arbitrary: { runs: 1000 } }

/** Every state on the way, with what led to it. */
const live = ({ crawlDelay, minDelay, observations, span, target }: typeof Story.Type) => {
  const maxDelay = minDelay + span
  const politeness = Politeness.make({ minDelay, maxDelay, targetConcurrency: targets[target] })
  let state = politeness.crawlDelay(politeness.start, crawlDelays[crawlDelay]!)
  let now = 1_000_000
  const steps = observations.map(({ elapsed, lasted, latency, retryAfter, status }) => {
    now += elapsed
    const before = politeness.started(state, now - lasted)
    const observation = {
      startedAt: now - lasted,
      endedAt: now,
      latency: latency < 0 ? latencies[-1 - latency]! : latency,
      status: statuses[status],
      retryAfter: retryAfters[retryAfter]
    }
    state = politeness.observed(before, observation)
    return { before, observation, after: state }
  })
  return { politeness, steps, maxDelay, now, state }
}

describe("Politeness", () => {
  it.prop("law: the spacing is within its bounds, whatever is observed", { story: Story }, ({ story }) => {
    const { maxDelay, politeness, steps } = live(story)
    for (const { after, observation } of steps) {
      const spacing = politeness.spacing(after)
      assert.isTrue(spacing >= story.minDelay && spacing <= maxDelay, `${spacing}`)
      assert.isAtLeast(politeness.delay(after), spacing)
      assert.isAtMost(after.pausedUntil, observation.endedAt + maxDelay)
    }
  }, many)

  it.prop("law: no error and no refusal makes it faster", { story: Story }, ({ story }) => {
    const { politeness, steps } = live(story)
    for (const { after, before, observation: { status } } of steps) {
      if (status !== undefined && status < 400) continue
      assert.isAtLeast(politeness.spacing(after), politeness.spacing(before))
      assert.isAtLeast(politeness.delay(after), politeness.delay(before))
      assert.strictEqual(after.streak, 0)
    }
  }, many)

  it.prop("law: what robots.txt asks for is a floor, up to the longest delay", { story: Story }, ({ story }) => {
    const { maxDelay, politeness, steps } = live(story)
    for (const { after } of steps) {
      assert.isAtLeast(politeness.spacing(after), Math.min(positive(crawlDelays[story.crawlDelay]), maxDelay))
    }
  }, many)

  it.prop("law: a longer latency, or a longer Retry-After, never makes it faster", {
    story: Story,
    more: int(0, 100_000)
  }, ({ more, story }) => {
    const { politeness, steps } = live(story)
    for (const { after, before, observation } of steps) {
      const slower = politeness.observed(before, { ...observation, latency: positive(observation.latency) + more })
      assert.isAtLeast(politeness.delay(slower), politeness.delay(after))
      const longer = politeness.observed(before, {
        ...observation,
        retryAfter: positive(observation.retryAfter) + more
      })
      assert.isAtLeast(politeness.delay(longer), politeness.delay(after))
    }
  }, many)

  it.prop(
    "law: a refusal of a request begun since the last one doubles the back-off",
    { story: Story },
    ({ story }) => {
      const { maxDelay, steps } = live(story)
      for (const { after, before, observation: { startedAt, status } } of steps) {
        if (status !== 429 && status !== 503) continue
        const expected = startedAt < before.refusedAt
          ? before.backOff
          : Math.min(maxDelay, Math.max(1000, before.backOff * 2))
        assert.strictEqual(after.backOff, expected)
      }
    },
    many
  )

  it.prop("law: Retry-After keeps the next request away, up to the longest delay", { story: Story }, ({ story }) => {
    const { maxDelay, politeness, steps } = live(story)
    for (const { after, observation: { endedAt, retryAfter } } of steps) {
      const asked = endedAt + Math.min(positive(retryAfter), maxDelay)
      if (asked === endedAt) continue
      assert.isAtLeast(after.lastStartedAt + politeness.delay(after), asked)
    }
  }, many)

  it.prop("law: good answers end every back-off, ten for each halving", { story: Story }, ({ story }) => {
    const { now, politeness, state } = live({ ...story, target: 0 })
    let halvings = 0
    let next = { ...state, streak: 0 }
    while (next.backOff > 0) {
      const before = next.backOff
      for (let i = 0; i < 10; i++) {
        assert.strictEqual(next.backOff, before)
        next = politeness.observed(next, { startedAt: now, endedAt: now, latency: 1, status: 200 })
      }
      assert.strictEqual(next.backOff, before / 2 < 100 ? 0 : before / 2)
      assert.isBelow(halvings++, 10)
    }
    assert.strictEqual(
      politeness.spacing(next),
      Math.min(Math.max(story.minDelay, positive(crawlDelays[story.crawlDelay])), story.minDelay + story.span)
    )
  }, many)
})

const positive = (value: number | undefined): number => value !== undefined && value > 0 ? value : 0
