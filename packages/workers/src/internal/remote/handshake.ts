/**
 * How the two ends of a connection convince each other that they know one secret, before either reads anything of the other that has a
 * length. Three messages, each of a fixed length:
 *
 * ```
 * host   → client  greeting  magic 4, version 1, whether a secret is wanted 1, nonce 32
 * client → host    answer    magic 4, version 1, whether a secret was used 1, nonce 32, proof 32
 * host   → client  verdict   magic 4, version 1, status 1, proof 32
 * ```
 *
 * A proof is HMAC-SHA-256 over the name of its side and all bytes exchanged before it, both nonces among them: none can be replayed, none
 * reflected, and what came before it cannot have been altered. The client goes first, so that who can only connect to a host
 * learns nothing to try passwords on; whoever it is, before the proof is right the host holds at most the 70 bytes of an answer.
 *
 * This says who is at the other end when the connection begins. What crosses it later is neither hidden nor protected: on a network where others can
 * change what passes, TLS stands below. With TLS and a certificate of the client no secret is needed, and the proofs are zeros.
 */
const version = 1

export const nonceBytes = 32
const proofBytes = 32
const headBytes = 6
export const greetingBytes = headBytes + nonceBytes
export const answerBytes = headBytes + nonceBytes + proofBytes
export const verdictBytes = headBytes + proofBytes

const magic = [0x43, 0x4e, 0x56, 0x57]

/** Makes and checks proofs with a secret, in a time that does not depend on how much of one is right. */
export interface Prover {
  readonly prove: (parts: ReadonlyArray<Uint8Array>) => Uint8Array
  readonly isProof: (proof: Uint8Array, parts: ReadonlyArray<Uint8Array>) => boolean
}

export const Status = {
  Accepted: 0,
  Unauthorized: 1,
  Full: 2,
  Leaving: 3,
  WrongVersion: 4
} as const

type Status = (typeof Status)[keyof typeof Status]

const ofClient = new TextEncoder().encode("conveyor work: client")
const ofHost = new TextEncoder().encode("conveyor work: host")

const head = (flag: number): Uint8Array => Uint8Array.from([...magic, version, flag])

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** What is wrong with the beginning of a message, as far as it has come. */
const fault = (bytes: Uint8Array): "NotOurs" | "WrongVersion" | undefined => {
  if (magic.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return "NotOurs"
  return bytes.length > 4 && bytes[4] !== version ? "WrongVersion" : undefined
}

export type HostStep =
  | { readonly _tag: "Waiting" }
  /** The verdict is to be sent, and unless it is Accepted the connection to be closed. */
  | { readonly _tag: "Decided"; readonly status: Status; readonly verdict: Uint8Array; readonly detail: string }
  /** To be closed without a word. */
  | { readonly _tag: "NotOurs"; readonly detail: string }

export interface HostSide {
  readonly greeting: Uint8Array
  readonly receive: (chunk: Uint8Array) => HostStep
}

const details: { readonly [S in Status]: string } = {
  [Status.Accepted]: "accepted",
  [Status.Unauthorized]: "the secret is another",
  [Status.Full]: "the host runs as many workers as it may",
  [Status.Leaving]: "the host is about to end",
  [Status.WrongVersion]: "it speaks another version of the protocol"
}

/** The host's side. `admit` is asked once, when the proof is right, and says whether there is room. */
export const hostSide = (options: {
  readonly prover: Prover | undefined
  readonly nonce: Uint8Array
  readonly admit: () => Status
}): HostSide => {
  const { admit, nonce, prover } = options
  const greeting = concat(head(prover === undefined ? 0 : 1), nonce)
  let answer: Uint8Array = new Uint8Array(0)

  const decide = (status: Status, isProved: boolean): HostStep => {
    const begin = head(status)
    const proof = isProved && prover !== undefined
      ? prover.prove([ofHost, greeting, answer, begin])
      : new Uint8Array(proofBytes)
    return { _tag: "Decided", status, verdict: concat(begin, proof), detail: details[status] }
  }

  return {
    greeting,
    receive: (chunk) => {
      // A client has nothing to say before the verdict: more than an answer is none.
      if (answer.length + chunk.length > answerBytes) return { _tag: "NotOurs", detail: "it sent more than an answer" }
      answer = concat(answer, chunk)
      switch (fault(answer)) {
        case "NotOurs":
          return { _tag: "NotOurs", detail: "it does not speak the protocol of workers" }
        case "WrongVersion":
          return decide(Status.WrongVersion, false)
      }
      if (answer.length < answerBytes) return { _tag: "Waiting" }
      const said = answer.subarray(0, greetingBytes)
      const proof = answer.subarray(greetingBytes)
      if (prover === undefined) return decide(answer[5] === 0 ? admit() : Status.Unauthorized, false)
      // The proof is looked at in any case, so that both refusals take the same time.
      const isProof = prover.isProof(proof, [ofClient, greeting, said])
      return isProof && answer[5] === 1 ? decide(admit(), true) : decide(Status.Unauthorized, false)
    }
  }
}

export type ClientFailure = "Unauthorized" | "Full" | "Unreachable"

export type ClientStep =
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Send"; readonly bytes: Uint8Array }
  /** What came after the verdict belongs to what follows. */
  | { readonly _tag: "Accepted"; readonly rest: Uint8Array }
  | { readonly _tag: "Failed"; readonly reason: ClientFailure; readonly detail: string }

export interface ClientSide {
  readonly receive: (chunk: Uint8Array) => ClientStep
}

const failed = (reason: ClientFailure, detail: string): ClientStep => ({ _tag: "Failed", reason, detail })

/** The client's side, which speaks when it was spoken to. */
export const clientSide = (options: {
  readonly prover: Prover | undefined
  readonly nonce: Uint8Array
}): ClientSide => {
  const { nonce, prover } = options
  let greeting: Uint8Array | undefined
  let answer: Uint8Array = new Uint8Array(0)
  let pending: Uint8Array = new Uint8Array(0)

  const greeted = (bytes: Uint8Array): ClientStep => {
    const wantsSecret = bytes[5] === 1
    if (wantsSecret && prover === undefined) {
      return failed("Unauthorized", "the host wants a secret, and none was given")
    }
    // Whoever it is, it could not prove that it knows the secret.
    if (!wantsSecret && prover !== undefined) return failed("Unauthorized", "the host does not ask for the secret")
    greeting = bytes
    const said = concat(head(prover === undefined ? 0 : 1), nonce)
    answer = concat(said, prover?.prove([ofClient, greeting, said]) ?? new Uint8Array(proofBytes))
    return { _tag: "Send", bytes: answer }
  }

  const judged = (bytes: Uint8Array, rest: Uint8Array): ClientStep => {
    const status = bytes[5]
    if (status === Status.Unauthorized) return failed("Unauthorized", "the host does not accept the secret")
    if (status === Status.WrongVersion) {
      return failed("Unreachable", `the host does not speak version ${version} of the protocol, as this side does`)
    }
    const begin = bytes.subarray(0, headBytes)
    if (prover !== undefined && !prover.isProof(bytes.subarray(headBytes), [ofHost, greeting!, answer, begin])) {
      return failed("Unauthorized", "the host does not know the secret")
    }
    switch (status) {
      case Status.Accepted:
        return { _tag: "Accepted", rest }
      case Status.Full:
      case Status.Leaving:
        return failed("Full", details[status])
      default:
        return failed("Unreachable", `the host answered ${String(status)}, which is no status`)
    }
  }

  return {
    receive: (chunk) => {
      pending = concat(pending, chunk)
      switch (fault(pending)) {
        case "NotOurs":
          return failed("Unreachable", "what answers there does not speak the protocol of workers")
        case "WrongVersion":
          return failed(
            "Unreachable",
            `the host speaks version ${pending[4]!} of the protocol, and this side version ${version}`
          )
      }
      const expected = greeting === undefined ? greetingBytes : verdictBytes
      if (pending.length < expected) return { _tag: "Waiting" }
      const message = pending.slice(0, expected)
      const rest = pending.slice(expected)
      pending = new Uint8Array(0)
      if (greeting !== undefined) return judged(message, rest)
      return rest.length > 0 ? failed("Unreachable", "the host sent more than a greeting") : greeted(message)
    }
  }
}
