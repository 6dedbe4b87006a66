/**
 * Pure: what belongs to a crawl of a site, and why the rest does not.
 *
 * A scope judges URLs, in their canonical form (`CanonicalUrl`), and the type of what they lead to. It answers with nothing, or with the reason for
 * its refusal as data, so that a report can say what was left out and why.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * How far from the start URLs a crawl goes.
 *
 * **Details** Start URL `https://example.org/docs/index.html`:
 *
 * | | belongs | does not |
 * |---|---|---|
 * | `host` | `https://example.org/x`, `http://example.org/` | `https://example.org:8443/`, `https://www.example.org/` |
 * | `subdomains` | that, and `https://www.example.org/` | `https://example.com/` |
 * | `prefix` | `https://example.org/docs/x` | `https://example.org/x` |
 * | `any` | everything | |
 *
 * Hosts are compared with their ports, where the default ports of http and https count as one.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Within = "host" | "subdomains" | "prefix" | "any"

/**
 * What belongs to a crawl.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** Defaults to `"host"`. */
  readonly within?: Within | undefined
  /**
   * Regular expressions, found anywhere in the URL. If there are any, only what one of them matches belongs. They come from
   * whoever starts the crawl: one that backtracks without end (`(a+)+$`) is only bounded by the length of a URL.
   */
  readonly include?: ReadonlyArray<string | RegExp> | undefined
  /** What one of these matches does not belong, whatever `include` says. */
  readonly exclude?: ReadonlyArray<string | RegExp> | undefined
  /** Media types of pages that are read; `text/*` stands for all of a kind. Defaults to HTML and XHTML. */
  readonly contentTypes?: ReadonlyArray<string> | "any" | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { within: "host", contentTypes: ["text/html", "application/xhtml+xml"] } as const

/**
 * Why something does not belong to a crawl; `detail` is what it was held against.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Refusal {
  readonly reason: "otherHost" | "outsidePrefix" | "notIncluded" | "excluded" | "contentType"
  readonly detail: string
}

/**
 * What belongs to a crawl.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Scope {
  /** Why a canonical URL does not belong, if it does not. Start URLs always do. */
  readonly refusal: (url: string) => Refusal | undefined
  /** Why what has this media type is not read, if it is not. What has none is read. */
  readonly typeRefusal: (mediaType: string | undefined) => Refusal | undefined
  /** The media types that are read. */
  readonly contentTypes: ReadonlyArray<string> | "any"
}

/**
 * A regular expression that is none.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class InvalidPattern extends Data.TaggedError("InvalidPattern")<{
  readonly option: "include" | "exclude"
  readonly pattern: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.option}: ${JSON.stringify(this.pattern)} is not a regular expression: ${this.detail}`
  }
}

/**
 * Makes a scope around canonical start URLs.
 *
 * **Errors** Fails with the first expression that is none. Throws a `RangeError` when `within` is none of the four.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (
  startUrls: ReadonlyArray<string>,
  options: Options = {}
): Result.Result<Scope, InvalidPattern> =>
  Result.gen(function*() {
    const { contentTypes = defaults.contentTypes, within = defaults.within } = options
    const include = yield* compileAll("include", options.include ?? [])
    const exclude = yield* compileAll("exclude", options.exclude ?? [])
    const starts = new Set(startUrls)
    const outside = outsideOf(startUrls, within)
    const types = contentTypes === "any" ? "any" : contentTypes.map((type) => type.toLowerCase())
    return {
      refusal: (url) => {
        if (starts.has(url)) return undefined
        const refused = outside(url)
        if (refused !== undefined) return refused
        const excluding = exclude.find((pattern) => pattern.test(url))
        if (excluding !== undefined) return { reason: "excluded", detail: excluding.source }
        return include.length === 0 || include.some((pattern) => pattern.test(url))
          ? undefined
          : { reason: "notIncluded", detail: include.map(({ source }) => source).join(", ") }
      },
      typeRefusal: (mediaType) =>
        mediaType === undefined || types === "any" || types.some((type) => isOfType(mediaType.toLowerCase(), type))
          ? undefined
          : { reason: "contentType", detail: mediaType },
      contentTypes: types
    }
  })

/**
 * The host of a canonical URL, with its port if that is not the default: what limits of a crawl go by.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const hostOf = (url: string): string => {
  const start = url.indexOf("://") + 3
  const end = url.indexOf("/", start)
  return end < 0 ? url.slice(start) : url.slice(start, end)
}

// -----------------------------------------------------------------------------

const outsideOf = (startUrls: ReadonlyArray<string>, within: Within): (url: string) => Refusal | undefined => {
  const hosts = [...new Set(startUrls.map(hostOf))]
  const otherHost = (isOfHost: (host: string) => boolean) => (url: string): Refusal | undefined => {
    const host = hostOf(url)
    return isOfHost(host) ? undefined : { reason: "otherHost", detail: host }
  }
  switch (within) {
    case "any":
      return () => undefined
    case "host":
      return otherHost((host) => hosts.includes(host))
    case "subdomains":
      return otherHost((host) => hosts.some((each) => host === each || host.endsWith(`.${each}`)))
    case "prefix": {
      const prefixes = startUrls.map(prefixOf)
      const host = otherHost((host) => hosts.includes(host))
      return (url) => {
        const place = placeOf(url)
        return prefixes.some((prefix) => place.startsWith(prefix))
          ? undefined
          : host(url) ?? { reason: "outsidePrefix", detail: prefixes.join(", ") }
      }
    }
    default:
      throw new RangeError(`Scope.make: within must be "host", "subdomains", "prefix" or "any", got ${within}`)
  }
}

/** What follows the scheme. */
const placeOf = (url: string): string => url.slice(url.indexOf("://") + 3)

/** The place of a URL up to the last slash of its path. */
const prefixOf = (url: string): string => {
  const [path] = placeOf(url).split("?", 1)
  return path!.slice(0, path!.lastIndexOf("/") + 1)
}

const isOfType = (mediaType: string, pattern: string): boolean =>
  pattern.endsWith("/*") ? mediaType.startsWith(pattern.slice(0, -1)) : mediaType === pattern

const compileAll = (
  option: "include" | "exclude",
  patterns: ReadonlyArray<string | RegExp>
): Result.Result<ReadonlyArray<RegExp>, InvalidPattern> => Result.all(patterns.map((each) => compile(option, each)))

const compile = (option: "include" | "exclude", pattern: string | RegExp): Result.Result<RegExp, InvalidPattern> =>
  Result.try({
    // Without the flags that make an expression remember where it matched last.
    try: () =>
      typeof pattern === "string" ? new RegExp(pattern) : new RegExp(pattern, pattern.flags.replaceAll(/[gy]/g, "")),
    catch: (cause) =>
      new InvalidPattern({ option, pattern: `${pattern}`, detail: cause instanceof Error ? cause.message : `${cause}` })
  })
