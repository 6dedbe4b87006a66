/**
 * An `effect/sql` client over Node's own SQLite, `node:sqlite`.
 *
 * One connection, used by one fiber at a time; statements are prepared once and kept. `node:sqlite` is synchronous: a statement
 * blocks the event loop while it runs, and so does waiting for another process's lock, up to `busyTimeout`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { SQLInputValue, StatementSync } from "node:sqlite"
import { loadSqlite } from "./internal/nodeSqlite.ts"

/**
 * Where the database is and how it is opened.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** A path, or `:memory:`. */
  readonly filename: string
  /**
   * How long a statement waits for a lock that another connection holds before it fails with `LockTimeoutError`. The event loop
   * stands still meanwhile. Defaults to 1 second.
   */
  readonly busyTimeout?: Duration.Input | undefined
  /**
   * What survives a power cut: `full` everything committed, `normal` all but the last moments (a crash of the process loses nothing
   * with either). Defaults to `normal`.
   */
  readonly synchronous?: "full" | "normal" | undefined
}

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { busyTimeout: "1 second", synchronous: "normal" } as const

/**
 * Opens a database in WAL mode, until the Scope closes.
 *
 * **Details** Booleans are bound as 0 and 1, dates as ISO 8601 text, `undefined` as null. Integers that a double cannot hold exactly are read as
 * bigint.
 *
 * **Errors** `SqlError`: `ConnectionError` when the file cannot be opened as a database.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options) {
  const database = yield* Effect.acquireRelease(
    attempt("open", () => {
      const { DatabaseSync } = loadSqlite()
      const timeout = Duration.toMillis(options.busyTimeout ?? defaults.busyTimeout)
      return new DatabaseSync(options.filename, { timeout })
    }),
    (database) => Effect.sync(() => database.close())
  )
  yield* attempt("open", () => {
    database.exec("PRAGMA journal_mode = WAL")
    database.exec(`PRAGMA synchronous = ${options.synchronous ?? defaults.synchronous}`)
  })
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    // A program has a bounded number of statements, unless it builds them from data.
    if (prepared.size >= maxPrepared) prepared.clear()
    prepared.set(sql, statement)
    return statement
  }
  const all = (sql: string, params: ReadonlyArray<unknown>): ReadonlyArray<object> =>
    prepare(sql).all(...params.map(toSqlite)).map(fromSqlite)

  const execute: SqlConnection.Connection["execute"] = (sql, params, transform) =>
    attempt("execute", () => {
      const rows = all(sql, params)
      return transform === undefined ? rows : transform(rows)
    })
  const executeValues = (sql: string, params: ReadonlyArray<unknown>) =>
    attempt("executeValues", () => all(sql, params).map((row) => Object.values(row)))
  const connection: SqlConnection.Connection = {
    execute,
    executeRaw: (sql, params) => attempt("executeRaw", () => prepare(sql).run(...params.map(toSqlite))),
    executeValues,
    executeValuesUnprepared: executeValues,
    executeUnprepared: execute,
    executeStream: (sql, params, transform) =>
      Stream.unwrap(Effect.map(execute(sql, params, transform), Stream.fromIterable))
  }
  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: () => database.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node-sqlite",
    spanAttributes: [["db.system.name", "sqlite"]],
    // A deferred transaction that reads before it writes fails at once, not after `busyTimeout`, when another one wrote meanwhile.
    beginTransaction: "BEGIN IMMEDIATE",
    prepareTransactionControls: true
  })
})

/**
 * Provides the client of a database.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

const maxPrepared = 256

const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, SqlError.SqlError> =>
  Effect.try({
    try: run,
    catch: (cause) => new SqlError.SqlError({ reason: SqlError.classifySqliteError(withErrno(cause), { operation }) })
  })

/** `node:sqlite` calls `errcode` what other drivers, and so the classification, call `errno`. */
const withErrno = (cause: unknown): unknown =>
  Predicate.hasProperty(cause, "errcode") ? Object.assign(cause, { errno: cause.errcode }) : cause

const toSqlite = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "boolean":
      return value ? 1 : 0
    case "undefined":
      return null
    case "object":
      return Predicate.isDate(value) ? value.toISOString() : value as SQLInputValue
    default:
      return value as SQLInputValue
  }
}

/** Rows arrive without a prototype and, so that none is rounded, with bigints for all integers. */
const fromSqlite = (row: Record<string, unknown>): object => {
  const out: Record<string, unknown> = {}
  for (const column of Object.keys(row)) {
    const value = row[column]
    out[column] = typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  return out
}
