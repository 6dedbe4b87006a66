import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { HostProducer } from "effect-conveyor-connectors"
import { TestClock } from "effect/testing"
import { tickAt } from "./fixtures.ts"

/** Two ticks, the second so many seconds of the test clock after the first. */
const twoTicks = (options: HostProducer.Options, seconds: number) =>
  Effect.gen(function*() {
    const produce = yield* HostProducer.make(options).acquire
    const fiber = yield* Effect.forkChild(produce(tickAt(0)), { startImmediately: true })
    yield* TestClock.adjust("200 millis")
    const first = yield* Fiber.join(fiber)
    yield* TestClock.adjust(`${seconds} seconds`)
    return [first, yield* produce(tickAt(1))] as const
  })

describe("HostProducer", () => {
  it.effect("gives numbers that can be", () =>
    Effect.gen(function*() {
      const [first, second] = yield* twoTicks({}, 10)
      assert.strictEqual(first.dueAt, "2026-11-21T12:00:00.000Z")
      assert.strictEqual(second.dueAt, "2026-11-21T12:00:01.000Z")
      const between = (low: number, value: number, high: number) =>
        assert.isTrue(low <= value && value <= high, `${value}`)
      between(0, second.cpuPercent ?? 0, 100)
      between(1, second.memoryUsedBytes, second.memoryTotalBytes)
      between(0, second.swapUsedBytes, second.swapTotalBytes)
      between(1, second.diskUsedBytes, second.diskTotalBytes)
      between(0, second.diskAvailableBytes, second.diskTotalBytes - second.diskUsedBytes)
      between(0, second.load1, 1000)
      between(1, second.uptimeSeconds, 1e10)
      assert.isUndefined(second.disks)
    }))

  it.effect("tells further disks by path", () =>
    Effect.gen(function*() {
      const [, host] = yield* twoTicks({ disk: "/tmp", disks: ["/", "/tmp"] }, 1)
      assert.deepStrictEqual(Object.keys(host.disks ?? {}), ["/", "/tmp"])
      assert.strictEqual(host.disks?.["/tmp"]?.totalBytes, host.diskTotalBytes)
    }))

  it.effect("has no network numbers where there is no such interface", () =>
    Effect.gen(function*() {
      const [, host] = yield* twoTicks({ network: "none0" }, 1)
      assert.strictEqual(host.networkReceivedBytesPerSecond, null)
      assert.strictEqual(host.networkReceivedBytes, null)
    }))

  it.effect("counts what the loopback interface moves", () =>
    Effect.gen(function*() {
      const [, host] = yield* twoTicks({ network: "lo" }, 1)
      assert.isAtLeast(host.networkReceivedBytes ?? -1, 0)
      assert.isAtLeast(host.networkReceivedBytesPerSecond ?? -1, 0)
    }))

  it.effect("fails for a disk that is not there", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(twoTicks({ disk: "/no/such" }, 1))
      assert.include(error.message, "cannot read disk /no/such: ENOENT")
    }))
})
