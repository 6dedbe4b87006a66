import { assert, describe, it } from "@effect/vitest"
import { CollectorError } from "effect-collector"

describe("CollectorError", () => {
  it("says which queue and which event, and why", () => {
    const dropped = (reason: CollectorError.DropReason) =>
      new CollectorError.Dropped({ queue: "orders", event: 7, reason }).message
    assert.strictEqual(dropped("dropNewest"), "queue orders was full: event 7 was dropped (dropNewest)")
    assert.strictEqual(dropped("dropOldest"), "queue orders was full: event 7 was dropped (dropOldest)")
    assert.strictEqual(dropped("shutDown"), "queue orders was shut down before event 7 began")
    assert.strictEqual(
      new CollectorError.Unroutable({ queue: "orders", event: 7 }).message,
      "queue orders has no collector for event 7"
    )
    assert.strictEqual(
      new CollectorError.QueueShutDown({ queue: "orders" }).message,
      "queue orders is shutting down and accepts nothing more"
    )
  })
})
