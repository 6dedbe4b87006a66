import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Tells whether an Authorization header carries the token, in a time that does not tell how much of it was right. */
export const carries = (token: Redacted.Redacted): (authorization: string | undefined) => boolean => {
  const wanted = digest(Redacted.value(token))
  return (authorization) => {
    const given = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
    // Digests have one length, whatever was given.
    return given !== undefined && timingSafeEqual(digest(given), wanted)
  }
}
