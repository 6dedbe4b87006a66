import * as Result from "effect/Result"
import type { Reason } from "../../FetchError.ts"

/** What is wrong, before it is known for which fetch. */
export interface Problem {
  readonly reason: Reason
  readonly detail: string
}

/** What a URL is shortened to where it is shown. */
const shownLength = 300

/** A URL as it may be shown and stored: without credentials, and not longer than anybody reads. */
export const shown = (url: URL | string): string => {
  const text = typeof url === "string" ? url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, "$1") : bare(url).href
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}… (${text.length} characters)`
}

/** A URL that may be asked for: http or https, of a usable length; without credentials and fragment, which are not sent. */
export const target = (
  input: URL | string,
  base: URL | undefined,
  maxUrlLength: number
): Result.Result<URL, Problem> => {
  const length = typeof input === "string" ? input.length : input.href.length
  if (length > maxUrlLength) return Result.fail(tooLong(length, maxUrlLength))
  const parsed = URL.parse(String(input), base?.href)
  if (parsed === null) {
    return Result.fail({ reason: "InvalidUrl", detail: `${shown(input)} is no URL; expected http://… or https://…` })
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    return Result.fail({
      reason: "UnsupportedScheme",
      detail: `the scheme is ${parsed.protocol.slice(0, -1)}; only http and https are fetched`
    })
  }
  const url = bare(parsed)
  // Encoding can make a URL three times as long.
  return url.href.length > maxUrlLength ? Result.fail(tooLong(url.href.length, maxUrlLength)) : Result.succeed(url)
}

const tooLong = (length: number, maxUrlLength: number): Problem => ({
  reason: "TooLongUrl",
  detail: `the URL has ${length} characters; expected at most ${maxUrlLength} (maxUrlLength)`
})

const bare = (url: URL): URL => {
  if (url.username === "" && url.password === "" && url.hash === "" && !url.href.endsWith("#")) return url
  const copy = new URL(url)
  copy.username = ""
  copy.password = ""
  copy.hash = ""
  return copy
}

/** Where a redirect leads. Header values arrive as bytes; servers that write other than ASCII there mean UTF-8. */
export const redirectTarget = (
  location: string,
  from: URL,
  maxUrlLength: number
): Result.Result<URL, Problem> =>
  Result.mapError(target(asUtf8(location), from, maxUrlLength), (problem) => ({
    reason: "BadRedirect" as const,
    detail: `redirected from ${shown(from)} to ${shown(location)}, which cannot be followed: ${problem.detail}`
  }))

const asUtf8 = (latin1: string): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(latin1, (char) => char.codePointAt(0)!))
  } catch {
    return latin1
  }
}
