import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Dispatcher } from "undici"
import type { FetchError } from "../../FetchError.ts"
import * as BodyQueue from "./bodyQueue.ts"
import { failure, type Phase } from "./failure.ts"
import * as NodeDecoding from "./NodeDecoding.ts"
import type { Problem } from "./target.ts"

export interface Request {
  readonly url: URL
  readonly method: "GET" | "HEAD"
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly unpackGzip: boolean
  readonly failed: (problem: Problem) => FetchError
  /** Whether the body of an answer with such headers is to be read. Decided as they arrive, so that not a byte more does. */
  readonly isBodyWanted: (status: number, headers: Readonly<Record<string, string>>) => boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Each as it was sent: they cannot be joined. */
  readonly setCookies: ReadonlyArray<string>
  readonly latency: Duration.Duration
  readonly isBodySkipped: boolean
  readonly body: Pick<BodyQueue.BodyQueue, "poll" | "pull">
}

/** More interim answers than any server has a reason for. */
const maxInterim = 16

/** An unwanted body that is no longer is let through, for a new connection costs more. */
const lettingThroughBytes = 16 * 1024

/**
 * Asks once, and gives the answer when its headers are there. The exchange ends when the Scope does, or with an interruption; a
 * connection of which not all was read is closed then, and otherwise kept.
 */
export const exchange = (
  dispatcher: Dispatcher,
  request: Request,
  scope: Scope.Scope
): Effect.Effect<Answer, FetchError> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const { begin, close } = handler(dispatcher, request, clock)
    return Effect.andThen(
      Scope.addFinalizer(scope, Effect.sync(close)),
      Effect.callback<Answer, FetchError>((resume) => {
        begin(resume)
        return Effect.sync(close)
      })
    )
  })

const handler = (dispatcher: Dispatcher, request: Request, clock: Clock.Clock) => {
  const { failed, maxBytes, method, url } = request
  let phase: Phase = "connecting"
  let isOver = false
  let interim = 0
  let wireBytes = 0
  let startedAt = 0n
  let controller: Dispatcher.DispatchController | undefined
  let body: NodeDecoding.Decoding | undefined
  let answer: (answered: Effect.Effect<Answer, FetchError>) => void

  const stop = (reason: Error): void => {
    if (isOver) return
    isOver = true
    body?.destroy()
    controller?.abort(reason)
  }
  const fail = (error: FetchError): void => {
    stop(error)
    if (phase === "receiving") queue.fail(error)
    else answer(Effect.fail(error))
  }
  const tooLarge = (what: string): FetchError => {
    const error = failed({
      reason: "TooLarge",
      detail: `the body is larger than ${maxBytes} bytes ${what}; to read it, raise maxBytes`
    })
    stop(error)
    return error
  }
  const queue = BodyQueue.make(maxBytes, () => tooLarge("decoded"))
  const broken = (coding: string, cause: Error): FetchError => {
    const error = failed({
      reason: "BadEncoding",
      detail: `the body is not the ${coding} it is said to be: ${cause.message}`
    })
    stop(error)
    return error
  }

  const onAnswer = (status: number, incoming: Incoming): void => {
    const elapsed = clock.currentTimeNanosUnsafe() - startedAt
    const { headers, setCookies } = joined(incoming)
    const hasBody = method !== "HEAD" && status !== 204 && status !== 304
    const isBodyRead = hasBody && request.isBodyWanted(status, headers)
    const declared = Number(headers["content-length"] ?? Number.NaN)
    if (isBodyRead) {
      const codings = NodeDecoding.parse(headers["content-encoding"])
      if (codings === undefined) {
        return fail(failed({
          reason: "UnsupportedEncoding",
          detail: `the body is sent as "${
            headers["content-encoding"]!.slice(0, 100)
          }"; expected at most two of ${NodeDecoding.acceptEncoding}`
        }))
      }
      if (declared > maxBytes) return answer(Effect.fail(tooLarge(`as sent, by its Content-Length of ${declared}`)))
      const unpacked = request.unpackGzip ? NodeDecoding.unpackingGzip(queue, broken) : queue
      body = NodeDecoding.decoding(codings, unpacked, broken)
      body.onRoom = () => controller!.resume()
    } else {
      queue.end()
    }
    phase = "receiving"
    if (hasBody && !isBodyRead && declared > lettingThroughBytes) stop(new Error("the body is not wanted"))
    answer(Effect.succeed({
      status,
      headers,
      setCookies,
      latency: Duration.nanos(elapsed),
      isBodySkipped: !isBodyRead,
      body: queue
    }))
  }

  const begin = (resume: typeof answer): void => {
    answer = resume
    try {
      dispatcher.dispatch({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: request.headers
      }, {
        onRequestStart: (started) => {
          controller = started
          if (isOver) return started.abort(new Error("nobody waits for the answer"))
          phase = "asking"
          startedAt = clock.currentTimeNanosUnsafe()
        },
        onResponseStart: (_, status, headers) => {
          if (isOver) return
          if (status >= 200) return onAnswer(status, headers)
          interim += 1
          if (interim > maxInterim) {
            fail(failed({
              reason: "BadResponse",
              detail: `more than ${maxInterim} interim answers (${status}) came instead of one`
            }))
          }
        },
        onResponseData: (receiving, bytes) => {
          if (isOver) return
          wireBytes += bytes.length
          if (body === undefined) {
            if (wireBytes > lettingThroughBytes) stop(new Error("the body is not wanted"))
          } else if (wireBytes > maxBytes) queue.fail(tooLarge("as sent"))
          else if (!body.write(bytes)) receiving.pause()
        },
        onResponseEnd: () => {
          if (isOver) return
          isOver = true
          body?.end()
        },
        onResponseError: (_, cause) => {
          if (isOver) return
          isOver = true
          const error = failed(failure(cause, phase))
          if (phase !== "receiving") answer(Effect.fail(error))
          else if (body === undefined) queue.fail(error)
          else body.fail(error)
        }
      })
    } catch (cause) {
      fail(failed(failure(cause, phase)))
    }
  }

  return {
    begin,
    /** Nobody will read any more. */
    close: () => {
      // Most are over by now, and an Error costs more than the rest of this.
      if (!isOver) stop(new Error("nobody reads the body"))
      body?.destroy()
      queue.close()
    }
  }
}

type Incoming = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** Headers that have one value, and may have a comma in it: of several that are sent, the first counts. */
const single: ReadonlySet<string> = new Set(["location", "content-type", "retry-after"])

const joined = (incoming: Incoming) => {
  // A server may call a header `__proto__`.
  const headers: Record<string, string> = Object.create(null)
  let setCookies: ReadonlyArray<string> = []
  for (const name of Object.keys(incoming)) {
    const value = incoming[name]!
    const values = typeof value === "string" ? [value] : value
    if (name === "set-cookie") setCookies = values
    else headers[name] = single.has(name) ? values[0]! : values.join(", ")
  }
  return { headers, setCookies }
}
