import Table from "cli-table3"

export interface Column {
  readonly name: string
  readonly width: number
  readonly align: "left" | "right"
}

/** Between columns, in cells of the terminal. */
export const gap = 2

/** Lays lines out in columns of fixed width, counting wide characters as a terminal does. */
export const layout = (columns: ReadonlyArray<Column>, lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  // A width of 0 would let the table choose for itself.
  const table = new Table({
    ...plain,
    colWidths: columns.map((column) => Math.max(column.width, 1)),
    colAligns: columns.map((column) => column.align)
  })
  for (const line of lines) table.push([...line])
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n")
}

/** How many cells of a terminal a text takes. */
export const measure = (text: string): number => {
  // Measuring through the table costs some microseconds, and nearly all texts are printable ASCII.
  if (/^[ -~]*$/.test(text)) return text.length
  const table = new Table(plain)
  table.push([text], [""])
  // The empty cell is padded to the width of the other.
  return table.toString().split("\n").at(-1)?.length ?? text.length
}

const plain = {
  chars: {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: " ".repeat(gap)
  },
  style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true }
}
