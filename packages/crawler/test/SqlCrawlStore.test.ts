import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, FileSystem, Layer, Stream, Tracer } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import type { CrawlStore } from "effect-crawler"
import * as SqlCrawlStore from "effect-crawler/SqlCrawlStore"
import { SqlClient } from "effect/sql"
import { hooked, item, opening, processed, released, take, takeOne } from "./CrawlStoreFixtures.ts"
import { suite } from "./CrawlStoreSuite.ts"
import { temporaryFile } from "./temporaryFile.ts"

const open = (filename: string, options?: SqlCrawlStore.Options) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(NodeSqlite.layer({ filename, busyTimeout: 0 }))
    const store = yield* Effect.provideContext(SqlCrawlStore.make(options), context)
    return { store, sql: yield* Effect.provideContext(SqlClient.SqlClient, context) }
  })

/** Hears of each statement. */
class Listening extends Tracer.NativeSpan {
  readonly hear: (statement: string) => void

  constructor(options: ConstructorParameters<typeof Tracer.NativeSpan>[0], hear: (statement: string) => void) {
    super(options)
    this.hear = hear
  }

  override attribute(key: string, value: unknown): void {
    if (key === "db.query.text") this.hear(String(value))
    super.attribute(key, value)
  }
}

/** How SQLite goes about a statement. */
const plansOf = (sql: SqlClient.SqlClient, statement: string) =>
  /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)/.test(statement)
    ? Effect.map(
      sql.unsafe<{ readonly detail: string }>(
        `EXPLAIN QUERY PLAN ${statement}`,
        Array.from(statement.matchAll(/\?/g), () => null)
      ),
      (rows) => rows.map(({ detail }) => ({ detail, statement }))
    )
    : Effect.succeed([])

const make = Effect.map(Effect.flatMap(temporaryFile("crawl.db"), (file) => open(file)), ({ store }) => store)

suite("SqlCrawlStore on SQLite", make, { isShared: false, size: { depth: 100, children: 1000 }, it: it.effect })

describe("SqlCrawlStore on SQLite", () => {
  it.effect("keeps a crawl in its file, for any process that opens it", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      yield* Effect.scoped(Effect.gen(function*() {
        const { store } = yield* open(file)
        const session = yield* store.open(opening([item("a", { uniqueKey: "a" })]))
        yield* session.commit([processed(yield* takeOne(session), [item("b")])])
      }))
      const { store } = yield* open(file)
      const session = yield* store.open(opening([item("x")]))
      assert.isUndefined(session.pollInterval)
      assert.strictEqual((yield* takeOne(session)).name, "b")
    }))

  it.effect("refuses a process that goes on after another one has opened the crawl", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const [first, second] = [yield* open(file), yield* open(file)]
      const before = yield* first.store.open(opening([item("a"), item("b")]))
      const [a] = yield* take(before, 1)
      const after = yield* second.store.open(opening([]))
      assert.deepStrictEqual(after.opened.waiting, new Map([["a", 1], ["b", 1]]))
      for (
        const use of [
          before.commit([processed(a!, [item("x")])]),
          before.commit([released(a!)]),
          before.commit([]),
          before.claim({ limit: 1, except: [] })
        ]
      ) assert.strictEqual((yield* Effect.flip(use as Effect.Effect<unknown, { reason: string }>)).reason, "TakenOver")
      const claimed = yield* take(after)
      assert.strictEqual(claimed.length, 2)
      assert.strictEqual((yield* after.commit(claimed.map((each) => processed(each)))).totals.enqueued, 2)
    }))

  it.effect("keeps crawls of different names apart", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const [one, other] = [yield* open(file, { crawl: "one" }), yield* open(file, { crawl: "other" })]
      const session = yield* one.store.open(opening([item("a", { uniqueKey: "a" })]))
      const { opened } = yield* other.store.open(opening([item("b", { uniqueKey: "a" }), item("c")]))
      assert.deepStrictEqual([opened.isNew, opened.totals.enqueued], [true, 2])
      assert.strictEqual((yield* takeOne(session)).name, "a")
    }))

  it.effect("writes nothing of a commit that fails halfway", () =>
    Effect.gen(function*() {
      const { sql, store } = yield* open(yield* temporaryFile("crawl.db"))
      const session = yield* store.open(opening([item("a")]))
      const a = yield* takeOne(session)
      yield* sql`CREATE TRIGGER full BEFORE UPDATE ON crawl_state BEGIN SELECT RAISE(ABORT, 'full'); END`
      const error = yield* Effect.flip(session.commit([processed(a, [item("b", { uniqueKey: "b" })])]))
      assert.strictEqual(error.reason, "Unavailable")
      yield* sql`DROP TRIGGER full`
      const { children, refused } = yield* session.commit([processed(a, [item("c", { uniqueKey: "b" })])])
      assert.deepStrictEqual([refused, children], [[], [[2]]])
    }))

  it.live("waits for a lock that others hold, as long as it is told to", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const { store } = yield* open(file, { leaseDuration: 300 })
      const other = yield* open(file)
      const session = yield* store.open(opening([item("a")]))
      const error = yield* other.sql.withTransaction(Effect.flip(session.claim({ limit: 1, except: [] })))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "others keep it locked")
      assert.strictEqual((yield* take(session)).length, 1)
    }))

  it.effect("says what to do with a version it does not know", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const { sql } = yield* open(file)
      yield* sql`UPDATE crawl_state SET version = 7`
      const error = yield* Effect.flip(open(file))
      assert.strictEqual(error._tag === "CrawlStoreError" && error.reason, "Incompatible")
      assert.include(error.message, "version 7")
      assert.include(error.message, "go on with the release that began it")
    }))

  it.effect("says what to do with tables that are not its own", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const { sql } = yield* open(file, { crawl: "other" })
      yield* sql`CREATE TABLE crawl_state (x integer)`
      const error = yield* Effect.flip(open(file))
      assert.strictEqual(error._tag === "CrawlStoreError" && error.reason, "Incompatible")
      assert.include(error.message, "name this one differently")
      assert.notInclude(error.message, file)
    }))

  it.effect("says what to do with a file that is damaged", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      yield* Effect.scoped(Effect.gen(function*() {
        const { sql, store } = yield* open(file)
        yield* store.open(opening(Array.from({ length: 2000 }, (_, i) => item(`${i}`))))
        yield* sql`PRAGMA wal_checkpoint(TRUNCATE)`
      }))
      const fs = yield* FileSystem.FileSystem
      const bytes = yield* fs.readFile(file)
      for (let page = 3; page < bytes.length / 4096; page++) bytes.fill(0xee, page * 4096, page * 4096 + 2000)
      yield* fs.writeFile(file, bytes)
      const exit = yield* Effect.exit(Effect.scoped(Effect.gen(function*() {
        const { store } = yield* open(file)
        const session = yield* store.open(opening([]))
        while (true) {
          const claimed = yield* take(session, 500)
          if (claimed.length === 0) return
          yield* session.commit(claimed.map((each) => processed(each)))
        }
      })))
      const error = yield* Effect.flip(exit)
      assert.strictEqual(error._tag === "CrawlStoreError" && error.reason, "Unavailable")
      assert.include(error.message, "restore it from a copy")
      assert.notInclude(error.message, file)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("says what to do with a file that is no database", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(file, "a crawl, to whom it may concern\n".repeat(100))
      const error = yield* Effect.flip(Effect.mapError(
        Layer.build(NodeSqlite.layer({ filename: file })),
        SqlCrawlStore.fromSqlError
      ))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "it is damaged, or is no database")
      assert.notInclude(error.message, file)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("refuses a database of another kind", () =>
    Effect.gen(function*() {
      const { sql } = yield* open(yield* temporaryFile("crawl.db"))
      const other = Object.assign(Object.create(sql), {
        withoutTransforms: () => other,
        onDialectOrElse: ({ orElse }: { readonly orElse: () => unknown }) => orElse()
      })
      const error = yield* Effect.flip(Effect.provideService(SqlCrawlStore.make(), SqlClient.SqlClient, other))
      assert.strictEqual(error.reason, "Incompatible")
      assert.include(error.message, "SQLite or PostgreSQL")
    }))

  for (
    const [options, message] of [
      [{ crawl: "a-b" }, "crawl must be up to 40 letters, digits and underscores, not beginning with a digit, got a-b"],
      [{ crawl: "1" }, "crawl must be up to 40 letters, digits and underscores, not beginning with a digit, got 1"],
      [{ leaseDuration: 0 }, "leaseDuration must be > 0 and finite, got 0"],
      [{ pollInterval: Duration.infinity }, "pollInterval must be > 0 and finite, got Infinity"]
    ] as const
  ) {
    it.effect(`dies of ${Object.keys(options)[0]} ${Object.values(options)[0]}`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(open(":memory:", options))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(String(exit), `SqlCrawlStore.make: ${message}`)
      }))
  }

  it.effect("settles a chain with as many statements, however deep it is", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("crawl.db")
      const counts = yield* Effect.forEach([5, 50], (depth) =>
        Effect.gen(function*() {
          const { store } = yield* open(file, { crawl: `deep${depth}` })
          const session = yield* store.open(opening([item("0")]))
          for (let i = 1; i < depth; i++) yield* session.commit([processed(yield* takeOne(session), [item(`${i}`)])])
          const last = yield* takeOne(session)
          const statements: Array<string> = []
          const tracer = Tracer.make({ span: (options) => new Listening(options, (text) => statements.push(text)) })
          const { settled } = yield* Effect.withTracer(session.commit([processed(last)]), tracer)
          assert.strictEqual(settled.length, depth)
          return statements.length
        }))
      assert.strictEqual(counts[0], counts[1])
    }))

  it.effect("reads no more of what waits than it gives", () =>
    Effect.gen(function*() {
      const statements = new Set<string>()
      const tracer = Tracer.make({ span: (options) => new Listening(options, (text) => statements.add(text)) })
      const { sql, store } = yield* open(yield* temporaryFile("crawl.db"))
      const fast = { failsFast: true, hooked: true, limitKey: "x", uniqueKey: "x" }
      for (const order of ["fifo", "lifo", "priority"] as const) {
        yield* Effect.withTracer(
          Effect.scoped(Effect.gen(function*() {
            const session = yield* store.open(opening([item("root", fast)], { order }))
            const use = Effect.fnUntraced(function*(children: ReadonlyArray<CrawlStore.NewItem>) {
              for (const claimed of yield* take(session, 10, ["y"])) {
                yield* session.commit([
                  claimed.after === undefined ? processed(claimed, children, { outcome: "failed" }) : hooked(claimed)
                ])
              }
            })
            yield* use(
              Array.from({ length: 1100 }, (_, i) => item(`${i}`, { limitKey: "y", failsFast: i % 100 === 0 }))
            )
            const [leaf] = yield* take(session, 1)
            yield* session.commit([processed(leaf!, [item("hooked", { hooked: true })])])
            yield* use([])
            yield* use([])
            yield* session.report
            yield* Stream.runDrain(store.items())
          })),
          tracer
        )
      }
      const plans = (yield* Effect.forEach([...statements], (statement) => plansOf(sql, statement))).flat()
      const indexes = new Set(
        plans.flatMap(({ detail }) => /USING (?:COVERING )?INDEX crawl_(\w+)/.exec(detail)?.[1] ?? [])
      )
      const expected = ["claimed", "inner", "processed", "ready", "told", "unique"]
      assert.includeMembers([...indexes], [
        ...expected,
        "waiting",
        "waiting_limit_key",
        "waiting_priority",
        "waiting_limit_key_priority"
      ])
      // Keys are stepped through, not items.
      for (const step of ["=?", ">?"]) {
        assert.isTrue(plans.some(({ detail }) => detail.endsWith(`INDEX crawl_waiting_limit_key (limit_key${step})`)))
      }
      const scans = plans.filter(({ detail }) => /^SCAN (?:crawl_item|crawl_scope|i|p|s|o)\b/.test(detail))
      for (const { detail, statement } of scans) {
        assert.match(detail, /INDEX crawl_(?:claimed|ready|waiting)/, statement)
        if (detail.includes("waiting")) assert.match(statement, /LIMIT (?:\?|1 OFFSET)/)
      }
      // What waits is not sorted, but for the window and for the first of each key.
      const bounded = /\) w\n|WITH RECURSIVE keys/
      const sorts = plans.filter(({ detail, statement }) =>
        detail.includes("TEMP B-TREE") && statement.includes("state = 0") && !bounded.test(statement)
      )
      assert.deepStrictEqual(sorts, [])
    }))
})
