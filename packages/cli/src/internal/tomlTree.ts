import * as Result from "effect/Result"
import { type AST, ParseError, parseTOML } from "toml-eslint-parser"
import type { Entry, Node, Position } from "../ManifestFile.ts"
import { maxDepth, type Parsed, treeProblem } from "./treeProblem.ts"

/** Parses TOML 1.0. Keys given twice, and all else that is wrong, are the parser's own errors; it stops at the first. */
export const parseToml = (text: string): Parsed =>
  Result.match(Result.try(() => parseTOML(text, { tomlVersion: "1.0" })), {
    onFailure: (error) => {
      // A stack that overflowed is for the caller to tell.
      if (!(error instanceof ParseError)) throw error
      return {
        node: undefined,
        problems: [treeProblem({ line: error.lineNumber, column: error.column + 1 }, "", error.message)]
      }
    },
    onSuccess: (program) => {
      const root = makeTable({ line: 1, column: 1 })
      for (const node of program.body[0].body) {
        if (node.type === "TOMLKeyValue") put(root, node)
        else tableOf(root, node)
      }
      const node = freeze(root)
      return root.entries.size === 0
        ? { node: undefined, problems: [] }
        : depthOf(node) > maxDepth
        ? { node: undefined, problems: [treeProblem(node.position, "", `has more than ${maxDepth} levels`)] }
        : { node, problems: [] }
    }
  })

/** A table that is still being filled: TOML may add to one from several places. */
interface Draft {
  readonly _tag: "Draft"
  readonly position: Position
  readonly entries: Map<string, { readonly position: Position; readonly value: Value }>
}
type Value = Draft | { readonly _tag: "Drafts"; readonly position: Position; readonly items: Array<Value> } | Node

const makeTable = (position: Position): Draft => ({ _tag: "Draft", position, entries: new Map() })

const positionOf = (node: AST.TOMLNode): Position => ({ line: node.loc.start.line, column: node.loc.start.column + 1 })

const nameOf = (key: AST.TOMLBare | AST.TOMLQuoted): string => key.type === "TOMLBare" ? key.name : key.value

/** Walks down keys, making the tables that are not there yet, as far as the table that holds the last one. */
const descend = (from: Draft, keys: ReadonlyArray<AST.TOMLBare | AST.TOMLQuoted>): Draft => {
  let table = from
  for (const key of keys) {
    let value = table.entries.get(nameOf(key))?.value
    if (value === undefined) {
      value = makeTable(positionOf(key))
      table.entries.set(nameOf(key), { position: positionOf(key), value })
    }
    // A key may go through an array of tables: it means the last one.
    const last = value._tag === "Drafts" ? value.items.at(-1) : value
    // Anything else the parser has refused already.
    if (last?._tag === "Draft") table = last
  }
  return table
}

const put = (into: Draft, { key, value }: AST.TOMLKeyValue): void => {
  const last = key.keys.at(-1)!
  descend(into, key.keys.slice(0, -1)).entries.set(nameOf(last), {
    position: positionOf(last),
    value: toValue(value)
  })
}

const tableOf = (root: Draft, node: AST.TOMLTable): void => {
  const last = node.key.keys.at(-1)!
  let table: Draft
  if (node.kind === "standard") table = descend(root, node.key.keys)
  else {
    const parent = descend(root, node.key.keys.slice(0, -1))
    const existing = parent.entries.get(nameOf(last))?.value
    table = makeTable(positionOf(last))
    if (existing?._tag === "Drafts") existing.items.push(table)
    else {
      const position = positionOf(last)
      parent.entries.set(nameOf(last), { position, value: { _tag: "Drafts", position, items: [table] } })
    }
  }
  for (const entry of node.body) put(table, entry)
}

const toValue = (node: AST.TOMLContentNode): Value => {
  switch (node.type) {
    case "TOMLArray":
      return { _tag: "Drafts", position: positionOf(node), items: node.elements.map(toValue) }
    case "TOMLInlineTable": {
      const table = makeTable(positionOf(node))
      for (const entry of node.body) put(table, entry)
      return table
    }
    case "TOMLValue":
      return {
        _tag: "Scalar",
        position: positionOf(node),
        // A date is the text it is written as.
        value: "datetime" in node ? node.datetime : node.value
      }
  }
}

const freeze = (value: Value): Node => {
  switch (value._tag) {
    case "Draft": {
      const entries = new Map<string, Entry>()
      for (const [name, entry] of value.entries) {
        entries.set(name, { position: entry.position, value: freeze(entry.value) })
      }
      return { _tag: "Table", position: value.position, entries }
    }
    case "Drafts":
      return { _tag: "List", position: value.position, items: value.items.map(freeze) }
    default:
      return value
  }
}

const depthOf = (node: Node): number => {
  switch (node._tag) {
    case "Scalar":
      return 0
    case "List":
      return 1 + node.items.reduce((depth, item) => Math.max(depth, depthOf(item)), 0)
    case "Table":
      return 1 + Array.from(node.entries.values()).reduce((depth, { value }) => Math.max(depth, depthOf(value)), 0)
  }
}
