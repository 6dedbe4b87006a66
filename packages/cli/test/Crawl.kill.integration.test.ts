import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { readFileSync } from "node:fs"
import { linesOf, rowsOf } from "./collectProcess.ts"
import { directoryWith, run, start } from "./conveyorProcess.ts"
import { recorded, serve, type Site } from "./crawl/site.ts"

const pages = 400

/** Crawls a site into a file, killed so many times and gone on with. */
const crawlKilled = Effect.fnUntraced(function*(directory: string, site: Site, output: string, kills: number) {
  const args = ["crawl", site.url, "--state", `${output}.state`, "--output", output, "--select", "price=.price"]
  let unfinished = 0
  for (let i = 0; i < kills; i++) {
    const running = yield* start(directory, [...args, "--resume"])
    // Some while it starts, even before there is a state; most while it crawls.
    const moment = i % 5 === 0
      ? Effect.sleep(yield* Random.nextIntBetween(100, 1000))
      : Effect.andThen(
        site.awaitAsked(yield* Random.nextIntBetween(3, 30)),
        Effect.sleep(yield* Random.nextIntBetween(0, 30))
      )
    yield* Effect.raceFirst(moment, running.ended)
    running.kill("SIGKILL")
    if ((yield* running.ended).code === null) unfinished++
  }
  const { code, stderr } = yield* run(directory, [...args, "--resume"])
  assert.strictEqual(code, 0, stderr)
  return unfinished
})

const withoutTime = (lines: ReadonlyArray<any>) =>
  lines.map((page) => ({ ...page, millis: 0 })).sort((a, b) => a.url < b.url ? -1 : 1)

describe("conveyor crawl, killed and resumed", () => {
  it.live("writes each page to NDJSON exactly once", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages, delay: 15 })
      const directory = yield* directoryWith({})
      const killed = yield* Effect.all(
        [crawlKilled(directory, site, "a.ndjson", 11), crawlKilled(directory, site, "b.ndjson", 11)],
        { concurrency: 2 }
      )
      assert.isAtLeast(killed[0] + killed[1], 15)
      const whole = yield* run(directory, ["crawl", site.url, "--output", "whole.ndjson", "--select", "price=.price"])
      assert.strictEqual(whole.code, 0)
      const expected = withoutTime(linesOf(`${directory}/whole.ndjson`))
      assert.deepStrictEqual(expected.map(({ url }) => url), recorded(site, pages))
      for (const file of ["a.ndjson", "b.ndjson"]) {
        assert.deepStrictEqual(withoutTime(linesOf(`${directory}/${file}`)), expected)
      }
    }))

  it.live("writes each page to CSV and to SQLite exactly once", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 100, delay: 15 })
      const directory = yield* directoryWith({})
      yield* Effect.all(
        [crawlKilled(directory, site, "out.csv", 3), crawlKilled(directory, site, "out.db", 3)],
        { concurrency: 2 }
      )
      const text = readFileSync(`${directory}/out.csv`, "utf8")
      const urls = Array.from(text.matchAll(/^(http[^,]*),/gm), ([, url]) => url!)
      assert.deepStrictEqual(urls.sort(), recorded(site, 100))
      assert.match(text, /\n$/)
      const rows = rowsOf(`${directory}/out.db`, "select url, price from pages order by url")
      assert.deepStrictEqual(rows.map(({ url }) => url), recorded(site, 100))
      assert.lengthOf(rows.filter(({ price }) => price !== null), 100)
    }))
})
