import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { HttpConsumer, HttpProducer } from "effect-conveyor-connectors"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { acquire, delivery, tickAt } from "./fixtures.ts"

const received: Array<unknown> = []

const routes = HttpRouter.addAll([
  HttpRouter.route("GET", "/data", HttpServerResponse.json({ a: [1, { b: 2 }] })),
  HttpRouter.route("GET", "/moved", HttpServerResponse.redirect("/data")),
  HttpRouter.route("GET", "/down", HttpServerResponse.text("no\nmore", { status: 503 })),
  HttpRouter.route("GET", "/slow", Effect.never),
  HttpRouter.route(
    "GET",
    "/endless",
    HttpServerResponse.stream(Stream.forever(Stream.make(new Uint8Array(65_536).fill(0x20))))
  ),
  HttpRouter.route(
    "POST",
    "/in",
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      received.push(yield* request.json)
      return HttpServerResponse.empty()
    })
  )
])

const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, gracefulShutdownTimeout: "100 millis" })),
  Layer.provideMerge(NodeHttpClient.layerUndici)
)

const base = Effect.map(HttpServer.HttpServer, (server) => {
  const { address } = server
  return address._tag === "InetAddressV4" || address._tag === "InetAddressV6" ? `http://127.0.0.1:${address.port}` : ""
})

const ask = (path: string, options?: Omit<HttpProducer.Options, "url">) =>
  Effect.gen(function*() {
    const produce = yield* HttpProducer.make({ url: `${yield* base}${path}`, ...options }).acquire
    return yield* produce(tickAt(0))
  }).pipe(Effect.scoped)

describe("http over a real connection", () => {
  it.live("asks, picks, follows redirects, and fails with what was wrong", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ask("/data", { pick: "/a/1" }), { b: 2 })
      assert.deepStrictEqual(yield* ask("/moved", { pick: "/a/0" }), 1)
      assert.match(
        (yield* Effect.flip(ask("/down"))).message,
        /^GET http:\/\/127.0.0.1:\d+\/down: status 503: no more$/
      )
      assert.match((yield* Effect.flip(ask("/slow", { timeout: "50 millis" }))).message, /no answer within 50ms$/)
      const endless = yield* Effect.flip(ask("/endless", { maxBodyBytes: "1 MB", timeout: "5 seconds" }))
      assert.strictEqual(endless.reason._tag, "BodyTooLarge")
    }).pipe(Effect.provide(server)))

  it.live("says why there is no connection", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(
          HttpProducer.make({ url: "http://127.0.0.1:1/" }).acquire,
          (produce) => produce(tickAt(0))
        ))
      )
      assert.match(refused.message, /^GET http:\/\/127.0.0.1:1\/: .*ECONNREFUSED/)
    }).pipe(Effect.provide(server)))

  it.live("posts payloads, one by one and as a batch", () =>
    Effect.gen(function*() {
      const url = `${yield* base}/in`
      const one = yield* acquire(HttpConsumer.make({ url }))
      yield* one(delivery({ n: 1 }, 1))
      const all = yield* acquire(HttpConsumer.make({ url, send: "batch" }))
      yield* all(delivery({ n: 2 }, 2), delivery({ n: 3 }, 3))
      assert.deepStrictEqual(received, [{ n: 1 }, [{ n: 2 }, { n: 3 }]])
    }).pipe(Effect.scoped, Effect.provide(server)))
})
