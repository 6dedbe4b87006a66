import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { SqlClient } from "effect/sql"
import { services, temporaryDirectory } from "./fixtures.ts"

const memory = NodeSqlite.layer({ filename: ":memory:" })

describe("NodeSqlite", () => {
  it.effect("binds what node:sqlite refuses, and reads integers that no double holds", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (a, b, c, d, e)`
      yield* sql`INSERT INTO t VALUES (${true}, ${new Date(0)}, ${undefined}, ${2n ** 62n}, ${new Uint8Array([1])})`
      const rows = yield* sql`SELECT * FROM t`
      assert.deepStrictEqual(rows, [{
        a: 1,
        b: "1970-01-01T00:00:00.000Z",
        c: null,
        d: 2n ** 62n,
        e: new Uint8Array([1])
      }])
    }).pipe(Effect.provide(memory)))

  it.effect("inserts, updates and returns through the statement helpers", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)`
      const inserted = yield* sql`INSERT INTO t ${sql.insert([{ name: "a" }, { name: "b" }])} RETURNING id`
      const values = yield* sql`SELECT id, name FROM t WHERE ${sql.in("name", ["a", "b"])}`.values
      const streamed = yield* Stream.runCollect(sql`SELECT name FROM t`.stream)
      assert.deepStrictEqual(inserted, [{ id: 1 }, { id: 2 }])
      assert.deepStrictEqual(values, [[1, "a"], [2, "b"]])
      assert.deepStrictEqual(Array.from(streamed), [{ name: "a" }, { name: "b" }])
    }).pipe(Effect.provide(memory)))

  it.effect("rolls a failed transaction back, and a failed savepoint only", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (n)`
      yield* Effect.flip(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES (1)`, Effect.fail("no"))))
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO t VALUES (2)`
        yield* Effect.flip(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES (3)`, Effect.fail("no"))))
      }))
      assert.deepStrictEqual(yield* sql`SELECT n FROM t`, [{ n: 2 }])
    }).pipe(Effect.provide(memory)))

  it.effect("tells a unique violation from other errors", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (n UNIQUE)`
      yield* sql`INSERT INTO t VALUES (1)`
      const violation = yield* Effect.flip(sql`INSERT INTO t VALUES (1)`)
      const syntax = yield* Effect.flip(sql`SELEC 1`)
      assert.strictEqual(violation.reason._tag, "UniqueViolation")
      assert.strictEqual(syntax.reason._tag, "UnknownError")
    }).pipe(Effect.provide(memory)))

  it.effect("serialises statements around a transaction of another fiber", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (n)`
      const increments = Array.from({ length: 20 }, () =>
        sql.withTransaction(Effect.gen(function*() {
          const [row] = yield* sql<{ n: number }>`SELECT count(*) AS n FROM t`
          yield* Effect.yieldNow
          yield* sql`INSERT INTO t VALUES (${row!.n})`
        })))
      yield* Effect.all(increments, { concurrency: "unbounded" })
      const rows = yield* sql<{ n: number }>`SELECT n FROM t ORDER BY n`
      assert.deepStrictEqual(rows.map((row) => row.n), Array.from({ length: 20 }, (_, n) => n))
    }).pipe(Effect.provide(memory)))

  it.effect("opens a file in WAL mode and lets another connection read while one writes", () =>
    Effect.gen(function*() {
      const filename = `${yield* temporaryDirectory}/data.db`
      const layer = NodeSqlite.layer({ filename, synchronous: "full" })
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
        assert.deepStrictEqual(yield* sql`PRAGMA synchronous`, [{ synchronous: 2 }])
        yield* sql`CREATE TABLE t (n)`
        yield* sql.withTransaction(Effect.gen(function*() {
          yield* sql`INSERT INTO t VALUES (1)`
          const seen = yield* Effect.flatMap(SqlClient.SqlClient, (other) => other`SELECT count(*) AS n FROM t`).pipe(
            Effect.provide(NodeSqlite.layer({ filename }), { local: true })
          )
          assert.deepStrictEqual(seen, [{ n: 0 }])
        }))
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(services)))

  it.effect("fails with the system's words when the file cannot be opened", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Effect.provide(
        SqlClient.SqlClient,
        NodeSqlite.layer({
          filename: "/nowhere/at/all.db"
        })
      )))
      assert.strictEqual(error.reason._tag, "ConnectionError")
    }))
})
