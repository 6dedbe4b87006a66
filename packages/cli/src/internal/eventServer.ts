import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServer from "effect/http/HttpServer"
import * as Scope from "effect/Scope"
import { createServer, type ServerResponse } from "node:http"
import type { CollectorPlan } from "../CollectorPlan.ts"
import { AddressUnavailable } from "../CommandFailed.ts"
import * as ListenAddress from "../ListenAddress.ts"
import * as EventRoutes from "./eventRoutes.ts"
import type { Intake } from "./intake.ts"

/** How long answers that are under way may take when the server closes. */
const grace = Duration.seconds(2)

export interface EventServer {
  /** Where it listens, as a URL. */
  readonly url: string
  /** Ends the connections, those at once that do not carry an answer. */
  readonly close: Effect.Effect<void>
}

/** Listens for the events of a collector. */
export const start = Effect.fnUntraced(function*(
  plan: CollectorPlan,
  intake: Intake
): Effect.fn.Return<EventServer, AddressUnavailable> {
  const scope = Scope.makeUnsafe()
  // A stream of events may last for hours; each piece of it is waited for with a limit.
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 })
  const underWay = new Set<ServerResponse>()
  server.on("request", (_request, response) => {
    underWay.add(response)
    response.once("close", () => underWay.delete(response))
  })
  const http = yield* NodeHttpServer.make(() => server, { ...plan.listen, gracefulShutdownTimeout: grace }).pipe(
    Effect.mapError(({ cause }) =>
      new AddressUnavailable({ address: ListenAddress.format(plan.listen), reason: reasonOf(cause) })
    ),
    Scope.provide(scope)
  )
  yield* Scope.provide(http.serve(yield* EventRoutes.make(plan, intake)), scope)
  return {
    url: HttpServer.formatAddress(http.address),
    close: Effect.gen(function*() {
      // Node takes a connection for idle as soon as all of its answer is written, and cuts off what has not left yet.
      yield* Effect.timeoutOption(
        Effect.forEach(underWay, awaitClosed, { concurrency: "unbounded", discard: true }),
        grace
      )
      const closing = yield* Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* Effect.timeoutOption(Fiber.await(closing), Duration.sum(grace, Duration.seconds(1)))
      server.closeAllConnections()
    })
  }
})

const awaitClosed = (response: ServerResponse): Effect.Effect<void> =>
  Effect.callback((resume) => {
    response.once("close", () => resume(Effect.void))
  })

const reasonOf = (cause: unknown): string => {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return "the port is in use; choose another, or 0 for a free one"
    case "EACCES":
      return "this user may not listen there; ports below 1024 are for root"
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine does not have that address"
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}
