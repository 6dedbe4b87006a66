/**
 * The text of a file as a tree in which every value and every key knows its place.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { parseToml } from "./internal/tomlTree.ts"
import { parseYaml } from "./internal/yamlTree.ts"
import type { Problem } from "./ManifestError.ts"

/**
 * A place in a file; both count from 1.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * A text, number, boolean or nothing.
 *
 * **Details** `variables` are the environment variables that the text refers to, once they have been put in; `isLone` tells that it was one
 * reference and nothing else.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Scalar {
  readonly _tag: "Scalar"
  readonly position: Position
  readonly value: string | number | boolean | null
  readonly variables?: ReadonlyArray<string> | undefined
  readonly isLone?: boolean | undefined
}

/**
 * Values in order.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface List {
  readonly _tag: "List"
  readonly position: Position
  readonly items: ReadonlyArray<Node>
}

/**
 * Values by key, in the order of the file; no key twice.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Table {
  readonly _tag: "Table"
  readonly position: Position
  readonly entries: ReadonlyMap<string, Entry>
}

/**
 * A key and its value.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Entry {
  readonly position: Position
  readonly value: Node
}

/**
 * A value with its place.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Node = Scalar | List | Table

/**
 * The formats that hold data. A module that exports Layers is not among them.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Format = "yaml" | "json" | "toml"

/**
 * The largest file that is read, in bytes: some thousand conveyors. Parsing hostile text of this size takes about a second.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const maxBytes = 262_144

/**
 * What is wrong with a larger file.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const tooLarge = `is larger than ${maxBytes} bytes; put what it holds into several files`

/**
 * Tells the format by the name of the file: `.yaml`, `.yml`, `.json` or `.toml`.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const formatOf = (file: string): Format | undefined => {
  const extension = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase()
  return extension === "yml" ? "yaml" : (["yaml", "json", "toml"] as const).find((format) => format === extension)
}

/**
 * Parses text, whatever it holds, into a tree or the problems that prevent one.
 *
 * **Details** Keys given twice are problems. A document has at most 64 levels and, anchors expanded, 50 000 values.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const parse = (
  file: string,
  format: Format,
  text: string
): Result.Result<Node, readonly [Problem, ...Array<Problem>]> => {
  const problem = (message: string): readonly [Problem] => [{ file, line: 1, column: 1, path: "", message }]
  if (text.length > maxBytes) {
    return Result.fail(problem(tooLarge))
  }
  return Result.flatMap(
    // Both parsers recurse, and neither stops before the stack does.
    Result.try({
      try: () => format === "toml" ? parseToml(text) : parseYaml(text, format),
      catch: () => problem("is nested too deeply")
    }),
    ({ node, problems: [first, ...others] }) => {
      if (first !== undefined) {
        return Result.fail([{ file, ...first }, ...others.map((problem) => ({ file, ...problem }))] as const)
      }
      return node === undefined ? Result.fail(problem("is empty")) : Result.succeed(node)
    }
  )
}

/**
 * Gives the plain value of a tree.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const toValue = (node: Node): unknown => {
  switch (node._tag) {
    case "Scalar":
      return node.value
    case "List":
      return node.items.map(toValue)
    case "Table":
      return Object.fromEntries(Array.from(node.entries, ([key, { value }]) => [key, toValue(value)]))
  }
}

/**
 * Finds the value at a path; where it is missing, nothing.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const at = (node: Node, path: ReadonlyArray<PropertyKey>): Node | undefined => {
  let current: Node | undefined = node
  for (const key of path) {
    if (current?._tag === "Table") current = current.entries.get(String(key))?.value
    else if (current?._tag === "List") current = current.items[Number(key)]
    else return undefined
  }
  return current
}

/**
 * Finds the place of a path: the value's, or where it is missing that of the nearest value around it.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const positionOf = (node: Node, path: ReadonlyArray<PropertyKey>, of: "key" | "value"): Position => {
  const parent = at(node, path.slice(0, -1))
  const last = path.at(-1)
  if (last === undefined) return node.position
  if (of === "key" && parent?._tag === "Table") {
    const entry = parent.entries.get(String(last))
    if (entry !== undefined) return entry.position
  }
  // A table's own place is that of its first key; the key that holds it says more.
  return at(node, path)?.position ?? positionOf(node, path.slice(0, -1), "key")
}

/**
 * Renders a path as it is written in messages: `conveyors.host.consumers`, `disks[0]`.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const renderPath = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key, i) => {
    if (typeof key === "number") return `[${key}]`
    const text = /^[\w-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key))
    return i === 0 ? text : `.${text}`
  }).join("")
