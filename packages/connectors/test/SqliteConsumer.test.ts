import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Scope } from "effect"
import { Consumer } from "effect-conveyor"
import { NodeSqlite, SqliteConsumer } from "effect-conveyor-connectors"
import * as Reactivity from "effect/reactivity/Reactivity"
import { suite } from "./ConsumerSuite.ts"
import { acquire, delivery, services, session, temporaryDirectory, writeText } from "./fixtures.ts"

const query = (path: string, sql: string) =>
  Effect.scoped(
    Effect.flatMap(NodeSqlite.make({ filename: path }), (client) => client.unsafe<Record<string, unknown>>(sql))
  )
    .pipe(Effect.provide(Reactivity.layer))

const setup = Effect.map(temporaryDirectory, (directory) => {
  const path = `${directory}/deep/er/data.db`
  return { directory, path, consumer: SqliteConsumer.make({ path, table: "t", busyTimeout: "1 milli" }) }
})

suite(
  "SqliteConsumer",
  Effect.gen(function*() {
    const { consumer, path } = yield* setup
    const scope = yield* Effect.scope
    // Opened when it is first needed: the consumer under test makes the file.
    const other = yield* Effect.cached(
      NodeSqlite.make({ filename: path }).pipe(
        Effect.flatMap((client) => client.reserve),
        Effect.provide(Reactivity.layer),
        Scope.provide(scope)
      )
    )
    const control = (sql: string) =>
      Effect.flatMap(other, (connection) => connection.executeUnprepared(sql, [], undefined))
    return {
      consumer,
      arrived: Effect.map(
        query(path, `SELECT n FROM t WHERE n IS NOT NULL ORDER BY rowid`),
        (rows) => rows.map((row) => row["n"])
      ),
      breakTarget: Effect.asVoid(control("BEGIN IMMEDIATE")),
      repairTarget: Effect.asVoid(control("ROLLBACK")),
      repeated: "once" as const,
      refused: Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`c${i}`, i]))
    }
  }),
  Effect.provide(services)
)

describe("SqliteConsumer", () => {
  it.effect("makes the table from the first payload", () =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      yield* session(consumer, (deliver) =>
        deliver(delivery([{ i: 1, r: 1.5, t: "x", b: true, n: null, big: 2n ** 62n, "a.b\"c": [1] }, { i: 2 }], 0)))
      const [schema] = yield* query(path, "SELECT sql FROM sqlite_schema WHERE type = 'table'")
      assert.strictEqual(
        schema?.["sql"],
        `CREATE TABLE "t" ("dueAt" TEXT, "rowIndex" INTEGER, "i" INTEGER, "r" REAL, "t" TEXT, "b" INTEGER, "n", ` +
          `"big" INTEGER, "a.b""c" TEXT)`
      )
      assert.deepStrictEqual(yield* query(path, "SELECT * FROM t"), [
        {
          dueAt: "2026-11-21T12:00:00.000Z",
          rowIndex: 0,
          i: 1,
          r: 1.5,
          t: "x",
          b: 1,
          n: null,
          big: 2n ** 62n,
          "a.b\"c": "[1]"
        },
        {
          dueAt: "2026-11-21T12:00:00.000Z",
          rowIndex: 1,
          i: 2,
          r: null,
          t: null,
          b: null,
          n: null,
          big: null,
          "a.b\"c": null
        }
      ])
    }).pipe(Effect.provide(services)))

  it.effect("adds columns as payloads bring them, to a table of the user's own too", () =>
    Effect.gen(function*() {
      const { consumer, directory, path } = yield* setup
      yield* Effect.flatMap(
        FileSystem.FileSystem,
        (fs) => fs.makeDirectory(`${directory}/deep/er`, { recursive: true })
      )
      yield* query(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT DEFAULT 'now', A TEXT)")
      yield* session(consumer, (deliver) =>
        Effect.gen(function*() {
          yield* deliver(delivery({ a: "x" }, 0))
          yield* deliver(delivery({ a: "x" }, 0), delivery({ a: "y", c: 1 }, 1))
        }))
      const rows = yield* query(path, "SELECT id, at, A, c FROM t")
      assert.deepStrictEqual(rows, [{ id: 1, at: "now", A: "x", c: null }, { id: 2, at: "now", A: "y", c: 1 }])
    }).pipe(Effect.provide(services)))

  it.effect.each([
    { what: "text like a number into integers", values: [5, "007", " 1", "1e3"], type: "" },
    { what: "other text into integers", values: [5, "abc", "1.2.3"], type: "INTEGER" },
    { what: "fractions into integers", values: [5, 1.5, 0.1 + 0.2], type: "INTEGER" },
    { what: "numbers into text", values: ["x", 1.5, 0.1 + 0.2, 2n ** 70n, true], type: "TEXT" },
    { what: "large integers into fractions", values: [1.5, 2n ** 62n + 1n], type: "" },
    { what: "a mixture", values: [1, "1"], together: true, type: "" },
    { what: "nulls, then text", values: [null, "007", 7], type: "" },
    { what: "integers past 64 bits into integers", values: [1, 2n ** 80n], type: "" }
  ])("keeps $what as they were given", ({ together, type, values }) =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      yield* session(consumer, (deliver) => {
        const deliveries = values.map((v, n) => delivery<unknown>({ v, n }, n))
        return together === true
          ? deliver(...deliveries)
          : Effect.forEach(deliveries, (delivery) => deliver(delivery))
      })
      const stored = (yield* query(path, "SELECT v FROM t ORDER BY n")).map((row) => row["v"])
      const expected = values.map((value) =>
        type === "TEXT" || (typeof value === "bigint" && value >= 2n ** 63n) ? String(value) : value
      )
      const [column] = yield* query(path, "SELECT type FROM pragma_table_info('t') WHERE name = 'v'")
      assert.deepStrictEqual(stored, expected)
      assert.strictEqual(column?.["type"], type)
    }).pipe(Effect.provide(services)))

  it.effect("keeps both rows of two writers at the same instant", () =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      yield* session(consumer, (deliver) =>
        Effect.gen(function*() {
          yield* deliver(delivery({ source: "a", x: 1, y: 2 }, 0))
          yield* deliver(delivery({ source: "b", x: 1 }, 0))
          yield* deliver(delivery({ source: "a", x: 1 }, 0))
          yield* deliver(delivery({ source: "a", x: 1 }, 0))
        }))
      assert.strictEqual((yield* query(path, "SELECT * FROM t")).length, 3)
    }).pipe(Effect.provide(services)))

  it.effect("takes names that differ in case for one column, and two of them in one payload for two", () =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      yield* session(consumer, (deliver) => deliver(delivery({ A: 1, a: 2 }, 0), delivery({ a: 3 }, 1)))
      assert.deepStrictEqual(yield* query(path, "SELECT A, a_2 FROM t"), [{ A: 1, a_2: 2 }, { A: 3, a_2: null }])
    }).pipe(Effect.provide(services)))

  it.effect("writes 1500 columns", () =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      const wide = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`c${i}`, i]))
      yield* session(consumer, (deliver) => Effect.andThen(deliver(delivery(wide, 0)), deliver(delivery(wide, 0))))
      assert.deepStrictEqual(yield* query(path, "SELECT c1499 FROM t"), [{ c1499: 1499 }])
    }).pipe(Effect.provide(services)))

  it.effect("rejects what a constraint of the user's own forbids", () =>
    Effect.gen(function*() {
      const { consumer, directory, path } = yield* setup
      yield* Effect.flatMap(
        FileSystem.FileSystem,
        (fs) => fs.makeDirectory(`${directory}/deep/er`, { recursive: true })
      )
      yield* query(path, "CREATE TABLE t (n INTEGER CHECK (n < 10))")
      const deliver = yield* acquire(consumer)
      const failure = yield* Effect.flip(deliver(delivery({ n: 1 }, 1), delivery({ n: 11 }, 2)))
      assert.instanceOf(failure, Consumer.Rejected)
      assert.include(failure.message, "CHECK constraint failed")
      assert.deepStrictEqual(yield* query(path, "SELECT * FROM t"), [])
    }).pipe(Effect.provide(services)))

  it.effect("makes the database again when it was removed", () =>
    Effect.gen(function*() {
      const { consumer, directory, path } = yield* setup
      const fs = yield* FileSystem.FileSystem
      const deliver = yield* acquire(consumer)
      yield* deliver(delivery({ n: 1 }, 1))
      yield* fs.remove(`${directory}/deep`, { recursive: true })
      yield* deliver(delivery({ n: 2 }, 2))
      assert.deepStrictEqual(yield* query(path, "SELECT n FROM t"), [{ n: 2 }])
    }).pipe(Effect.provide(services)))

  it.effect("writes to a database in memory", () =>
    session(
      SqliteConsumer.make({ path: ":memory:", table: "t" }),
      (deliver) => Effect.andThen(deliver(delivery({ n: 1 }, 1)), deliver(delivery({ n: 2 }, 2)))
    ).pipe(Effect.provide(services)))

  it.effect("says who holds the lock", () =>
    Effect.gen(function*() {
      const { consumer, path } = yield* setup
      const deliver = yield* acquire(consumer)
      const other = yield* NodeSqlite.make({ filename: path }).pipe(Effect.provide(Reactivity.layer))
      const failure = yield* other.withTransaction(Effect.flip(deliver(delivery({ n: 1 }, 1))))
      assert.strictEqual(failure.message, `cannot insert into t of ${path}: another process holds its lock`)
    }).pipe(Effect.provide(services)))

  it.effect.each([
    { what: "a directory", path: (directory: string) => directory, says: "it is a directory or may not be opened" },
    {
      what: "below a file",
      path: (directory: string) => `${directory}/text/x.db`,
      says: "cannot make the directory of"
    },
    { what: "not a database", path: (directory: string) => `${directory}/text`, says: "it is not a SQLite database" }
  ])("rejects a path that is $what before it starts", ({ path, says }) =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeText(
        `${directory}/text`,
        "this is text and no database, and long enough to be read as a header".repeat(20)
      )
      const failure = yield* Effect.flip(acquire(SqliteConsumer.make({ path: path(directory), table: "t" })))
      assert.instanceOf(failure, Consumer.Rejected)
      assert.include(failure.message, says)
    }).pipe(Effect.provide(services)))
})
