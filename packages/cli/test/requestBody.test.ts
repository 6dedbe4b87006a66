import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Stopping } from "../src/internal/intake.ts"
import { retryAfter } from "../src/internal/postJson.ts"
import type * as Refusal from "../src/internal/refusal.ts"
import * as RequestBody from "../src/internal/requestBody.ts"

const statusOf = (exit: Exit.Exit<unknown, Refusal.Refusal>): number | undefined =>
  Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error.status : undefined

describe("retryAfter", () => {
  it("is whole seconds, from one to sixty", () => {
    assert.deepStrictEqual([0, 10, 1500, 59_001, 1e9, Infinity].map(retryAfter), [1, 1, 2, 60, 60, 60])
  })
})

describe("RequestBody", () => {
  it.effect("waits a minute for a client, and no longer", () =>
    Effect.gen(function*() {
      const read = RequestBody.patiently(Effect.sleep("59 seconds"), { awaitStopping: Effect.never })
      const quick = yield* Effect.forkChild(Effect.exit(read), { startImmediately: true })
      const slow = yield* Effect.forkChild(
        Effect.exit(RequestBody.patiently(Effect.never, { awaitStopping: Effect.never })),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(quick)))
      assert.strictEqual(statusOf(yield* Fiber.join(slow)), 408)
    }))

  it.effect("waits no longer once intake ends", () =>
    Effect.gen(function*() {
      const stopping = yield* Deferred.make<never, Stopping>()
      const reading = yield* Effect.forkChild(
        Effect.exit(RequestBody.patiently(Effect.never, { awaitStopping: Deferred.await(stopping) })),
        { startImmediately: true }
      )
      yield* Deferred.fail(stopping, new Stopping())
      assert.strictEqual(statusOf(yield* Fiber.join(reading)), 503)
    }))
})
