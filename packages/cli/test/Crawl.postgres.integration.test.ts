import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { startPostgres } from "../../../test/support/postgres.ts"
import { requires } from "../../../test/support/requires.ts"
import { linesOf } from "./collectProcess.ts"
import { directoryWith, run, start } from "./conveyorProcess.ts"
import { recorded, serve } from "./crawl/site.ts"

requires("postgres")("conveyor crawl, with PostgreSQL", () => {
  it.live("is shared by processes, of which each writes all pages", () =>
    Effect.gen(function*() {
      const { database, port, username } = yield* Effect.acquireRelease(
        Effect.promise(startPostgres),
        ({ stop }) => Effect.promise(stop)
      )
      const site = yield* serve({ pages: 150, delay: 40 })
      const directory = yield* directoryWith({})
      const args = [
        "crawl",
        site.url,
        "--state",
        `postgres://${username}@127.0.0.1:${port}/${database}`,
        "--per-host",
        "4"
      ]
      const first = yield* start(directory, [...args, "--output", "a.ndjson"])
      yield* site.awaitAsked(10)
      const others = yield* Effect.forEach(
        ["b.ndjson", "c.ndjson"],
        (output) => start(directory, [...args, "--output", output, "--resume"])
      )
      yield* site.awaitAsked(40)
      first.kill("SIGTERM")
      assert.strictEqual((yield* first.ended).code, 75)
      for (const other of others) {
        const { code, stderr } = yield* other.ended
        assert.strictEqual(code, 0, stderr)
      }
      assert.strictEqual((yield* run(directory, [...args, "--output", "a.ndjson", "--resume"])).code, 0)
      for (const output of ["a.ndjson", "b.ndjson", "c.ndjson"]) {
        assert.deepStrictEqual(linesOf(`${directory}/${output}`).map(({ url }) => url).sort(), recorded(site, 150))
      }
      const refused = yield* run(directory, args)
      assert.deepStrictEqual([refused.code, refused.stderr.includes("name another database")], [64, true])
    }))
})
