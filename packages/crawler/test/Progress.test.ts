import { assert, describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { CrawlItem } from "effect-crawler"
import stringWidth from "string-width"
import * as Progress from "../src/Progress.ts"

class Image extends CrawlItem.Class<Image>()("Image", { url: Schema.String }, { trackOverall: true }) {}

const none: Progress.Statistics = {
  enqueued: 0,
  succeeded: 0,
  failed: 0,
  interrupted: 0,
  skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
  waiting: new Map(),
  processing: [],
  overall: { settled: 0, known: 0 }
}
const working = (id: number, description = `downloading http://example.com/${id}.png`, startedAt = 0) => ({
  id,
  item: new Image({ url: `http://example.com/${id}.png` }),
  description,
  startedAt
})
const waiting = (counts: Record<string, number>) => new Map(Object.entries(counts))
/** What is shown at each second in turn. */
const after = (...seen: ReadonlyArray<Partial<Progress.Statistics>>): Progress.Progress =>
  seen.slice(1).reduce<Progress.Progress>(
    (progress, stats, index) => Progress.observe(progress, { ...none, ...stats }, (index + 1) * 1000),
    Progress.begin({ ...none, ...seen[0] }, 0)
  )
const places = ({ workers }: Progress.Progress) => workers.map((worker) => worker?.id)
const text = (progress: Progress.Progress, options: Partial<Progress.FrameOptions> = {}) =>
  Progress.frame(progress, { columns: 80, rows: 23, colors: false, now: progress.at, ...options }).join("\n") + "\n"

const few = after(
  { enqueued: 1, waiting: waiting({ Index: 1 }) },
  {
    enqueued: 36,
    succeeded: 1,
    waiting: waiting({ Page: 5, Image: 30 }),
    overall: { settled: 0, known: 30 },
    processing: [working(1), working(2)]
  },
  ...Array.from({ length: 6 }, (_, second) => ({
    enqueued: 36,
    succeeded: 2 + second * 2,
    waiting: waiting({ Image: 24 - second * 2 }),
    overall: { settled: 1 + second * 2, known: 30 },
    processing: [working(1, "downloading 日本語.png 👩‍👩‍👧", 3000), working(3, "", 2000)]
  })),
  {
    enqueued: 36,
    succeeded: 14,
    waiting: waiting({ Image: 14 }),
    overall: { settled: 13, known: 30 },
    processing: [working(3, "", 2000), working(4, "downloading \u001B[31mred\u001B[2J\n.png", 7100)]
  }
)
const many = after(none, {
  enqueued: 1000,
  succeeded: 100,
  waiting: waiting({ Image: 700 }),
  overall: { settled: 100, known: 1000 },
  processing: Array.from({ length: 200 }, (_, index) => working(index + 1, undefined, (index * 7) % 200))
})
const growing = after(
  ...Array.from({ length: 10 }, (_, second) => ({
    enqueued: second * 50,
    succeeded: second * 3,
    waiting: waiting({ Image: second * 47 }),
    overall: { settled: second * 3, known: second * 50 },
    processing: [working(second)]
  }))
)
const failures = {
  ...none,
  enqueued: 100,
  succeeded: 60,
  failed: 7,
  interrupted: 3,
  retried: 12,
  skipped: { duplicate: 4, maxDepth: 5, maxItems: 6 },
  overall: { settled: 70, known: 100 },
  processing: [working(1)],
  waiting: waiting({ Image: 29 })
}

describe("Progress", () => {
  describe("observe", () => {
    it("keeps an item in its place for as long as it is worked on", () => {
      assert.deepStrictEqual(places(after({ processing: [working(1), working(2), working(3)] })), [1, 2, 3])
      assert.deepStrictEqual(
        places(after(
          { processing: [working(1), working(2), working(3)] },
          { processing: [working(3), working(4)] },
          { processing: [working(6), working(3), working(5), working(4)] }
        )),
        [4, 6, 3, 5]
      )
    })

    it("leaves a place empty that nobody takes", () => {
      assert.deepStrictEqual(places(after({ processing: [working(1), working(2)] }, { processing: [working(2)] })), [
        undefined,
        2
      ])
    })

    it("shows what an item says last that it does", () => {
      const { workers } = after({ processing: [working(1, "one")] }, { processing: [working(1, "two")] })
      assert.strictEqual(workers[0]?.description, "two")
    })

    it("remembers the most that waited, of each class and in all", () => {
      const seen = after({ waiting: waiting({ Index: 3 }) }, { waiting: waiting({ Page: 2, Index: 1 }) }, {
        waiting: waiting({ Page: 1 })
      })
      assert.deepStrictEqual([...seen.waiting], [["Index", { current: 0, most: 3 }], ["Page", { current: 1, most: 2 }]])
      assert.deepStrictEqual(seen.waitingInAll, { current: 1, most: 3 })
    })

    const ids = Schema.Array(Schema.UniqueArray(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))))
      .check(Schema.isMaxLength(10))
    it.prop(
      "law: whoever works has one place, and keeps it; there are as many as were ever taken at once",
      { ids },
      ({ ids }) => {
        let progress = after({})
        let most = 0
        for (const [second, working_] of ids.entries()) {
          const before = places(progress)
          progress = Progress.observe(progress, { ...none, processing: working_.map((id) => working(id)) }, second)
          const now = places(progress)
          most = Math.max(most, working_.length)
          assert.sameMembers(now.filter((id) => id !== undefined), [...working_])
          assert.strictEqual(now.length, most)
          for (const [place, id] of before.entries()) {
            if (id !== undefined && working_.includes(id)) assert.strictEqual(now[place], id)
          }
        }
      }
    )
  })

  describe("frame", () => {
    const shown: Record<string, string> = {
      "empty": text(after({})),
      "few-workers": text(few),
      "few-workers-with-title": text(few, { title: "http://example.com" }),
      "few-workers-in-colour": text(few, { title: "http://example.com", colors: true }).replaceAll("\u001B", "␛"),
      "200-workers-in-24-rows": text(many),
      "20-columns": text(few, { columns: 20, title: "http://example.com/somewhere" }),
      "6-rows": text(many, { rows: 5, title: "http://example.com" }),
      "growing": text(growing),
      "failures": text(after({}, failures), { columns: 120 }),
      "finished": text(
        Progress.end(
          few,
          "ended",
          { ...none, enqueued: 36, succeeded: 36, overall: { settled: 30, known: 30 } },
          16_000
        )
      ),
      "interrupted": text(Progress.end(after({}, failures), "interrupted", failures, 61_000))
    }
    for (const [name, frame] of Object.entries(shown)) {
      it(`draws ${name.replaceAll("-", " ")}`, () => expect(frame).toMatchFileSnapshot(`frames/${name}.txt`))
    }

    it("says by its numbers who has been at work for longest, and for how long", () => {
      const lines = text(many, { now: 3_600_000 + 120_000 }).split("\n").filter((line) => line.startsWith("  #"))
      assert.deepStrictEqual(lines.slice(0, 3).map((line) => line.slice(0, 16).trimEnd()), [
        "  #1     1h 02m",
        "  #144   1h 01m",
        "  #87    1h 01m"
      ])
    })

    it("shows who is idle for as long as there is room", () => {
      const idle = after({ processing: [working(1), working(2)] }, { processing: [working(2)] })
      assert.include(text(idle), "  #1        -  idle\n")
      assert.notInclude(text(idle, { rows: 4 }), "-  idle")
    })

    const Description = Schema.Union([
      Schema.String,
      Schema.Literals(["日本語".repeat(40), "\u001B[2J\u001B[31m\r\n", "👩‍👩‍👧".repeat(60)])
    ])
    const Size = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 130 }))
    const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 250 }))
    it.prop(
      "law: a frame has no more lines than there are rows, and none is wider than the terminal",
      {
        columns: Size,
        rows: Size,
        workers: Count,
        classes: Count,
        descriptions: Schema.NonEmptyArray(Description),
        title: Description
      },
      ({ classes, columns, descriptions, rows, title, workers }) => {
        const progress = after({ enqueued: 1 }, {
          processing: Array.from({ length: workers }, (_, id) => working(id, descriptions[id % descriptions.length])),
          waiting: new Map(Array.from({ length: classes }, (_, index) => [`${descriptions[0]}${index}`, index])),
          overall: { settled: workers, known: workers + classes }
        })
        for (const colors of [true, false]) {
          const lines = Progress.frame(progress, { columns, rows, colors, now: 0, title })
          assert.isAtMost(lines.length, rows)
          for (const line of lines) {
            assert.isAtMost(stringWidth(line), columns)
            assert.notMatch(line, colors ? /[\n\r\u0085\u2028]/ : /\p{Cc}/u)
          }
          // Each has its line, or is one of those that a line says there are.
          const more = lines.flatMap((line) => /… and (?<more>\d+) more/.exec(line)?.groups?.["more"] ?? [])
          const told = lines.length - more.length + more.reduce((sum, count) => sum + Number(count), 0)
          const expected = 3 + (classes > 1 ? classes + 1 : 0) + (workers > 0 ? workers + 1 : 0)
          if (rows >= 12 && columns >= 40) assert.strictEqual(told, expected)
        }
      },
      { arbitrary: { runs: 100 } }
    )
  })

  it("leaves what had settled before out of the rate", () => {
    const overall = { settled: 500, known: 1000 }
    const resumed = after({ overall }, ...Array.from({ length: 10 }, () => ({ overall })), {
      overall: { settled: 522, known: 1000 }
    })
    assert.include(text(resumed), "  2/s  11s")
    assert.include(
      text(Progress.end(resumed, "ended", { ...none, overall: { settled: 522, known: 1000 } }, 22_000)),
      "  1/s"
    )
  })

  describe("line", () => {
    it("says where it is, without escape codes", () => {
      assert.strictEqual(
        Progress.line(few),
        "crawl: 13/30 43%, 1.6/s, 8s, ETA 10s, 2 at work, 14 waiting, 36 enqueued, 14 succeeded, 0 failed, 0 skipped"
      )
      assert.match(Progress.line(few, { title: "a\u001B[31m\nb" }), /^a b: 13/)
    })

    it("says how it ended", () => {
      assert.strictEqual(
        Progress.line(
          Progress.end(
            few,
            "ended",
            { ...none, enqueued: 36, succeeded: 36, overall: { settled: 30, known: 30 } },
            16_000
          )
        ),
        "crawl: ended after 16s, 30/30 100%, 1.9/s, 0 waiting, 36 enqueued, 36 succeeded, 0 failed, 0 skipped"
      )
    })
  })
})
