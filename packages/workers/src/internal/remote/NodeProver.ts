import * as Redacted from "effect/Redacted"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { nonceBytes, type Prover } from "./handshake.ts"

export const prover = (secret: Redacted.Redacted): Prover => {
  const prove = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
    const hmac = createHmac("sha256", Redacted.value(secret))
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }
  return { prove, isProof: (proof, parts) => timingSafeEqual(proof, prove(parts)) }
}

export const makeNonce = (): Uint8Array => randomBytes(nonceBytes)
