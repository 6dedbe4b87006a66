import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Connection } from "./connection.ts"
import { type ClientFailure, type ClientSide, type HostSide, Status } from "./handshake.ts"

export type HostOutcome =
  | { readonly _tag: "Accepted"; readonly connection: Connection }
  | { readonly _tag: "Rejected"; readonly detail: string }

/** Takes part in a handshake as the host. The connection it gives begins with what came after the answer. */
export const asHost = (connection: Connection, side: HostSide): Effect.Effect<HostOutcome> =>
  Effect.suspend(() => {
    const outcome = Deferred.makeUnsafe<HostOutcome>()
    const end = (value: HostOutcome) => Deferred.doneUnsafe(outcome, Effect.succeed(value))
    const rest: Array<Uint8Array> = []
    connection.receive((chunk) => {
      if (Deferred.isDoneUnsafe(outcome)) return void rest.push(chunk)
      const step = side.receive(chunk)
      if (step._tag === "Waiting") return
      if (step._tag === "NotOurs") return void end({ _tag: "Rejected", detail: step.detail })
      connection.write(step.verdict)
      if (step.status !== Status.Accepted) return void end({ _tag: "Rejected", detail: step.detail })
      end({ _tag: "Accepted", connection: after(rest, connection) })
    })
    connection.write(side.greeting)
    return Effect.raceFirst(
      Deferred.await(outcome),
      Effect.map(connection.closed, (detail): HostOutcome => ({ _tag: "Rejected", detail }))
    )
  })

export type ClientOutcome =
  | { readonly _tag: "Accepted"; readonly connection: Connection }
  | { readonly _tag: "Failed"; readonly reason: ClientFailure; readonly detail: string }

/** Takes part in a handshake as the client. The connection it gives begins with what came after the verdict. */
export const asClient = (connection: Connection, side: ClientSide): Effect.Effect<ClientOutcome> =>
  Effect.suspend(() => {
    const outcome = Deferred.makeUnsafe<ClientOutcome>()
    const end = (value: ClientOutcome) => Deferred.doneUnsafe(outcome, Effect.succeed(value))
    const rest: Array<Uint8Array> = []
    connection.receive((chunk) => {
      if (Deferred.isDoneUnsafe(outcome)) return void rest.push(chunk)
      const step = side.receive(chunk)
      switch (step._tag) {
        case "Waiting":
          return
        case "Send":
          return connection.write(step.bytes)
        case "Accepted":
          if (step.rest.length > 0) rest.push(step.rest)
          return void end({ _tag: "Accepted", connection: after(rest, connection) })
        case "Failed":
          return void end(step)
      }
    })
    return Effect.raceFirst(
      Deferred.await(outcome),
      Effect.map(connection.closed, (detail): ClientOutcome => ({ _tag: "Failed", reason: "Unreachable", detail }))
    )
  })

const after = (rest: Array<Uint8Array>, connection: Connection): Connection => ({
  ...connection,
  receive: (take) => {
    connection.receive(take)
    for (const chunk of rest.splice(0)) take(chunk)
  }
})
