import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { at, type Node, positionOf, renderPath } from "../ManifestFile.ts"
import { isSecretKey, mask, redact } from "../Redaction.ts"
import { aliases } from "./conveyorSchema.ts"
import { suggestion } from "./suggestion.ts"
import { type TreeProblem, treeProblem } from "./treeProblem.ts"

type Path = ReadonlyArray<PropertyKey>

/** Something a schema did not find as it should be: nothing to expect where the key is unknown. */
export type Finding =
  | { readonly _tag: "Unknown"; readonly path: Path; readonly keys: ReadonlyArray<string> }
  | { readonly _tag: "Missing"; readonly path: Path }
  | { readonly _tag: "Wrong"; readonly path: Path; readonly expected: string }

/** Flattens an issue to what is wrong at which path. */
export const findings = (issue: SchemaIssue.Issue, path: Path, expected?: string): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Pointer":
      return findings(issue.issue, [...path, ...issue.path])
    case "Encoding":
      return findings(issue.issue, path, expected)
    case "Filter":
      return findings(issue.issue, path, text(issue.filter.annotations) ?? expected)
    case "Composite":
      return issue.issues.flatMap((inner) => findings(inner, path, expected))
    case "AnyOf": {
      // Wrong inside: the value is of that member's kind; above all where no key is too many or too few.
      const deeper = issue.issues.map((inner) => findings(inner, path)).filter((all) =>
        all.every((finding) => finding.path.length > path.length)
      )
      const keyed = deeper.filter((all) => all.every(({ _tag }) => _tag === "Wrong"))
      return keyed.length === 1
        ? keyed[0]!
        : deeper.length === 1
        ? deeper[0]!
        : [{ _tag: "Wrong", path, expected: text(issue.ast.annotations) ?? alternatives(issue, path) }]
    }
    case "MissingKey":
      return [{ _tag: "Missing", path }]
    case "UnexpectedKey":
      return [{ _tag: "Unknown", path, keys: keysOf(issue.ast) }]
    case "InvalidType":
      return [{ _tag: "Wrong", path, expected: expected ?? expectedOf(issue.ast) }]
    case "OneOf":
      return [{ _tag: "Wrong", path, expected: expected ?? `${expectedOf(issue.ast)}, and not several of these` }]
    case "InvalidValue":
    case "Forbidden":
      return [{ _tag: "Wrong", path, expected: text(issue.annotations) ?? expected ?? "something else" }]
  }
}

/** Says a finding at its place. */
export const toProblem = (root: Node, finding: Finding): TreeProblem => {
  const path = renderPath(finding.path)
  switch (finding._tag) {
    case "Unknown":
      return treeProblem(
        positionOf(root, finding.path, "key"),
        renderPath(finding.path.slice(0, -1)),
        unknown("key", String(finding.path.at(-1)), finding.keys)
      )
    case "Missing":
      return treeProblem(positionOf(root, finding.path, "value"), path, "is missing")
    case "Wrong":
      return treeProblem(
        positionOf(root, finding.path, "value"),
        path,
        `expected ${finding.expected}, found ${found(root, finding.path)}`
      )
  }
}

/** Says that a name is not known, and which one was probably meant; else which there are. */
export const unknown = (what: string, name: string, known: ReadonlyArray<string>): string => {
  const word = suggestion(name, [...known, ...Object.keys(aliases).filter((word) => known.includes(aliases[word]!))])
  const meant = word === undefined || known.includes(word) ? word : aliases[word]
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name
  return `unknown ${what} \`${shown}\`, ${
    meant === undefined ? `known: ${known.join(", ")}` : `did you mean \`${meant}\`?`
  }`
}

/** What stands at a path, as far as it may be shown. */
export const found = (root: Node, path: Path): string => {
  const node = at(root, path)
  switch (node?._tag) {
    case undefined:
      return "nothing"
    case "List":
      return "a list"
    case "Table":
      return "a table of keys"
    case "Scalar": {
      if (node.value === null) return "nothing"
      // What the environment holds is not known to be fit for a screen.
      if (node.variables?.length) return `what ${node.variables.map((name) => `\${${name}}`).join(" and ")} gives`
      if (path.some((key) => isSecretKey(String(key)))) return mask
      const text = JSON.stringify(redact(node.value))
      return text.length > 60 ? `${text.slice(0, 60)}…` : text
    }
  }
}

/** What the members of a union expect, where all of them expect something else than there is. */
const alternatives = (issue: SchemaIssue.AnyOf, path: Path): string => {
  const expected = issue.issues.map((inner) =>
    findings(inner, path).find((finding) => finding._tag === "Wrong" && finding.path.length === path.length)
  )
  return expected.length > 0 && expected.every((finding) => finding?._tag === "Wrong")
    ? Array.from(new Set(expected.map(({ expected }) => expected))).join(" or ")
    : expectedOf(issue.ast)
}

const text = (annotations: { readonly [key: string]: unknown } | undefined): string | undefined =>
  typeof annotations?.["message"] === "string"
    ? annotations["message"]
    : typeof annotations?.["expected"] === "string"
    ? annotations["expected"]
    : undefined

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const expectedOf = (ast: SchemaAST.AST): string => {
  const said = text(ast.annotations)
  if (said !== undefined) return said
  switch (ast._tag) {
    case "String":
      return "text"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Never":
      return "nothing"
    case "Union":
      return ast.types.map(expectedOf).join(" or ")
    case "Arrays":
      return "a list"
    case "Objects":
      return keysOf(ast).length === 0 ? "a table of keys" : `a table with ${keysOf(ast).join(", ")}`
    default:
      return ast._tag.toLowerCase()
  }
}
