import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { CrawlStore } from "effect-crawler"
import * as SqlCrawlStore from "effect-crawler/SqlCrawlStore"
import { SqlClient, SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { type Postgres, startPostgres } from "../../../test/support/postgres.ts"
import { requires } from "../../../test/support/requires.ts"
import { hooked, item, namesOf, opening, processed, released, take, takeOne } from "./CrawlStoreFixtures.ts"
import { agree } from "./CrawlStoreModel.ts"
import { suite } from "./CrawlStoreSuite.ts"
import { temporaryFile } from "./temporaryFile.ts"

const size = { depth: 10_000, children: 30_000 }

describe("SqlCrawlStore on SQLite, in full size", () => {
  const make = Effect.gen(function*() {
    const context = yield* Layer.build(NodeSqlite.layer({ filename: yield* temporaryFile("crawl.db") }))
    return yield* Effect.provideContext(SqlCrawlStore.make(), context)
  })
  suite("SqlCrawlStore", make, { isShared: false, size, it: (name, effect) => it.effect(name, effect, 60_000) })
})

requires("postgres")("SqlCrawlStore on PostgreSQL", () => {
  let server: Postgres
  let crawls = 0
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const client = (port = server.port) =>
    Layer.build(PgClient.layer({
      host: "127.0.0.1",
      port,
      username: server.username,
      database: server.database,
      maxConnections: 4
    }))

  /** A store as one process has it: with connections of its own. */
  const storeOf = (options: SqlCrawlStore.Options) =>
    Effect.flatMap(
      Effect.suspend(() => client()),
      (context) => Effect.provideContext(SqlCrawlStore.make(options), context)
    )

  const make = Effect.suspend(() => storeOf({ crawl: `crawl${++crawls}` }))

  suite("SqlCrawlStore", make, { isShared: true, size: { depth: 300, children: 30_000 }, it: it.live })

  /** Processes that share a crawl, each with the lease it is given. */
  const processes = (...leases: ReadonlyArray<number>) => {
    const crawl = `crawl${++crawls}`
    return Effect.forEach(leases, (leaseDuration) => storeOf({ crawl, leaseDuration }))
  }

  const until = <A, E>(effect: Effect.Effect<A, E>, holds: (answer: A) => boolean): Effect.Effect<A, E> =>
    Effect.filterOrElse(effect, holds, () => Effect.andThen(Effect.sleep(20), until(effect, holds)))

  /** A session whose process is stopped when asked to: it is not heard of any more, and knows nothing of it. */
  const stoppable = Effect.fnUntraced(function*(store: CrawlStore.CrawlStore, options: CrawlStore.OpenOptions) {
    const scope = yield* Scope.make()
    const session = yield* Scope.provide(store.open(options), scope)
    return { session, scope }
  })

  it.live("gives each item to one of several processes", () =>
    Effect.gen(function*() {
      const stores = yield* processes(30_000, 30_000, 30_000)
      const roots = Array.from({ length: 300 }, (_, i) => item(`${i}`))
      const sessions = yield* Effect.forEach(stores, (store) => store.open(opening(roots)), { concurrency: 3 })
      assert.strictEqual(sessions.filter(({ opened }) => opened.isNew).length, 1)
      assert.deepStrictEqual(sessions.map(({ opened }) => opened.totals.enqueued), [300, 300, 300])
      const claimed = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => sessions[i % 3]!),
        (session) => take(session, 7),
        { concurrency: 12 }
      )
      const names = namesOf(claimed.flat())
      assert.strictEqual(new Set(names).size, names.length)
      assert.strictEqual(names.length + (yield* take(sessions[0]!)).length, 300)
    }))

  it.live("makes its tables once, when several begin at the same time", () =>
    Effect.gen(function*() {
      const stores = yield* Effect.all(
        Array.from({ length: 8 }, () => Effect.suspend(() => storeOf({ crawl: "same" }))),
        { concurrency: 8 }
      )
      const sessions = yield* Effect.forEach(
        stores,
        (store) => store.open(opening([item("a")], { order: "priority" })),
        { concurrency: 8 }
      )
      assert.strictEqual(sessions.filter(({ opened }) => opened.isNew).length, 1)
      assert.strictEqual(sessions[0]!.pollInterval, 250)
    }))

  it.live(
    "keeps what a process has claimed as long as it is heard of, and gives it to others when it is not",
    () =>
      Effect.gen(function*() {
        const [first, second] = yield* processes(600, 30_000)
        const { scope, session } = yield* stoppable(first!, opening([item("a"), item("b")]))
        const other = yield* second!.open(opening([]))
        const claimed = yield* take(session)
        yield* session.commit([processed(claimed[0]!, [item("c", { hooked: true })])])
        yield* until(take(other, 1), ({ length }) => length === 1)
        for (let i = 0; i < 15; i++) {
          yield* Effect.sleep(100)
          assert.deepStrictEqual(yield* take(other), [])
        }
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(namesOf(yield* take(other)), ["b"])
      }),
    20_000
  )

  it.effect("refuses what a process commits of what others have claimed since, and takes the rest", () =>
    Effect.gen(function*() {
      const [first, second] = yield* processes(300, 30_000)
      // Its clock stands still, and so does its heart.
      const session = yield* first!.open(opening([item("a"), item("b", { uniqueKey: "b" }), item("c")]))
      const claimed = yield* take(session)
      assert.deepStrictEqual(namesOf(claimed), ["a", "b", "c"])
      const live = Effect.gen(function*() {
        const other = yield* second!.open(opening([]))
        assert.deepStrictEqual(other.opened.waiting, new Map())
        const [a] = yield* until(take(other, 1), ({ length }) => length === 1)
        assert.strictEqual(a!.name, "a")
        return { other, a: a! }
      })
      const { a, other } = yield* TestClock.withLive(live)
      const late = yield* session.commit([
        processed(claimed[0]!, [item("x", { uniqueKey: "x" })], { outcome: "failed", tooDeep: 5 }),
        processed(claimed[1]!)
      ])
      // Nobody has claimed b; but it was given back, and is claimed anew.
      assert.deepStrictEqual(late.refused, [1, 2])
      assert.deepStrictEqual(late.children, [[], []])
      assert.deepStrictEqual([late.totals.enqueued, late.totals.failed, late.totals.skipped.maxDepth], [3, 0, 0])
      assert.deepStrictEqual((yield* other.commit([processed(a)])).refused, [])
      assert.deepStrictEqual(namesOf(yield* take(session)), ["b", "c"])
    }))

  it.effect("takes what a process commits late, if nobody has missed it", () =>
    Effect.gen(function*() {
      const [first] = yield* processes(50)
      const session = yield* first!.open(opening([item("a"), item("b")]))
      const [a] = yield* take(session, 1)
      yield* TestClock.withLive(Effect.sleep(150))
      assert.deepStrictEqual(namesOf(yield* take(session)), ["b"])
      assert.deepStrictEqual((yield* session.commit([processed(a!)])).refused, [])
    }))

  it.effect("counts as waiting what it takes from a process that is gone", () =>
    Effect.gen(function*() {
      const [first, second] = yield* processes(50, 30_000)
      yield* Effect.flatMap(first!.open(opening([item("a"), item("a")])), (session) => take(session))
      yield* TestClock.withLive(Effect.sleep(150))
      const { opened } = yield* second!.open(opening([]))
      assert.deepStrictEqual(opened.waiting, new Map([["a", 2]]))
    }))

  it.live("tells a process once of the scopes that others have brought to an end", () =>
    Effect.gen(function*() {
      const [first, second] = yield* processes(30_000, 30_000)
      const a = yield* first!.open(opening([item("root", { failsFast: true })]))
      const b = yield* second!.open(opening([]))
      yield* a.commit([processed(yield* takeOne(a), [item("x"), item("y"), item("z"), item("last")])])
      const [x] = yield* take(a, 1)
      yield* take(b, 1)
      yield* take(a, 1)
      yield* a.commit([processed(x!, [], { outcome: "failed" })])
      assert.deepStrictEqual((yield* b.claim({ limit: 0, except: [] })).over, [1])
      assert.deepStrictEqual((yield* b.claim({ limit: 0, except: [] })).over, [])
      const own = yield* a.claim({ limit: 1, except: [] })
      assert.deepStrictEqual([own.over, own.claimed[0]!.isOver], [[], true])
      assert.deepStrictEqual((yield* a.claim({ limit: 0, except: [] })).over, [])
    }))

  it.live(
    "settles each item once, when several processes work on a crawl and some of them end",
    () =>
      Effect.gen(function*() {
        const stores = yield* processes(30_000, 30_000, 30_000)
        const settled: Array<number> = []
        const work = Effect.fnUntraced(function*(store: CrawlStore.CrawlStore, name: number) {
          let rounds = 0
          while (true) {
            const ended = yield* Effect.scoped(Effect.gen(function*() {
              const session = yield* store.open(opening([item("root", { hooked: true })]))
              for (let i = 0; i < 20; i++) {
                const { claimed, hasEnded } = yield* session.claim({ limit: 9, except: name === 0 ? ["x"] : [] })
                if (hasEnded) return true
                const committed = yield* session.commit(
                  claimed.slice(0, i === 19 ? 3 : 9).map((each) =>
                    each.after !== undefined ? hooked(each) : processed(
                      each,
                      each.depth < 4
                        ? Array.from({ length: 5 }, (_, n) =>
                          item(`${n}`, {
                            hooked: n % 2 === 0,
                            limitKey: n === 3 ? "x" : "y",
                            uniqueKey: n === 4 ? "once" : undefined
                          }))
                        : []
                    )
                  )
                )
                settled.push(...committed.settled.map(({ id }) => id))
                assert.deepStrictEqual(committed.refused, [])
              }
              return false
            }))
            if (ended) return
            assert.isBelow(rounds++, 500)
          }
        })
        yield* Effect.forEach(stores, work, { concurrency: 3 })
        const session = yield* stores[0]!.open(opening([]))
        assert.isTrue(session.opened.hasEnded)
        const { enqueued, succeeded } = session.opened.totals
        assert.strictEqual(succeeded, enqueued)
        assert.deepStrictEqual(settled.toSorted((a, b) => a - b), Array.from({ length: enqueued }, (_, i) => i + 1))
      }),
    60_000
  )

  it.live(
    "answers as the store in memory does, whatever is asked of it",
    () =>
      Effect.forEach(Array.from({ length: 12 }, (_, seed) => seed), (seed) =>
        Effect.gen(function*() {
          yield* agree(yield* CrawlStore.memory, yield* make, { isShared: true, seed, steps: 60 })
        }).pipe(Effect.scoped), { discard: true }),
    60_000
  )

  it.live("goes on when the database was away for a moment", () =>
    Effect.gen(function*() {
      const store = yield* make
      const session = yield* store.open(opening([item("a"), item("b")]))
      const [a] = yield* take(session, 1)
      yield* Effect.promise(() => server.restart())
      assert.deepStrictEqual((yield* session.commit([processed(a!)])).refused, [])
      const restarting = yield* Effect.forkChild(Effect.promise(() => server.restart()), { startImmediately: true })
      yield* until(Effect.map(take(session), ({ length }) => length), (length) => length === 1)
      yield* Fiber.join(restarting)
    }), 60_000)

  it.live(
    "reads no more of what waits than it gives, of which the planner has not heard yet",
    () =>
      Effect.gen(function*() {
        const context = yield* Layer.build(PgClient.layer({
          host: "127.0.0.1",
          port: server.port,
          username: server.username,
          database: server.database,
          maxConnections: 1
        }))
        const sql = Context.get(context, SqlClient.SqlClient)
        const crawl = `crawl${++crawls}`
        yield* Effect.provideContext(SqlCrawlStore.make({ crawl }), context)
        yield* sql`ALTER TABLE ${sql(`${crawl}_item`)} SET (autovacuum_enabled = off)`
        const rowsRead = Effect.gen(function*() {
          yield* sql`SELECT pg_stat_force_next_flush()`
          const [row] = yield* sql<{ readonly read: string }>`SELECT (
          (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE ${`${crawl}_%`}) +
          (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE ${`${crawl}_%`}))::text AS read`
          return Number(row!.read)
        })
        for (const order of ["fifo", "lifo", "priority"] as const) {
          yield* Effect.scoped(Effect.gen(function*() {
            const store = yield* Effect.provideContext(SqlCrawlStore.make({ crawl }), context)
            const roots = Array.from(
              { length: 20_000 },
              (_, i) => item(`${i}`, { limitKey: i % 1500 === 1250 ? `y${i}` : "x", uniqueKey: `${i}` })
            )
            const session = yield* store.open(opening(roots, { order }))
            for (const except of [[], ["x"]]) {
              // The first makes an index.
              yield* take(session, 1, except)
              const before = yield* rowsRead
              const [claimed] = yield* take(session, 1, except)
              yield* session.commit([processed(claimed!, [item("z", { uniqueKey: "1" })])])
              assert.isBelow((yield* rowsRead) - before, 5000, `${order} ${except}`)
            }
          }))
        }
      }),
    60_000
  )

  it.live("neither claims nor commits twice when it is not told that it did", () =>
    Effect.gen(function*() {
      const context = yield* client()
      const sql = Context.get(context, SqlClient.SqlClient)
      let losses = 0
      // The connection is lost when the transaction is committed, before the answer comes, or just before that.
      let isWritten = true
      const withTransaction: SqlClient.SqlClient["withTransaction"] = (effect) =>
        Effect.suspend(() =>
          losses-- <= 0
            ? sql.withTransaction(effect)
            : isWritten
            ? Effect.andThen(sql.withTransaction(effect), Effect.fail(lost))
            : sql.withTransaction(Effect.andThen(effect, Effect.fail(lost)))
        )
      const lost = new SqlError.SqlError({
        reason: new SqlError.ConnectionError({ cause: new Error("lost"), message: "lost", operation: "commit" })
      })
      const lossy = new Proxy(sql, {
        get: (target, name) =>
          name === "withTransaction"
            ? withTransaction
            : name === "withoutTransforms"
            ? () => lossy
            : Reflect.get(target, name)
      })
      const store = yield* Effect.provideService(
        SqlCrawlStore.make({ crawl: `crawl${++crawls}` }),
        SqlClient.SqlClient,
        lossy
      )
      const session = yield* store.open(opening([item("a"), item("b", { failsFast: true }), item("c")]))
      losses = 2
      const [a] = yield* take(session, 1)
      assert.strictEqual(a!.name, "a")
      const [b, c] = yield* take(session)
      losses = 2
      const committed = yield* session.commit([processed(b!, [item("d")], { outcome: "failed" }), processed(c!)])
      assert.deepStrictEqual(committed.refused, [])
      assert.deepStrictEqual(committed.children, [[4], []])
      assert.deepStrictEqual([committed.over, committed.totals.enqueued, committed.totals.succeeded], [[2], 4, 1])
      const [d] = yield* take(session)
      assert.strictEqual(d!.name, "d")
      assert.isBelow(losses, 0)
      isWritten = false
      losses = 2
      assert.deepStrictEqual(namesOf(yield* take(session)), [])
      losses = 2
      assert.deepStrictEqual((yield* session.commit([released(d!)])).refused, [])
      losses = 2
      const again = yield* takeOne(session)
      losses = 2
      assert.isTrue((yield* session.commit([processed(again), processed(a!)])).hasEnded)
    }))

  it.live("says what to do when the database stays away", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.promise(startPostgres)
      const scope = yield* Scope.make()
      const context = yield* Scope.provide(client(gone.port), scope)
      const store = yield* Effect.provideContext(SqlCrawlStore.make({ leaseDuration: "1 second" }), context)
      const session = yield* Scope.provide(store.open(opening([item("a")])), scope)
      yield* Effect.promise(() => gone.stop())
      const { message, reason } = yield* Effect.flip(session.claim({ limit: 1, except: [] }))
      assert.strictEqual(reason, "Unavailable")
      assert.include(message, "start it")
      assert.notInclude(message, "127.0.0.1")
      yield* Scope.close(scope, Exit.void)
    }), 60_000)
})
