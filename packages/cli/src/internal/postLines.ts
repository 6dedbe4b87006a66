import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CollectorPlan } from "../CollectorPlan.ts"
import * as EventText from "./eventText.ts"
import type { Accepted, Intake } from "./intake.ts"
import { type Lines, LineSplitter } from "./lineSplitter.ts"
import * as ReceiptState from "./receiptState.ts"
import { Refusal, stopping } from "./refusal.ts"
import * as RequestBody from "./requestBody.ts"

/** Receipts that one answer tells; of a longer stream it tells the number of events alone. */
export const maxReceipts = 1000

/**
 * Takes events line by line, as they arrive: while the queue is full nothing more is read from the client.
 *
 * What was accepted stays accepted, whatever comes after it, so every answer says how many events that were.
 */
export const postLines = Effect.fnUntraced(function*(
  request: HttpServerRequest,
  { check, consumers, maxBody }: CollectorPlan,
  intake: Intake,
  wait: boolean
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, Refusal, Scope.Scope> {
  const names = consumers.map(({ name }) => name)
  const splitter = new LineSplitter(maxBody)
  const receipts: Array<Accepted> = []
  let accepted = 0
  let line = 0

  const enter = (one: Accepted): void => {
    accepted++
    if (accepted <= maxReceipts) receipts.push(one)
  }
  const told = (state: typeof ReceiptState.current) =>
    Effect.map(
      accepted > maxReceipts
        ? Effect.succeed([])
        : Effect.forEach(receipts, ({ id, receipt }) => state(id, receipt, names)),
      (events) => accepted > maxReceipts ? { accepted } : { accepted, events }
    )
  /** A refusal that says what had been accepted before it. */
  const refuse = (refusal: Refusal) =>
    Effect.flatMap(
      told(ReceiptState.current),
      (members) => new Refusal({ ...refusal, members: { ...refusal.members, ...members } })
    )

  const take = Effect.fnUntraced(function*({ fault, lines }: Lines) {
    const events: Array<unknown> = []
    let refusal: Refusal | undefined
    for (const text of lines) {
      line++
      // Blank lines separate nothing.
      if (text.trim() === "") continue
      const parsed = EventText.parse(text)
      const read = parsed._tag === "Event" ? EventText.check(check, parsed.event) : parsed
      if (read._tag === "Faulty") {
        refusal = new Refusal({
          status: 400,
          detail: `line ${line} was not accepted`,
          members: { errors: read.violations.map((violation) => ({ line, ...violation })) }
        })
        break
      }
      if (wait && accepted + events.length === maxReceipts) {
        refusal = new Refusal({ status: 413, detail: `with wait=true a stream may have ${maxReceipts} events` })
        break
      }
      events.push(read.event)
    }
    yield* Effect.catchTag(intake.feed(events, enter), "Stopping", () => Effect.fail(stopping()))
    if (refusal !== undefined) return yield* refusal
    if (fault === "tooLong") {
      return yield* new Refusal({ status: 413, detail: `line ${line + 1} has more than ${maxBody} bytes` })
    }
    if (fault === "notText") {
      return yield* new Refusal({ status: 400, detail: `line ${line + 1} is not text in UTF-8` })
    }
  })

  const read = Effect.gen(function*() {
    const pull = yield* Stream.toPull(request.stream)
    while (true) {
      const chunks = yield* RequestBody.patiently(Pull.catchDone(pull, () => Effect.undefined), intake)
      if (chunks === undefined) break
      for (const chunk of chunks) yield* take(splitter.push(chunk))
    }
    yield* take(splitter.end())
    if (accepted === 0) return yield* new Refusal({ status: 400, detail: "the body holds no event" })
  })
  yield* Effect.catchTag(read, "Refusal", (refusal) => Effect.flatMap(refuse(refusal), Effect.fail))
  return HttpServerResponse.jsonUnsafe(yield* told(wait ? ReceiptState.settled : ReceiptState.current), {
    status: wait ? 200 : 202
  })
})
