import { Effect } from "effect"
import { Cadence, Conveyor } from "effect-conveyor"

/** A producer that hangs and ignores interruption, and would be waited for as long as it takes. */
const stubborn = (name: string, drainTimeout: number) =>
  Conveyor.layer(name, {
    cadence: Cadence.every("1 second", { anchor: "start" }),
    producer: () => Effect.uninterruptible(Effect.andThen(Effect.logInfo("hanging"), Effect.never)),
    consumers: [],
    timeout: "unbounded",
    drainTimeout
  })

export default stubborn("stubborn", Number(process.env["DRAIN_MILLIS"]))
