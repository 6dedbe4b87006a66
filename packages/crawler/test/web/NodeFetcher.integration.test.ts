import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Layer, Schedule, Stream } from "effect"
import * as AddressGuard from "effect-crawler/web/AddressGuard"
import { type FetchOptions, text } from "effect-crawler/web/Fetcher"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import { createServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server as Listener } from "node:net"
import { certificate, key } from "./certificate.ts"
import { type HostileServer, hostileServer } from "./hostileServer.ts"

class Server extends Context.Service<Server, HostileServer>()("test/Server") {}

const both = Layer.effect(Server, hostileServer)

const fetcherOf = (options: NodeFetcher.Options = {}) =>
  Effect.flatMap(
    Server,
    ({ url }) => NodeFetcher.make({ addressGuard: AddressGuard.make({ startUrls: [url] }), ...options })
  )

const whole = <E>(stream: Stream.Stream<string, E>) => Stream.mkString(stream)

/** What a fetch of a path came to, with its text. */
const fetched = Effect.fnUntraced(function*(path: string, options?: FetchOptions, how?: NodeFetcher.Options) {
  const { url } = yield* Server
  const fetcher = yield* fetcherOf(how)
  const fetched = yield* fetcher.fetch(url + path, options)
  return { ...fetched, text: yield* whole(text(fetched)) }
})

const lastHead = Effect.map(Server, ({ requests }) => requests.at(-1)!.head.toLowerCase())

/** Waits for what is bound to happen, on the clock of the sockets. */
const until = (condition: () => boolean) =>
  Effect.suspend(() => condition() ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry({ schedule: Schedule.spaced("5 millis"), times: 200 })
  )

/** Names that resolve to what a test says. */
const resolving =
  (names: Readonly<Record<string, ReadonlyArray<string>>>): NodeFetcher.Options["lookup"] => (hostname, _, done) => {
    const addresses = names[hostname]
    if (addresses === undefined) {
      return done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: "ENOTFOUND" }), [])
    }
    done(null, addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))
  }

const reasonOf = (url: string, options: NodeFetcher.Options = {}) =>
  Effect.gen(function*() {
    const { fetch } = yield* NodeFetcher.make({ connectTimeout: "300 millis", timeout: "2 seconds", ...options })
    return yield* Effect.flip(fetch(url))
  }).pipe(Effect.scoped)

describe("NodeFetcher", () => {
  layer(both, { excludeTestServices: true })("an answer", (it) => {
    it.effect("says what was asked for, where it came from, and what it is", () =>
      Effect.gen(function*() {
        const { port, url } = yield* Server
        const found = yield* fetched("/missing")
        assert.strictEqual(found.requestedUrl, `${url}/missing`)
        assert.strictEqual(found.url, `http://127.0.0.1:${port}/missing`)
        assert.deepStrictEqual(found.redirects, [])
        assert.strictEqual(found.status, 404)
        assert.deepStrictEqual(found.contentType, { mediaType: "text/html", charset: undefined })
        assert.deepStrictEqual(found.retryAfter, Duration.seconds(7))
        assert.isBelow(Duration.toMillis(found.latency), 1000)
        assert.isAbove(Duration.toMillis(found.latency), 0)
        assert.isFalse(found.isBodySkipped)
        assert.strictEqual(found.headers["content-length"], "4")
        assert.strictEqual(found.text, "gone")
      }))

    it.effect("keeps the list of redirects, without credentials and fragments", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const found = yield* fetched("/moved-twice#here")
        assert.strictEqual(found.requestedUrl, `${url}/moved-twice`)
        assert.strictEqual(found.url, `${url}/page`)
        assert.deepStrictEqual(found.redirects, [
          { from: `${url}/moved-twice`, status: 302, to: `${url}/moved` },
          { from: `${url}/moved`, status: 302, to: `${url}/page` }
        ])
        const secret = yield* fetched("/to-credentials")
        assert.strictEqual(secret.url, `${url}/page`)
        assert.notInclude(yield* lastHead, "authorization")
      }))

    it.effect("reads a target that is written in UTF-8 as that", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        assert.strictEqual((yield* fetched("/to-umlaut")).url, `${url}/page?%C3%A4`)
      }))

    it.effect("has no Set-Cookie among its headers, and what a server calls __proto__ does no harm", () =>
      Effect.gen(function*() {
        assert.isUndefined((yield* fetched("/cookies")).headers["set-cookie"])
        const { headers } = yield* fetched("/proto-header")
        assert.strictEqual(Object.getPrototypeOf(headers), null)
        assert.strictEqual(Reflect.get({}, "polluted"), undefined)
      }))

    it.effect("has no body where its type is not wanted, and says so", () =>
      Effect.gen(function*() {
        const image = yield* fetched("/image")
        assert.isTrue(image.isBodySkipped)
        assert.strictEqual(image.text, "")
        assert.strictEqual((yield* fetched("/small-image", { contentTypes: ["image/*"] })).text.length, 100)
        assert.strictEqual((yield* fetched("/small-image", { contentTypes: "any" })).text.length, 100)
        assert.isTrue((yield* fetched("/page", { contentTypes: ["image/*", "text/plain"] })).isBodySkipped)
      }))

    it.effect("keeps the connection after a small body that is not wanted, and closes it after a large one", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { fetch } = yield* fetcherOf({ maxConnectionsPerOrigin: 1 })
        const before = server.openSockets()
        yield* fetch(`${server.url}/small-image?kept`)
        yield* fetch(`${server.url}/page`)
        assert.isFalse(server.isClosed("/small-image?kept"))
        assert.strictEqual(server.openSockets(), before + 1)
        yield* Effect.scoped(fetch(`${server.url}/image?closed`))
        yield* fetch(`${server.url}/page`)
        assert.isTrue(server.isClosed("/image?closed"))
        yield* fetch(`${server.url}/chunked-image?kept`)
        yield* fetch(`${server.url}/page`)
        assert.isFalse(server.isClosed("/chunked-image?kept"))
        // It is let through until it shows to be large, while its fetch goes on.
        yield* fetch(`${server.url}/endless-image?closed`)
        yield* fetch(`${server.url}/page`)
        assert.isTrue(server.isClosed("/endless-image?closed"))
      }))

    it.effect("is asked for without its body by HEAD", () =>
      Effect.gen(function*() {
        const found = yield* fetched("/head", { method: "HEAD" })
        assert.strictEqual(found.status, 200)
        assert.isTrue(found.isBodySkipped)
        assert.strictEqual(found.headers["content-length"], "12")
        assert.match(yield* lastHead, /^head \/head http\/1\.1/)
      }))

    it.effect("is unpacked where it is a gzip file and that is wanted", () =>
      Effect.gen(function*() {
        const any = { contentTypes: "any" } as const
        assert.strictEqual((yield* fetched("/gzip-file", { ...any, unpackGzip: true })).text, "<p>hello</p>")
        assert.notStrictEqual((yield* fetched("/gzip-file", any)).text, "<p>hello</p>")
        // What is none is left as it is, and an encoding is undone first.
        assert.strictEqual((yield* fetched("/page", { unpackGzip: true })).text, "<p>hello</p>")
        assert.strictEqual((yield* fetched("/gzip", { unpackGzip: true })).text, "<p>hello</p>")
      }))

    it.effect("has its malformed bytes and unknown character sets replaced", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* fetched("/broken-utf8")).text, "a\uFFFD\uFFFD(b")
        assert.strictEqual((yield* fetched("/wrong-label")).text, "äö")
      }))
  })

  layer(both, { excludeTestServices: true })("a request", (it) => {
    it.effect("names who asks, what is wanted, and what is understood", () =>
      Effect.gen(function*() {
        yield* fetched("/page")
        const head = yield* lastHead
        assert.match(head, /\r\nuser-agent: conveyor\/\d+\.\d+\.\d+\r\n/)
        assert.include(head, "\r\naccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.1\r\n")
        assert.include(head, "\r\naccept-encoding: gzip, deflate, br, zstd\r\n")
        assert.notInclude(head, "cookie")
        yield* fetched("/page", { headers: { "X-One": "1" } }, {
          userAgent: "examplebot/2 (+https://example.com/bot)",
          headers: { "Accept-Language": "de" },
          accept: "text/plain"
        })
        const second = yield* lastHead
        assert.include(second, "\r\nuser-agent: examplebot/2 (+https://example.com/bot)\r\n")
        assert.include(second, "\r\naccept-language: de\r\n")
        assert.include(second, "\r\naccept: text/plain\r\n")
        assert.include(second, "\r\nx-one: 1\r\n")
      }))

    it.effect("dies of a header that cannot be sent", () =>
      Effect.gen(function*() {
        for (const headers of [{ "a b": "c" }, { a: "b\nc: d" }]) {
          assert.isTrue(Exit.hasDies(yield* Effect.exit(fetcherOf({ headers }))))
          assert.isTrue(Exit.hasDies(yield* Effect.exit(fetched("/page", { headers }))))
        }
      }))

    it.effect("does not take its own headers along to another origin", () =>
      Effect.gen(function*() {
        const { port, url } = yield* Server
        const other = yield* redirectingTo(`http://localhost:${port}/page`)
        const { fetch } = yield* fetcherOf({
          addressGuard: AddressGuard.make({ allowPrivate: true }),
          headers: { "x-both": "1" }
        })
        yield* fetch(other, { headers: { "x-secret": "1" } })
        assert.notInclude(yield* lastHead, "x-secret")
        assert.include(yield* lastHead, "x-both")
        yield* fetch(`${url}/moved`, { headers: { "x-secret": "1" } })
        assert.include(yield* lastHead, "x-secret")
      }))

    it.effect("has cookies only where they are kept, and only those of its host", () =>
      Effect.gen(function*() {
        const { port, url } = yield* Server
        yield* Effect.gen(function*() {
          const { fetch } = yield* fetcherOf()
          yield* fetch(`${url}/sets-cookie`)
          yield* fetch(`${url}/page`)
          assert.notInclude(yield* lastHead, "cookie")
        })
        const { fetch } = yield* fetcherOf({
          keepCookies: true,
          addressGuard: AddressGuard.make({ allowPrivate: true })
        })
        yield* fetch(`${url}/sets-cookie`)
        yield* fetch(`${url}/page`)
        assert.include(yield* lastHead, "\r\ncookie: a=1; b=2\r\n")
        yield* fetch(`http://localhost:${port}/page`)
        assert.notInclude(yield* lastHead, "cookie")
      }))

    it.effect("keeps at most 50 cookies of a host, the newest", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { fetch } = yield* fetcherOf({ keepCookies: true })
        yield* fetch(`${url}/cookies`)
        yield* fetch(`${url}/page`)
        const cookies = /\r\ncookie: (.*)\r\n/.exec(yield* lastHead)![1]!.split("; ")
        assert.strictEqual(cookies.length, 50)
        assert.strictEqual(cookies.at(-1), "c999=v")
        yield* fetch(`${url}/sets-cookie`)
        yield* fetch(`${url}/page`)
        const later = /\r\ncookie: (.*)\r\n/.exec(yield* lastHead)![1]!.split("; ")
        assert.deepStrictEqual([later.length, ...later.slice(-2)], [50, "a=1", "b=2"])
      }))

    it.effect("may redirect to itself where cookies are kept, until there are too many redirects", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { fetch } = yield* fetcherOf({ keepCookies: true })
        assert.strictEqual((yield* Effect.flip(fetch(`${url}/self`))).reason, "TooManyRedirects")
      }))

    it.effect("asks before each hop, and ends as the answer says", () =>
      Effect.gen(function*() {
        const { requests, url } = yield* Server
        const { fetch } = yield* fetcherOf()
        const hops: Array<string> = []
        const failure = yield* Effect.flip(fetch(`${url}/chain/0`, {
          beforeHop: (to, from) => {
            hops.push(`${from.pathname} → ${to.pathname}`)
            return to.pathname === "/chain/3" ? Effect.fail("out of scope" as const) : Effect.void
          }
        }))
        assert.strictEqual(failure, "out of scope")
        assert.deepStrictEqual(hops, ["/chain/0 → /chain/1", "/chain/1 → /chain/2", "/chain/2 → /chain/3"])
        assert.strictEqual(requests.at(-1)!.path, "/chain/2")
      }))

    it.effect("follows as many redirects as it may", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fetched("/moved-twice", { maxRedirects: 1 }))
        assert.strictEqual(error.reason, "TooManyRedirects")
        assert.strictEqual((yield* fetched("/moved-twice", { maxRedirects: 2 })).status, 200)
        assert.strictEqual((yield* Effect.flip(fetched("/moved", {}, { maxRedirects: 0 }))).reason, "TooManyRedirects")
      }))

    it.effect("ends with its connection when it is interrupted", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { fetch } = yield* fetcherOf()
        const fiber = yield* Effect.forkChild(fetch(`${server.url}/silent?interrupted`), { startImmediately: true })
        yield* until(() => server.requests.some(({ path }) => path === "/silent?interrupted"))
        yield* Fiber.interrupt(fiber)
        yield* until(() => server.isClosed("/silent?interrupted"))
      }))

    it.effect("waits for one of the connections that an origin may have", () =>
      Effect.gen(function*() {
        const { requests, url } = yield* Server
        const { fetch } = yield* fetcherOf({ maxConnectionsPerOrigin: 2, timeout: "300 millis" })
        const errors = yield* Effect.forEach(
          Array.from({ length: 6 }),
          () => Effect.flip(Effect.scoped(fetch(`${url}/silent?two`))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(errors.every(({ reason }) => reason === "Timeout"), true)
        assert.strictEqual(requests.filter(({ path }) => path === "/silent?two").length, 2)
      }))
  })

  layer(both, { excludeTestServices: true })("a limit", (it) => {
    it.effect("lets through exactly as many bytes as it says", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* fetched("/gzip", { maxBytes: 32 })).text, "<p>hello</p>")
        assert.strictEqual((yield* fetched("/page", { maxBytes: 12 })).text, "<p>hello</p>")
        const error = yield* Effect.flip(fetched("/page", {}, { maxBytes: 11 }))
        assert.strictEqual(error.reason, "TooLarge")
        assert.match(
          error.detail,
          /larger than 11 bytes as sent, by its Content-Length of 12; to read it, raise maxBytes$/
        )
      }))

    it.effect("gives what was read before it is reached", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { fetch } = yield* fetcherOf({ maxBytes: 2 ** 20 })
        const { body } = yield* fetch(`${url}/bomb/gzip`)
        let bytes = 0
        const error = yield* Effect.flip(Stream.runForEach(body, (part) =>
          Effect.sync(() => {
            bytes += part.length
          })))
        assert.strictEqual(error.reason, "TooLarge")
        assert.isAbove(bytes, 2 ** 19)
        assert.isAtMost(bytes, 2 ** 20)
      }))

    it.effect("counts the time that reading takes", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { fetch } = yield* fetcherOf({ timeout: "200 millis" })
        const { body } = yield* fetch(`${url}/endless`)
        const slowly = Stream.runForEach(body, () => Effect.sleep("150 millis"))
        assert.strictEqual((yield* Effect.flip(slowly)).reason, "Timeout")
        const stuck = yield* fetch(`${url}/silent-body`)
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(stuck.body))).reason, "Timeout")
      }))

    it.effect("says nothing of credentials, and shortens what is long", () =>
      Effect.gen(function*() {
        const { fetch } = yield* fetcherOf()
        const error = yield* Effect.flip(fetch(`http://user:secret@example.com/${"a".repeat(100_000)}`))
        assert.strictEqual(error.reason, "TooLongUrl")
        assert.notInclude(error.message, "secret")
        assert.isBelow(error.message.length, 600)
      }))
  })

  describe("what is connected to", () => {
    it.live("is checked after the name was looked up", () =>
      Effect.gen(function*() {
        const server = yield* hostileServer
        const url = `http://rebound.example:${server.port}/page`
        for (const addresses of [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["::ffff:7f00:1"]]) {
          const error = yield* reasonOf(url, { lookup: resolving({ "rebound.example": addresses }) })
          assert.strictEqual(error.reason, "PrivateAddress", addresses.join())
          assert.include(error.detail, `rebound.example resolves to ${addresses.at(-1)}`)
        }
        assert.deepStrictEqual(server.requests, [])
      }))

    it.live("is opened by name and port only", () =>
      Effect.gen(function*() {
        const server = yield* hostileServer
        const lookup = resolving({ "intranet": ["127.0.0.1"], "www.example": ["127.0.0.1"] })
        const { fetch } = yield* NodeFetcher.make({
          lookup,
          addressGuard: AddressGuard.make({ startUrls: [`http://intranet:${server.port}/`] })
        })
        assert.strictEqual((yield* fetch(`http://intranet:${server.port}/page`)).status, 200)
        for (const url of [`http://127.0.0.1:${server.port}/`, `http://www.example:${server.port}/`]) {
          assert.strictEqual((yield* Effect.flip(fetch(url))).reason, "PrivateAddress", url)
        }
      }))

    it.live("may be all of the network where it is allowed, but for what hands out credentials", () =>
      Effect.gen(function*() {
        const server = yield* hostileServer
        const addressGuard = AddressGuard.make({ allowPrivate: true })
        const lookup = resolving({ "meta.example": ["169.254.169.254"] })
        const { fetch } = yield* NodeFetcher.make({ addressGuard, lookup })
        assert.strictEqual((yield* fetch(`${server.url}/page`)).status, 200)
        assert.strictEqual((yield* Effect.flip(fetch("http://meta.example/"))).reason, "PrivateAddress")
      }))

    it.live("fails with what is the matter where nothing answers", () =>
      Effect.gen(function*() {
        const unused = yield* unusedPort
        const local = { addressGuard: AddressGuard.make({ allowPrivate: true }) }
        const refused = yield* reasonOf(`http://127.0.0.1:${unused}/`, local)
        assert.strictEqual(refused.reason, "ConnectionRefused")
        assert.isTrue(refused.isTransient)
        // Several addresses that all refuse are one refusal.
        const lookup = resolving({ "two.example": ["127.0.0.1", "127.0.0.2"] })
        assert.strictEqual(
          (yield* reasonOf(`http://two.example:${unused}/`, { ...local, lookup })).reason,
          "ConnectionRefused"
        )
        const unknown = yield* reasonOf("http://nowhere.example/", { lookup: resolving({}) })
        assert.strictEqual(unknown.reason, "UnknownHost")
        assert.isFalse(unknown.isTransient)
        const failing: NodeFetcher.Options["lookup"] = (_, __, done) =>
          done(Object.assign(new Error("getaddrinfo EAI_AGAIN"), { code: "EAI_AGAIN" }), [])
        assert.strictEqual((yield* reasonOf("http://a.example/", { lookup: failing })).reason, "DnsFailed")
        const never: NodeFetcher.Options["lookup"] = () => {}
        assert.strictEqual((yield* reasonOf("http://a.example/", { lookup: never })).reason, "ConnectTimeout")
        assert.strictEqual(
          (yield* reasonOf("http://a.example/", { lookup: (_, __, done) => done(null, []) })).reason,
          "Unreachable"
        )
      }))

    it.live("speaks TLS where that is asked for, with certificates that are trusted", () =>
      Effect.gen(function*() {
        const port = yield* secureServer
        const addressGuard = AddressGuard.make({ startUrls: [`https://localhost:${port}`] })
        const { fetch } = yield* NodeFetcher.make({ addressGuard, certificateAuthorities: certificate })
        assert.strictEqual(yield* whole(text(yield* fetch(`https://localhost:${port}/`))), "secure")
        assert.strictEqual((yield* reasonOf(`https://localhost:${port}/`, { addressGuard })).reason, "Tls")
        const plain = yield* hostileServer
        const local = { addressGuard: AddressGuard.make({ allowPrivate: true }) }
        assert.strictEqual((yield* reasonOf(`https://127.0.0.1:${plain.port}/`, local)).reason, "ConnectTimeout")
        const chatty = yield* chattyServer
        assert.strictEqual((yield* reasonOf(`https://127.0.0.1:${chatty}/`, local)).reason, "Tls")
        const toTls = yield* reasonOf(`http://localhost:${port}/`, local)
        assert.include(["BadResponse", "ConnectionReset"], toTls.reason)
      }))

    it.live("is let go of when the Fetcher is", () =>
      Effect.gen(function*() {
        const server = yield* hostileServer
        yield* Effect.gen(function*() {
          const { fetch } = yield* NodeFetcher.make({ addressGuard: AddressGuard.make({ startUrls: [server.url] }) })
          yield* fetch(`${server.url}/page`)
          yield* fetch(`${server.url}/endless`)
          assert.strictEqual(server.openSockets(), 2)
        }).pipe(Effect.scoped)
        yield* until(() => server.openSockets() === 0)
      }))
  })

  describe("make", () => {
    it.effect("refuses options that are out of range, by name", () =>
      Effect.gen(function*() {
        for (
          const [options, message] of [
            [{ maxBytes: 0 }, "NodeFetcher.make: maxBytes must be a whole number >= 1, got 0"],
            [{ maxRedirects: -1 }, "NodeFetcher.make: maxRedirects must be a whole number >= 0, got -1"],
            [
              { maxConnectionsPerOrigin: 1.5 },
              "NodeFetcher.make: maxConnectionsPerOrigin must be a whole number >= 1, got 1.5"
            ],
            [{ timeout: 0 }, "NodeFetcher.make: timeout must be finite and > 0, got 0"],
            [{ silenceTimeout: "Infinity" }, "NodeFetcher.make: silenceTimeout must be finite and > 0, got Infinity"]
          ] as const
        ) {
          const defect = yield* Effect.scoped(NodeFetcher.make(options)).pipe(
            Effect.as("made"),
            Effect.catchDefect((defect) => Effect.succeed(String(defect)))
          )
          assert.strictEqual(defect, `RangeError: ${message}`)
        }
      }))
  })
})

const listening = (server: Listener, kill: () => void = () => {}) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        kill()
        server.close()
      })
  )

const redirectingTo = (location: string) =>
  Effect.map(
    listening(createTcpServer((socket) => {
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    })),
    (port) => `http://127.0.0.1:${port}/`
  )

const secureServer = Effect.suspend(() => {
  const server = createServer({ cert: certificate, key }, (_, response) => response.end("secure"))
  return listening(server, () => server.closeAllConnections())
})

/** Says at once what no TLS server says. */
const chattyServer = Effect.suspend(() =>
  listening(createTcpServer((socket) => socket.end("220 mail.example ready\r\n")))
)

const unusedPort = Effect.scoped(Effect.suspend(() => listening(createTcpServer())))
