import { Effect, type Scope } from "effect"
import { readFileSync } from "node:fs"
import { createServer, request as nodeRequest, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { DatabaseSync } from "node:sqlite"
import { type Running, start } from "./conveyorProcess.ts"

export interface Collecting extends Running {
  /** Where events are sent. */
  readonly url: string
  /** Where it is asked. */
  readonly at: (path: string) => string
}

/** Starts `conveyor collect` on a free port, or as the arguments say; resumes once it listens. */
export const collect = (
  directory: string,
  args: ReadonlyArray<string>,
  environment?: { readonly [name: string]: string }
): Effect.Effect<Collecting, never, Scope.Scope> =>
  Effect.gen(function*() {
    const running = yield* start(directory, ["collect", ...args], environment)
    yield* running.awaitText("stderr", "listens on ")
    const url = /listens on (http:[^\s"]+)/.exec(running.printed.stderr)![1]!
    return { ...running, url, at: (path) => url.replace(/\/events$/, path) }
  })

export const port0 = ["--listen", "127.0.0.1:0"]

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

const answered = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) }
}

export const send = (url: string, init: RequestInit): Effect.Effect<Answer> =>
  Effect.promise(() => fetch(url, init).then(answered))

/** Posts text; JSON, unless another type is given. */
export const post = (
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<Answer> =>
  send(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } })

export const ndjson = { "content-type": "application/x-ndjson" }

/** A request whose body is sent piece by piece. */
export interface Upload {
  /** Resumes when the piece has left, which is when the server has room for it. */
  readonly write: (text: string | Uint8Array) => Effect.Effect<void>
  readonly end: () => void
  readonly destroy: () => void
  readonly answer: Effect.Effect<Answer>
}

/** With a pause, in milliseconds, the answer is left unread that long. */
export const upload = (url: string, headers: { readonly [name: string]: string }, pause = 0): Upload => {
  const request = nodeRequest(url, { method: "POST", headers: { ...headers } })
  request.flushHeaders()
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on("error", reject)
    request.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      if (pause > 0) {
        response.pause()
        setTimeout(() => response.resume(), pause)
      }
      response.on("data", (chunk: string) => {
        text += chunk
      })
      response.on("error", reject)
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          headers: new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          body: JSON.parse(text)
        }))
    })
  })
  answer.catch(() => {})
  return {
    write: (text) =>
      Effect.callback((resume) => {
        // Whether it was sent or could not be: who cares looks at the answer.
        request.write(text, () => resume(Effect.void))
      }),
    end: () => void request.end(),
    destroy: () => void request.destroy(),
    answer: Effect.promise(() => answer)
  }
}

/** An HTTP server that takes what an `http` consumer sends, and answers as it is told to. */
export const receiver = (
  answer: (body: unknown) => { readonly status: number; readonly afterMillis?: number }
): Effect.Effect<{ readonly url: string; readonly bodies: Array<any> }, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Server; readonly bodies: Array<any> }>((resume) => {
        const bodies: Array<any> = []
        const server = createServer((request, response) => {
          let text = ""
          request.on("data", (chunk) => {
            text += String(chunk)
          })
          request.on("end", () => {
            const body: unknown = JSON.parse(text)
            const { afterMillis = 0, status } = answer(body)
            if (status < 300) bodies.push(body)
            setTimeout(() => {
              response.statusCode = status
              response.end()
            }, afterMillis)
          })
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, bodies })))
      }),
      ({ server }) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    ({ bodies, server }) => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies })
  )

export const linesOf = (path: string): ReadonlyArray<any> => {
  const text = readFileSync(path, "utf8").trimEnd()
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as unknown)
}

export const rowsOf = (path: string, query: string): ReadonlyArray<any> => {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(query).all()
  } finally {
    db.close()
  }
}
