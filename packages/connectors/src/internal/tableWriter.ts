import type { Cell, Row } from "../Row.ts"
import { type Column, gap, layout, measure } from "./terminalTable.ts"

/** A header this often: a tall terminal is not filled with headers, and a short one shows one now and then. */
const linesPerHeader = 20

/**
 * Makes the function that turns rows into text for people, remembering columns and their widths from call to call.
 *
 * Widths only grow, each growth repeats the header, and a row that does not fit the terminal is a list of names and values: no
 * line is ever broken by the terminal itself.
 */
export const make = (options: { readonly emphasis: boolean }) => {
  let columns: ReadonlyArray<Column> = []
  let linesLeft = 0

  const header = (): string => {
    linesLeft = linesPerHeader
    const line = layout(columns, [columns.map((column) => column.name)])
    return `${options.emphasis ? `\u001b[1m${line}\u001b[22m` : line}\n`
  }

  const writeRow = (row: Row, terminalColumns: number): string => {
    const cells = Array.from(row, ([name, cell]) => ({ name: printable(name), text: show(cell), cell }))
    const same = cells.length === columns.length && cells.every(({ name }, i) => name === columns[i]!.name)
    const next = cells.map(({ cell, name, text }, i): Column => {
      const known = same ? columns[i] : undefined
      return {
        name,
        width: Math.max(measure(name), measure(text), known?.width ?? 0),
        // Once text, always to the left, so that a column does not jump about.
        align: (known?.align ?? "right") === "right" && typeof cell !== "string" ? "right" : "left"
      }
    })
    if (next.reduce((sum, column) => sum + column.width + gap, -gap) > terminalColumns) {
      linesLeft = 0
      return list(cells)
    }
    const changed = !same || next.some((column, i) => column.width !== columns[i]!.width)
    columns = next
    const before = changed || linesLeft === 0 ? header() : ""
    linesLeft--
    return `${before}${layout(columns, [cells.map(({ text }) => text)])}\n`
  }

  return (rows: ReadonlyArray<Row>, terminalColumns: number): string =>
    rows.map((row) => writeRow(row, terminalColumns)).join("")
}

const list = (cells: ReadonlyArray<{ readonly name: string; readonly text: string }>): string => {
  const width = Math.max(...cells.map(({ name }) => measure(name)))
  const columns: ReadonlyArray<Column> = [
    { name: "name", width, align: "left" },
    { name: "value", width: Math.max(...cells.map(({ text }) => measure(text))), align: "left" }
  ]
  return `${layout(columns, cells.map(({ name, text }) => [name, text]))}\n\n`
}

const show = (cell: Cell): string => {
  if (cell === null) return ""
  if (typeof cell === "string") return printable(cell)
  // Three decimals are what a glance takes in; whoever needs all digits asks for JSON.
  return typeof cell === "number" && !Number.isInteger(cell) ? String(Number(cell.toFixed(3))) : String(cell)
}

/** Shows control characters instead of obeying them: a payload must not move the cursor or break a line. */
const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1).replace(/^\p{Cc}$/u, "?"))
