/** Whole lines of a text, and what is wrong with the line after them, if anything. */
export interface Lines {
  readonly lines: ReadonlyArray<string>
  readonly fault: "tooLong" | "notText" | undefined
}

const newline = 0x0a

/**
 * Cuts bytes into lines of UTF-8 as they arrive, and keeps no more of them than the longest line may have.
 *
 * What follows a fault is not to be pushed.
 */
export class LineSplitter {
  private readonly limit: number
  private rest: Array<Uint8Array> = []
  private restBytes = 0

  constructor(limit: number) {
    this.limit = limit
  }

  push(chunk: Uint8Array): Lines {
    const end = chunk.lastIndexOf(newline)
    if (end === -1) {
      this.keep(chunk)
      return this.restBytes > this.limit ? { lines: [], fault: "tooLong" } : { lines: [], fault: undefined }
    }
    this.keep(chunk.subarray(0, end))
    const whole = this.take()
    this.keep(chunk.subarray(end + 1))
    const lines = this.cut(whole)
    return lines.fault === undefined && this.restBytes > this.limit ? { ...lines, fault: "tooLong" } : lines
  }

  /** The last line, which nothing ends. */
  end(): Lines {
    return this.restBytes === 0 ? { lines: [], fault: undefined } : this.cut(this.take())
  }

  private keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.rest.push(bytes)
    this.restBytes += bytes.length
  }

  private take(): Uint8Array {
    const whole = this.rest.length === 1 ? this.rest[0]! : Buffer.concat(this.rest)
    this.rest = []
    this.restBytes = 0
    return whole
  }

  private cut(whole: Uint8Array): Lines {
    const text = decode(whole)
    // All at once, which is several times faster than line by line, unless something is wrong somewhere.
    if (text !== undefined && whole.length <= this.limit) return { lines: text.split("\n"), fault: undefined }
    const lines: Array<string> = []
    for (let from = 0; from <= whole.length;) {
      const found = whole.indexOf(newline, from)
      const to = found === -1 ? whole.length : found
      if (to - from > this.limit) return { lines, fault: "tooLong" }
      const line = decode(whole.subarray(from, to))
      if (line === undefined) return { lines, fault: "notText" }
      lines.push(line)
      from = to + 1
    }
    return { lines, fault: undefined }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
