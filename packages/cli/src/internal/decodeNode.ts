import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Node, toValue } from "../ManifestFile.ts"
import { type Finding, findings } from "./schemaProblems.ts"

const options = { errors: "all", onExcessProperty: "error" } as const

/**
 * Decodes a value, without the keys in `omit`. Findings are told under its path.
 *
 * A text that is one `${VAR}` and nothing else is text where text is expected, and a number or a boolean where one of these is: only
 * the schema can tell a port from a password of digits. So what fails as text is tried once more as what it reads as.
 */
export const decodeNode = <A>(
  schema: Schema.Codec<A, any>,
  value: Node,
  path: ReadonlyArray<PropertyKey>,
  omit: ReadonlySet<string>
): Effect.Effect<A, ReadonlyArray<Finding>> => {
  const node = without(value, omit)
  const decode = (node: Node) =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema, options)(toValue(node)),
      (error) => findings(error.issue, path)
    )
  return Effect.catch(decode(node), (first) => {
    const again = first.reduce(
      (node, finding) => finding._tag === "Wrong" ? retype(node, finding.path.slice(path.length)) : node,
      node
    )
    return again === node ? Effect.fail(first) : decode(again)
  })
}

const without = (node: Node, omit: ReadonlySet<string>): Node =>
  node._tag === "Table" && omit.size > 0
    ? { ...node, entries: new Map(Array.from(node.entries).filter(([key]) => !omit.has(key))) }
    : node

const retype = (node: Node, path: ReadonlyArray<PropertyKey>): Node => {
  const [key, ...rest] = path
  switch (node._tag) {
    case "Scalar": {
      if (key !== undefined || node.isLone !== true || typeof node.value !== "string") return node
      const value = readAs(node.value)
      return value === undefined ? node : { ...node, value }
    }
    case "List": {
      const items = node.items.map((item, i) => i === key ? retype(item, rest) : item)
      return items.some((item, i) => item !== node.items[i]) ? { ...node, items } : node
    }
    case "Table": {
      const entry = node.entries.get(String(key))
      const value = entry === undefined ? undefined : retype(entry.value, rest)
      return entry === undefined || value === undefined || value === entry.value
        ? node
        : { ...node, entries: new Map(node.entries).set(String(key), { ...entry, value }) }
    }
  }
}

/** What YAML's core schema reads a plain text as, if that is a number or a boolean. */
const readAs = (text: string): number | boolean | undefined =>
  /^(true|True|TRUE)$/.test(text)
    ? true
    : /^(false|False|FALSE)$/.test(text)
    ? false
    : /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text)
    ? Number(text)
    : undefined
