import * as Effect from "effect/Effect"
import { at, type Node, positionOf, renderPath, type Table } from "../ManifestFile.ts"
import { reserved } from "./conveyorSchema.ts"
import { decodeNode } from "./decodeNode.ts"
import { type Finding, found, toProblem } from "./schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./treeProblem.ts"

// A table whose keys belong to several schemas: each decodes its own, and what is nobody's is refused once.

export type Path = ReadonlyArray<PropertyKey>
export type Report = (problem: TreeProblem) => void

/** The keys that another decoder, or `refuseUnknown`, deals with. */
export const without = (table: Table, known: ReadonlyArray<string>, others: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(Array.from(table.entries.keys()).filter((key) => others.has(key) || !known.includes(key)))

/** Reports the keys that nobody knows; of some it is known where they belong. */
export const refuseUnknown = (
  root: Node,
  path: Path,
  table: Table,
  known: ReadonlyArray<string>,
  report: Report,
  elsewhere: { readonly [key: string]: string } = reserved
): void => {
  for (const key of table.entries.keys()) {
    if (known.includes(key)) continue
    const place = [...path, key]
    report(
      Object.hasOwn(elsewhere, key)
        ? treeProblem(positionOf(root, place, "key"), renderPath(place), elsewhere[key]!)
        : toProblem(root, { _tag: "Unknown", path: place, keys: known })
    )
  }
}

/** Decodes a table without some of its keys, or reports what is wrong. */
export const decode = <A>(
  schema: Parameters<typeof decodeNode<A>>[0],
  root: Node,
  path: Path,
  table: Table,
  omit: ReadonlySet<string>,
  report: Report
): Effect.Effect<A | undefined> =>
  Effect.catch(decodeNode(schema, table, path, omit), (all: ReadonlyArray<Finding>) => {
    for (const finding of all) report(toProblem(root, finding))
    return Effect.undefined
  })

/** The table at a path, or a report that there is none. */
export const tableAt = (root: Node, path: Path, report: Report): Table | undefined => {
  const node = at(root, path)
  if (node?._tag === "Table") return node
  // `console:` with nothing after it is how YAML is written.
  if (node?._tag === "Scalar" && node.value === null && path.at(-2) === "consumers") {
    return { _tag: "Table", position: node.position, entries: new Map() }
  }
  report(treeProblem(
    positionOf(root, path, "value"),
    renderPath(path),
    `expected a table of keys, found ${found(root, path)}`
  ))
  return undefined
}

/** Reports a name under a section that cannot be one. */
export const checkName = (root: Node, path: Path, name: string, report: Report): void => {
  if (/^[\w.-]{1,64}$/.test(name)) return
  const section = String(path[0])
  report(treeProblem(
    positionOf(root, path, "key"),
    section,
    `${JSON.stringify(name.slice(0, 64))} cannot name a ${
      section.slice(0, -1)
    }; use up to 64 letters, digits, \`_\`, \`-\` and \`.\``
  ))
}
