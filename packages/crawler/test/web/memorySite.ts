import { Clock, Duration, Effect, Layer, Stream } from "effect"
import { type Fetched, Fetcher } from "effect-crawler/web/Fetcher"
import { FetchError, type Reason } from "effect-crawler/web/FetchError"
import * as Robots from "effect-crawler/web/Robots"

/** What answers at a URL; a string is the body of an HTML page. */
export type Answer = string | {
  readonly html?: string
  readonly status?: number
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly location?: string
  readonly retryAfter?: number
  readonly takes?: number
  readonly fails?: Reason
}

/** One that was asked for, and when. */
interface Request {
  readonly method: string
  readonly url: string
  readonly at: number
}

/** Sites in memory: a Fetcher that follows redirects as the real one does, and the real reader of robots.txt over it. */
export const memorySite = (pages: Record<string, Answer | ((times: number, method: string) => Answer)>) => {
  const requests: Array<Request> = []
  const busy = { now: 0, most: 0 }
  const times = new Map<string, number>()
  const answerOf = (url: string, method: string): Exclude<Answer, string> => {
    const nth = (times.get(url) ?? 0) + 1
    times.set(url, nth)
    const page = pages[url]
    const answer = typeof page === "function" ? page(nth, method) : page ?? { status: 404, html: "" }
    return typeof answer === "string" ? { html: answer } : answer
  }
  const fetcher = Fetcher.of({
    fetch: (requested, options) =>
      Effect.gen(function*() {
        const requestedUrl = String(requested)
        const method = options?.method ?? "GET"
        const redirects: Array<Fetched["redirects"][number]> = []
        let url = requestedUrl
        for (;;) {
          requests.push({ method, url, at: yield* Clock.currentTimeMillis })
          busy.most = Math.max(busy.most, ++busy.now)
          const answer = answerOf(url, method)
          const { fails, headers = {}, html = "", location, retryAfter, status = 200, takes = 0, type = "text/html" } =
            answer
          if (takes > 0) yield* Effect.ensuring(Effect.sleep(takes), Effect.sync(() => busy.now--))
          else busy.now--
          if (fails !== undefined) {
            return yield* new FetchError({ url: requestedUrl, reason: fails, detail: `${fails} here` })
          }
          if (location !== undefined) {
            const to = new URL(location, url)
            redirects.push({ from: url, status: 302, to: to.href })
            if (redirects.length > 10) {
              return yield* new FetchError({ url: requestedUrl, reason: "TooManyRedirects", detail: "more than 10" })
            }
            if (options?.beforeHop !== undefined) {
              yield* options.beforeHop(to, new URL(url))
            }
            url = to.href
            continue
          }
          const { contentTypes } = options ?? {}
          const isBodySkipped = method === "HEAD" ||
            contentTypes !== undefined && contentTypes !== "any" && !contentTypes.includes(type)
          return {
            requestedUrl,
            url,
            redirects,
            status,
            headers,
            contentType: { mediaType: type, charset: undefined },
            latency: Duration.millis(takes),
            retryAfter: retryAfter === undefined ? undefined : Duration.millis(retryAfter),
            isBodySkipped,
            body: isBodySkipped ? Stream.empty : Stream.make(new TextEncoder().encode(html))
          }
        }
      })
  })
  return {
    requests,
    busy,
    /** URLs asked for, robots.txt aside. */
    get asked() {
      return requests.filter(({ url }) => !url.endsWith("/robots.txt")).map(({ url }) => url)
    },
    layer: Layer.provideMerge(Robots.layer(), Layer.succeed(Fetcher, fetcher))
  }
}
