import * as NodeSqlite from "effect-conveyor-connectors/NodeSqlite"
import type { CrawlStore } from "effect-crawler/CrawlStore"
import type { CrawlStoreError } from "effect-crawler/CrawlStoreError"
import * as SqlCrawlStore from "effect-crawler/SqlCrawlStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import { dirname } from "node:path"
import { UsageError } from "../../CommandFailed.ts"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { redact, secretsOf } from "../../Redaction.ts"
import * as Logging from "../logging.ts"
import { unavailable } from "./failure.ts"
import { sqliteFailure } from "./sqliteFailure.ts"
import { storeFailure } from "./storeFailure.ts"

export interface State {
  readonly store: CrawlStore
  /** Whether there is something to go on with. */
  readonly isBegun: boolean
}

/**
 * Opens the state of a crawl for as long as the Scope lives: one that holds a crawl to go on with it, one that holds none to begin one. A file
 * belongs to one process at a time, PostgreSQL to all who go on with the crawl in it.
 */
export const open = Effect.fnUntraced(function*(
  place: string,
  resumes: boolean
): Effect.fn.Return<State, CrawlFailed | UsageError, FileSystem.FileSystem | Scope.Scope> {
  for (const secret of secretsOf(place)) Logging.secrets.add(secret)
  const shown = String(redact(place))
  const sql = yield* Effect.provide(isPg(place) ? openPg(place, shown) : openSqlite(place), Reactivity.layer)
  const store = yield* SqlCrawlStore.make().pipe(
    Effect.provideService(SqlClient.SqlClient, sql),
    Effect.mapError(storeFailure)
  )
  const isBegun = yield* Effect.mapError(holdsCrawl(sql, store), storeFailure)
  // A process may be killed before there is anything to go on with, too.
  if (resumes && !isBegun) yield* Effect.logWarning(`--resume: ${shown} holds no crawl yet; this begins one`)
  if (!resumes && isBegun) {
    return yield* new UsageError({
      problem: `--state: ${shown} holds a crawl already; add --resume to go on with it, or name another ${
        isPg(place) ? "database" : "file"
      } for a new one`
    })
  }
  return { store, isBegun }
})

const isPg = (place: string): boolean => /^postgres(?:ql)?:\/\//i.test(place)

const openSqlite = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const failed = sqliteFailure("--state", path)
  yield* Effect.mapError(
    fs.makeDirectory(dirname(path), { recursive: true }),
    (error) => unavailable(`--state: cannot write to ${path}: ${error.message}`)
  )
  const sql = yield* Effect.mapError(NodeSqlite.make({ filename: path, busyTimeout: "100 millis" }), failed)
  // In WAL mode the file can be locked as a whole only by who enters that mode with the lock.
  for (const pragma of ["journal_mode = DELETE", "locking_mode = EXCLUSIVE", "journal_mode = WAL"]) {
    yield* Effect.mapError(sql.unsafe(`PRAGMA ${pragma}`), failed)
  }
  yield* Effect.mapError(sql.withTransaction(Effect.void), failed)
  return sql
})

const openPg = Effect.fnUntraced(function*(url: string, shown: string) {
  // Loaded when it is used: it takes as long as the rest of the command.
  const PgClient = yield* Effect.promise(() => import("@effect/sql-pg/PgClient"))
  const password = process.env["PGPASSWORD"]
  const hasPassword = /^[^/]*\/\/[^/?#@]*:[^/?#]*@/.test(url)
  const failed = (error: SqlError.SqlError) =>
    unavailable(`--state: cannot use ${shown}: ${causeOf(error)}; see that PostgreSQL runs there and lets this user in`)
  const sql = yield* PgClient.make({
    url: Redacted.make(url),
    ...(password === undefined || hasPassword ? {} : { password: Redacted.make(password) }),
    connectTimeout: "10 seconds",
    applicationName: "conveyor crawl"
  }).pipe(Effect.mapError(failed))
  yield* Effect.mapError(sql`SELECT 1`, failed)
  return sql
})

const causeOf = ({ message, reason: { cause } }: SqlError.SqlError): string =>
  cause instanceof Error && cause.message !== "" ? cause.message : message

/** Opens the crawl as if to go on, and takes back all that this does. */
const holdsCrawl = (
  sql: SqlClient.SqlClient,
  store: CrawlStore
): Effect.Effect<boolean, CrawlStoreError | SqlError.SqlError> =>
  store.open({ order: "fifo", maxItems: Infinity, roots: [] }).pipe(
    Effect.flatMap(({ opened }) => Effect.fail({ _tag: "Looked" as const, isBegun: !opened.isNew })),
    Effect.scoped,
    sql.withTransaction,
    Effect.catchTag("Looked", ({ isBegun }) => Effect.succeed(isBegun))
  )
