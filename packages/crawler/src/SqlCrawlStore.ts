/**
 * A crawl in a SQL database: SQLite for one process, PostgreSQL for one or many.
 *
 * Killed at any moment, a crawl goes on from what was committed last. On SQLite one process at a time works on it: who opens it shuts out who had
 * it before. On PostgreSQL any number share it. Each says all the while that it lives; what one had claimed that has
 * not been heard of for `leaseDuration` is claimed by others, and if it wakes up again, what it commits of that is refused.
 *
 * It speaks through `effect/sql`, and so with any driver of either database.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import type { CrawlStore } from "./CrawlStore.ts"
import { CrawlStoreError } from "./CrawlStoreError.ts"
import * as dialects from "./internal/sqlStore/dialect.ts"
import { patiently, unavailable } from "./internal/sqlStore/failure.ts"
import * as session from "./internal/sqlStore/session.ts"
import { items, type Store } from "./internal/sqlStore/store.ts"
import * as tables from "./internal/sqlStore/tables.ts"

/**
 * Which crawl, and how processes share it.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /**
   * What the names of its tables begin with: a database holds any number of crawls. Up to 40 letters, digits and underscores, not beginning with a
   * digit. Defaults to `crawl`.
   */
  readonly crawl?: string | undefined
  /**
   * How long a process is believed to live after it was last heard of, where several share a crawl; it is heard of three times as often.
   * Also how long a database that is busy or away is tried again. Defaults to 30 seconds.
   */
  readonly leaseDuration?: Duration.Input | undefined
  /** How long a process that has nothing to do waits until it looks for what others have added. Defaults to 250 milliseconds. */
  readonly pollInterval?: Duration.Input | undefined
}

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { crawl: "crawl", leaseDuration: "30 seconds", pollInterval: "250 millis" } as const

/**
 * Keeps a crawl in the database of the `SqlClient`, whose tables are made unless they are there.
 *
 * **Errors** `CrawlStoreError`: `Unavailable` when the database cannot be used; `Incompatible` when it is neither SQLite nor PostgreSQL, or holds
 * the crawl in a version that this one does not know. Wrong options are bugs, and die.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<CrawlStore, CrawlStoreError, SqlClient.SqlClient> {
  const crawl = options.crawl ?? defaults.crawl
  if (!/^[A-Za-z_]\w{0,39}$/.test(crawl)) {
    return yield* misuse(
      `crawl must be up to 40 letters, digits and underscores, not beginning with a digit, got ${crawl}`
    )
  }
  const leaseDuration = yield* positive("leaseDuration", options.leaseDuration ?? defaults.leaseDuration)
  const pollInterval = yield* positive("pollInterval", options.pollInterval ?? defaults.pollInterval)
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const dialect = sql.onDialectOrElse({
    sqlite: () => dialects.sqlite(sql),
    pg: () => dialects.pg(sql),
    orElse: () => undefined
  })
  if (dialect === undefined) {
    return yield* new CrawlStoreError({
      reason: "Incompatible",
      message: "a crawl can be kept in SQLite or PostgreSQL, and this database is neither: use one of them"
    })
  }
  const store: Store = { dialect, tables: tables.named(dialect, crawl), leaseDuration, pollInterval }
  yield* patiently(leaseDuration, tables.make(dialect, store.tables, crawl))
  return {
    open: (options) => session.open(store, options),
    items: (after = 0) =>
      Stream.paginate(
        after,
        (after) =>
          Effect.map(patiently(leaseDuration, items(store, after, page)), (found) =>
            [found, Option.fromUndefinedOr(found.length < page ? undefined : found.at(-1)!.sequence)] as const)
      )
  }
})

/**
 * Says of a database that cannot even be opened what is to be done, as the store does of one that fails later.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const fromSqlError = (error: SqlError.SqlError): CrawlStoreError => unavailable(error)

/** Items read at once. */
const page = 512

const misuse = (what: string) => Effect.die(new Error(`SqlCrawlStore.make: ${what}`))

const positive = (name: "leaseDuration" | "pollInterval", input: Duration.Input): Effect.Effect<number> => {
  const millis = Duration.toMillis(input)
  return millis > 0 && Number.isFinite(millis)
    ? Effect.succeed(Math.ceil(millis))
    : misuse(`${name} must be > 0 and finite, got ${Duration.format(Duration.fromInputUnsafe(input))}`)
}
