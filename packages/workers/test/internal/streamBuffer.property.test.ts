import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { Simulation } from "effect-simulation"
import { StreamBuffer } from "../../src/internal/streamBuffer.ts"

describe("StreamBuffer", () => {
  it.effect("law: it gives its reader all items and the end, whenever the reader yields", () =>
    Simulation.check(
      Effect.gen(function*() {
        let granted = 4
        const buffer = new StreamBuffer(4, (items) => granted += items)
        const reader = yield* Effect.forkChild(Stream.runCollect(Stream.fromPull(Effect.succeed(buffer.pull))))
        for (let n = 1; n <= 10; n++) {
          buffer.items(Exit.succeed([n]))
          yield* Effect.yieldNow
        }
        buffer.settle(Exit.void)
        return { items: yield* Fiber.join(reader), granted }
      }),
      ({ exit }) => {
        assert.isTrue(Exit.isSuccess(exit), String(exit))
        const { granted, items } = (exit as Exit.Success<{ items: Array<number>; granted: number }>).value
        assert.deepStrictEqual(items, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        assert.isAtMost(granted, 14)
      }
    ))
})
