import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpServerError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import type { Intake } from "./intake.ts"
import { Refusal, stopping } from "./refusal.ts"

/** How long a client may take for a body of JSON, or in a stream for the next piece of it. */
const patience = Duration.minutes(1)

/** Reads from a client for as long as it is worth it: until intake ends, or nothing has come for long. */
export const patiently = <A, R>(
  read: Effect.Effect<A, HttpServerError | Refusal, R>,
  intake: Pick<Intake, "awaitStopping">
): Effect.Effect<A, Refusal, R> =>
  read.pipe(
    Effect.raceFirst(intake.awaitStopping),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(tooSlow) }),
    Effect.catchTags({
      Stopping: () => Effect.fail(stopping()),
      HttpServerError: () => Effect.fail(endedEarly)
    })
  )

/** Reads a whole body of so many bytes at most. */
export const whole = (
  request: HttpServerRequest,
  limit: number,
  tooLarge: Refusal
): Effect.Effect<Uint8Array, Refusal | HttpServerError> =>
  Effect.suspend(() => {
    if (Number(request.headers["content-length"] ?? 0) > limit) return Effect.fail(tooLarge)
    const chunks: Array<Uint8Array> = []
    let bytes = 0
    // Not `request.arrayBuffer`, which takes the connection down where it is interrupted, and the answer with it.
    return Effect.map(
      Stream.runForEachArray(request.stream, (array) => {
        for (const chunk of array) {
          bytes += chunk.length
          chunks.push(chunk)
        }
        return bytes > limit ? Effect.fail(tooLarge) : Effect.void
      }),
      () => chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    )
  })

const tooSlow = new Refusal({
  status: 408,
  detail: `nothing came for ${Duration.format(patience)}`,
  headers: { connection: "close" }
})

/** Of a client that has gone, and will hardly read this. */
const endedEarly = new Refusal({ status: 400, detail: "the body ended early" })
