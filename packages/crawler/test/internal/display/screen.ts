import stringWidth from "string-width"

/**
 * A terminal, as far as what is drawn needs one: what it shows, and what has scrolled off its top. It wraps lines that are too long, wraps them anew
 * when its width changes, and moves lines off the top and back when its height does, as tmux, VTE, kitty and others do.
 */
export class Screen {
  columns: number
  rows: number
  isCursorShown = true
  /** Codes that it does not know: none should be written. */
  readonly unknown: Array<string> = []
  private isWrapping = true
  /** Rows with their cells, the first of which have scrolled away; a row goes on on the next one if it was wrapped. */
  private lines: Array<Row> = [row()]
  private top = 0
  private cursor = { row: 0, column: 0 }

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    for (const { segment } of pieces(text)) {
      const control = code.exec(segment)?.groups
      if (control !== undefined) this.control(control["parameters"]!, control["final"]!)
      else if (/^\r?\n$/.test(segment)) this.newLine(segment.startsWith("\r"))
      else if (segment === "\r") this.cursor.column = 0
      else if (segment === "\t") this.cursor.column = Math.min(this.columns - 1, this.cursor.column + 8 & ~7)
      else if (/\p{Cc}/u.test(segment)) this.unknown.push(segment)
      else this.put(segment)
    }
  }

  resize(columns: number, rows: number): void {
    if (columns !== this.columns) this.rewrap(columns)
    this.columns = columns
    this.rows = rows
    // As many rows above the cursor as fit, those that have scrolled away included; what is empty below the cursor goes first.
    const used = Math.max(this.cursor.row, this.lines.findLastIndex(({ cells }) => cells.length > 0)) + 1
    this.lines.length = used
    this.top = Math.max(0, used - rows)
  }

  /** Each row that is on the screen, without spaces at its end; not those below the last that was written. */
  visible(): ReadonlyArray<string> {
    return texts(this.lines.slice(this.top))
  }

  /** Every line there ever was, whole however it is wrapped. */
  transcript(): ReadonlyArray<string> {
    const whole: Array<Row> = []
    for (const [index, line] of this.lines.entries()) {
      if (index > 0 && this.lines[index - 1]!.isWrapped) whole.at(-1)!.cells.push(...line.cells)
      else whole.push({ cells: [...line.cells], isWrapped: false })
    }
    return texts(whole)
  }

  /** The row of the screen on which the cursor is, from 0, and its column. */
  cursorAt(): { readonly row: number; readonly column: number } {
    return { row: this.cursor.row - this.top, column: this.cursor.column }
  }

  private control(parameters: string, final: string): void {
    const count = Number(parameters) || 1
    if (final === "m") return
    if (final === "A") this.cursor.row = Math.max(this.top, this.cursor.row - count)
    else if (final === "B") this.cursor.row = Math.min(this.top + this.rows - 1, this.cursor.row + count)
    else if (final === "K" && parameters === "") this.eraseEnd()
    else if (final === "J" && parameters === "") {
      if (this.cursor.row === this.top && this.cursor.column === 0) this.scrollAway()
      this.eraseEnd()
      this.lines.length = this.cursor.row + 1
    } else if (parameters === "?25") this.isCursorShown = final === "h"
    else if (parameters === "?7") this.isWrapping = final === "h"
    else if (parameters !== "?2026") this.unknown.push(`${parameters}${final}`)
    this.current()
  }

  private eraseEnd(): void {
    const line = this.current()
    line.cells.length = Math.min(line.cells.length, this.cursor.column)
    line.isWrapped = false
  }

  /** What tmux does when all of its screen is erased. */
  private scrollAway(): void {
    const used = this.lines.length - this.top
    this.top += used
    this.cursor.row = this.top
  }

  private put(segment: string): void {
    const width = stringWidth(segment)
    if (width === 0) return
    if (this.cursor.column + width > this.columns) {
      if (this.isWrapping) {
        this.current().isWrapped = true
        this.cursor.column = 0
        this.down()
      } else this.cursor.column = this.columns - width
    }
    const { cells } = this.current()
    while (cells.length < this.cursor.column) cells.push(" ")
    cells.splice(this.cursor.column, width, segment, ...Array.from({ length: width - 1 }, () => ""))
    this.cursor.column += width
  }

  private newLine(returns: boolean): void {
    if (returns) this.cursor.column = 0
    this.down()
  }

  private down(): void {
    this.cursor.row++
    this.current()
    if (this.cursor.row - this.top >= this.rows) this.top = this.cursor.row - this.rows + 1
  }

  private current(): Row {
    while (this.lines.length <= this.cursor.row) this.lines.push(row())
    return this.lines[this.cursor.row]!
  }

  private rewrap(columns: number): void {
    const next: Array<Row> = []
    let cursorRow = 0
    let joined: Array<string> = []
    for (const [index, { cells, isWrapped }] of this.lines.entries()) {
      joined.push(...cells)
      // The cursor rests at the beginning of a line, which stays that of the same one.
      if (index === this.cursor.row) cursorRow = next.length
      if (isWrapped && index < this.lines.length - 1) continue
      next.push(...wrapped(joined, columns))
      joined = []
    }
    this.lines = next
    this.cursor.row = cursorRow
  }
}

const code = new RegExp(String.raw`^\u001B\[(?<parameters>[?\d;:]*)(?<final>[A-Za-z])$`)
const codes = new RegExp(String.raw`(\u001B\[[?\d;:]*[A-Za-z])`)

interface Row {
  cells: Array<string>
  isWrapped: boolean
}

const row = (): Row => ({ cells: [], isWrapped: false })

const graphemes = new Intl.Segmenter()

const pieces = function*(text: string): Generator<{ readonly segment: string }> {
  for (const part of text.split(codes)) {
    if (part.startsWith("\u001B[")) yield { segment: part }
    else yield* graphemes.segment(part)
  }
}

const wrapped = (cells: ReadonlyArray<string>, columns: number): ReadonlyArray<Row> => {
  const rows = [row()]
  for (let at = 0; at < cells.length;) {
    const width = cells[at + 1] === "" ? 2 : 1
    if (rows.at(-1)!.cells.length + width > columns) {
      rows.at(-1)!.isWrapped = true
      rows.push(row())
    }
    rows.at(-1)!.cells.push(...cells.slice(at, at + width))
    at += width
  }
  return rows
}

const texts = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => rows.map(({ cells }) => cells.join("").trimEnd())
