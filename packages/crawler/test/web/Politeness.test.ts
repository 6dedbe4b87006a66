import { assert, describe, it } from "@effect/vitest"
import * as Politeness from "../../src/web/Politeness.ts"

/** Observes answers, each begun and ended at its index in seconds. */
const after = (options: Politeness.Options, ...observed: ReadonlyArray<Partial<Politeness.Observation>>) => {
  const politeness = Politeness.make(options)
  const state = observed.reduce<Politeness.State>((state, observation, i) => {
    const full = { startedAt: i * 1000, endedAt: i * 1000, latency: 1, status: 200, ...observation }
    return politeness.observed(politeness.started(state, full.startedAt), full)
  }, politeness.start)
  return { politeness, state, spacing: politeness.spacing(state), delay: politeness.delay(state) }
}
const good = Array.from({ length: 10 }, (_, i) => ({ startedAt: 1e6 + i, endedAt: 1e6 + i }))

describe("Politeness", () => {
  it("leaves no time between requests to a host that answers", () => {
    assert.strictEqual(after({}).delay, 0)
    // A request may take long, and others beside it need not wait for its end.
    assert.strictEqual(after({}, { startedAt: 0, endedAt: 9000, latency: 9000 }).delay, 0)
    assert.strictEqual(
      after({}, {}, { status: 404 }, { status: 500 }, { status: undefined }, { latency: 9000 }).delay,
      0
    )
  })

  it.each([
    ["one refusal", [429], 1000],
    ["two", [503, 429], 2000],
    ["four, with other answers between", [429, 200, 429, 500, 429, 404, 503], 8000],
    ["many", Array.from({ length: 20 }, () => 429), 60_000]
  ])("after %s it waits", (_, statuses, expected) => {
    assert.strictEqual(after({}, ...statuses.map((status) => ({ status }))).spacing, expected)
  })

  it("takes refusals of requests that were on their way together for one", () => {
    const together = Array.from({ length: 8 }, (_, i) => ({ startedAt: 0, endedAt: 100 + i, status: 429 }))
    assert.strictEqual(after({}, ...together).spacing, 1000)
    assert.strictEqual(after({}, ...together, { startedAt: 100, endedAt: 200, status: 429 }).spacing, 2000)
  })

  it("takes answers to requests from before a refusal for no recovery", () => {
    const late = Array.from({ length: 30 }, () => ({ startedAt: 0, endedAt: 5000 }))
    assert.strictEqual(after({}, { startedAt: 0, endedAt: 100, status: 429 }, ...late).spacing, 1000)
  })

  it("is as fast as before after forty good answers in a row", () => {
    assert.strictEqual(after({}, { status: 429 }, ...good).spacing, 500)
    assert.strictEqual(
      after({}, { status: 429 }, ...good, ...good.slice(1), { status: 404 }, ...good.slice(1)).spacing,
      500
    )
    assert.strictEqual(after({}, { status: 429 }, ...good, ...good, ...good).spacing, 125)
    assert.strictEqual(after({}, { status: 429 }, ...good, ...good, ...good, ...good).spacing, 0)
  })

  it("leaves a host alone for as long as it asks, from its answer on, and then no longer", () => {
    const { delay, politeness, state } = after({}, { startedAt: 0, endedAt: 400, status: 429, retryAfter: 5000 })
    assert.strictEqual(delay, 5400)
    assert.strictEqual(politeness.delay(politeness.started(state, 5400)), 1000)
    assert.strictEqual(after({ maxDelay: "2 seconds" }, { endedAt: 0, status: 429, retryAfter: 5000 }).delay, 2000)
  })

  it("follows the latency, when asked to", () => {
    const of = (...latencies: ReadonlyArray<number>) =>
      after({ targetConcurrency: 2 }, ...latencies.map((latency) => ({ latency }))).spacing
    assert.strictEqual(of(1000), 500)
    assert.strictEqual(of(1000, 3000), 1500)
    assert.strictEqual(of(1000, 0), 250)
    assert.strictEqual(after({ targetConcurrency: 2 }, { latency: 1000 }, { latency: 0, status: 404 }).spacing, 500)
  })

  it("keeps the greatest of all that asks for time, up to the longest", () => {
    const { politeness, state } = after({ minDelay: 300, maxDelay: "3 seconds" })
    assert.strictEqual(politeness.delay(state), 300)
    assert.strictEqual(politeness.delay(politeness.crawlDelay(state, 2000)), 2000)
    assert.strictEqual(politeness.delay(politeness.crawlDelay(state, 200)), 300)
    assert.strictEqual(politeness.delay(politeness.crawlDelay(state, 10_000)), 3000)
  })

  it.each(
    [
      [{ minDelay: "2 minutes" }, "maxDelay must be at least minDelay (120000 ms), got 60000 ms"],
      [{ maxDelay: Infinity }, "maxDelay must be finite, got Infinity"],
      [{ targetConcurrency: 0 }, "targetConcurrency must be more than 0 and finite, got 0"],
      [{ targetConcurrency: NaN }, "targetConcurrency must be more than 0 and finite, got NaN"]
    ] as const
  )("refuses %j", (options, message) => {
    assert.throws(() => Politeness.make(options), `Politeness.make: ${message}`)
  })
})
