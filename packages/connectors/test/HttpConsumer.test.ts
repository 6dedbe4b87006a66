import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Consumer } from "effect-conveyor"
import { HttpConsumer } from "effect-conveyor-connectors"
import { TestClock } from "effect/testing"
import { suite } from "./ConsumerSuite.ts"
import { acquire, delivery, fakeServer, provideTo } from "./fixtures.ts"

const url = "http://example.org/in"

for (const send of ["payload", "batch"] as const) {
  suite<never>(
    `HttpConsumer sending each ${send}`,
    Effect.sync(() => {
      const received: Array<any> = []
      let isDown = false
      const server = fakeServer((_, body) => {
        if (isDown) return new Response("", { status: 500 })
        const payloads = send === "batch" ? JSON.parse(body) : [JSON.parse(body)]
        if (payloads.some((payload: any) => payload?.refused === true)) return new Response("bad", { status: 400 })
        received.push(...payloads.flat())
        return new Response("")
      })
      return {
        consumer: provideTo(HttpConsumer.make({ url, send }), server),
        arrived: Effect.sync(() => received.map((payload) => payload?.n)),
        breakTarget: Effect.sync(() => {
          isDown = true
        }),
        repairTarget: Effect.sync(() => {
          isDown = false
        }),
        repeated: "twice" as const,
        refused: { refused: true }
      }
    }),
    (effect) => effect
  )
}

const post = (options: Omit<HttpConsumer.Options, "url">, respond: Parameters<typeof fakeServer>[0]) =>
  Effect.provide(acquire(HttpConsumer.make({ url, ...options })), fakeServer(respond))

describe("HttpConsumer", () => {
  it.effect("sends method, headers and the payload as JSON", () =>
    Effect.gen(function*() {
      let seen: unknown
      const deliver = yield* post({ method: "PUT", headers: { "x-key": "k" } }, (request, body) => {
        seen = [request.method, request.url, request.headers["x-key"], request.headers["content-type"], body]
        return new Response("")
      })
      yield* deliver(delivery({ at: new Date(0), big: 2n ** 60n, nan: Number.NaN }, 0))
      assert.deepStrictEqual(seen, [
        "PUT",
        url,
        "k",
        "application/json",
        "{\"at\":\"1970-01-01T00:00:00.000Z\",\"big\":\"1152921504606846976\",\"nan\":null}"
      ])
    }))

  it.effect("sends a batch as one array", () =>
    Effect.gen(function*() {
      const bodies: Array<string> = []
      const deliver = yield* post({ send: "batch" }, (_, body) => {
        bodies.push(body)
        return new Response("")
      })
      yield* deliver(delivery({ n: 1 }, 1), delivery([2], 2))
      assert.deepStrictEqual(bodies, ["[{\"n\":1},[2]]"])
    }))

  it.effect.each([
    { status: 400, rejected: true },
    { status: 404, rejected: true },
    { status: 422, rejected: true },
    { status: 408, rejected: false },
    { status: 425, rejected: false },
    { status: 429, rejected: false },
    { status: 304, rejected: false },
    { status: 500, rejected: false },
    { status: 503, rejected: false }
  ])("on status $status rejects: $rejected", ({ rejected, status }) =>
    Effect.gen(function*() {
      const deliver = yield* post({}, () => new Response(status === 304 ? null : "why", { status }))
      const failure = yield* Effect.flip(deliver(delivery({}, 0)))
      assert.strictEqual(failure instanceof Consumer.Rejected, rejected)
      assert.include(failure.message, `POST ${url}: status ${status}`)
    }))

  it.effect.each([
    { what: "seconds", value: "30", waits: 30_000 },
    { what: "a date", value: "Thu, 01 Jan 1970 00:00:20 GMT", waits: 20_000 },
    { what: "a date gone by", value: "Mon, 01 Jan 1968 00:00:20 GMT", waits: 0 },
    { what: "a year", value: "31536000", waits: 300_000 },
    { what: "nonsense", value: "later", waits: 0 }
  ])("sends nothing before a Retry-After of $what has passed", ({ value, waits }) =>
    Effect.gen(function*() {
      let requests = 0
      const deliver = yield* post({}, () => {
        requests++
        return requests === 1
          ? new Response("", { status: 429, headers: { "retry-after": value } })
          : new Response("")
      })
      yield* Effect.flip(deliver(delivery({}, 0)))
      const again = yield* Effect.forkChild(deliver(delivery({}, 0)), { startImmediately: true })
      if (waits > 0) {
        yield* TestClock.adjust(waits - 1)
        assert.strictEqual(requests, 1)
        yield* TestClock.adjust(1)
      }
      yield* Fiber.join(again)
      assert.strictEqual(requests, 2)
    }))
})
