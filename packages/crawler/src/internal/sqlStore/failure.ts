import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as SqlError from "effect/sql/SqlError"
import { CrawlStoreError } from "../../CrawlStoreError.ts"
import type { Result } from "./store.ts"

/** Tries again what a database that is busy, or away for a moment, did not do; for as long as that may take. */
export const patiently = <A>(patience: number, effect: Result<A>): Effect.Effect<A, CrawlStoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (begun) =>
    withoutDefects(effect).pipe(
      Effect.retry({
        schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
          Schedule.jittered
        ),
        while: (error) =>
          isTransient(error)
            ? Effect.map(Clock.currentTimeMillis, (now) => now - begun < patience)
            : Effect.succeed(false)
      }),
      Effect.catch((error) => Effect.fail(error._tag === "SqlError" ? unavailable(error) : error))
    ))

/** A connection that is lost in a transaction cannot roll it back either, and `effect/sql` makes defects of both errors. The database does roll it back. */
export const withoutDefects = <A>(effect: Result<A>): Result<A> =>
  Effect.catchCause(effect, (cause) => {
    const defects = cause.reasons.flatMap((reason) => Cause.isDieReason(reason) ? [reason.defect] : [])
    const lost = defects.find(SqlError.isSqlError)
    return lost === undefined || Cause.hasInterrupts(cause) ? Effect.failCause(cause) : Effect.fail(lost)
  })

const isTransient = (error: SqlError.SqlError | CrawlStoreError): boolean =>
  error._tag === "SqlError" && (error.isRetryable || (error.reason._tag === "UnknownError" && isRefusedForNow(error)))

/** PostgreSQL that shuts down, starts, or has no resources left. */
const isRefusedForNow = ({ reason: { cause } }: SqlError.SqlError): boolean =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" && /^(?:53|57P)/.test(cause.code)

/** What a driver said may name files, hosts and users: it is kept as the cause. */
export const unavailable = (error: SqlError.SqlError): CrawlStoreError =>
  new CrawlStoreError({
    reason: "Unavailable",
    message: `the database of the crawl cannot be used: ${whatOf(error)}`,
    cause: error
  })

const whatOf = (error: SqlError.SqlError): string => {
  const { _tag, cause, message } = error.reason
  if (/malformed|corrupt|not a database/i.test(`${message} ${String(cause)}`)) {
    return "it is damaged, or is no database; restore it from a copy, or begin the crawl anew in another one"
  }
  switch (_tag) {
    case "ConnectionError":
      return "it does not answer; start it, or look at how it is reached, and resume"
    case "AuthenticationError":
    case "AuthorizationError":
      return "it does not let this user in, or make tables; grant that, and resume"
    case "LockTimeoutError":
    case "DeadlockError":
    case "SerializationError":
    case "StatementTimeoutError":
      return "others keep it locked; let them finish, and resume"
    default:
      return "it refused a statement, and the cause says why; is its disk full, or have its tables been changed?"
  }
}
