import * as Redacted from "effect/Redacted"
import { type Address, format, isEncrypted, isLocal } from "./address.ts"

/** A shorter secret is refused: whoever gets a client to connect gets something to try guesses on. */
const minSecretLength = 16

export interface Authentication {
  readonly secret: Redacted.Redacted | undefined
  /** Whether the other side of TLS has to show a certificate. */
  readonly isProvedByTls: boolean
  readonly unauthenticated: "refuse" | "allowLocally"
}

/** What is wrong with how the two ends at an address convince each other, if anything. */
export const problemOf = (
  address: Address,
  { isProvedByTls, secret, unauthenticated }: Authentication
): string | undefined => {
  if (secret !== undefined) {
    const { length } = Redacted.value(secret)
    return length < minSecretLength ? `a secret has at least ${minSecretLength} characters, got ${length}` : undefined
  }
  if (isEncrypted(address) && isProvedByTls) return undefined
  if (unauthenticated === "refuse") return `${format(address)} needs a secret, or certificates of both sides`
  return isLocal(address)
    ? undefined
    : `${format(address)} can be reached from elsewhere, and needs a secret or certificates`
}
