// Serves a site of linked pages on loopback, and tells its port to the parent.
import { createServer } from "node:http"

/** Pages of the site, of 8 KB each with ten links. */
const pages = Number(process.argv[2])

const filler = "The quick brown fox jumps over the lazy dog, and back again. ".repeat(120)

const page = (n: number): string => {
  const links = Array.from({ length: 10 }, (_, i) => (n * 10 + i + 1) % pages)
    .map((to) => `<li><a href="/page/${to}#top">Page ${to}</a></li>`)
    .join("\n")
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page ${n}</title>
<meta name="description" content="Page ${n} of ${pages}"></head><body><h1>Page ${n}</h1><ul>${links}</ul><p>`
  return `${head}${filler.slice(0, 8192 - head.length - 30)}</p></body></html>`
}

const bodies = Array.from({ length: pages }, (_, n) => Buffer.from(page(n)))

const server = createServer((request, response) => {
  if (request.url === "/robots.txt") {
    response.writeHead(200, { "content-type": "text/plain" }).end("User-agent: *\nDisallow: /private/\nAllow: /\n")
    return
  }
  const n = request.url === "/" ? 0 : Number(/^\/page\/(\d+)$/.exec(request.url!)?.[1])
  const body = bodies[n]
  if (body === undefined) response.writeHead(404).end()
  else response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": body.length }).end(body)
})
server.listen(0, "127.0.0.1", () => process.send!((server.address() as { readonly port: number }).port))
