import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schema, Stream } from "effect"
import type { CrawlStore } from "effect-crawler"
import { TestClock } from "effect/testing"
import { readFileSync, writeFileSync } from "node:fs"
import * as FileOutput from "../../src/internal/crawl/fileOutput.ts"
import type { PageOutput } from "../../src/internal/crawl/pageOutput.ts"
import * as Projection from "../../src/internal/crawl/projection.ts"
import { csv, ndjson, type RecordFormat } from "../../src/internal/crawl/recordFormat.ts"
import { directoryWith } from "../conveyorProcess.ts"
import { storedCrawl, urlOf } from "./storedCrawl.ts"

const pages = 12

/** Brings a file up to a state, as a run does that finds nothing left to crawl. */
const bringUp = (store: CrawlStore.CrawlStore, path: string, format: RecordFormat) =>
  Effect.gen(function*() {
    const output = yield* FileOutput.open(path, format, true)
    const { finish } = yield* Projection.make(store, output)
    yield* finish
    return readFileSync(path, "utf8")
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const reasonOf = (effect: ReturnType<typeof bringUp>) =>
  Effect.map(Effect.flip(effect), (error) => error._tag === "CrawlFailed" ? error.reason : error._tag)

describe("Projection", () => {
  for (const format of [ndjson, csv(["price", "title"])]) {
    describe(`of ${format.name}`, () => {
      it.effect("writes every page once, in the order in which they were processed", () =>
        Effect.gen(function*() {
          const path = `${yield* directoryWith({})}/out`
          const text = yield* bringUp(yield* storedCrawl(pages), path, format)
          const urls = Array.from(text.matchAll(/(?:^|"url":")(https:\/\/example\.org\/\d+)/gm), ([, url]) => url)
          assert.deepStrictEqual(urls, Array.from({ length: pages }, (_, i) => urlOf(i + 1)))
          assert.include(text, "Timeout")
          assert.notInclude(text, "elsewhere")
        }))

      it.effect.prop(
        "completes an output that was cut anywhere",
        [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))],
        ([at]) =>
          Effect.gen(function*() {
            const path = `${yield* directoryWith({})}/out`
            const store = yield* storedCrawl(pages)
            const whole = yield* bringUp(store, path, format)
            writeFileSync(path, Buffer.from(whole).subarray(0, at % (Buffer.byteLength(whole) + 1)))
            assert.strictEqual(yield* bringUp(store, path, format), whole)
            assert.strictEqual(yield* bringUp(store, path, format), whole)
          }),
        { arbitrary: { runs: 20 } }
      )

      it.effect("adds what somebody has taken out, and nothing twice", () =>
        Effect.gen(function*() {
          const path = `${yield* directoryWith({})}/out`
          const store = yield* storedCrawl(pages)
          const whole = yield* bringUp(store, path, format)
          const third = whole.indexOf(`${urlOf(3)}`) - (format === ndjson ? 8 : 0)
          const fifth = whole.indexOf(`${urlOf(5)}`) - (format === ndjson ? 8 : 0)
          writeFileSync(path, `${whole.slice(0, third)}${whole.slice(fifth)}`)
          const mended = yield* bringUp(store, path, format)
          assert.strictEqual(mended, `${whole.slice(0, third)}${whole.slice(fifth)}${whole.slice(third, fifth)}`)
        }))

      it.effect("refuses a file that holds something else, and leaves it as it is", () =>
        Effect.gen(function*() {
          const path = `${yield* directoryWith({})}/out`
          const store = yield* storedCrawl(3)
          const whole = yield* bringUp(store, path, format)
          for (
            const text of [
              "notes",
              "notes\nof mine\nand more",
              `${whole.slice(0, 6)}x`,
              `${whole}\n\n`,
              `${whole}notes\n`
            ]
          ) {
            writeFileSync(path, text)
            assert.strictEqual(yield* reasonOf(bringUp(store, path, format)), "BadData", text)
            assert.strictEqual(readFileSync(path, "utf8"), text)
          }
        }))
    })
  }

  it.effect("says which columns a CSV file of other selectors should have", () =>
    Effect.gen(function*() {
      const path = `${yield* directoryWith({})}/out.csv`
      const store = yield* storedCrawl(3)
      yield* bringUp(store, path, csv([]))
      const { message } = yield* Effect.flip(bringUp(store, path, csv(["price"])))
      assert.match(message, /out\.csv: expected the columns url,.*,meta,price; give the same --select as before/)
    }))

  it.effect("holds the crawl up while the output takes its time", () =>
    Effect.gen(function*() {
      const store = yield* storedCrawl(3)
      const written: Array<string> = []
      const slow = yield* Deferred.make<void>()
      const output: PageOutput = {
        written: Stream.empty,
        write: (pages) =>
          Effect.andThen(Deferred.await(slow), Effect.sync(() => written.push(...pages.map(({ url }) => url))))
      }
      const { awaitRoom, follow } = yield* Projection.make(store, output)
      yield* awaitRoom
      yield* Effect.forkScoped(follow, { startImmediately: true })
      const waiting = yield* Effect.forkScoped(awaitRoom, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(waiting.pollUnsafe())
      yield* Deferred.succeed(slow, undefined)
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(written, [1, 2, 3].map(urlOf))
    }))
})
