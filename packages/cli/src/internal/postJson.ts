import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { CollectorPlan } from "../CollectorPlan.ts"
import * as EventText from "./eventText.ts"
import type { Intake } from "./intake.ts"
import * as ReceiptState from "./receiptState.ts"
import { Refusal, stopping } from "./refusal.ts"
import * as RequestBody from "./requestBody.ts"

/** Faults that one answer tells. */
const maxFaults = 20

/** Takes one event, or an array of them: all, or none. */
export const postJson = Effect.fnUntraced(function*(
  request: HttpServerRequest,
  { check, consumers, maxBody }: CollectorPlan,
  intake: Intake,
  wait: boolean
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, Refusal> {
  const text = yield* readText(request, maxBody, intake)
  const read = EventText.parse(text)
  if (read._tag === "Faulty") return yield* refused("the body", read.violations)
  const isArray = Array.isArray(read.event)
  const events = isArray ? read.event as ReadonlyArray<unknown> : [read.event]
  if (events.length === 0) return yield* refused("the array", [{ pointer: "", message: "holds no event" }])
  if (events.length > intake.capacity) {
    return yield* new Refusal({
      status: 413,
      detail: `an array is accepted as a whole, and the queue holds ${intake.capacity} events: ` +
        `${events.length} never fit; send fewer at once, or as NDJSON`
    })
  }
  const faults: Array<object> = []
  for (let index = 0; index < events.length && faults.length < maxFaults; index++) {
    const checked = EventText.check(check, events[index])
    if (checked._tag === "Event") continue
    faults.push(...checked.violations.map((violation) => isArray ? { index, ...violation } : violation))
  }
  if (faults.length > 0) return yield* refused(isArray ? "the array" : "the event", faults.slice(0, maxFaults))

  const accepted = yield* Effect.catchTags(intake.submit(events), {
    Full: () => Effect.flatMap(full(intake), Effect.fail),
    Stopping: () => Effect.fail(stopping())
  })
  const names = consumers.map(({ name }) => name)
  const state = wait ? ReceiptState.settled : ReceiptState.current
  const states = yield* Effect.forEach(accepted, ({ id, receipt }) => state(id, receipt, names))
  return HttpServerResponse.jsonUnsafe(
    isArray ? { accepted: accepted.length, events: states } : states[0],
    { status: wait ? 200 : 202 }
  )
})

const readText = (request: HttpServerRequest, maxBody: number, intake: Intake): Effect.Effect<string, Refusal> => {
  const tooLarge = new Refusal({
    status: 413,
    detail: `a body of JSON may have ${maxBody} bytes; send fewer events at once, or as NDJSON`
  })
  return Effect.flatMap(
    RequestBody.patiently(RequestBody.whole(request, maxBody, tooLarge), intake),
    (bytes) =>
      Effect.try({
        try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
        catch: () => new Refusal({ status: 400, detail: "the body is not text in UTF-8" })
      })
  )
}

const refused = (what: string, errors: ReadonlyArray<object>): Refusal =>
  new Refusal({ status: 400, detail: `${what} was not accepted`, members: { errors } })

const full = (intake: Intake): Effect.Effect<Refusal> =>
  Effect.map(intake.metrics, ({ drainEstimate }) =>
    new Refusal({
      status: 429,
      detail: "the queue is full",
      headers: { "retry-after": String(retryAfter(drainEstimate)) }
    }))

/** Whole seconds, by the milliseconds that the queue expects to need; within a minute, for one that stands still expects no end. */
export const retryAfter = (drainEstimate: number): number => Math.ceil(Math.min(60, Math.max(1, drainEstimate / 1000)))
