// A site crawled by the command into a CSV file, killed on the way and gone on with: every page stands in the file once.
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A hundred pages, each with links to the next two. */
const serve = (onRequest: () => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => {
        onRequest()
        const n = Number(request.url!.slice(1))
        response.writeHead(n < 100 ? 200 : 404, { "content-type": "text/html" })
        response.end(
          `<title>Page ${n}</title><b class="price">${n}.50</b><a href="/${n + 1}">1</a><a href="/${n + 2}">2</a>`
        )
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}/0`, close: () => void server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  let kill = () => {}
  let asked = 0
  const { url } = yield* serve(() => {
    if (++asked === 40) kill()
  })

  const conveyor = (args: string) =>
    Effect.callback<string>((resume) => {
      const command = ["--conditions=conveyor-source", "packages/cli/src/bin.ts", ...args.split(" ")]
      const child = spawn(process.execPath, command, { stdio: "ignore" })
      kill = () => void child.kill("SIGKILL")
      child.on("exit", (code, signal) => resume(Effect.succeed(signal ?? `code ${code}`)))
    })
  const crawl = `crawl ${url} --select price=.price --state ${folder}/crawl.db --output ${folder}/pages.csv`
  yield* Console.log(`the first run ended with ${yield* conveyor(crawl)}`)
  yield* Console.log(`the second ended with ${yield* conveyor(`${crawl} --resume`)}`)

  const [header, ...rows] = (yield* fs.readFileString(`${folder}/pages.csv`)).trimEnd().split("\n")
  const cell = (row: string, column: string) => row.split(",")[header!.split(",").indexOf(column)]
  const pages = rows.filter((row) => cell(row, "status") === "200")
  yield* Console.log(`${pages.length} pages, ${new Set(pages.map((row) => cell(row, "url"))).size} of them different`)
  yield* Console.log(pages.find((row) => cell(row, "title") === "Page 7")!.replace(/.*,/, "page 7 costs "))
})

program.pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.runPromise)

// Output:
// the first run ended with SIGKILL
// the second ended with code 0
// 100 pages, 100 of them different
// page 7 costs 7.50
