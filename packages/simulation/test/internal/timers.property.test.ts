import { describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { type Timer, Timers } from "../../src/internal/timers.ts"

// A positive number adds a timer at that time, a negative one removes the timer added that many places back.
const Operations = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 })))

describe("Timers", () => {
  it.effect.prop(
    "leaves in order of time, then of arrival, whatever was removed between",
    [Operations],
    ([operations]) =>
      Effect.sync(() => {
        const timers = new Timers()
        const added: Array<Timer> = []
        let model: Array<Timer> = []
        for (const operation of operations) {
          if (operation >= 0) {
            const timer = timers.add(operation, added.length, { priority: 0 }, () => {})
            added.push(timer)
            model.push(timer)
          } else {
            const timer = added.at(operation)
            if (timer === undefined) continue
            timers.remove(timer)
            model = model.filter((other) => other !== timer)
          }
        }
        model.sort((left, right) => left.at - right.at || left.order - right.order)
        return model.every((expected) => {
          const next = timers.earliest
          if (next !== undefined) timers.remove(next)
          return next === expected
        }) && timers.earliest === undefined
      })
  )
})
