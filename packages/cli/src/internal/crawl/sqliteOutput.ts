import * as NodeSqlite from "effect-conveyor-connectors/NodeSqlite"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { dirname } from "node:path"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { unavailable } from "./failure.ts"
import type { PageOutput } from "./pageOutput.ts"
import { columnsOf, numbers } from "./pageRecord.ts"
import { sqliteFailure } from "./sqliteFailure.ts"

/** Opens a database whose table `pages` has a row for each page, the latest of each URL; a new selector is a new column. */
export const open = Effect.fnUntraced(function*(
  path: string,
  selectors: ReadonlyArray<string>
): Effect.fn.Return<PageOutput, CrawlFailed, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const columns = columnsOf(selectors)
  const failed = sqliteFailure("--output", path)
  yield* Effect.mapError(
    fs.makeDirectory(dirname(path), { recursive: true }),
    (error) => unavailable(`cannot write to ${path}: ${error.message}`)
  )
  const sql = yield* NodeSqlite.make({ filename: path }).pipe(
    Effect.provide(Reactivity.layer),
    Effect.tap((sql) => sql.withTransaction(prepareTable(sql, [...columns.keys()]))),
    Effect.mapError(failed)
  )
  const names = [...columns.keys()].map(quote)
  const insert = `INSERT INTO pages (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) ` +
    `ON CONFLICT (url) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`
  return {
    written: undefined,
    write: (pages) =>
      Effect.forEach(pages, (page) => sql.unsafe(insert, Array.from(columns.values(), (cell) => cell(page))), {
        discard: true
      }).pipe(sql.withTransaction, Effect.mapError(failed))
  }
})

const prepareTable = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, columns: ReadonlyArray<string>) {
  yield* sql.unsafe("CREATE TABLE IF NOT EXISTS pages (url TEXT NOT NULL PRIMARY KEY)")
  const infos = yield* sql.unsafe<{ readonly name: string }>("PRAGMA table_info(pages)")
  const there = new Set(infos.map(({ name }) => name.toLowerCase()))
  for (const column of columns.filter((column) => !there.has(column.toLowerCase()))) {
    yield* sql.unsafe(`ALTER TABLE pages ADD COLUMN ${quote(column)} ${numbers.has(column) ? "NUMERIC" : "TEXT"}`)
  }
})

const quote = (identifier: string): string => `"${identifier.replaceAll("\"", "\"\"")}"`
