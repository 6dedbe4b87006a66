import type { Problem } from "../ManifestError.ts"
import type { Node, Position } from "../ManifestFile.ts"

/** A problem of a file whose name the parser does not know. */
export type TreeProblem = Omit<Problem, "file">

/** Characters of a message; a parser may quote half a file. */
const maxMessage = 300

/** What a parser makes of a text; no node where the text is empty. */
export interface Parsed {
  readonly node: Node | undefined
  readonly problems: ReadonlyArray<TreeProblem>
}

export const treeProblem = (position: Position, path: string, message: string): TreeProblem => ({
  ...position,
  path: path.length > maxMessage ? `${path.slice(0, maxMessage)}…` : path,
  message: message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message
})

export const maxDepth = 64
export const maxNodes = 50_000
