import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Pull, Schema } from "effect"
import { Simulation } from "effect-simulation"
import * as BodyQueue from "../../src/web/internal/fetch/bodyQueue.ts"
import * as ContentType from "../../src/web/internal/fetch/contentType.ts"
import { shown, target } from "../../src/web/internal/fetch/target.ts"
import { failing } from "./scriptedFetcher.ts"

const room = 128 * 1024

describe("Fetcher", () => {
  it.effect("law: what a body is given is pulled in order, before its end, and waits only within its room", () =>
    Simulation.check(
      ({ seed }) =>
        Effect.gen(function*() {
          const queue = BodyQueue.make(Infinity, () => failing("TooLarge"))
          const mayWrite = Latch.makeUnsafe(true)
          queue.onRoom = () => mayWrite.openUnsafe()
          let written = 0
          let pulled = 0
          const error = failing("Truncated")

          const writer = yield* Effect.forkChild(Effect.gen(function*() {
            for (let i = 1; i <= 20; i++) {
              yield* Effect.sleep(i * seed % 3)
              yield* mayWrite.await
              const bytes = new Uint8Array(1 + (i * 7919 * seed) % 60_000).fill(i)
              written += bytes.length
              if (!queue.write(bytes)) mayWrite.closeUnsafe()
              // What the reader was given, and what may wait beside it.
              assert.isBelow(written - pulled, 2 * (room + 60_000))
            }
            if (seed % 2 === 0) queue.end()
            else queue.fail(error)
          }))

          let last = 0
          const reader = Effect.forever(Effect.gen(function*() {
            const chunks = yield* queue.pull
            for (const chunk of chunks) {
              assert.strictEqual(chunk[0], last + 1)
              last += 1
              pulled += chunk.length
            }
            yield* Effect.sleep(last * seed % 4)
          }))
          const exit = yield* Effect.exit(reader)
          yield* Fiber.join(writer)
          assert.strictEqual(last, 20)
          assert.strictEqual(pulled, written)
          if (seed % 2 === 0) assert.isTrue(Exit.isFailure(exit) && Pull.isDoneCause(exit.cause))
          else assert.deepStrictEqual(exit, Exit.fail(error))
        }),
      undefined,
      { runs: 150 }
    ))

  it.prop(
    "reads any Content-Type without throwing, and gives what it read back",
    { text: Schema.String },
    ({ text }) => {
      const type = ContentType.parse(text)
      if (type === undefined) return
      assert.match(type.mediaType, /^[^A-Z\s;]+\/[^A-Z\s;]+$/)
      assert.strictEqual(ContentType.parse(type.mediaType)!.mediaType, type.mediaType)
    }
  )

  it("reads a Content-Type however it is written", () => {
    const cases: ReadonlyArray<readonly [string, string | undefined, string | undefined]> = [
      ["text/html", "text/html", undefined],
      ["Text/HTML;charset=UTF-8", "text/html", "utf-8"],
      [" text/html ; a=b; Charset = \"latin1\" ", "text/html", "latin1"],
      ["text/html; xcharset=x", "text/html", undefined],
      ["application/xhtml+xml;charset=", "application/xhtml+xml", undefined],
      ["html", undefined, undefined],
      ["text/html, text/plain", undefined, undefined],
      ["", undefined, undefined]
    ]
    for (const [header, mediaType, charset] of cases) {
      assert.deepStrictEqual(
        ContentType.parse(header),
        mediaType === undefined ? undefined : { mediaType, charset },
        header
      )
    }
    assert.isUndefined(ContentType.parse(undefined))
  })

  it.prop(
    "never shows credentials, nor more of a URL than can be read",
    { name: Schema.String, path: Schema.String },
    ({ name, path }) => {
      const secret = "s3cr3t"
      for (
        const url of [
          `http://${encodeURIComponent(name.toWellFormed())}:${secret}@a.example/${path}`,
          `http://${secret}@`
        ]
      ) {
        assert.notInclude(shown(url), secret)
        assert.isBelow(shown(url).length, 340)
        const parsed = target(url, undefined, 1_000_000)
        if (parsed._tag === "Success") assert.notInclude(parsed.success.href, secret)
        else assert.notInclude(parsed.failure.detail, secret)
      }
    }
  )
})
