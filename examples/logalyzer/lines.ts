// The lines of a file that comes in pieces. What is kept is the line that has not ended yet, and no more of it than a line may have.

const longest = 65_536

/** Stands for a line that is longer than a line may be. */
export const tooLong = "(too long)"

export interface Lines {
  /** The lines that a piece ends. */
  readonly push: (piece: Buffer) => ReadonlyArray<string>
  /** The line that the file ends in, if that is not empty. */
  readonly end: () => ReadonlyArray<string>
}

export const make = (): Lines => {
  let begun = ""
  const bounded = (line: string) => line.length > longest ? tooLong : line.endsWith("\r") ? line.slice(0, -1) : line
  return {
    push: (piece) => {
      // One byte, one character: logs escape what is not ASCII, and so bytes need no decoding, wherever a piece ends.
      const lines = (begun + piece.toString("latin1")).split("\n")
      begun = lines.pop()!.slice(0, longest + 1)
      return lines.map(bounded)
    },
    end: () => begun === "" ? [] : [bounded(begun)]
  }
}
