/** First come, first served: an array whose beginning is cut off when half of it is spent. */
export class Line<A> {
  private items: Array<A | undefined> = []
  private head = 0

  get first(): A | undefined {
    return this.items[this.head]
  }

  push(item: A): void {
    this.items.push(item)
  }

  shift(): void {
    this.items[this.head++] = undefined
    if (this.head === this.items.length) {
      this.items.length = 0
      this.head = 0
    } else if (this.head >= 1024 && this.head * 2 >= this.items.length) {
      this.items.splice(0, this.head)
      this.head = 0
    }
  }
}
