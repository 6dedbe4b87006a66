import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Hosts } from "../../../../src/web/internal/site/hosts.ts"
import * as Politeness from "../../../../src/web/Politeness.ts"

const begun = (hosts: Hosts, said: Array<string> = []) =>
  Effect.forkChild(hosts.turn("a", Effect.sync(() => void said.push("waiting"))), { startImmediately: true })

describe("Hosts", () => {
  it.effect("lets those who wait begin one after the other, and other hosts at once", () =>
    Effect.gen(function*() {
      const hosts = new Hosts(Politeness.make({ minDelay: 100 }))
      const said: Array<string> = []
      const fibers = yield* Effect.all([begun(hosts, said), begun(hosts, said), begun(hosts, said)])
      assert.strictEqual(yield* hosts.turn("b", Effect.die("waits")), 0)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [0, 100, 200])
      assert.deepStrictEqual(said, ["waiting", "waiting"])
    }))

  it.effect("keeps those back who wait already when the host asks to be left alone", () =>
    Effect.gen(function*() {
      const hosts = new Hosts(Politeness.make({ minDelay: 100 }))
      const fibers = yield* Effect.all([begun(hosts), begun(hosts)])
      hosts.observed("a", { startedAt: 0, endedAt: 0, latency: 0, status: 429, retryAfter: 5000 })
      yield* TestClock.adjust("100 millis")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [0, 5000])
    }))
})
