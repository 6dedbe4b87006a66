import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { unavailable } from "../../src/internal/crawl/failure.ts"
import type { PageOutput } from "../../src/internal/crawl/pageOutput.ts"
import { type PageRecord, pageRecordOf } from "../../src/internal/crawl/pageRecord.ts"
import * as PageSink from "../../src/internal/crawl/pageSink.ts"
import { storedOutcome } from "../../src/internal/crawl/storedOutcome.ts"

const page = (url: string) => ({ url } as PageRecord)

describe("PageSink", () => {
  describe("direct", () => {
    it.effect("writes one page at a time, and holds the crawl up until it is written", () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const output: PageOutput = {
          written: undefined,
          write: ([{ url } = page("none")]) =>
            Effect.gen(function*() {
              told.push(`begins ${url}`)
              yield* Effect.sleep("1 second")
              told.push(`ends ${url}`)
            })
        }
        const { take } = yield* PageSink.direct(output)
        const taking = yield* Effect.forkScoped(
          Effect.forEach(["a", "b"], (url) => take(page(url)), { concurrency: 2 }),
          { startImmediately: true }
        )
        yield* TestClock.adjust("1500 millis")
        assert.deepStrictEqual(told, ["begins a", "ends a", "begins b"])
        assert.isUndefined(taking.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(taking)
      }))

    it.effect("tells whoever attends that a page could not be written, and holds the crawl up for good", () =>
      Effect.gen(function*() {
        const { attend, take } = yield* PageSink.direct({
          written: undefined,
          write: () => Effect.fail(unavailable("the disk is full"))
        })
        const taking = yield* Effect.forkScoped(take(page("a")), { startImmediately: true })
        assert.strictEqual((yield* Effect.flip(attend)).message, "the disk is full")
        assert.isUndefined(taking.pollUnsafe())
      }))
  })
})

describe("storedOutcome", () => {
  it.effect("refuses what another version has stored", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(storedOutcome({ name: "Page", data: "{\"uri\":\"a\"}", own: "{}" }))
      assert.strictEqual(error.reason, "BadData")
      assert.include(error.message, "another version of conveyor: {\"uri\":\"a\"}; go on with that version")
    }))

  it.effect("tells of a defect as such", () =>
    Effect.gen(function*() {
      const own = "{\"_tag\":\"Failure\",\"cause\":[{\"_tag\":\"Die\",\"defect\":\"a bug\"}]}"
      const outcome = yield* storedOutcome({ name: "Page", data: "{\"url\":\"https://example.org/\"}", own })
      assert.include(pageRecordOf(outcome, 3), {
        url: "https://example.org/",
        depth: 3,
        error: "Defect",
        message: "a bug"
      })
    }))
})
