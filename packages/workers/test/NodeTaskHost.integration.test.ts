import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import * as NodeRemoteHosts from "effect-workers/NodeRemoteHosts"
import * as NodeTaskHost from "effect-workers/NodeTaskHost"
import { WorkerHost } from "effect-workers/WorkerHost"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, statSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { requires } from "../../../test/support/requires.ts"
import { makeAuthority } from "./support/certificates.ts"
import * as ChaosProxy from "./support/chaosProxy.ts"
import { secret } from "./support/remote.ts"
import { call, make as scripted, succeeded } from "./support/scriptedHost.ts"

/** A host of scripted workers, and what it has told. */
const hosting = (options: Partial<NodeTaskHost.Options> = {}, script: Parameters<typeof scripted>[0] = {}) =>
  Effect.gen(function*() {
    const { host, workers } = scripted(script)
    const events: Array<NodeTaskHost.TaskHostEvent> = []
    const taskHost = yield* NodeTaskHost.make({
      listen: "tcp://127.0.0.1:0",
      secret,
      tell: (event) => Effect.sync(() => events.push(event)),
      ...options
    }).pipe(Effect.provideService(WorkerHost, WorkerHost.of(host)))
    return { ...taskHost, workers, events }
  })

const starting = (
  addresses: Parameters<typeof NodeRemoteHosts.layer>[0],
  options: NodeRemoteHosts.Options = {},
  receive: (batch: ReadonlyArray<any>) => void = () => {}
) =>
  Effect.gen(function*() {
    const { start } = yield* Effect.provide(WorkerHost, NodeRemoteHosts.layer(addresses, { secret, ...options }))
    const scope = yield* Scope.fork(yield* Effect.scope)
    const link = yield* Scope.provide(start({ name: "worker-1", encoded: true, receive }), scope)
    return { link, close: Scope.close(scope, Exit.void) }
  })

const refusal = (...args: Parameters<typeof starting>) =>
  Effect.map(Effect.flip(starting(...args)), ({ detail, reason }) => ({ reason, detail }))

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), until(holds)))

/** Sends a host bytes and gives what came back by the time it has closed. */
const say = (address: string, ...parts: ReadonlyArray<Uint8Array | string>) =>
  Effect.callback<{ readonly bytes: number; readonly millis: number; readonly text: string }>((resume) => {
    const [, host, port] = /:\/\/(.*):(\d+)$/.exec(address)!
    const begun = performance.now()
    const socket = connect({ host: host!, port: Number(port) })
    let bytes = Buffer.alloc(0)
    socket.on("connect", () => parts.forEach((part) => socket.write(part)))
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
    })
    socket.on("error", () => {})
    socket.on(
      "close",
      () => resume(Effect.succeed({ bytes: bytes.length, text: String(bytes), millis: performance.now() - begun }))
    )
    return Effect.sync(() => socket.destroy())
  })

const wrong = Redacted.make("another secret of the tests")

describe.each(["tcp", "ws", "unix"] as const)("NodeTaskHost over %s", (scheme) => {
  const listen = scheme === "unix" ? `unix://${tmpdir()}/conveyor-${process.pid}-host.sock` : `${scheme}://127.0.0.1:0`

  it.live("gives a worker to who knows the secret, and what crosses is whole", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ listen })
      const received: Array<any> = []
      const { link } = yield* starting(host.address, {}, (batch) => received.push(...batch))
      assert.deepStrictEqual(link.details, { pid: 11, threadId: 12, address: host.address })
      const large = randomBytes(3_000_000)
      link.post([call(1, "ä"), call(2, large)])
      yield* until(() => host.workers[0]!.posted.length === 2)
      const payload = host.workers[0]!.posted[1]![3] as Uint8Array
      assert.isTrue(large.equals(payload))
      host.workers[0]!.post(succeeded(1, "ü"), succeeded(2, payload))
      yield* until(() => received.length === 2)
      assert.isTrue(large.equals(received[1][3]))
      yield* link.kill
      assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal: "SIGKILL" })
    }))

  it.live("gives none to who knows another, and nothing of a worker is begun", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ listen })
      assert.deepStrictEqual(yield* refusal(host.address, { secret: wrong }), {
        reason: "Unauthorized",
        detail: "the host does not accept the secret"
      })
      assert.deepStrictEqual(host.workers, [])
      assert.strictEqual(host.events[0]?._tag, "Rejected")
    }))

  it.live("ends a worker whose queue lets it go, and has room again", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ listen, maxWorkers: 1 })
      const { close } = yield* starting(host.address)
      assert.deepStrictEqual(yield* refusal(host.address), {
        reason: "Full",
        detail: "the host runs as many workers as it may"
      })
      yield* close
      yield* Effect.repeat(host.stats, { until: ({ workers }) => workers === 0 })
      assert.deepStrictEqual(host.workers[0]!.done, ["kill"])
      yield* starting(host.address)
      assert.strictEqual(host.workers.length, 2)
    }))

  it.live("is not reachable when it is gone, and takes its workers along", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const host = yield* Scope.provide(hosting({ listen }), scope)
      const { link } = yield* starting(host.address)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* link.ended)._tag, "Disconnected")
      assert.deepStrictEqual(host.workers[0]!.done, ["kill"])
      assert.strictEqual((yield* refusal(host.address)).reason, "Unreachable")
    }))
})

requires("openssl")("NodeTaskHost with certificates", () => {
  it.live.each(["tls", "wss"])(
    "serves over %s who has one of its authority, and nobody else",
    (scheme) =>
      Effect.gen(function*() {
        const ours = yield* makeAuthority
        const theirs = yield* makeAuthority
        const host = yield* hosting({
          listen: `${scheme}://127.0.0.1:0`,
          secret: undefined,
          tls: { ...ours.sign("host"), ca: ours.ca }
        })
        const none = { secret: undefined }
        yield* starting(host.address, { ...none, tls: { ...ours.sign("queue"), ca: ours.ca } })
        for (
          const tls of [
            { ca: ours.ca },
            { ...ours.sign("queue2"), ca: theirs.ca },
            { ...ours.sign("queue3"), ca: ours.ca, serverName: "another" },
            {}
          ]
        ) {
          const { detail, reason } = yield* refusal(host.address, { ...none, tls })
          assert.strictEqual(reason, "Unauthorized", detail)
        }
        const stranger = { ...theirs.sign("queue"), ca: ours.ca }
        const { detail, reason } = yield* refusal(host.address, { ...none, tls: stranger })
        assert.strictEqual(reason, "Unreachable")
        assert.match(detail, / \(it may not accept our certificate\)$/)
        assert.strictEqual(host.workers.length, 1)
      })
  )

  it.live("asks for the secret, too, where it has one", () =>
    Effect.gen(function*() {
      const { ca, sign } = yield* makeAuthority
      const host = yield* hosting({ listen: "tls://127.0.0.1:0", tls: sign("host") })
      yield* starting(host.address, { tls: { ca } })
      assert.strictEqual((yield* refusal(host.address, { tls: { ca }, secret: wrong })).reason, "Unauthorized")
      assert.strictEqual((yield* refusal(host.address, { tls: { ca }, secret: undefined })).reason, "Unauthorized")
    }))

  it.live("does not listen with what is no certificate, or with the key of another", () =>
    Effect.gen(function*() {
      const { sign } = yield* makeAuthority
      const { cert } = sign("host")
      for (const tls of [{ cert, key: sign("other").key }, { cert: "nonsense", key: wrong }]) {
        const error = yield* Effect.flip(hosting({ listen: "tls://127.0.0.1:0", tls }))
        assert.strictEqual(error.reason, "Certificate")
        assert.notInclude(error.message, Redacted.value(tls.key))
      }
    }))

  it.live("closes who does not finish the handshake of TLS", () =>
    Effect.gen(function*() {
      const { sign } = yield* makeAuthority
      const host = yield* hosting({ listen: "tls://127.0.0.1:0", tls: sign("host"), handshakeTimeout: "300 millis" })
      const { bytes, millis } = yield* say(host.address, Uint8Array.of(22, 3, 1))
      assert.strictEqual(bytes, 0)
      assert.isBelow(millis, 3000)
    }))
})

describe("NodeTaskHost and strangers", () => {
  it.live("says 38 bytes and no more to who says nothing, until the deadline", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ handshakeTimeout: "200 millis" })
      const { bytes, millis } = yield* say(host.address)
      assert.strictEqual(bytes, 38)
      assert.isAtLeast(millis, 190)
      assert.strictEqual(host.events[0]?._tag === "Rejected" && host.events[0].detail, "it did not answer in time")
    }))

  it.live("does not let the deadline be put off by a byte now and then", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ handshakeTimeout: "300 millis" })
      const proxy = yield* ChaosProxy.make(host.address)
      proxy.piece = 1
      proxy.delay = 40
      const dripping = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 40 }), () => Effect.sleep("40 millis"), { discard: true })
      )
      const { millis } = yield* say(proxy.address, Buffer.from("CNVW"))
      assert.isBelow(millis, 2000)
      yield* Fiber.interrupt(dripping)
    }))

  it.live("closes at once who speaks something else, and lives on", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ handshakeTimeout: "30 seconds" })
      for (const garbage of ["GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001", randomBytes(1000), randomBytes(70)]) {
        const { bytes } = yield* say(host.address, garbage)
        assert.isAtMost(bytes, 38)
      }
      assert.isAtLeast(host.events.filter(({ _tag }) => _tag === "Rejected").length, 4)
      yield* starting(host.address)
      assert.deepStrictEqual(host.workers.length, 1)
    }))

  it.live("holds no more connections than it may have workers and handshakes", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ maxWorkers: 1, maxHandshakes: 3, handshakeTimeout: "1 second" })
      const said = yield* Effect.forEach(Array.from({ length: 12 }), () => say(host.address), {
        concurrency: "unbounded"
      })
      assert.strictEqual(said.filter(({ bytes }) => bytes > 0).length, 4)
      yield* starting(host.address)
    }))

  it.live("tells a browser that this is no page, and takes no request without an end", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ listen: "ws://127.0.0.1:0", handshakeTimeout: "300 millis" })
      assert.match((yield* say(host.address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).text, /^HTTP\/1.1 426 /)
      assert.match(
        (yield* say(
          host.address,
          "GET /other HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
        )).text,
        /^HTTP\/1.1 400 /
      )
      const { millis } = yield* say(host.address, "GET / HTTP/1.1\r\nhost: a\r\n")
      assert.isBelow(millis, 5000)
    }))

  it.live("closes a WebSocket that announces a large message before it is known", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ listen: "ws://127.0.0.1:0", handshakeTimeout: "30 seconds" })
      const upgrade = "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
        "sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
      // A masked binary message of a gibibyte.
      const header = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4)
      const { text } = yield* say(host.address, upgrade, header)
      assert.match(text, /^HTTP\/1.1 101 /)
      yield* until(() => host.events.length > 0)
      assert.strictEqual(host.events[0]!._tag, "Rejected")
    }))
})

describe("NodeTaskHost and its address", () => {
  it.live("says that an address is taken", () =>
    Effect.gen(function*() {
      const { address } = yield* hosting()
      const error = yield* Effect.flip(hosting({ listen: address }))
      assert.strictEqual(error.reason, "Unavailable")
      assert.match(error.message, /^cannot listen on tcp:\/\/127.0.0.1:\d+: .*EADDRINUSE/)
    }))

  it.live("takes the socket over that a killed host left behind, and no other", () =>
    Effect.gen(function*() {
      const path = `${tmpdir()}/conveyor-${process.pid}-stale.sock`
      const killed = `require("net").createServer().listen("${path}", () => process.kill(process.pid, "SIGKILL"))`
      spawnSync(process.execPath, ["-e", killed])
      assert.isTrue(existsSync(path))
      const first = yield* hosting({ listen: `unix://${path}` })
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual((yield* Effect.flip(hosting({ listen: first.address }))).reason, "Unavailable")
      assert.isTrue(existsSync(path))
    }))

  it.effect("dies of options that make no sense, and says which", () =>
    Effect.gen(function*() {
      for (
        const [options, text] of [
          [{ listen: "7000" }, "listen must be tcp://HOST:PORT"],
          [{ secret: undefined }, "needs a secret, or certificates of both sides"],
          [
            { secret: undefined, listen: "tcp://0.0.0.0:0", unauthenticated: "allowLocally" },
            "can be reached from elsewhere"
          ],
          [{ secret: Redacted.make("short") }, "a secret has at least 16 characters, got 5"],
          [{ listen: "tls://127.0.0.1:0" }, "needs a certificate and its key"],
          [{ maxWorkers: 0 }, "maxWorkers must be a whole number >= 1, got 0"],
          [{ maxFrameBytes: 100 }, "maxFrameBytes must be a whole number >= 1024, got 100"],
          [{ maxFrameBytes: 2 ** 31 }, "maxFrameBytes must be <= 2147483647"],
          [{ maxWaitingBytes: 5000 }, "maxWaitingBytes must be a whole number >= 67108864, got 5000"],
          [{ lostAfter: "1 second" }, "lostAfter must be >= heartbeatInterval, 5s, got 1s"],
          [{ grace: 0 }, "grace must be > 0 and finite, got 0"]
        ] as const
      ) {
        const exit = yield* Effect.exit(hosting(options))
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.include(String(defect), "NodeTaskHost.make: ")
        assert.include(String(defect), text)
      }
    }))
})

describe("NodeRemoteHosts", () => {
  it.live("gives up on who accepts and says nothing", () =>
    Effect.gen(function*() {
      const server = createServer()
      yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
      const { port } = server.address() as { readonly port: number }
      assert.deepStrictEqual(yield* refusal(`tcp://127.0.0.1:${port}`, { connectTimeout: "200 millis" }), {
        reason: "Unreachable",
        detail: "nobody answered in time"
      })
      server.close()
    }))

  it.live("starts where fewest are, passes over who is gone or full, and comes back", () =>
    Effect.gen(function*() {
      const one = yield* hosting({ maxWorkers: 2 })
      const two = yield* hosting({ maxWorkers: 2 })
      const scope = yield* Scope.make()
      const gone = (yield* Scope.provide(hosting(), scope)).address
      yield* Scope.close(scope, Exit.void)
      const { start } = yield* Effect.provide(
        WorkerHost,
        NodeRemoteHosts.layer([gone, one.address, two.address], { secret })
      )
      const next = (name: string) => start({ name, encoded: true, receive: () => {} })
      for (const name of ["a", "b", "c", "d"]) yield* next(name)
      assert.deepStrictEqual([one, two].map(({ workers }) => workers.map(({ name }) => name)), [["a", "c"], ["b", "d"]])
      const error = yield* Effect.flip(next("e"))
      assert.include(["Full", "Unreachable"], error.reason)
    }))

  it.live("hears a host whose bytes come one by one", () =>
    Effect.gen(function*() {
      const host = yield* hosting()
      const proxy = yield* ChaosProxy.make(host.address)
      proxy.piece = 1
      const received: Array<any> = []
      const { link } = yield* starting(proxy.address, {}, (batch) => received.push(...batch))
      for (let id = 1; id <= 50; id++) link.post([call(id, { id, text: "ä".repeat(id) })])
      yield* until(() => host.workers[0]!.posted.length === 50)
      host.workers[0]!.post(...Array.from({ length: 50 }, (_, i) => succeeded(i + 1, i)))
      yield* until(() => received.length === 50)
      assert.deepStrictEqual(received.map(([, id]) => id), Array.from({ length: 50 }, (_, i) => i + 1))
    }))

  const soon = { heartbeatInterval: "50 millis", lostAfter: "200 millis" } as const

  it.live("notices a connection that is half open, at both ends", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ ...soon, grace: "50 millis" }, { deafTo: ["Close", "terminate"] })
      const proxy = yield* ChaosProxy.make(host.address)
      const { link } = yield* starting(proxy.address, soon)
      proxy.delivers = false
      const end = yield* link.ended
      assert.match(end._tag === "Disconnected" ? end.detail : "", /^nothing was heard of tcp:/)
      yield* until(() => host.workers[0]!.done.includes("kill"))
      yield* until(() => host.events.some(({ _tag }) => _tag === "Lost"))
    }))

  it.live("fails to start wherever a connection is cut in the handshake, and the host lives on", () =>
    Effect.gen(function*() {
      const host = yield* hosting({ handshakeTimeout: "300 millis" })
      const proxy = yield* ChaosProxy.make(host.address)
      // Greeting, answer and verdict, and the frames that start a worker: 38 + 70 + 38 bytes, and a few.
      for (let cutAfter = 1; cutAfter < 165; cutAfter += 13) {
        proxy.cutAfter = cutAfter
        const { reason } = yield* refusal(proxy.address, { connectTimeout: "1 second" })
        assert.strictEqual(reason, "Unreachable", String(cutAfter))
      }
      proxy.cutAfter = Infinity
      yield* starting(proxy.address)
      yield* until(() => host.workers.filter(({ done }) => !done.includes("kill")).length === 1)
    }))

  it.live("dies of options that make no sense, and says which", () =>
    Effect.gen(function*() {
      for (
        const [addresses, options, text] of [
          ["localhost:1", { secret }, "an address must be tcp://HOST:PORT"],
          ["tcp://127.0.0.1:1", {}, "needs a secret, or certificates of both sides"],
          ["tcp://10.0.0.1:1", { unauthenticated: "allowLocally" }, "can be reached from elsewhere"],
          ["tcp://127.0.0.1:1", { secret, workers: 0 }, "workers must be a whole number >= 1, got 0"],
          ["tcp://127.0.0.1:1", { secret, connectTimeout: 0 }, "connectTimeout must be > 0 and finite, got 0"]
        ] as const
      ) {
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(NodeRemoteHosts.layer(addresses, options))))
        const defect = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : ""
        assert.include(defect, "NodeRemoteHosts.layer: ")
        assert.include(defect, text)
      }
    }))
})
