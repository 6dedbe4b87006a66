import type * as Receipt from "effect-collector/Receipt"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { redactText } from "../Redaction.ts"
import { secrets } from "./logging.ts"

/** What is told of an event: that it is pending, what each consumer made of it, or why none had it. */
export const settled = (
  id: string,
  receipt: Receipt.Receipt,
  consumers: ReadonlyArray<string>
): Effect.Effect<object> =>
  Effect.match(receipt.results, {
    onFailure: ({ reason }) => ({ receipt: id, state: "dropped", reason }),
    onSuccess: (results) => ({
      receipt: id,
      state: "settled",
      results: Object.fromEntries(consumers.map((name, i) => [name, outcome(results[i]!)]))
    })
  })

export const current = (
  id: string,
  receipt: Receipt.Receipt,
  consumers: ReadonlyArray<string>
): Effect.Effect<object> =>
  receipt.isSettled ? settled(id, receipt, consumers) : Effect.succeed({ receipt: id, state: "pending" })

const outcome = (exit: Exit.Exit<unknown, unknown>): object => {
  if (Exit.isSuccess(exit)) return { outcome: "delivered" }
  if (Cause.hasInterruptsOnly(exit.cause)) return { outcome: "interrupted" }
  const error = Cause.squash(exit.cause)
  return { outcome: "failed", reason: redactText(error instanceof Error ? error.message : String(error), secrets) }
}
