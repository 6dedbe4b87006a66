import { Effect, type Scope } from "effect"
import type { AddressInfo, Socket } from "node:net"
import { createServer } from "node:net"
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"

/** Says what it likes on a raw socket, for the path that was asked for. */
type Answerer = (socket: Socket, path: string, port: number) => void

const mebibyte = 1024 * 1024

const head = (status: string, ...headers: ReadonlyArray<string>): string =>
  [`HTTP/1.1 ${status}`, ...headers, "", ""].join("\r\n")

const html = "Content-Type: text/html"
const chunked = "Transfer-Encoding: chunked"

const sending = (...parts: ReadonlyArray<string | Uint8Array>): Answerer => (socket) => {
  for (const part of parts) socket.write(part)
}

const page = (body: string | Uint8Array, ...headers: ReadonlyArray<string>): Answerer =>
  sending(
    head(
      "200 OK",
      ...(headers.some((one) => one.startsWith("Content-Type"))
        ? []
        : [html]),
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`
    ),
    body
  )

const then = (first: Answerer, second: (socket: Socket) => void): Answerer => (socket, path, port) => {
  first(socket, path, port)
  // What was written is to arrive before the end does.
  setTimeout(() => second(socket), 20)
}

const ending = (first: Answerer): Answerer => then(first, (socket) => socket.end())
const resetting = (first: Answerer): Answerer => then(first, (socket) => socket.resetAndDestroy())

const redirect = (location: string | ((path: string, port: number) => string)): Answerer => (socket, path, port) =>
  socket.write(
    head(
      "302 Found",
      `Location: ${typeof location === "string" ? location : location(path, port)}`,
      "Content-Length: 0"
    )
  )

/** Writes a piece again and again, as fast as it is taken. */
const endlessly = (first: string, piece: string | Uint8Array, times = Infinity): Answerer => (socket) => {
  let left = times
  const more = () => {
    while (!socket.destroyed && left > 0) {
      left -= 1
      if (!socket.write(piece)) return
    }
    if (left <= 0 && left !== -1) {
      left = -1
      socket.end()
    }
  }
  socket.on("drain", more)
  socket.write(first)
  more()
}

const slowly = (first: string, piece: string, everyMillis: number): Answerer => (socket) => {
  socket.write(first)
  const timer = setInterval(() => socket.write(piece), everyMillis)
  socket.on("close", () => clearInterval(timer))
}

/** Compressed when first asked for: 100 MB of zeros. Members of gzip and frames of zstd may follow each other, which makes 10 GB of them. */
const bombs = new Map<string, Uint8Array>()

const bombOf = (coding: string): Uint8Array => {
  const zeros = new Uint8Array(100 * mebibyte)
  const made = bombs.get(coding) ?? compress[coding]!(zeros)
  bombs.set(coding, made)
  return made
}

const compress: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: (bytes) => zstdCompressSync(bytes)
}

const bomb: Answerer = (socket, path, port) => {
  const coding = path.split("/")[2]!
  endlessly(head("200 OK", html, `Content-Encoding: ${coding}`), bombOf(coding), 100)(socket, path, port)
}

const chunk = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n`

const answerers: Readonly<Record<string, Answerer>> = {
  // What is well.
  "page": page("<p>hello</p>"),
  "head": sending(head("200 OK", html, "Content-Length: 12")),
  "missing": sending(head("404 Not Found", html, "Retry-After: 7", "Content-Length: 4"), "gone"),
  "image": sending(head("200 OK", "Content-Type: image/png", "Content-Length: 1000000"), new Uint8Array(100_000)),
  "small-image": page(new Uint8Array(100), "Content-Type: image/png"),
  "chunked-image": sending(head("200 OK", "Content-Type: image/png", chunked), chunk("png"), "0\r\n\r\n"),
  "endless-image": endlessly(head("200 OK", "Content-Type: image/png", chunked), chunk(" ".repeat(1000))),
  "untyped": sending(head("200 OK", "Content-Length: 2"), "ok"),
  "no-location": page("where?", "X: y"),
  "gzip": page(gzipSync("<p>hello</p>"), "Content-Encoding: gzip"),
  "x-gzip": page(gzipSync("<p>hello</p>"), "Content-Encoding: X-GZIP"),
  "deflate": page(deflateSync("<p>hello</p>"), "Content-Encoding: deflate"),
  "deflate-raw": page(deflateRawSync("<p>hello</p>"), "Content-Encoding: deflate"),
  "br": page(brotliCompressSync("<p>hello</p>"), "Content-Encoding: br"),
  "zstd": page(zstdCompressSync("<p>hello</p>"), "Content-Encoding: zstd"),
  "twice": page(gzipSync(brotliCompressSync("<p>hello</p>")), "Content-Encoding: br, gzip"),
  "gzip-file": page(gzipSync("<p>hello</p>"), "Content-Type: application/gzip"),
  "gzip-empty": page("", "Content-Encoding: gzip"),
  "sets-cookie": (socket, path, port) =>
    page(`${port}`, "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Domain=0.0.1; Path=/")(socket, path, port),

  // Redirects.
  "loop": redirect((path) => path.endsWith("/2") ? "/loop/1" : "/loop/2"),
  "self": redirect((path) => path),
  "chain": redirect((path) => `/chain/${Number(path.split("/")[2] ?? 0) + 1}`),
  "moved": redirect("/page#there"),
  "moved-twice": redirect("/moved"),
  "to-file": redirect("file:///etc/passwd"),
  "to-data": redirect("data:text/html,hello"),
  "to-nonsense": redirect("http://[nonsense"),
  "to-long": redirect(`/${"a".repeat(50_000)}`),
  "to-100kb": redirect(`/${"a".repeat(100_000)}`),
  "to-private": redirect("http://10.0.0.1/"),
  "to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
  "to-other-port": redirect((_, port) => `http://127.0.0.1:${port === 65_535 ? 1 : port + 1}/`),
  "to-loopback-in-disguise": redirect((_, port) => `http://0x7f.1:${port + 1}/`),
  "to-mapped": redirect((_, port) => `http://[::ffff:127.0.0.1]:${port}/page`),
  "to-credentials": redirect((_, port) => `http://user:secret@127.0.0.1:${port}/page`),
  "to-umlaut": redirect("/page?\u00E4"),

  // Time.
  "silent": () => {},
  "silent-body": sending(head("200 OK", html, "Content-Length: 10"), "12345"),
  "drip": slowly(head("200 OK", html, "Content-Length: 1000000"), "x", 200),
  "drip-headers": slowly("HTTP/1.1 200 OK\r\n", "X-A: b\r\n", 200),
  "drip-chunks": slowly(head("200 OK", html, chunked), chunk("x"), 200),

  // Size.
  "bomb": bomb,
  "gigabyte": endlessly(head("200 OK", html, "Content-Length: 1073741824"), new Uint8Array(mebibyte).fill(0x20), 1024),
  "endless": endlessly(head("200 OK", html, chunked), chunk(" ".repeat(65_536))),
  "endless-empty-gzip": endlessly(
    head("200 OK", html, "Content-Encoding: gzip"),
    Buffer.concat(Array.from({ length: 1000 }, () => gzipSync("")))
  ),
  "endless-untold": endlessly(head("200 OK", html), new Uint8Array(65_536)),
  "endless-headers": endlessly("HTTP/1.1 200 OK\r\n", `X-A: ${"b".repeat(1000)}\r\n`),
  "endless-header": endlessly("HTTP/1.1 200 OK\r\nX-A: ", "b".repeat(1000)),
  "endless-reason": endlessly("HTTP/1.1 200 ", "b".repeat(1000)),
  "endless-interim": endlessly("", head("103 Early Hints", "Link: </a>")),
  "endless-trailers": endlessly(`${head("200 OK", html, chunked)}0\r\n`, `X-A: ${"b".repeat(1000)}\r\n`),
  "endless-extension": endlessly(`${head("200 OK", html, chunked)}1;`, "b".repeat(1000)),
  "cookie-flood": page("ok", ...Array.from({ length: 5000 }, (_, i) => `Set-Cookie: c${i}=${"v".repeat(50)}`)),
  "cookies": page("ok", ...Array.from({ length: 1000 }, (_, i) => `Set-Cookie: c${i}=v`)),
  "links": page(Array.from({ length: 30_000 }, (_, i) => `<a href="/links/${i}">`).join("")),

  // Lengths that lie.
  "short": ending(sending(head("200 OK", html, "Content-Length: 100"), "1234567890")),
  "long": sending(head("200 OK", html, "Content-Length: 10"), "1234567890", "and more of it ".repeat(100)),
  "two-lengths": sending(head("200 OK", html, "Content-Length: 10", "Content-Length: 5"), "1234567890"),
  "negative-length": sending(head("200 OK", html, "Content-Length: -1"), "1234567890"),
  "length-and-chunks": sending(head("200 OK", html, "Content-Length: 10", chunked), chunk("hello"), "0\r\n\r\n"),
  "bad-chunk": sending(head("200 OK", html, chunked), "zz\r\nhello\r\n"),
  "unfinished-chunks": ending(sending(head("200 OK", html, chunked), chunk("hello"))),
  "no-content": sending(head("204 No Content", "Content-Length: 5"), "hello"),

  // Connections that break.
  "reset-before": (socket) => socket.resetAndDestroy(),
  "reset-headers": resetting(sending("HTTP/1.1 200 OK\r\nContent-")),
  "reset-body": resetting(sending(head("200 OK", html, "Content-Length: 100"), "12345")),
  "close-before": (socket) => socket.end(),
  "close-headers": ending(sending("HTTP/1.1 200 OK\r\nContent-")),

  // What is no HTTP.
  "http-0.9": ending(sending("<p>hello</p>")),
  "http-2": ending(sending("HTTP/2.0 200 OK\r\n\r\n")),
  "garbage": sending(new Uint8Array(10_000).map((_, i) => i * 7919)),
  "bad-status": sending("HTTP/1.1 20x OK\r\n\r\n"),
  "unasked-upgrade": sending(head("101 Switching Protocols", "Connection: upgrade", "Upgrade: websocket")),
  "bad-header-name": page("ok", "X\u0001 Y: z"),
  "bad-header-value": page("ok", "X: y\u0000z"),
  "proto-header": page("ok", "__proto__: polluted", "constructor: polluted"),

  // Encodings that are none.
  "no-gzip": page("<p>hello</p>", "Content-Encoding: gzip"),
  "cut-gzip": page(gzipSync("<p>hello</p>".repeat(1000)).subarray(0, 50), "Content-Encoding: gzip"),
  "gzip-and-garbage": page(Buffer.concat([gzipSync("<p>hello</p>"), Buffer.from("garbage")]), "Content-Encoding: gzip"),
  "unknown-encoding": page("ok", "Content-Encoding: compress"),
  "many-encodings": page("ok", "Content-Encoding: gzip, gzip, gzip"),

  // Text that is none.
  "broken-utf8": page(new Uint8Array([0x61, 0xff, 0xc3, 0x28, 0x62]), "Content-Type: text/html; charset=utf-8"),
  "wrong-label": page(Buffer.from("\u00E4\u00F6"), "Content-Type: text/html; charset=nonsense")
}

export interface HostileServer {
  readonly url: string
  readonly port: number
  /** In the order in which they came. */
  readonly requests: ReadonlyArray<{ readonly path: string; readonly head: string }>
  /** How many connections are open now. */
  readonly openSockets: () => number
  /** Whether the connections on which a path was asked for are closed. */
  readonly isClosed: (path: string) => boolean
  /** What the last connection was given, whether it arrived or not. */
  readonly bytesWritten: () => number
}

/** A server that does, on request, what no server should. */
export const hostileServer: Effect.Effect<HostileServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<HostileServer & { readonly close: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    const requests: Array<{ readonly path: string; readonly head: string; readonly socket: Socket }> = []
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on("close", () => sockets.delete(socket))
      socket.on("error", () => {})
      let head = ""
      socket.on("data", (bytes) => {
        head += bytes.toString("latin1")
        if (!head.endsWith("\r\n\r\n")) return
        const path = head.split(" ", 2)[1] ?? ""
        requests.push({ path, head, socket })
        head = ""
        answerers[path.split(/[/?]/)[1]!]?.(socket, path, port())
      })
    })
    const port = () => (server.address() as AddressInfo).port
    server.listen(0, "127.0.0.1", () =>
      resume(Effect.succeed({
        url: `http://127.0.0.1:${port()}`,
        port: port(),
        requests,
        openSockets: () => sockets.size,
        isClosed: (path) => requests.every((request) => request.path !== path || request.socket.destroyed),
        bytesWritten: () => requests.at(-1)!.socket.bytesWritten,
        close: () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
      })))
  }),
  (server) => Effect.sync(server.close)
)
