import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { HttpProducer } from "effect-conveyor-connectors"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { fakeServer, tickAt } from "./fixtures.ts"

const url = "https://user:secret@example.org/data?token=hidden"

const ask = (options: Omit<HttpProducer.Options, "url">, respond: () => Response) =>
  Effect.scoped(Effect.flatMap(HttpProducer.make({ url, ...options }).acquire, (produce) => produce(tickAt(0)))).pipe(
    Effect.provide(fakeServer(respond))
  )

const json = (value: unknown, init?: ResponseInit) => () => new Response(JSON.stringify(value), init)

describe("HttpProducer", () => {
  it.effect("gives the JSON of the answer", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ask({}, json({ a: [1] })), { a: [1] })
    }))

  it.effect("sends method, headers and body", () =>
    Effect.gen(function*() {
      let seen: unknown
      const answer = yield* Effect.scoped(Effect.flatMap(
        HttpProducer.make({ url, method: "POST", headers: { "x-key": "k" }, body: { q: 1 } }).acquire,
        (produce) => produce(tickAt(0))
      )).pipe(Effect.provide(fakeServer((request, body) => {
        seen = [request.method, request.headers["x-key"], request.headers["content-type"], body]
        return new Response("null")
      })))
      assert.strictEqual(answer, null)
      assert.deepStrictEqual(seen, ["POST", "k", "application/json", "{\"q\":1}"])
    }))

  it.effect.each([
    { pick: "/a/1/b", expected: 2 },
    { pick: "/a~1b", expected: "slash" },
    { pick: "/m~0n", expected: "tilde" },
    { pick: "/", expected: "empty" },
    { pick: "/nothing", expected: null },
    { pick: "/a", expected: [1, { b: 2 }] }
  ])("picks $pick", ({ expected, pick }) =>
    Effect.gen(function*() {
      const body = { a: [1, { b: 2 }], "a/b": "slash", "m~n": "tilde", "": "empty", nothing: null }
      assert.deepStrictEqual(yield* ask({ pick }, json(body)), expected)
    }))

  it.effect.each(["/b", "/a/2", "/a/01", "/a/-", "/a/length", "/a/0/x", "/toString"])(
    "fails when nothing is at %s",
    (pick) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(ask({ pick }, json({ a: [1, 2] })))
        assert.strictEqual(error.reason._tag, "NothingPicked")
        assert.include(error.message, `nothing at ${pick} in the answer: {"a":[1,2]}`)
      })
  )

  it.effect("tells URL, status and the beginning of the body, but no secret", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask({}, () => new Response(`down\n${"x".repeat(5000)}`, { status: 503 })))
      assert.include(error.message, "example.org/data")
      assert.include(error.message, "status 503: down xxx")
      assert.isBelow(error.message.length, 400)
      assert.notInclude(error.message, "secret")
      assert.notInclude(error.message, "hidden")
    }))

  it.effect("takes the one status it expects for a success, and no other", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* ask({ expect: 404 }, json(1, { status: 404 })), 1)
      const error = yield* Effect.flip(ask({ expect: 404 }, json(1, { status: 200 })))
      assert.strictEqual(error.reason._tag, "UnexpectedStatus")
    }))

  it.effect("fails on an answer that is not JSON", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask({}, () => new Response("<html>")))
      assert.include(error.message, "the answer is not JSON: <html>")
      const empty = yield* Effect.flip(ask({}, () => new Response(null)))
      assert.strictEqual(empty.reason._tag, "NotJson")
    }))

  it.effect("fails on an answer larger than the limit", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* ask({ maxBodyBytes: 5 }, json("xxx")), "xxx")
      const error = yield* Effect.flip(ask({ maxBodyBytes: 4 }, json("xxx")))
      assert.strictEqual(error.reason._tag, "BodyTooLarge")
    }))

  it.effect("fails when there is no answer in time", () =>
    Effect.gen(function*() {
      const silent = Layer.succeed(HttpClient.HttpClient, HttpClient.make(() => Effect.never))
      const fiber = yield* Effect.scoped(
        Effect.flatMap(HttpProducer.make({ url, timeout: "3 seconds" }).acquire, (produce) => produce(tickAt(0)))
      ).pipe(Effect.provide(silent), Effect.flip, Effect.forkChild({ startImmediately: true }))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(fiber)
      assert.include(error.message, "no answer within 3s")
    }))

  it.effect.each([
    { what: "no URL", options: { url: "example.org" } },
    { what: "another protocol", options: { url: "ftp://example.org" } },
    { what: "a broken pointer", options: { url, pick: "a" } },
    { what: "a broken escape", options: { url, pick: "/a~2" } },
    { what: "no duration", options: { url, timeout: "soon" } }
  ])("has no options with $what", ({ options }) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Schema.decodeUnknownEffect(HttpProducer.Options)(options))
      assert.strictEqual(exit._tag, "Failure")
    }))
})
