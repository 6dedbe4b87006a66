import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CollectorPlan } from "../CollectorPlan.ts"
import * as ListenAddress from "../ListenAddress.ts"
import * as Bearer from "./bearer.ts"
import type { Intake } from "./intake.ts"
import { postJson } from "./postJson.ts"
import { postLines } from "./postLines.ts"
import * as ReceiptState from "./receiptState.ts"
import { Refusal, toResponse } from "./refusal.ts"

type Request = HttpServerRequest.HttpServerRequest
type Answer<R = never> = Effect.Effect<HttpServerResponse.HttpServerResponse, Refusal, R>

/** Answers requests: events in, receipts and figures out. */
export const make = Effect.fnUntraced(function*(plan: CollectorPlan, intake: Intake) {
  const router = yield* HttpRouter.make
  const names = plan.consumers.map(({ name }) => name)

  yield* router.add("*", "/events", (request) => by(request, { POST: () => post(request, plan, intake) }))
  yield* router.add("*", "/events/:id", (request) =>
    by(request, {
      GET: () =>
        Effect.flatMap(HttpRouter.params, ({ id = "" }) => {
          const receipt = intake.find(id)
          return receipt === undefined
            ? Effect.fail(new Refusal({ status: 404, detail: "the receipt is not known, or not any more" }))
            : Effect.map(ReceiptState.current(id, receipt, names), (state) => HttpServerResponse.jsonUnsafe(state))
        })
    }))
  yield* router.add("*", "/stats", (request) =>
    by(request, {
      GET: () =>
        Effect.map(intake.metrics, (metrics) =>
          HttpServerResponse.jsonUnsafe({ collector: plan.name, ...metrics, collectors: intake.counts() }))
    }))

  const routes = router.asHttpEffect()
  const carriesToken = plan.token === undefined ? undefined : Bearer.carries(plan.token)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
    if (carriesToken === undefined) return isMeantForLoopback(headers["host"]) ? routes : Effect.succeed(misdirected)
    return carriesToken(headers["authorization"]) ? routes : Effect.succeed(unauthorized)
  }).pipe(
    Effect.catchCause(unforeseen),
    // A connection that stays would hold up the end.
    Effect.map((response) =>
      intake.isStopping() ? HttpServerResponse.setHeader(response, "connection", "close") : response
    )
  )
})

/** Answers by the method of the request; HEAD is GET, whose body is not sent. */
const by = <R>(request: Request, known: { readonly [method: string]: () => Answer<R> }) => {
  const answer = known[request.method] ?? (request.method === "HEAD" ? known["GET"] : undefined)
  const allow = Object.keys(known).join(", ")
  return Effect.catchTag(
    answer?.() ??
      Effect.fail(new Refusal({ status: 405, detail: `${request.method} is not known here`, headers: { allow } })),
    "Refusal",
    (refusal) => Effect.succeed(toResponse(refusal))
  )
}

const unauthorized = toResponse(
  new Refusal({
    status: 401,
    detail: "a token is needed, and the right one: Authorization: Bearer TOKEN",
    headers: { "www-authenticate": "Bearer" }
  })
)

/** A page in a browser on this machine can have a name of its own lead here, and would then be let in. */
const isMeantForLoopback = (host: string | undefined): boolean =>
  Option.exists(
    ListenAddress.parse(/:\d+$/.test(host ?? "") ? host! : `${host}:80`),
    ListenAddress.isLoopback
  )

const misdirected = toResponse(
  new Refusal({ status: 421, detail: "without a token only requests to localhost, 127.0.0.1 or [::1] are answered" })
)

const unknown = toResponse(new Refusal({ status: 404, detail: "there are /events, /events/RECEIPT and /stats" }))

const failed = toResponse(new Refusal({ status: 500, detail: "this is a defect of the collector; its log says more" }))

const unforeseen = (cause: Cause.Cause<unknown>): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  // Of a client that has gone.
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const error = Cause.squash(cause) as { readonly reason?: { readonly _tag?: unknown } } | undefined
  return error?.reason?._tag === "RouteNotFound"
    ? Effect.succeed(unknown)
    : Effect.as(Effect.logError("a request could not be answered", cause), failed)
}

const post = (
  request: Request,
  plan: CollectorPlan,
  intake: Intake
): Answer<Scope.Scope | HttpServerRequest.ParsedSearchParams> =>
  Effect.gen(function*() {
    const { wait = "false" } = yield* HttpServerRequest.ParsedSearchParams
    if (wait !== "true" && wait !== "false") {
      return yield* new Refusal({ status: 400, detail: "wait must be true or false" })
    }
    const take = yield* takerOf(request.headers)
    return yield* take(request, plan, intake, wait === "true")
  })

const takerOf = (headers: Headers.Headers): Effect.Effect<typeof postLines | typeof postJson, Refusal> => {
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding !== "identity") {
    return Effect.fail(new Refusal({ status: 415, detail: `a body with the content encoding ${encoding} is not read` }))
  }
  switch (headers["content-type"]?.split(";")[0]!.trim().toLowerCase()) {
    case "application/json":
      return Effect.succeed(postJson)
    case "application/x-ndjson":
      return Effect.succeed(postLines)
    default:
      return Effect.fail(
        new Refusal({
          status: 415,
          detail: "events come as application/json, or line by line as application/x-ndjson",
          headers: { accept: "application/json, application/x-ndjson" }
        })
      )
  }
}
