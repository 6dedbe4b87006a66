import * as Result from "effect/Result"
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node as YamlNode,
  parseDocument,
  type Scalar as YamlScalar
} from "yaml"
import type { Entry, Node, Position } from "../ManifestFile.ts"
import { maxDepth, maxNodes, type Parsed, type TreeProblem, treeProblem } from "./treeProblem.ts"

/** Parses YAML 1.2 with merge keys, or JSON, of which YAML is a superset. */
export const parseYaml = (text: string, format: "yaml" | "json"): Parsed => {
  const lines = new LineCounter()
  // The library's own search for keys given twice is quadratic; the walk below does it with a Map.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const problems: Array<TreeProblem> = []
  const problem = (offset: number | undefined, path: string, message: string): void => {
    problems.push(treeProblem(position(lines, offset), path, message))
  }
  for (const error of [...document.errors, ...document.warnings]) {
    problem(error.pos[0], "", syntaxMessage(error.code, error.message))
  }
  if (problems.length > 0 || document.contents === null) return { node: undefined, problems }
  const contents: YamlNode = document.contents
  if (isScalar(contents) && contents.value === null) return { node: undefined, problems }
  const node = walk(document, contents, {
    problem,
    position: (offset) => position(lines, offset),
    isJson: format === "json"
  })
  if (format === "json" && problems.length === 0 && Result.isFailure(Result.try(() => JSON.parse(text) as unknown))) {
    problem(0, "", "is not JSON: comments, trailing commas, anchors and tags do not belong there")
  }
  return { node, problems }
}

const position = (lines: LineCounter, offset: number | undefined): Position => {
  const { col, line } = lines.linePos(offset ?? 0)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

const syntaxMessage = (code: string, message: string): string => {
  switch (code) {
    case "MULTIPLE_DOCS":
      return "a second document begins here; put it into a file of its own"
    case "TAB_AS_INDENT":
      return "a tab cannot indent; use spaces"
    case "TAG_RESOLVE_FAILED":
      return `${message}; quote the text if it is meant as it stands`
    default:
      return message
  }
}

interface Walk {
  readonly problem: (offset: number | undefined, path: string, message: string) => void
  readonly position: (offset: number | undefined) => Position
  readonly isJson: boolean
}

const walk = (document: Document, contents: YamlNode, { isJson, position, problem }: Walk): Node => {
  let visited = 0

  const visit = (node: YamlNode | null, path: string, depth: number, around: number | undefined): Node => {
    const offset = node?.range?.[0] ?? around
    const nothing: Node = { _tag: "Scalar", position: position(offset), value: null }
    visited++
    if (depth > maxDepth || visited > maxNodes) {
      // Said once: what an anchor expands to may be met a million times.
      if (visited !== Infinity) {
        problem(
          offset,
          path,
          depth > maxDepth ? `has more than ${maxDepth} levels` : `has more than ${maxNodes} values`
        )
      }
      visited = Infinity
      return nothing
    }
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target !== undefined) return visit(target, path, depth + 1, offset)
      problem(offset, path, `names the anchor \`${node.source}\`, which is not set before it`)
      return nothing
    }
    if (isScalar(node)) return { ...nothing, value: scalarValue(node, path) }
    if (isSeq(node)) {
      return {
        _tag: "List",
        position: position(offset),
        items: node.items.map((item, i) => visit(item as YamlNode | null, `${path}[${i}]`, depth + 1, offset))
      }
    }
    if (!isMap(node)) return nothing
    const entries = new Map<string, Entry>()
    const merged: Array<Node> = []
    for (const { key, value } of node.items as ReadonlyArray<{ key: YamlNode | null; value: YamlNode | null }>) {
      const at = key?.range?.[0] ?? offset
      if (!isScalar(key)) {
        problem(at, path, "has a key that is not text")
        continue
      }
      const name = typeof key.value === "string" ? key.value : (key.source ?? String(key.value))
      const child = visit(value, path === "" ? name : `${path}.${name}`, depth + 1, at)
      if (name === "<<" && key.type === "PLAIN") merged.push(...(child._tag === "List" ? child.items : [child]))
      else if (entries.has(name)) problem(at, path, `has the key \`${name}\` twice`)
      else entries.set(name, { position: position(at), value: child })
    }
    for (const table of merged) {
      if (table._tag !== "Table") {
        problem(offset, path, "`<<` merges tables only")
        continue
      }
      for (const [name, entry] of table.entries) if (!entries.has(name)) entries.set(name, entry)
    }
    return { _tag: "Table", position: position(offset), entries }
  }

  const scalarValue = (node: YamlScalar, path: string): string | number | boolean | null => {
    if (isJson && node.type !== "QUOTE_DOUBLE" && (node.type !== "PLAIN" || typeof node.value === "string")) {
      problem(node.range?.[0], path, "is not JSON: text needs double quotes")
    }
    const value: unknown = node.value
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null
      ? value
      : String(value)
  }

  return visit(contents, "", 0, 0)
}
