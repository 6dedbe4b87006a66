import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A site on a loopback address. */
export interface Site {
  /** Its home page, with a slash at the end. */
  readonly url: string
  /** The paths that were asked for, in order. */
  readonly asked: Array<string>
  /** The headers with which each was asked for last. */
  readonly headers: Map<string, IncomingHttpHeaders>
  /** Resumes when so many have been asked for since it was called. */
  readonly awaitAsked: (count: number) => Effect.Effect<void>
}

export interface Options {
  /** Numbered pages, of which each links to two more. */
  readonly pages: number
  /** How long each answer takes, in milliseconds. */
  readonly delay?: number
  /** Answers that are not those of a numbered page, by path. */
  readonly answers?: { readonly [path: string]: Answer }
}

type Answer =
  | {
    readonly status?: number
    readonly type?: string
    readonly body?: string
    readonly headers?: { readonly [name: string]: string }
  }
  /** No answer: the connection is broken. */
  | "broken"

/**
 * Serves a site as long as the Scope lives: a home page that links to the page `/page/1`, to one that robots.txt forbids, to one that is not there and to one
 * on another host; and numbered pages, as a tree.
 */
export const serve = ({ answers = {}, delay = 0, pages }: Options): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const headers = new Map<string, IncomingHttpHeaders>()
    const waiting = new Set<() => void>()
    const server = createServer((request, response) => {
      const path = request.url!
      asked.push(path)
      headers.set(path, request.headers)
      for (const look of waiting) look()
      setTimeout(
        () => answer(response, answers[path] ?? pageOf(path, pages), asked.length),
        path === "/robots.txt" ? 0 : delay
      )
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      asked,
      headers,
      awaitAsked: (count) =>
        Effect.callback<void>((resume) => {
          const target = asked.length + count
          const look = () => {
            if (asked.length >= target) resume(Effect.void)
          }
          waiting.add(look)
          look()
          return Effect.sync(() => waiting.delete(look))
        })
    }
  })

const answer = (response: ServerResponse, answer: Answer, count: number): void => {
  if (answer === "broken") return void response.destroy()
  const { body = "", headers, status = 200, type = "text/html; charset=utf-8" } = answer
  response.writeHead(status, { "content-type": type, ...headers })
  // For links that have to name the site itself, and for pages that change.
  response.end(body.replaceAll("{host}", response.req.headers.host!).replaceAll("{count}", String(count)))
}

const pageOf = (path: string, pages: number): Answer => {
  if (path === "/robots.txt") return { type: "text/plain", body: "User-agent: *\nDisallow: /private/\n" }
  if (path === "/") {
    return {
      body: `<title>Home</title>${
        ["/page/1", "/private/1", "/missing", "http://127.0.0.2:1/"].map((href) => `<a href="${href}">${href}</a>`)
          .join("")
      }`
    }
  }
  const n = Number(/^\/page\/(\d+)$/.exec(path)?.[1])
  if (!(n >= 1 && n <= pages)) return { status: 404, body: "<title>Not here</title>" }
  const links = [2 * n, 2 * n + 1].filter((child) => child <= pages).map((child) => `<a href="/page/${child}">more</a>`)
  return {
    body: `<title>Page ${n}, "quoted"</title><meta name="description" content="About ${n}">` +
      `<p class="price">${n} €</p><p class="price">${n} more</p><img src="/${n}.png">${links.join("")}`
  }
}

/** The pages of such a site that a crawl of it records, numbered ones and others. */
export const recorded = ({ url }: Site, pages: number): Array<string> =>
  ["", "private/1", "missing", ...Array.from({ length: pages }, (_, i) => `page/${i + 1}`)].map((path) =>
    `${url}${path}`
  )
    .sort()
