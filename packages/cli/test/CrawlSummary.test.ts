import { assert, describe, it } from "@effect/vitest"
import { CrawlSummary } from "conveyor"

const outcome: CrawlSummary.Outcome = {
  ending: "stopped",
  millis: 2500,
  pages: 30,
  bytes: 1_234_567,
  byStatus: new Map([[4, 2], [2, 25]]),
  byReason: new Map([["robots", 1], ["Timeout", 2]]),
  left: 12,
  output: "out.ndjson",
  state: "crawl.db"
}

describe("CrawlSummary", () => {
  it("tells of pages by status and by what stopped them, and where they are", () => {
    assert.strictEqual(
      CrawlSummary.render(outcome),
      `stopped: 30 pages in 2.5 s, 12/s, 1.2 MB, 12 left
  2xx      25
  4xx      2
  Timeout  2
  robots   1
  pages → out.ndjson
  state → crawl.db`
    )
  })

  it("leaves out what there is none of", () => {
    const nothing = { ...outcome, pages: 0, bytes: 0, millis: 0, left: 0, byStatus: new Map(), byReason: new Map() }
    assert.strictEqual(
      CrawlSummary.render({ ...nothing, ending: "finished", output: undefined, state: undefined }),
      "finished: 0 pages in 0.0 s, 0.0/s, 0 B"
    )
    assert.include(CrawlSummary.render({ ...nothing, pages: 1, bytes: 999 }), "1 page in 0.0 s, 0.0/s, 999 B")
    assert.include(CrawlSummary.render({ ...nothing, bytes: 1e16 }), " 10000.0 TB")
  })

  it("gives the same as data", () => {
    assert.deepStrictEqual(CrawlSummary.toJson(outcome), {
      ending: "stopped",
      millis: 2500,
      pages: 30,
      pagesPerSecond: 12,
      bytes: 1_234_567,
      byStatus: { "2xx": 25, "4xx": 2 },
      byReason: { Timeout: 2, robots: 1 },
      left: 12,
      output: "out.ndjson",
      state: "crawl.db"
    })
  })
})
