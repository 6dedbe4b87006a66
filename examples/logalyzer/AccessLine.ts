// A line of an access log as Apache and nginx write it, in the combined format or the common one.

export interface AccessLine {
  readonly address: string
  /** What was asked for; all of the request where that is no HTTP. */
  readonly target: string
  readonly status: number
  /** Empty where the format has none. */
  readonly agent: string
}

/** In quotes, where Apache escapes a quote by a backslash. */
const quoted = String.raw`"([^"\\]*(?:\\.[^"\\]*)*)"`

// The user may contain spaces, the size of an empty answer is -, and some append fields of their own.
const format = new RegExp(
  String.raw`^([\w.:-]+) \S+ [^[]+ \[[^\]]+\] ${quoted} (\d{3}) (?:\d+|-)(?: ${quoted} ${quoted}(?: .*)?)?$`
)

/** Gives undefined for a line that is broken. */
export const parse = (line: string): AccessLine | undefined => {
  const match = format.exec(line)
  if (match === null) return undefined
  const request = match[2]!
  const from = request.indexOf(" ") + 1
  const to = request.lastIndexOf(" ")
  return {
    address: match[1]!,
    target: from > 0 && to > from ? request.slice(from, to) : request,
    status: Number(match[3]),
    agent: match[5] ?? ""
  }
}
