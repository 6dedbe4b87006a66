import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Exit, Redacted, Schema } from "effect"
import { type CrawlEvent, CrawlItem, CrawlOutcome } from "effect-crawler"
import * as EventRecord from "../src/EventRecord.ts"

class Page extends CrawlItem.Class<Page>()("Page", { url: Schema.String }) {}
class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly cause: unknown }> {}

const item = new Page({ url: "http://a\n" })
const about = { id: 2, item, depth: 1, parentId: 1 }
const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const written = (event: CrawlEvent.CrawlEvent) => JSON.parse(EventRecord.line(event, at))
const base = {
  at: "2026-01-02T03:04:05.006Z",
  id: 2,
  depth: 1,
  parentId: 1,
  class: "Page",
  item: { url: "http://a\n" }
}
const settled = (exit: Exit.Exit<unknown, unknown>) => {
  const { at: _, class: __, depth, id, item, parentId, ...rest } = written({ _tag: "Settled", about, exit })
  assert.deepStrictEqual({ depth, id, item, parentId }, { depth: 1, id: 2, item: { url: "http://a\n" }, parentId: 1 })
  return rest
}

describe("EventRecord", () => {
  it("writes each event on one line", () => {
    for (const _tag of ["Enqueued", "Started"] as const) {
      assert.deepStrictEqual(written({ _tag, about }), { _tag, ...base })
      assert.notInclude(EventRecord.line({ _tag, about }, at), "\n")
    }
    assert.deepStrictEqual(written({ _tag: "Described", about, text: "t" }), { _tag: "Described", ...base, text: "t" })
    assert.deepStrictEqual(written({ _tag: "Processed", about, exit: Exit.succeed(1) }), {
      _tag: "Processed",
      ...base,
      outcome: "succeeded",
      value: 1
    })
    assert.deepStrictEqual(written({ _tag: "Skipped", skipped: { item, reason: "duplicate" } }), {
      _tag: "Skipped",
      at: base.at,
      class: "Page",
      item: base.item,
      reason: "duplicate"
    })
  })

  it("says of a root that it has no parent", () => {
    assert.strictEqual(written({ _tag: "Started", about: { ...about, parentId: undefined } }).parentId, null)
  })

  it("writes the report of the end with what its roots came to", () => {
    const skipped = { duplicate: 1, maxDepth: 0, maxItems: 0 }
    const counts = { enqueued: 3, succeeded: 1, failed: 1, interrupted: 0, left: 1, skipped }
    const report = { ...counts, roots: [{ item, exit: Exit.fail("404") }] } as CrawlOutcome.CrawlReport
    assert.deepStrictEqual(written({ _tag: "Ended", report }), {
      _tag: "Ended",
      at: base.at,
      ...counts,
      roots: [{ class: "Page", item: base.item, outcome: "failed", error: "404" }]
    })
  })

  it("tells what failed on purpose from what is a bug, without causes and stacks", () => {
    const refused = new Refused({ status: 403, cause: new Error("inner") })
    const { error, ...rest } = settled(Exit.fail(refused))
    assert.deepStrictEqual(rest, { _tag: "Settled", outcome: "failed" })
    assert.deepStrictEqual(error, { _tag: "Refused", name: "Refused", message: "", status: 403 })
    assert.deepStrictEqual(settled(Exit.die(new TypeError("no"))), {
      _tag: "Settled",
      outcome: "failed",
      defect: { name: "TypeError", message: "no" }
    })
    const failed = new CrawlOutcome.ChildFailed({ item, cause: Cause.fail(1) })
    assert.deepStrictEqual(settled(Exit.fail(failed)).error.item, { url: "http://a\n" })
  })

  it("says of an interruption only that", () => {
    assert.deepStrictEqual(settled(Exit.interrupt(1)), { _tag: "Settled", outcome: "interrupted" })
  })

  it("writes any value, and redacted ones redacted", () => {
    const circular: Record<string, unknown> = { big: 1n, secret: Redacted.make("hush"), at: undefined }
    circular["self"] = circular
    assert.deepStrictEqual(settled(Exit.succeed(circular)).value, { big: "1n", secret: "<redacted>" })
    assert.notProperty(settled(Exit.succeed(undefined)), "value")
  })
})
