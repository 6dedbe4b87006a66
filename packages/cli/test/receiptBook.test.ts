import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Receipt } from "effect-collector"
import { ReceiptBook } from "../src/internal/receiptBook.ts"

const receipt = (isSettled: boolean) => ({ isSettled }) as { isSettled: boolean } & Receipt.Receipt

describe("ReceiptBook", () => {
  it("forgets the oldest of those that have settled", () => {
    const book = new ReceiptBook(3)
    for (const id of ["a", "b", "c", "d"]) book.add(id, receipt(true))
    assert.deepStrictEqual(["a", "b", "c", "d"].map((id) => book.get(id) !== undefined), [false, true, true, true])
  })

  it.prop(
    "never forgets what is pending, and holds few more than that and its limit",
    { settled: Schema.Array(Schema.Boolean), limit: Schema.Literals([1, 3, 8]) },
    ({ limit, settled }) => {
      const book = new ReceiptBook(limit)
      const receipts = settled.map((isSettled, i) => [String(i), receipt(isSettled)] as const)
      for (const [id, one] of receipts) book.add(id, one)
      const pending = receipts.filter(([, { isSettled }]) => !isSettled)
      for (const [id, one] of pending) assert.strictEqual(book.get(id), one)
      const kept = receipts.filter(([id]) => book.get(id) !== undefined)
      assert.isAtMost(kept.length, Math.max(limit, 2 * pending.length + limit))
    }
  )
})
