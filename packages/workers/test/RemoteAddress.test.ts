import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as Address from "../src/internal/remote/address.ts"
import { type Authentication, problemOf } from "../src/internal/remote/authentication.ts"

describe("address", () => {
  for (
    const text of [
      "tcp://127.0.0.1:7000",
      "tcp://[::1]:0",
      "tls://workers.example.org:7000",
      "ws://localhost:80",
      "wss://example.org:443/workers/a",
      "unix:///run/conveyor/work.sock"
    ]
  ) {
    it(`reads and writes ${text}`, () => {
      const address = Address.parse(text)
      assert.isDefined(address)
      assert.strictEqual(Address.format(address!), text)
    })
  }

  it("knows the ports of WebSockets", () => {
    assert.deepInclude(Address.parse("ws://a"), { port: 80, path: "/" })
    assert.deepInclude(Address.parse("wss://a/b"), { port: 443, path: "/b" })
  })

  for (
    const text of [
      "",
      "127.0.0.1:7000",
      "tcp://127.0.0.1",
      "tcp://127.0.0.1:70000",
      "tcp://:7000",
      "tcp://a:1/path",
      "tcp://user:password@a:1",
      "http://a:1",
      "unix://relative",
      "unix:///",
      "tcp://a b:1",
      "ws://a:1/ b"
    ]
  ) it(`does not read ${JSON.stringify(text)}`, () => assert.isUndefined(Address.parse(text)))

  it("knows which addresses only this machine can reach", () => {
    const isLocal = (text: string) => Address.isLocal(Address.parse(text)!)
    for (const text of ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "ws://[::1]:1", "tls://LOCALHOST:1", "unix:///a"]) {
      assert.isTrue(isLocal(text), text)
    }
    for (const text of ["tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://10.0.0.1:1", "tcp://127.0.0.1.example.org:1"]) {
      assert.isFalse(isLocal(text), text)
    }
  })
})

describe("authentication", () => {
  const problem = (text: string, options: Partial<Authentication> = {}) =>
    problemOf(Address.parse(text)!, {
      secret: undefined,
      isProvedByTls: false,
      unauthenticated: "refuse",
      ...options
    })

  it("is a secret of sixteen characters, or certificates", () => {
    assert.isUndefined(problem("tcp://0.0.0.0:1", { secret: Redacted.make("0123456789abcdef") }))
    assert.isUndefined(problem("tls://0.0.0.0:1", { isProvedByTls: true }))
    assert.isUndefined(problem("wss://0.0.0.0:1", { isProvedByTls: true }))
  })

  it("counts the characters of a secret and does not say them", () => {
    const secret = Redacted.make("hunter2")
    assert.strictEqual(problem("tcp://127.0.0.1:1", { secret }), "a secret has at least 16 characters, got 7")
    assert.isDefined(problem("unix:///a", { secret, unauthenticated: "allowLocally" }))
  })

  it("is not to be done without, but on this machine by one's own wish", () => {
    for (const text of ["tcp://127.0.0.1:1", "unix:///a", "ws://localhost:1"]) {
      assert.match(problem(text)!, /needs a secret, or certificates of both sides/)
      assert.isUndefined(problem(text, { unauthenticated: "allowLocally" }))
    }
    for (const text of ["tcp://0.0.0.0:1", "ws://10.0.0.1:1", "tls://0.0.0.0:1"]) {
      assert.match(problem(text, { unauthenticated: "allowLocally" })!, /can be reached from elsewhere/)
    }
  })

  it("is not what TLS without certificates of clients gives, nor certificates without TLS", () => {
    assert.isDefined(problem("tls://0.0.0.0:1"))
    assert.isDefined(problem("tcp://0.0.0.0:1", { isProvedByTls: true }))
  })
})
