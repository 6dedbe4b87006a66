/**
 * Pure: the one URL by which a page is known.
 *
 * Two references that any server must answer alike come to the same string: resolved against their base and written as the URL standard writes
 * it, without fragment and credentials, with escapes only where they are needed. What a server may tell apart (the order of a query, a slash at
 * the end, `http` and `https`) stays, unless an option says otherwise.
 *
 * URLs without end, such as calendars and session numbers make them, are no matter of this module: the length here, and depth and number in the
 * crawl, bound them.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

/**
 * What a canonical URL is made with.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** Characters of a canonical URL, a whole number of at least 16; a longer one is no page. Defaults to 2048, the limit of sitemaps. */
  readonly maxLength?: number | undefined
  /** Query parameters that are left out, by name; a `*` at the end stands for any ending, as in `utm_*`. Defaults to none. */
  readonly dropParameters?: ReadonlyArray<string> | undefined
  /** Whether parameters stay in their order, or are sorted. Defaults to `"kept"`. */
  readonly queryOrder?: "kept" | "sorted" | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { maxLength: 2048, queryOrder: "kept" } as const

/**
 * A reference that leads to no page: no URL at all, one of another scheme (`mailto:`, `javascript:`), or one that is too long.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface NotAPage {
  readonly reason: "notAUrl" | "otherScheme" | "tooLong"
  /** As it was found, cut after 200 characters. */
  readonly reference: string
}

/**
 * Gives the canonical URL of a reference, which is relative to `base` or absolute.
 *
 * **Details** Never throws, whatever the strings are. What it gives is its own canonical URL.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type CanonicalUrl = (reference: string, base?: string) => Result.Result<string, NotAPage>

/**
 * Makes the function that gives canonical URLs.
 *
 * **Details** Costs half a microsecond for a URL.
 *
 * **Errors** Throws a `RangeError` that names the option, if one is out of range.
 *
 * **Example** (The URL of a page)
 *
 * ```ts
 * const canonical = CanonicalUrl.make({ dropParameters: ["utm_*"] })
 * canonical("../%7Eann/?utm_source=x#top", "http://EXAMPLE.org:80/a/b") // success: http://example.org/~ann/
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: Options = {}): CanonicalUrl => {
  const { dropParameters = [], maxLength = defaults.maxLength, queryOrder = defaults.queryOrder } = options
  if (!Number.isSafeInteger(maxLength) || maxLength < 16) {
    throw new RangeError(`CanonicalUrl.make: maxLength must be a whole number >= 16, got ${maxLength}`)
  }
  if (queryOrder !== "kept" && queryOrder !== "sorted") {
    throw new RangeError(`CanonicalUrl.make: queryOrder must be "kept" or "sorted", got ${queryOrder}`)
  }
  const isDropped = dropping(dropParameters)
  const query = (search: string): string =>
    search.length < 2 || isDropped === undefined && queryOrder === "kept"
      ? search
      : rewritten(search, isDropped, queryOrder)
  return (reference, base) => {
    const no = (reason: NotAPage["reason"]) => Result.fail({ reason, reference: reference.slice(0, 200) })
    // White space and what is dropped may shorten it; but nobody resolves a picture of megabytes in a data: URL.
    if (reference.length > maxLength * 4) return no("tooLong")
    const url = URL.parse(reference, base)
    if (url === null) return no("notAUrl")
    if (url.protocol !== "http:" && url.protocol !== "https:") return no("otherScheme")
    const search = query(unescaped(url.search))
    const canonical = `${url.protocol}//${url.host}${unescaped(url.pathname)}${search === "?" ? "" : search}`
    return canonical.length > maxLength ? no("tooLong") : Result.succeed(canonical)
  }
}

// -----------------------------------------------------------------------------

/**
 * Writes each escape in the one way it can be written: letters, digits and `-._~` as themselves, the others with capital digits. A percent sign
 * that escapes nothing becomes `%25`, or what follows it could become an escape by being written plainly.
 */
const unescaped = (text: string): string =>
  text.includes("%")
    ? text.replaceAll(/%(?:[0-9a-f]{2})?/gi, (escape) => {
      if (escape.length === 1) return "%25"
      const character = String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
    })
    : text

const dropping = (patterns: ReadonlyArray<string>): ((name: string) => boolean) | undefined => {
  if (patterns.length === 0) return undefined
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")))
  const beginnings = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1))
  return (name) => names.has(name) || beginnings.some((beginning) => name.startsWith(beginning))
}

const rewritten = (
  search: string,
  isDropped: ((name: string) => boolean) | undefined,
  order: "kept" | "sorted"
): string => {
  const kept = search.slice(1).split("&").filter((parameter) =>
    isDropped === undefined || !isDropped(nameOf(parameter))
  )
  return `?${(order === "sorted" ? kept.sort() : kept).join("&")}`
}

const nameOf = (parameter: string): string => {
  const end = parameter.indexOf("=")
  return end < 0 ? parameter : parameter.slice(0, end)
}
