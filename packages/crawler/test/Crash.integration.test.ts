import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted, Stream } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import { Crawler, type CrawlStore, SqlCrawlStore } from "effect-crawler"
import type * as SqlClient from "effect/sql/SqlClient"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { startPostgres } from "../../../test/support/postgres.ts"
import { requires } from "../../../test/support/requires.ts"
import { layer, root } from "./crash/numbers.ts"

const script = fileURLToPath(new URL("crash/crawl.ts", import.meta.url))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/crawl-`)),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

interface Running {
  readonly child: ChildProcess
  /** Waits until it has said that many items. */
  readonly awaitProcessed: (items: number) => Effect.Effect<void>
  /** Its exit code; nothing if it was killed. */
  readonly ended: Effect.Effect<number | null>
}

const start = (url: string, log: string, total: number, millis: number) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const child = spawn(
        process.execPath,
        ["--conditions=conveyor-source", script, url, log, String(total), String(millis)],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
      let processed = 0
      const waiting = new Map<() => void, number>()
      const look = (isOver: boolean) => {
        for (const [resume, items] of waiting) if (isOver || processed >= items) resume()
      }
      child.stdout!.on("data", (chunk: Buffer) => {
        processed += chunk.length / 2
        look(false)
      })
      const ended = new Promise<number | null>((resolve) => {
        child.on("close", (code) => {
          look(true)
          resolve(code)
        })
      })
      return {
        child,
        ended: Effect.promise(() => ended),
        awaitProcessed: (items) =>
          Effect.callback((resume) => {
            const done = () => {
              waiting.delete(done)
              resume(Effect.void)
            }
            waiting.set(done, items)
            look(child.exitCode !== null || child.signalCode !== null)
          })
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Everything a store holds, in a form that can be compared: what each item and its hook came to. */
const resultsOf = (store: CrawlStore.CrawlStore) =>
  Effect.map(
    Stream.runCollect(store.items()),
    (items) => new Map(items.map(({ data, exit, own }) => [JSON.parse(data).n as number, { own, exit }]))
  )

/** What the crawl comes to when nobody disturbs it. */
const undisturbed = (total: number) =>
  Effect.gen(function*() {
    const store = yield* SqlCrawlStore.make()
    const report = yield* Crawler.run([root(total)], { store, concurrency: 16 })
    return { results: yield* resultsOf(store), report }
  }).pipe(Effect.provide(Layer.merge(layer(Effect.void), NodeSqlite.layer({ filename: ":memory:" }))))

const settledIn = (log: string) => readFileSync(log, "utf8").trimEnd().split("\n").map(Number)

const compare = Effect.fnUntraced(function*(client: Layer.Layer<SqlClient.SqlClient, unknown>, total: number) {
  const expected = yield* undisturbed(total)
  const { report, results } = yield* Effect.gen(function*() {
    const store = yield* SqlCrawlStore.make()
    // It has ended already: this only reads the report.
    return { report: yield* Crawler.run([root(total)], { store }), results: yield* resultsOf(store) }
  }).pipe(Effect.provide(Layer.merge(layer(Effect.die("nothing is left to be done")), client)))
  assert.strictEqual(results.size, total)
  for (const [n, result] of expected.results) assert.deepStrictEqual(results.get(n), result, `item ${n}`)
  assert.deepStrictEqual(report, expected.report)
})

describe("a crawl killed while it runs", () => {
  it.live("on SQLite, 50 times, and resumed each time, comes to the same, and settles nothing twice", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const total = 20_000
      const url = `${path}/state.db`
      const log = `${path}/settled.log`
      for (let kills = 0; kills < 50; kills++) {
        const { awaitProcessed, child, ended } = yield* start(url, log, total, 4)
        yield* awaitProcessed(Math.floor(Math.random() * 700))
        yield* Effect.sleep(Duration.millis(Math.random() * 20))
        child.kill("SIGKILL")
        assert.strictEqual(yield* ended, null, `it ended after ${kills} kills`)
      }
      const { ended } = yield* start(url, log, total, 0)
      assert.strictEqual(yield* ended, 0)
      const settled = settledIn(log)
      assert.strictEqual(new Set(settled).size, settled.length, "an item settled twice")
      // A process may be killed between a commit and what it says of it.
      assert.isAbove(settled.length, total * 0.9)
      yield* compare(NodeSqlite.layer({ filename: url }), total)
    }).pipe(Effect.scoped))
})

requires("postgres")("a crawl of three processes on PostgreSQL", () => {
  it.live("one killed, one stopped past its lease and continued, comes to the same, and settles nothing twice", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const total = 6000
      const { database, port, username } = yield* Effect.acquireRelease(
        Effect.promise(startPostgres),
        ({ stop }) => Effect.promise(stop)
      )
      const url = `postgres://${username}@127.0.0.1:${port}/${database}`
      const logs = [1, 2, 3].map((i) => `${path}/settled-${i}.log`)
      const [killed, stopped, third] = yield* Effect.all(
        logs.map((log) => start(url, log, total, 20)),
        { concurrency: "unbounded" }
      ) as Effect.Effect<[Running, Running, Running]>
      yield* killed.awaitProcessed(1000)
      killed.child.kill("SIGKILL")
      yield* stopped.awaitProcessed(1000)
      stopped.child.kill("SIGSTOP")
      yield* Effect.sleep("4 seconds")
      stopped.child.kill("SIGCONT")
      assert.strictEqual(yield* killed.ended, null)
      assert.strictEqual(yield* stopped.ended, 0)
      assert.strictEqual(yield* third.ended, 0)
      const settled = logs.flatMap(settledIn)
      assert.strictEqual(new Set(settled).size, settled.length, "an item settled twice")
      yield* compare(PgClient.layer({ url: Redacted.make(url) }), total)
    }).pipe(Effect.scoped))
})
