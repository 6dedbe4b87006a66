import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration } from "effect"
import { Tick } from "effect-conveyor"

const tick = Tick.make({ index: 3, dueAt: 60_000, startedAt: 60_250, missed: 2 })

describe("Tick", () => {
  it("carries when it was due and when it began", () => {
    assert.strictEqual(DateTime.formatIso(tick.dueAt), "1970-01-01T00:01:00.000Z")
    assert.strictEqual(DateTime.formatIso(tick.startedAt), "1970-01-01T00:01:00.250Z")
    assert.deepStrictEqual([tick.index, tick.missed], [3, 2])
  })

  it("is late by the difference", () => {
    assert.strictEqual(Duration.toMillis(Tick.lateness(tick)), 250)
  })

  it("is written as JSON with instants as text", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(tick)), {
      index: 3,
      dueAt: "1970-01-01T00:01:00.000Z",
      startedAt: "1970-01-01T00:01:00.250Z",
      missed: 2
    })
  })
})
