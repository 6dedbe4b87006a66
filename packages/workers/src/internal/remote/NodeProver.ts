import * as Redacted from "effect/Redacted"
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { nonceBytes, type Prover } from "./handshake.ts"

export const prover = (secret: Redacted.Redacted): Prover => {
  // A key of one length: HMAC fills up short ones with zeros, and takes those that end in some for the same.
  const key = createHash("sha256").update(Redacted.value(secret)).digest()
  const prove = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
    const hmac = createHmac("sha256", key)
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }
  return { prove, isProof: (proof, parts) => timingSafeEqual(proof, prove(parts)) }
}

export const makeNonce = (): Uint8Array => randomBytes(nonceBytes)
