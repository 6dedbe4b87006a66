import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as AddressGuard from "effect-crawler/web/AddressGuard"
import * as NodeFetcher from "effect-crawler/web/NodeFetcher"
import * as Robots from "effect-crawler/web/Robots"
import * as Sitemap from "effect-crawler/web/Sitemap"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"

const rules = "User-agent: *\nDisallow: /secret\n"
const padding = Buffer.alloc(2 ** 20, `${"#".repeat(1023)}\n`)

const serving = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer(listener)
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  )

/** The robots.txt of a server that answers as it is told. */
const fileOf = (listener: RequestListener) =>
  Effect.gen(function*() {
    const { url } = yield* serving(listener)
    return yield* Effect.gen(function*() {
      const robots = yield* Robots.make()
      const { found, isAllowed } = yield* robots.file(url)
      return { found, secret: isAllowed(`${url}/secret`), open: isAllowed(`${url}/open`) }
    }).pipe(
      Effect.provide(NodeFetcher.layer({ timeout: "3 seconds", addressGuard: AddressGuard.make({ startUrls: [url] }) }))
    )
  }).pipe(Effect.scoped)

const read = { found: "rules", secret: false, open: true }

describe("Robots over a real connection", () => {
  it.live("reads the first 500 KiB of a file of 1 GB, whether it says so or not", () =>
    Effect.gen(function*() {
      for (const headers of [{ "content-length": 2 ** 30 }, {}]) {
        assert.deepStrictEqual(
          yield* fileOf((_, response) => {
            response.writeHead(200, headers)
            response.write(rules)
            const more = () => {
              while (!response.destroyed && response.write(padding));
            }
            response.on("drain", more)
            more()
          }),
          read
        )
      }
    }))

  it.live("reads the first 500 KiB of what a gzip bomb becomes", () =>
    Effect.gen(function*() {
      const bomb = gzipSync(Buffer.concat([Buffer.from(rules), Buffer.alloc(50 * 2 ** 20, "#")]))
      assert.deepStrictEqual(
        yield* fileOf((_, response) => {
          response.writeHead(200, { "content-encoding": "gzip" })
          response.end(bomb)
        }),
        read
      )
    }))

  it.live("follows redirects, and allows everything after the fifth", () =>
    Effect.gen(function*() {
      const redirecting = (times: number): RequestListener => (request, response) => {
        const seen = Number(new URL(request.url!, "http://a").searchParams.get("n") ?? 0)
        if (seen === times) response.end(rules)
        else response.writeHead(302, { location: `/elsewhere?n=${seen + 1}` }).end()
      }
      assert.deepStrictEqual(yield* fileOf(redirecting(5)), read)
      assert.deepStrictEqual(yield* fileOf(redirecting(6)), { found: "none", secret: true, open: true })
    }))
})

describe("Sitemap over a real connection", () => {
  it.live("reads what is packed, sent packed, or both, and stops at its limits", () =>
    Effect.gen(function*() {
      const urlset = (...paths: ReadonlyArray<string>) =>
        `<urlset>${paths.map((path) => `<url><loc>http://a.example${path}</loc></url>`).join("")}</urlset>`
      const bodies: Readonly<Record<string, readonly [type: string, body: Buffer, encoding?: string]>> = {
        "/plain.xml": ["application/xml", Buffer.from(urlset("/plain"))],
        "/packed.xml.gz": ["application/x-gzip", gzipSync(urlset("/packed"))],
        "/sent.xml": ["text/xml", gzipSync(urlset("/sent")), "gzip"],
        "/both.xml.gz": ["application/gzip", gzipSync(gzipSync(urlset("/both"))), "gzip"],
        "/bomb.xml.gz": ["application/gzip", gzipSync(`${urlset("/bomb")}${" ".repeat(2 ** 20)}`)]
      }
      const { url } = yield* serving((request, response) => {
        const [type, body, encoding] = bodies[request.url!]!
        response.writeHead(200, {
          "content-type": type,
          ...(encoding === undefined ? {} : { "content-encoding": encoding })
        })
        response.end(body)
      })
      const found = yield* Stream.runCollect(
        Sitemap.read(Object.keys(bodies).map((path) => url + path), { maxBytes: 2 ** 20 })
      ).pipe(
        Effect.provide(NodeFetcher.layer({ addressGuard: AddressGuard.make({ startUrls: [url] }) }))
      )
      assert.deepStrictEqual(
        found.map((one) => one._tag === "SitemapEntry" ? new URL(one.url).pathname : `${one.reason} ${one.detail}`),
        [
          "/plain",
          "/packed",
          "/sent",
          "/both",
          "/bomb",
          "Unreadable it could not be read (TooLarge): the body is larger than 1048576 bytes decoded; to read it, raise maxBytes"
        ]
      )
    }))
})
