import * as Data from "effect/Data"
import type * as Headers from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"

const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable"
} as const

/** A request that is not done, and why. `members` are extensions of the problem. */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly status: keyof typeof titles
  readonly detail: string
  readonly members?: { readonly [name: string]: unknown } | undefined
  readonly headers?: Headers.Input | undefined
}> {}

/** A refusal as RFC 9457 has it. */
export const toResponse = (
  { detail, headers = {}, members = {}, status }: Refusal
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(
    ProblemDetails.toResponse({ type: ProblemDetails.blankType, title: titles[status], status, detail, ...members }),
    headers
  )

/** The refusal of whatever comes too late. */
export const stopping = (members?: { readonly [name: string]: unknown } | undefined): Refusal =>
  new Refusal({
    status: 503,
    detail: "the collector is shutting down and takes no more events",
    members,
    headers: { connection: "close" }
  })
