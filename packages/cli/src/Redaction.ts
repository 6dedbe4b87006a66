/**
 * Keeps secrets out of whatever is printed.
 *
 * A value is secret when its key says so (`password`, `token`, `secret`, `authorization`, …), when the connector's options mark it so, or
 * when it is the password in a URL. Where a file is shown the value is replaced, and its text is replaced in every log line
 * and error as well.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"

/**
 * What stands in place of a secret.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const mask = "<redacted>"

/**
 * Tells whether a key names a secret.
 *
 * @category guards
 * @stability unstable
 * @since 0.1.0
 */
export const isSecretKey = (key: string): boolean =>
  /passw(or)?d|passphrase|secret|token|credential|authorization|cookie|^auth$|(api|private|access|signing)[-_]?key/i
    .test(key)

/**
 * Gives a value as it may be shown.
 *
 * **Details** `decoded` is what a connector's options made of it: what is `Redacted` there is secret.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const redact = (value: unknown, decoded?: unknown): unknown => map(value, decoded, () => mask)

/**
 * Gives the secret texts that a value holds.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const secretsOf = (value: unknown, decoded?: unknown): ReadonlyArray<string> => {
  const secrets = new Set<string>()
  map(value, decoded, (secret) => {
    secrets.add(secret)
    return mask
  })
  return Array.from(secrets)
}

/**
 * Replaces secrets wherever they occur in a text.
 *
 * **Details** Also as they look inside JSON and inside a URL. Secrets of fewer than four characters are left, because replacing them would
 * make the text unreadable and tell them all the same.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const redactText = (text: string, secrets: Iterable<string>): string => {
  let out = text
  for (const secret of secrets) {
    if (secret.length < 4) continue
    for (
      const form of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())])
    ) {
      out = out.replaceAll(form, mask)
    }
  }
  return out
}

const map = (value: unknown, decoded: unknown, replace: (secret: string) => string, isSecret = false): unknown => {
  const secret = isSecret || Redacted.isRedacted(decoded)
  if (Array.isArray(value)) {
    return value.map((item, i) => map(item, Array.isArray(decoded) ? decoded[i] : undefined, replace, secret))
  }
  if (typeof value === "object" && value !== null) {
    const inner = (typeof decoded === "object" && decoded !== null && !secret ? decoded : {}) as Record<string, unknown>
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, map(item, inner[key], replace, secret || isSecretKey(key))])
    )
  }
  if (typeof value === "boolean" || value === null || value === undefined) return value
  if (secret) return replace(String(value))
  return typeof value === "string" ? replaceUserInfo(value, replace) : value
}

/** Everything from the first colon of the user-info to its last `@`, whether or not the rest is a valid URL. */
const userInfo = /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@\s]*:)([^/?#\s]+)@/i

const replaceUserInfo = (text: string, replace: (secret: string) => string): string => {
  const found = userInfo.exec(text)
  if (found === null) return text
  return `${found[1]}${replace(found[2]!)}@${text.slice(found[0].length)}`
}
