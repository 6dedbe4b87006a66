import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber } from "effect"
import * as Robots from "effect-crawler/web/Robots"
import { Simulation } from "effect-simulation"
import { body, failing, scripted } from "./scriptedFetcher.ts"

const hosts = ["a", "b", "c"]

describe("Robots", () => {
  it.effect("law: a file is fetched by one at a time, and whoever still waits is told what it says", () =>
    Simulation.check(
      ({ seed }) =>
        Effect.gen(function*() {
          const fetching = new Map<string, number>()
          const { asked, layer } = scripted((url) => {
            const { hostname } = new URL(url)
            return Effect.gen(function*() {
              const now = (fetching.get(hostname) ?? 0) + 1
              fetching.set(hostname, now)
              assert.strictEqual(now, 1, hostname)
              yield* Effect.sleep(seed % 5)
              return hostname === "c"
                ? yield* failing("Timeout")
                : { body: body(hostname === "a" ? "User-agent: *\nDisallow: /x" : "") }
            }).pipe(Effect.ensuring(Effect.sync(() => fetching.set(hostname, fetching.get(hostname)! - 1))))
          })
          const robots = yield* Effect.provide(Robots.make({ retryAfter: Duration.days(1) }), layer)
          const fibers = yield* Effect.forEach(
            Array.from({ length: 12 }, (_, i) => i),
            (i) => {
              const host = hosts[(i + seed) % 3]!
              return Effect.map(
                Effect.forkChild(Effect.delay(robots.allowed(`http://${host}/x`), i * seed % 4)),
                (fiber) => ({ fiber, host, isInterrupted: (i * 7 + seed) % 5 === 0 })
              )
            }
          )
          yield* Effect.sleep(seed % 6)
          yield* Effect.forEach(fibers, ({ fiber, isInterrupted }) =>
            isInterrupted ? Fiber.interrupt(fiber) : Effect.void)
          for (const { fiber, host, isInterrupted } of fibers) {
            const exit = yield* Fiber.await(fiber)
            if (!isInterrupted) {
              assert.deepStrictEqual(exit, Exit.succeed(host === "b"))
            }
          }
          // A fetch that nobody waits for any more may be given up, and done again for the next who asks.
          assert.isAtMost(asked.length, 6)
        }),
      undefined,
      { runs: 150 }
    ))
})
