import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule, Stream } from "effect"
import * as AddressGuard from "effect-crawler/web/AddressGuard"
import { Fetcher, type FetchOptions } from "effect-crawler/web/Fetcher"
import type { Reason } from "effect-crawler/web/FetchError"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { type HostileServer, hostileServer } from "./hostileServer.ts"

class Server extends Context.Service<Server, HostileServer>()("test/Server") {}

const limits = { timeout: "1500 millis", silenceTimeout: "400 millis", connectTimeout: "1 second" } as const

const fetcher = Layer.unwrap(
  Effect.map(
    Server,
    ({ url }) =>
      NodeFetcher.layer({
        ...limits,
        maxConnectionsPerOrigin: 16,
        addressGuard: AddressGuard.make({ startUrls: [url] })
      })
  )
)

const both = Layer.provideMerge(fetcher, Layer.effect(Server, hostileServer))

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

/** Bytes of buffers that somebody still has. */
const heldBytes = (): number => {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** Waits for what is bound to happen, on the clock of the sockets. */
const until = (condition: () => boolean) =>
  Effect.suspend(() => condition() ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry({ schedule: Schedule.spaced("5 millis"), times: 400 })
  )

/** What a fetch came to: its status and how many bytes were read, or why not. */
const outcome = (path: string, options?: FetchOptions) =>
  Effect.gen(function*() {
    const { url } = yield* Server
    const { fetch } = yield* Fetcher
    return yield* Effect.scoped(Effect.gen(function*() {
      const fetched = yield* fetch(path.includes("://") ? path : url + path, options)
      let bytes = 0
      yield* Stream.runForEach(fetched.body, (part) =>
        Effect.sync(() => {
          bytes += part.length
        }))
      return `${fetched.status}, ${bytes} bytes` as const
    })).pipe(Effect.catchTag("FetchError", ({ reason }) => Effect.succeed(reason)))
  })

type Expected = Reason | `${number}, ${number} bytes`

const cases: ReadonlyArray<readonly [behaviour: string, path: string, expected: Expected]> = [
  ["a page", "/page", "200, 12 bytes"],
  ["a page that is not there", "/missing", "404, 4 bytes"],
  ["a page without Content-Type", "/untyped", "200, 2 bytes"],
  ["an image, which is not downloaded", "/image", "200, 0 bytes"],
  ["gzip", "/gzip", "200, 12 bytes"],
  ["gzip by its old name", "/x-gzip", "200, 12 bytes"],
  ["deflate", "/deflate", "200, 12 bytes"],
  ["deflate without the header of zlib", "/deflate-raw", "200, 12 bytes"],
  ["brotli", "/br", "200, 12 bytes"],
  ["zstd", "/zstd", "200, 12 bytes"],
  ["two encodings, one in the other", "/twice", "200, 12 bytes"],
  ["an empty body that is said to be gzip", "/gzip-empty", "200, 0 bytes"],

  ["redirects in a circle", "/loop/1", "RedirectLoop"],
  ["a redirect to itself", "/self", "RedirectLoop"],
  ["redirects without end", "/chain/0", "TooManyRedirects"],
  ["a redirect to a file", "/to-file", "BadRedirect"],
  ["a redirect to a data URL", "/to-data", "BadRedirect"],
  ["a redirect to no URL", "/to-nonsense", "BadRedirect"],
  ["a redirect to 50 KB of URL", "/to-long", "BadRedirect"],
  ["a redirect to 100 KB of URL", "/to-100kb", "HeadersTooLarge"],
  ["a redirect to a private address", "/to-private", "PrivateAddress"],
  ["a redirect to the metadata of a cloud", "/to-metadata", "PrivateAddress"],
  ["a redirect to another port of this machine", "/to-other-port", "PrivateAddress"],
  ["a redirect to this machine written in hexadecimal", "/to-loopback-in-disguise", "PrivateAddress"],
  ["a redirect to this machine as a mapped address", "/to-mapped", "PrivateAddress"],
  ["a redirect with a query in UTF-8", "/to-umlaut", "200, 12 bytes"],

  ["no answer", "/silent", "Stalled"],
  ["no more after half a body", "/silent-body", "Stalled"],
  ["a body of five bytes a second", "/drip", "Timeout"],
  ["headers of five lines a second", "/drip-headers", "Stalled"],
  ["five chunks a second", "/drip-chunks", "Timeout"],

  ["10 GB in 10 MB of gzip", "/bomb/gzip", "TooLarge"],
  ["100 MB in 100 KB of deflate", "/bomb/deflate", "TooLarge"],
  ["100 MB in a few bytes of brotli", "/bomb/br", "TooLarge"],
  ["10 GB in 1 MB of zstd", "/bomb/zstd", "TooLarge"],
  ["endless gzip that comes to nothing", "/endless-empty-gzip", "TooLarge"],
  ["a page of 1 GB that says so", "/gigabyte", "TooLarge"],
  ["chunks without end", "/endless", "TooLarge"],
  ["a body without end or length", "/endless-untold", "TooLarge"],
  ["headers without end", "/endless-headers", "HeadersTooLarge"],
  ["a header without end", "/endless-header", "HeadersTooLarge"],
  ["a reason without end", "/endless-reason", "Stalled"],
  ["interim answers without end", "/endless-interim", "BadResponse"],
  ["trailers without end", "/endless-trailers", "HeadersTooLarge"],
  ["an extension of a chunk without end", "/endless-extension", "Stalled"],
  ["5000 cookies", "/cookie-flood", "HeadersTooLarge"],
  ["1000 cookies", "/cookies", "200, 2 bytes"],
  ["30 000 links", "/links", "200, 678890 bytes"],

  ["a body shorter than its length", "/short", "Truncated"],
  ["a body longer than its length", "/long", "200, 10 bytes"],
  ["two lengths", "/two-lengths", "BadResponse"],
  ["a negative length", "/negative-length", "BadResponse"],
  ["a length and chunks", "/length-and-chunks", "BadResponse"],
  ["a chunk with no size", "/bad-chunk", "BadResponse"],
  ["chunks without the last", "/unfinished-chunks", "Truncated"],
  ["content where there is none to be", "/no-content", "204, 0 bytes"],

  ["a reset before the answer", "/reset-before", "ConnectionReset"],
  ["a reset within the headers", "/reset-headers", "ConnectionReset"],
  ["a reset within the body", "/reset-body", "Truncated"],
  ["an empty answer", "/close-before", "ConnectionReset"],
  ["an end within the headers", "/close-headers", "ConnectionReset"],

  ["HTTP/0.9", "/http-0.9", "BadResponse"],
  ["a version that was not asked for", "/http-2", "200, 0 bytes"],
  ["garbage", "/garbage", "BadResponse"],
  ["a status that is no number", "/bad-status", "BadResponse"],
  ["another protocol that was not asked for", "/unasked-upgrade", "BadResponse"],
  ["a header name with control characters", "/bad-header-name", "BadResponse"],
  ["a header value with a zero byte", "/bad-header-value", "BadResponse"],
  ["headers called like parts of an object", "/proto-header", "200, 2 bytes"],

  ["gzip that is none", "/no-gzip", "BadEncoding"],
  ["gzip that is cut", "/cut-gzip", "BadEncoding"],
  ["garbage after gzip", "/gzip-and-garbage", "BadEncoding"],
  ["an encoding that nobody knows", "/unknown-encoding", "UnsupportedEncoding"],
  ["three encodings", "/many-encodings", "UnsupportedEncoding"],

  ["a scheme that is not fetched", "ftp://example.com/", "UnsupportedScheme"],
  ["what is no URL", "http://[nonsense", "InvalidUrl"],
  ["a URL that is too long once it is encoded", `http://example.com/${"\u00E4".repeat(1000)}`, "TooLongUrl"],
  ["a URL of 3000 characters", `http://example.com/${"a".repeat(3000)}`, "TooLongUrl"]
]

describe("HostileServer", () => {
  layer(both, { excludeTestServices: true })("one fetch", (it) => {
    for (const [behaviour, path, expected] of cases) {
      it.effect(`settles as ${expected} for ${behaviour}`, () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* outcome(path), expected)
        }))
    }
  })

  layer(both, { excludeTestServices: true })("memory and sockets", (it) => {
    it.effect("reads a page of 1 GB without holding it", () =>
      Effect.gen(function*() {
        const before = process.memoryUsage.rss()
        let highest = before
        const { url } = yield* Server
        const { fetch } = yield* Fetcher
        const fetched = yield* fetch(`${url}/gigabyte`, { maxBytes: 2 ** 31, timeout: "1 minute" })
        let bytes = 0
        yield* Stream.runForEach(fetched.body, (part) =>
          Effect.sync(() => {
            bytes += part.length
            highest = Math.max(highest, process.memoryUsage.rss())
          }))
        assert.strictEqual(bytes, 2 ** 30)
        assert.isBelow(highest - before, 150 * 2 ** 20)
      }))

    it.effect("holds little of a bomb that nobody reads on", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { fetch } = yield* Fetcher
        const codings = ["gzip", "br", "zstd"]
        // The server holds what it compresses, once.
        for (const coding of codings) yield* outcome(`/bomb/${coding}`)
        const before = heldBytes()
        for (const coding of codings) {
          const fetched = yield* fetch(`${url}/bomb/${coding}`, { maxBytes: 2 ** 40, timeout: "1 minute" })
          yield* Stream.runDrain(Stream.take(fetched.body, 1))
        }
        // Time enough to decode hundreds of megabytes.
        yield* Effect.sleep("500 millis")
        assert.isBelow(heldBytes() - before, 50 * 2 ** 20)
      }))

    it.effect("holds little of 200 answers full of cookies", () =>
      Effect.gen(function*() {
        yield* outcome("/cookies")
        const before = process.memoryUsage.rss()
        yield* Effect.forEach(Array.from({ length: 200 }), () => outcome("/cookies"), { concurrency: 4 })
        assert.isBelow(process.memoryUsage.rss() - before, 150 * 2 ** 20)
      }))

    it.effect("takes no more from a server than its reader does", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { fetch } = yield* Fetcher
        const fetched = yield* fetch(`${server.url}/gigabyte`, { maxBytes: 2 ** 31, timeout: "1 minute" })
        yield* Stream.runDrain(Stream.take(fetched.body, 1))
        yield* Effect.sleep("200 millis")
        assert.isBelow(server.bytesWritten(), 32 * 2 ** 20)
      }))

    it.effect("closes the connection of a body that was not read", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { fetch } = yield* Fetcher
        yield* Effect.scoped(fetch(`${server.url}/endless`))
        yield* until(() => server.isClosed("/endless"))
      }))
  })

  describe("all at once", () => {
    it.live("settles every fetch, and leaves no connection open", () =>
      Effect.gen(function*() {
        const server = yield* hostileServer
        const outcomes = yield* Effect.forEach(
          cases,
          ([behaviour, path, expected]) => Effect.map(outcome(path), (found) => ({ behaviour, expected, found })),
          { concurrency: 16 }
        ).pipe(
          Effect.provide(Layer.provideMerge(fetcher, Layer.succeed(Server, server)))
        )
        assert.deepStrictEqual(
          outcomes.filter(({ expected, found }) => found !== expected && found !== "Timeout"),
          []
        )
        yield* until(() => server.openSockets() === 0)
      }))
  })
})
