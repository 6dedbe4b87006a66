/**
 * Payloads as rows of a SQLite table that grows with them.
 *
 * @since 0.1.0
 */
import * as Consumer from "effect-conveyor/Consumer"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as SqlError from "effect/sql/SqlError"
import * as Path from "node:path"
import { duration, optional, required } from "./internal/optionSchema.ts"
import * as SqliteTable from "./internal/sqliteTable.ts"
import * as NodeSqlite from "./NodeSqlite.ts"
import * as Row from "./Row.ts"

/**
 * The options of the `sqlite` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  path: required(Schema.NonEmptyString, "the database file; it and the directories above it are made when missing"),
  table: required(Schema.NonEmptyString, "the table to insert into; made, and given columns, as payloads require"),
  busyTimeout: optional(
    duration,
    "how long to wait for another process's lock; this process stands still meanwhile",
    "1 second"
  ),
  flush: optional(
    Schema.Literals(["each", "close"]),
    "force to the disk with each batch (survives a power cut), or now and then (survives a crash of the process)",
    "close"
  )
})

/**
 * The options of the `sqlite` consumer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = { busyTimeout: "1 second", flush: "close" } as const

/**
 * The database could not be written to for now: it is locked, the disk is full, or the device failed.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class SqliteError extends Data.TaggedError("SqliteError")<{
  readonly operation: string
  readonly path: string
  readonly cause: SqlError.SqlError | PlatformError.PlatformError
}> {
  override get message(): string {
    return `cannot ${this.operation} ${this.path}: ${reasonOf(this.cause)}`
  }
}

/**
 * Makes a consumer that inserts rows into a SQLite table.
 *
 * **Details**
 *
 * A batch is one transaction. Columns `dueAt` and `rowIndex` (the row's place in its payload, from 0) come first. The table is made from the first
 * payload and gets a column for every new name; a column is `INTEGER`, `REAL` or `TEXT` by the values first seen in it, and loses its declared type
 * when a value comes that SQLite would alter under it (the text `007` in an integer column), so that every value is kept as it was given. A row
 * that is there already, equal in every column, is not inserted again: repeating a delivery does no harm. A database file that is removed or replaced
 * while the consumer runs is opened again.
 *
 * **Errors**
 *
 * `SqliteError` when the database is locked, the disk is full or the device fails: try again. `Consumer.Rejected` when SQLite refuses a
 * payload (a constraint of the user's own, more than 2 000 columns), and while acquiring when the path is not a database that can be written to.
 *
 * **Gotchas** Column names that differ in case only are one column, to SQLite.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options): Consumer.Consumer<unknown, SqliteError, FileSystem.FileSystem> =>
  Consumer.makeBatch(
    "sqlite",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const outer = yield* Effect.scope
      const { path, table } = options

      const open = Effect.uninterruptible(Effect.gen(function*() {
        const scope = yield* Scope.fork(outer)
        return yield* openDatabase(fs, options).pipe(
          Scope.provide(scope),
          Effect.map(({ identity, sql }) => ({ identity, scope, sql })),
          Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)
        )
      }))
      let current = yield* open.pipe(
        Effect.mapError((error) =>
          error.cause._tag === "PlatformError" || hopelessCodes.has(codeOf(error.cause))
            ? new Consumer.Rejected({ reason: error.message, cause: error })
            : error
        )
      )

      // SQLite would go on writing to a file that no longer has a name, and all of it would be lost.
      const reopenIfReplaced = Effect.gen(function*() {
        if (path !== inMemory && (yield* identify(fs, path)) !== current.identity) {
          yield* Scope.close(current.scope, Exit.void)
          current = yield* open
        }
      })

      return Effect.fnUntraced(function*(batch: ReadonlyArray<Consumer.Delivery<unknown>>) {
        const rows = batch.flatMap(({ payload, tick }) => {
          const dueAt = DateTime.formatIso(tick.dueAt)
          return Row.fromPayload(payload).map((row, index) =>
            Row.prepend(row, new Map<string, Row.Cell>([[Row.dueAt, dueAt], [SqliteTable.rowIndex, index]]))
          )
        })
        if (rows.length === 0) return
        yield* reopenIfReplaced
        yield* current.sql.withTransaction(SqliteTable.write(current.sql, table, rows)).pipe(
          Effect.catchTag(
            "SqlError",
            (cause): Effect.Effect<never, SqliteError | Consumer.Rejected> =>
              transientCodes.has(codeOf(cause))
                ? Effect.fail(new SqliteError({ operation: `insert into ${table} of`, path, cause }))
                : Effect.fail(
                  new Consumer.Rejected({ reason: `${path} refuses rows for ${table}: ${reasonOf(cause)}`, cause })
                )
          )
        )
      })
    })
  )

const openDatabase = Effect.fnUntraced(function*(fs: FileSystem.FileSystem, options: Options) {
  const { busyTimeout = defaults.busyTimeout, flush = defaults.flush, path } = options
  if (path !== inMemory) {
    yield* fs.makeDirectory(Path.dirname(path), { recursive: true }).pipe(
      Effect.mapError((cause) => new SqliteError({ operation: "make the directory of", path, cause }))
    )
  }
  return yield* Effect.gen(function*() {
    const sql = yield* NodeSqlite.make({
      filename: path,
      busyTimeout,
      synchronous: flush === "each" ? "full" : "normal"
    })
    // Takes the write lock and lets it go, so that a database that may only be read is found out now.
    yield* sql.withTransaction(Effect.void)
    return { sql, identity: yield* identify(fs, path) }
  }).pipe(
    Effect.mapError((cause) => new SqliteError({ operation: "open", path, cause })),
    Effect.provide(Reactivity.layer)
  )
})

const inMemory = ":memory:"

/** Which file a path names now; empty for none. */
const identify = (fs: FileSystem.FileSystem, path: string): Effect.Effect<string> =>
  fs.stat(path).pipe(
    Effect.map((info) => `${info.dev}:${Option.getOrElse(info.ino, () => 0n)}`),
    // What cannot be looked at is treated as gone: opening it again tells what is wrong with it.
    Effect.orElseSucceed(() => "")
  )

const codeOf = (error: SqliteError["cause"]): number => {
  const cause = error.reason.cause
  return typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 0xff : 0
}

const reasonOf = (error: SqliteError["cause"]): string => {
  const advice = advices[codeOf(error)]
  if (advice !== undefined) return advice
  const cause = error.reason.cause
  return cause instanceof Error ? cause.message : error.message
}

// Primary result codes, https://sqlite.org/rescode.html
const busy = 5
const locked = 6
const outOfMemory = 7
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26

const transientCodes: ReadonlySet<number> = new Set([
  busy,
  locked,
  outOfMemory,
  readOnly,
  ioError,
  corrupt,
  full,
  cannotOpen
])

const hopelessCodes: ReadonlySet<number> = new Set([readOnly, corrupt, cannotOpen, notADatabase])

const advices: { readonly [code: number]: string } = {
  [busy]: "another process holds its lock",
  [readOnly]: "it may only be read; make it and its directory writable for this user, or name another path",
  [full]: "the disk is full",
  [cannotOpen]: "it is a directory or may not be opened; name a file that this user may write",
  [notADatabase]: "it is not a SQLite database; name another path"
}
