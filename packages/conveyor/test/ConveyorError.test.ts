import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { Consumer, ConveyorError } from "effect-conveyor"

describe("ConveyorError", () => {
  it("names the conveyor, the consumer and the reason of a refusal", () => {
    const error = new ConveyorError.StartupRejected({
      conveyor: "home",
      consumer: "csv",
      cause: new Consumer.Rejected({ reason: "/data is a directory" })
    })
    assert.strictEqual(error._tag, "StartupRejected")
    assert.strictEqual(
      error.message,
      "conveyor home cannot start: consumer csv was rejected: /data is a directory"
    )
  })

  it("names what took too long, and how long it had", () => {
    const error = new ConveyorError.TimedOut({ name: "producer of home", timeout: Duration.millis(1500) })
    assert.strictEqual(error.message, "producer of home did not finish within 1s 500ms")
  })
})
