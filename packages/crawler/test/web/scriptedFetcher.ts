import { Duration, Effect, Layer, Stream } from "effect"
import { type Fetched, Fetcher, type FetchOptions } from "effect-crawler/web/Fetcher"
import { FetchError, type Reason } from "effect-crawler/web/FetchError"

/** What a URL answers: text with status 200, or what is said. */
export type Answer = string | Partial<Fetched> | Effect.Effect<Partial<Fetched>, FetchError>

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export const body = (...parts: ReadonlyArray<string | Uint8Array>): Fetched["body"] =>
  Stream.fromIterable(parts.map((part) => typeof part === "string" ? utf8(part) : part))

export const failing = (reason: Reason, url = "http://a.example/"): FetchError =>
  new FetchError({ url, reason, detail: "so it was scripted" })

/** A Fetcher that gives what a script says, without redirects, and notes what was asked for. */
export const scripted = (script: (url: string) => Answer) => {
  const asked: Array<string> = []
  const options: Array<FetchOptions<any, any>> = []
  const layer = Layer.succeed(Fetcher, {
    fetch: (url, option) =>
      Effect.suspend(() => {
        const href = String(url)
        asked.push(href)
        options.push(option ?? {})
        const answer = script(href)
        const given = Effect.isEffect(answer)
          ? answer
          : Effect.succeed(typeof answer === "string" ? { body: body(answer) } : answer)
        return Effect.map(given, (fetched): Fetched => ({
          requestedUrl: href,
          url: href,
          redirects: [],
          status: 200,
          headers: {},
          contentType: undefined,
          latency: Duration.zero,
          retryAfter: undefined,
          isBodySkipped: false,
          body: Stream.empty,
          ...fetched
        }))
      })
  })
  return { asked, options, layer }
}
