import { rowsOf, widthOf } from "./text.ts"

// The lines that stand at the bottom of a terminal while others scroll above them.
//
// The cursor rests at the beginning of the line below them, which is why they are at most one less than the terminal has rows. To draw, it goes up as
// many rows as they take, writes, and is below them again; it asks the terminal nothing and relies on no absolute position. Each drawing is one
// write, and what has not changed is stepped over, so that nothing flickers.
//
// When a terminal becomes narrower it wraps what stands on it, and the lines take more rows than they were drawn on; a few terminals cut instead.
// Those are drawn over as many log lines too many, once. While a frame is drawn the terminal is told not to wrap, so that where it holds a character to be wider
// than we do, the line is cut and the frame not torn.

const escape = "\u001B["
const up = (rows: number): string => rows === 0 ? "" : `${escape}${rows}A`
const eraseLine = `${escape}K`
const eraseDown = `${escape}J`
const [keepWrapping, stopWrapping] = [`${escape}?7h`, `${escape}?7l`]
/** Terminals that know it show nothing of a write before its end; others ignore it. */
const [beginWrite, endWrite] = [`${escape}?2026h`, `${escape}?2026l`]
export const [hideCursor, showCursor] = [`${escape}?25l`, `${escape}?25h`]

export interface Size {
  readonly columns: number
  readonly rows: number
}

export class Region {
  private shown: ReadonlyArray<string> = []
  private size: Size = { columns: 0, rows: 0 }
  /** The widths of lines that a resize moved off the top of the screen, and a later one may bring back. */
  private remains: ReadonlyArray<number> = []

  /** What to write so that lines go above and others stand below, which fit the size. */
  draw(above: ReadonlyArray<string>, lines: ReadonlyArray<string>, size: Size): string {
    const isResized = size.columns !== this.size.columns || size.rows !== this.size.rows
    const text = isResized
      ? this.redraw(above, lines, size)
      : above.length > 0 || lines.length === 0
      ? `${erase(this.shown.length)}${joined(above)}${written(lines)}`
      : update(this.shown, lines)
    // What is printed now stands between them and what is drawn: they cannot be reached any more.
    if (above.length > 0) this.remains = []
    this.shown = lines
    this.size = size
    return text === "" ? "" : `${beginWrite}${text}${endWrite}`
  }

  private redraw(above: ReadonlyArray<string>, lines: ReadonlyArray<string>, { columns, rows }: Size): string {
    const drawn = [
      ...this.remains.map((width) => ({ width, rows: Math.max(1, Math.ceil(width / columns)) })),
      ...this.shown.map((line) => ({ width: widthOf(line), rows: rowsOf(line, columns) }))
    ]
    const height = drawn.reduce((sum, { rows }) => sum + rows, 0)
    const off = offTop(drawn, height - (rows - 1), columns)
    this.remains = off.widths
    return `${erase(height)}${off.isCut ? "\r\n" : ""}${joined(above)}${written(lines)}`
  }
}

/**
 * What is on the first rows, which are off the screen. Where that ends within a line, the next row belongs to it, and must stay empty: the terminal would take what
 * is written there for its end.
 */
const offTop = (
  drawn: ReadonlyArray<{ readonly width: number; readonly rows: number }>,
  off: number,
  columns: number
): { readonly widths: ReadonlyArray<number>; readonly isCut: boolean } => {
  const widths: Array<number> = []
  let left = off
  for (const { rows, width } of drawn) {
    if (left <= 0) break
    widths.push(Math.min(width, left * columns))
    left -= rows
  }
  return { widths, isCut: left < 0 && off > 0 }
}

/**
 * Goes up and erases everything from there. Not from the first row on, since a terminal may take erasing the whole screen for a reason to keep
 * what was on it (tmux does), and the frame would be found in what has scrolled away.
 */
const erase = (height: number): string =>
  height === 0 ? "" : `${up(height)}\r${eraseLine}${escape}1B${eraseDown}${up(1)}`

/** From the first line that differs. */
const update = (shown: ReadonlyArray<string>, lines: ReadonlyArray<string>): string => {
  const first = lines.findIndex((line, index) => line !== shown[index])
  if (first === -1 && lines.length === shown.length) return ""
  const from = first === -1 ? lines.length : first
  const text = lines.slice(from).map((line, index) => line === shown[from + index] ? "" : `${eraseLine}${line}`)
  return `${up(shown.length - from)}\r${written(text)}${lines.length < shown.length ? eraseDown : ""}`
}

const joined = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\r\n`).join("")
const written = (lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? "" : `${stopWrapping}${joined(lines)}${keepWrapping}`
