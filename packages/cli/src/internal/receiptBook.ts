import type * as Receipt from "effect-collector/Receipt"

/** Receipts that are remembered after they have settled. */
export const remembered = 10_000

/**
 * The receipts that may still be asked for: all that are pending, and the latest that have settled.
 *
 * An insertion looks at two of the oldest entries: a settled one goes, a pending one becomes the newest. So nothing is ever
 * searched, and however receipts settle, the book holds little more than it should.
 */
export class ReceiptBook {
  private readonly receipts = new Map<string, Receipt.Receipt>()
  private readonly limit: number

  constructor(limit: number = remembered) {
    this.limit = limit
  }

  add(id: string, receipt: Receipt.Receipt): void {
    this.receipts.set(id, receipt)
    for (let looks = 0; looks < 2 && this.receipts.size > this.limit; looks++) {
      const [[oldest, its]] = this.receipts as unknown as [[string, Receipt.Receipt]]
      this.receipts.delete(oldest)
      if (!its.isSettled) this.receipts.set(oldest, its)
    }
  }

  get(id: string): Receipt.Receipt | undefined {
    return this.receipts.get(id)
  }
}
