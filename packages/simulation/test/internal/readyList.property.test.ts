import { describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ReadyList } from "../../src/internal/readyList.ts"

const lane = { priority: 0 }

// True pushes; a number takes the task at that fraction of the list.
const Operations = Schema.Array(
  Schema.Union([Schema.Boolean, Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.99 }))])
)

describe("ReadyList", () => {
  it.effect.prop("gives every task once", [Operations], ([operations]) =>
    Effect.sync(() => {
      const ready = new ReadyList()
      let pushed = 0
      const taken: Array<number> = []
      const take = (place: number) => ready.take(place)()
      for (const operation of operations) {
        if (typeof operation === "boolean") {
          const id = pushed++
          ready.push(() => taken.push(id), lane)
        } else if (ready.size > 0) take(Math.floor(operation * ready.size))
      }
      const held = ready.size
      if (held + taken.length !== pushed) return false
      while (ready.size > 0) take(ready.size - 1)
      return new Set(taken).size === pushed && taken.length === pushed
    }))

  it.effect("gives the oldest first when only the oldest is asked for, over any number", () =>
    Effect.sync(() => {
      const ready = new ReadyList()
      const taken: Array<number> = []
      for (let id = 0; id < 10_000; id++) {
        ready.push(() => taken.push(id), lane)
        if (id % 3 !== 0) ready.take(0)()
      }
      while (ready.size > 0) ready.take(0)()
      return taken.every((id, index) => id === index) && taken.length === 10_000
    }).pipe(Effect.flatMap((holds) => holds ? Effect.void : Effect.die("out of order"))))
})
