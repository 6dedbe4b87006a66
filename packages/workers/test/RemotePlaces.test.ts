import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { type WorkerLink, WorkerStartError } from "effect-workers/WorkerHost"
import { TestClock } from "effect/testing"
import { format, parse } from "../src/internal/remote/address.ts"
import * as Places from "../src/internal/remote/places.ts"

/** Places of which some do not start workers, and the order in which they were asked. */
const placing = (names: ReadonlyArray<string>) => {
  const places = Places.make(names.map((name) => parse(`tcp://${name}:1`)!))
  const asked: Array<string> = []
  const failing = new Map<string, WorkerStartError["reason"]>()
  const startAt = ({ address }: Places.Place) =>
    Effect.suspend(() => {
      const name = format(address).slice(6, -2)
      asked.push(name)
      const reason = failing.get(name)
      return reason === undefined
        ? Effect.succeed({ details: { address: name } } as WorkerLink)
        : Effect.fail(new WorkerStartError({ reason, worker: name, detail: "of this" }))
    })
  const start = Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const link = yield* Scope.provide(places.start(startAt), scope)
    return { at: link.details.address, close: Scope.close(scope, Exit.void) }
  })
  return { asked, failing, start, startAt, places }
}

describe("places", () => {
  it.effect("are used evenly, by what lives there now", () =>
    Effect.gen(function*() {
      const { start } = placing(["a", "b", "c"])
      const [first, ...others] = yield* Effect.all(Array.from({ length: 6 }, () => start))
      assert.deepStrictEqual([first!, ...others].map(({ at }) => at), ["a", "b", "c", "a", "b", "c"])
      yield* others[0]!.close
      assert.strictEqual((yield* start).at, "b")
    }))

  it.effect("that fail count as empty again", () =>
    Effect.gen(function*() {
      const { asked, failing, start } = placing(["a", "b"])
      failing.set("a", "Full")
      assert.strictEqual((yield* start).at, "b")
      failing.clear()
      assert.strictEqual((yield* start).at, "a")
      assert.deepStrictEqual(asked, ["a", "b", "a"])
    }))

  it.effect("that could not be reached come last for five seconds", () =>
    Effect.gen(function*() {
      const { asked, failing, start } = placing(["a", "b"])
      failing.set("a", "Unreachable")
      yield* start
      yield* start
      assert.deepStrictEqual(asked, ["a", "b", "b"])
      yield* TestClock.adjust("5 seconds")
      yield* start
      assert.deepStrictEqual(asked.slice(3), ["a", "b"])
    }))

  it.effect("are not tried on when a worker there ended or was refused", () =>
    Effect.gen(function*() {
      for (const reason of ["Refused", "Exited"] as const) {
        const { asked, failing, start } = placing(["a", "b"])
        failing.set("a", reason)
        assert.strictEqual((yield* Effect.flip(start)).reason, reason)
        assert.deepStrictEqual(asked, ["a"])
      }
    }))

  it.effect("say that we are unauthorized only where there is no hope elsewhere", () =>
    Effect.gen(function*() {
      const reasonOf = (...reasons: ReadonlyArray<WorkerStartError["reason"]>) => {
        const { failing, start } = placing(["a", "b"])
        for (const [i, name] of ["a", "b"].entries()) failing.set(name, reasons[i]!)
        return Effect.map(Effect.flip(start), ({ reason }) => reason)
      }
      assert.strictEqual(yield* reasonOf("Unauthorized", "Full"), "Full")
      assert.strictEqual(yield* reasonOf("Unreachable", "Unauthorized"), "Unreachable")
      assert.strictEqual(yield* reasonOf("Unauthorized", "Unauthorized"), "Unauthorized")
    }))

  it.effect("release at once what a start that failed had made", () =>
    Effect.gen(function*() {
      const { places } = placing(["a"])
      let isReleased = false
      const failing = Effect.andThen(
        Effect.addFinalizer(() => Effect.sync(() => (isReleased = true))),
        Effect.fail(new WorkerStartError({ reason: "Full", worker: "a", detail: "of this" }))
      )
      yield* Effect.flip(places.start(() => failing))
      assert.isTrue(isReleased)
    }))
})
