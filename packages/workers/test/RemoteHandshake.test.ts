import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schema } from "effect"
import { createHash, createHmac } from "node:crypto"
import type { Connection } from "../src/internal/remote/connection.ts"
import * as Handshake from "../src/internal/remote/handshake.ts"
import { asClient, asHost } from "../src/internal/remote/handshaking.ts"
import { makeNonce, prover } from "../src/internal/remote/NodeProver.ts"
import { pair } from "./support/memoryConnections.ts"

const secret = "correct horse battery"

interface Ends {
  readonly host?: string | undefined
  readonly client?: string | undefined
  readonly admit?: () => 0 | 2 | 3
  /** What becomes of a chunk on its way. */
  readonly toHost?: (bytes: Uint8Array) => Uint8Array
  readonly toClient?: (bytes: Uint8Array) => Uint8Array
  readonly piece?: number
}

const proverOf = (text: string | undefined) => text === undefined ? undefined : prover(Redacted.make(text))

const cut = (bytes: Uint8Array, piece: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => bytes.slice(i * piece, (i + 1) * piece))

/** Lets two sides talk until one has decided or both wait; gives what came of it. */
const talk = (ends: Ends) => {
  const { admit = () => 0, piece = 1000, toClient = (x) => x, toHost = (x) => x } = ends
  let admitted = 0
  const host = Handshake.hostSide({
    prover: proverOf(ends.host),
    nonce: makeNonce(),
    admit: () => {
      admitted++
      return admit()
    }
  })
  const client = Handshake.clientSide({ prover: proverOf(ends.client), nonce: makeNonce() })
  const seen: Array<Uint8Array> = []
  let atHost: Handshake.HostStep = { _tag: "Waiting" }
  let atClient: Handshake.ClientStep = { _tag: "Waiting" }
  const give = (bytes: Uint8Array) => {
    for (const chunk of cut(toClient(bytes), piece)) {
      if (atClient._tag === "Failed" || atClient._tag === "Accepted") return
      atClient = client.receive(chunk)
      if (atClient._tag === "Send") answer(atClient.bytes)
    }
  }
  const answer = (bytes: Uint8Array) => {
    seen.push(bytes)
    for (const chunk of cut(toHost(bytes), piece)) {
      if (atHost._tag !== "Waiting") return
      atHost = host.receive(chunk)
      if (atHost._tag === "Decided") give(atHost.verdict)
    }
  }
  give(host.greeting)
  return {
    host: atHost as Handshake.HostStep,
    client: atClient as Handshake.ClientStep,
    admitted,
    seen,
    greeting: host.greeting
  }
}

const isAccepted = ({ client, host }: ReturnType<typeof talk>): readonly [boolean, boolean] => [
  host._tag === "Decided" && host.status === Handshake.Status.Accepted,
  client._tag === "Accepted"
]

const failure = ({ client }: ReturnType<typeof talk>) =>
  client._tag === "Failed" ? [client.reason, client.detail] : client

describe("handshake", () => {
  const Piece = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 80 }))

  it.prop("law: two sides with one secret accept each other, however it is cut", { piece: Piece }, ({ piece }) => {
    const talked = talk({ host: secret, client: secret, piece })
    assert.deepStrictEqual([isAccepted(talked), talked.admitted], [[true, true], 1])
  })

  it.prop(
    "law: two sides with two secrets do not, and nobody is admitted",
    { host: Schema.String, client: Schema.String },
    ({ client, host }) => {
      // Halves of surrogate pairs are all one in UTF-8, and in no file.
      if (!client.isWellFormed() || !host.isWellFormed()) return
      const talked = talk({ host, client: host === client ? `${client}!` : client })
      assert.deepStrictEqual([isAccepted(talked), talked.admitted], [[false, false], 0])
    }
  )

  const flip = (place: number, bit: number) => (bytes: Uint8Array) => {
    const changed = bytes.slice()
    if (place < changed.length) changed[place]! ^= 1 << bit
    return changed
  }
  const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Handshake.answerBytes - 1 }))
  const Bit = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))

  it.prop(
    "law: one bit changed on its way to the host is noticed by it",
    { place: Place, bit: Bit },
    ({ bit, place }) => {
      const talked = talk({ host: secret, client: secret, toHost: flip(place, bit) })
      assert.deepStrictEqual([isAccepted(talked), talked.admitted], [[false, false], 0])
    }
  )

  it.prop(
    "law: one bit changed on its way to the client is noticed by it",
    { place: Place, bit: Bit },
    ({ bit, place }) => {
      let messages = 0
      for (const changed of [0, 1]) {
        messages = 0
        const talked = talk({
          host: secret,
          client: secret,
          toClient: (bytes) => messages++ === changed && place < bytes.length ? flip(place, bit)(bytes) : bytes
        })
        if (place < (changed === 0 ? Handshake.greetingBytes : Handshake.verdictBytes)) {
          assert.isFalse(isAccepted(talked)[1])
        }
      }
    }
  )

  it.prop(
    "law: a host takes no random bytes for an answer",
    { bytes: Schema.Uint8Array, piece: Piece },
    ({ bytes, piece }) => {
      const side = Handshake.hostSide({ prover: proverOf(secret), nonce: makeNonce(), admit: () => assert.fail() })
      for (const chunk of cut(bytes, piece)) if (side.receive(chunk)._tag !== "Waiting") return
      assert.isBelow(bytes.length, Handshake.answerBytes)
    }
  )

  it("is version 1, byte for byte", () => {
    const said: Array<Uint8Array> = []
    const heard: Array<Uint8Array> = []
    talk({
      host: secret,
      client: secret,
      toHost: (bytes) => (said.push(bytes), bytes),
      toClient: (bytes) => (heard.push(bytes), bytes)
    })
    const [greeting, verdict] = heard as [Uint8Array, Uint8Array]
    const [answer] = said as [Uint8Array]
    const proof = (...parts: ReadonlyArray<Uint8Array | string>) =>
      parts.reduce(
        (hmac, part) => hmac.update(part),
        createHmac("sha256", createHash("sha256").update(secret).digest())
      ).digest("hex")
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
    assert.deepStrictEqual([greeting.length, answer.length, verdict.length], [38, 70, 38])
    for (const [message, flag] of [[greeting, 1], [answer, 1], [verdict, 0]] as const) {
      assert.strictEqual(hex(message.slice(0, 6)), `434e565701${flag === 1 ? "01" : "00"}`)
    }
    assert.strictEqual(hex(answer.slice(38)), proof("conveyor work: client", greeting, answer.slice(0, 38)))
    assert.strictEqual(hex(verdict.slice(6)), proof("conveyor work: host", greeting, answer, verdict.slice(0, 6)))
  })

  it("rejects at its first bytes what is no answer", () => {
    const side = Handshake.hostSide({ prover: proverOf(secret), nonce: makeNonce(), admit: () => 0 })
    assert.strictEqual(side.receive(new TextEncoder().encode("G"))._tag, "NotOurs")
  })

  it("rejects whoever says more than an answer before the verdict", () => {
    const talked = talk({ host: secret, client: secret, toHost: (bytes) => Uint8Array.from([...bytes, 0]) })
    assert.deepStrictEqual(talked.host, { _tag: "NotOurs", detail: "it sent more than an answer" })
  })

  it("accepts no answer that was given before", () => {
    const [answer] = talk({ host: secret, client: secret }).seen
    const talked = talk({ host: secret, client: secret, toHost: () => answer! })
    assert.deepStrictEqual(isAccepted(talked), [false, false])
  })

  it("does not take a client for a host that sends back what it got", () => {
    // Whoever does not know the secret gives the client its own nonce and proof.
    const nonce = makeNonce()
    const client = Handshake.clientSide({ prover: proverOf(secret), nonce })
    const greeting = talk({ host: secret }).greeting
    const step = client.receive(greeting)
    const proof = step._tag === "Send" ? step.bytes.slice(-32) : assert.fail()
    const verdict = Uint8Array.from([...greeting.slice(0, 5), Handshake.Status.Accepted, ...proof])
    const judged = client.receive(verdict)
    assert.deepStrictEqual(judged, {
      _tag: "Failed",
      reason: "Unauthorized",
      detail: "the host does not know the secret"
    })
  })

  it("does not believe who cannot prove it that a host is full", () => {
    const client = Handshake.clientSide({ prover: proverOf(secret), nonce: makeNonce() })
    const greeting = talk({ host: secret }).greeting
    client.receive(greeting)
    const judged = client.receive(
      Uint8Array.from([...greeting.slice(0, 5), Handshake.Status.Full, ...new Uint8Array(32)])
    )
    assert.strictEqual(judged._tag === "Failed" && judged.reason, "Unauthorized")
  })

  it("tells a client why it is not accepted", () => {
    assert.deepStrictEqual(failure(talk({ host: secret, client: `${secret}?` })), [
      "Unauthorized",
      "the host does not accept the secret"
    ])
    assert.deepStrictEqual(failure(talk({ host: secret })), [
      "Unauthorized",
      "the host wants a secret, and none was given"
    ])
    assert.deepStrictEqual(failure(talk({ client: secret })), [
      "Unauthorized",
      "the host does not ask for the secret"
    ])
    assert.deepStrictEqual(failure(talk({ host: secret, client: secret, admit: () => 2 })), [
      "Full",
      "the host runs as many workers as it may"
    ])
    assert.deepStrictEqual(failure(talk({ host: secret, client: secret, admit: () => 3 })), [
      "Full",
      "the host is about to end"
    ])
  })

  it("accepts without a secret where neither side has one", () => {
    assert.deepStrictEqual(isAccepted(talk({})), [true, true])
  })

  it("does not let a client in that leaves its secret out", () => {
    const talked = talk({
      host: secret,
      client: secret,
      // A client without a secret says so, and gives zeros for a proof.
      toHost: (bytes) => Uint8Array.from([...bytes.slice(0, 5), 0, ...bytes.slice(6, 38), ...new Uint8Array(32)])
    })
    assert.deepStrictEqual(isAccepted(talked), [false, false])
  })

  const later = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => i === 4 ? 2 : byte)

  it("says which versions do not go together, at both ends", () => {
    assert.deepStrictEqual(failure(talk({ host: secret, client: secret, toClient: later })), [
      "Unreachable",
      "the host speaks version 2 of the protocol, and this side version 1"
    ])
    const talked = talk({ host: secret, client: secret, toHost: later })
    assert.strictEqual(
      talked.host._tag === "Decided" && talked.host.detail,
      "it speaks another version of the protocol"
    )
    assert.deepStrictEqual(failure(talked), [
      "Unreachable",
      "the host does not speak version 1 of the protocol, as this side does"
    ])
  })

  it("does not speak to a server of something else", () => {
    const side = Handshake.clientSide({ prover: undefined, nonce: makeNonce() })
    assert.deepStrictEqual(side.receive(new TextEncoder().encode("SSH-2.0")), {
      _tag: "Failed",
      reason: "Unreachable",
      detail: "what answers there does not speak the protocol of workers"
    })
  })

  it("keeps what comes right after the verdict", () => {
    const talked = talk({
      host: secret,
      client: secret,
      toClient: (bytes) => bytes[5] === Handshake.Status.Accepted ? Uint8Array.from([...bytes, 7, 8, 9]) : bytes
    })
    assert.deepStrictEqual(talked.client, { _tag: "Accepted", rest: Uint8Array.of(7, 8, 9) })
  })
})

describe("a connection after its handshake", () => {
  const received = (connection: Connection) => {
    const bytes: Array<number> = []
    connection.receive((chunk) => bytes.push(...chunk))
    return bytes
  }

  it.effect("begins with what came in one piece with the verdict", () =>
    Effect.gen(function*() {
      const bytes = pair()
      const side = Handshake.hostSide({ prover: proverOf(secret), nonce: makeNonce(), admit: () => 0 })
      bytes.host.receive((chunk) => {
        const step = side.receive(chunk)
        if (step._tag === "Decided") bytes.host.write(Uint8Array.from([...step.verdict, 1, 2, 3]))
      })
      bytes.host.write(side.greeting)
      const client = yield* Effect.forkChild(
        asClient(bytes.client, Handshake.clientSide({ prover: proverOf(secret), nonce: makeNonce() })),
        { startImmediately: true }
      )
      yield* bytes.settle
      const outcome = yield* Fiber.join(client)
      if (outcome._tag === "Failed") return assert.fail(outcome.detail)
      bytes.host.write(Uint8Array.of(4))
      const got = received(outcome.connection)
      yield* bytes.settle
      assert.deepStrictEqual(got, [1, 2, 3, 4])
    }))

  it.effect("begins at the host with what came before it was listened to", () =>
    Effect.gen(function*() {
      const bytes = pair()
      const host = yield* Effect.forkChild(
        asHost(bytes.host, Handshake.hostSide({ prover: undefined, nonce: makeNonce(), admit: () => 0 })),
        { startImmediately: true }
      )
      const side = Handshake.clientSide({ prover: undefined, nonce: makeNonce() })
      bytes.client.receive((chunk) => {
        const step = side.receive(chunk)
        if (step._tag === "Send") bytes.client.write(step.bytes)
        if (step._tag === "Accepted") bytes.client.write(Uint8Array.of(5, 6))
      })
      yield* bytes.settle
      const outcome = yield* Fiber.join(host)
      if (outcome._tag === "Rejected") return assert.fail(outcome.detail)
      assert.deepStrictEqual(received(outcome.connection), [5, 6])
    }))
})
