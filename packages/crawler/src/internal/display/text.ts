import stringWidth from "string-width"

// Text from anywhere, as it may stand on a line of a terminal. slice-ansi is not used for it: version 10 measures with another
// string-width than 9, and of random text a third of its slices were wider than asked for.

const stylePattern = String.raw`\u001B\[[\d;:]*m`
const style = new RegExp(stylePattern, "g")
const styles = new RegExp(`(${stylePattern})`)

/** A style, or what may move the cursor, or reorder what stands beside it. */
const special = new RegExp(String.raw`${stylePattern}|[\p{Cc}\p{Bidi_Control}]`, "gu")
const breaks = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g

/** Longer text is not looked at, so that a page whose title has a million characters costs no more than a screen. */
const maxLength = 2000

/** Text as one line that cannot leave its place. Styles stay if there are colours. */
export const neutralise = (text: string, colors: boolean): string => {
  const bounded = text.slice(0, maxLength).toWellFormed().replaceAll(breaks, " ").replaceAll("\t", " ")
  return (colors ? bounded : bounded.replaceAll(style, "")).replaceAll(special, harmless).trim()
}

/** The lines of a text, of which none can leave its place: what a program prints, with its tabs and styles. */
export const linesOf = (text: string): ReadonlyArray<string> =>
  text.toWellFormed().replace(/\r?\n$/, "").split(breaks).map((line) => closed(line.replaceAll(special, harmless)))

/** Styles and tabs as they are, C0 as its picture, so that one sees that something is there; nothing that reorders. */
const harmless = (found: string): string => {
  const code = found.codePointAt(0)!
  if (found.length > 1 || found === "\t") return found
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7F ? "\u2421" : code < 0xA0 ? "\uFFFD" : ""
}

const reset = "\u001B[0m"
const closed = (line: string): string => !line.includes("\u001B") || line.endsWith(reset) ? line : line + reset

const plain = /^[\u0020-\u007E]*$/
const graphemes = new Intl.Segmenter()

export const widthOf = (line: string): number => plain.test(line) ? line.length : stringWidth(line)

/** A line, cut at a width, with an ellipsis if anything was cut off. */
export const fit = (line: string, width: number): string => {
  if (widthOf(line) <= width) return closed(line)
  if (width < 1) return ""
  if (plain.test(line)) return `${line.slice(0, width - 1)}…`
  let fitted = ""
  let room = width - 1
  for (const [index, part] of line.split(styles).entries()) {
    if (index % 2 === 1) {
      fitted += part
      continue
    }
    for (const { segment } of graphemes.segment(part)) {
      room -= stringWidth(segment)
      if (room < 0) return closed(`${fitted}…`)
      fitted += segment
    }
  }
  // Parts between styles may be wider than the whole: a flag of which each half has a colour.
  return closed(fitted)
}

/** How many rows a line takes that is wrapped at a width: a wide character at the edge stands on the next row. */
export const rowsOf = (line: string, columns: number): number => {
  if (plain.test(line)) return Math.max(1, Math.ceil(line.length / columns))
  let rows = 1
  let column = 0
  for (const { segment } of graphemes.segment(line.replaceAll(style, ""))) {
    const width = stringWidth(segment)
    if (column + width > columns) {
      rows++
      column = 0
    }
    column += width
  }
  return rows
}
