/**
 * `${VAR}` in the text of a file, with the shell's meaning.
 *
 * `${VAR}` is the variable and must be set; `${VAR:-text}` falls back to the text when the variable is unset or empty; `${VAR:?text}`
 * stops with the text as its message when it is unset or empty. The text may hold further references. `$$` is a dollar sign,
 * and a dollar sign before anything other than `{` or `$` is itself. What a variable holds is put in as it is and never read again,
 * so it can add neither keys nor references.
 *
 * @since 0.1.0
 */
import type { TreeProblem } from "./internal/treeProblem.ts"
import { treeProblem } from "./internal/treeProblem.ts"
import { type Node, renderPath, type Scalar } from "./ManifestFile.ts"

/**
 * The variables of an environment.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Environment = { readonly [name: string]: string | undefined }

/**
 * What became of a text.
 *
 * **Details** `variables` are those that the text refers to. `isLone` tells that it is one reference and nothing else.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Interpolated {
  readonly text: string
  readonly variables: ReadonlyArray<string>
  readonly isLone: boolean
  readonly problems: ReadonlyArray<string>
}

/**
 * Puts variables into a text.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const interpolate = (source: string, environment: Environment): Interpolated => {
  const variables: Array<string> = []
  const problems: Array<string> = []
  let at = 0

  // Reads until the end, or as far as the brace that closes a reference.
  const read = (depth: number, live: boolean): string => {
    let out = ""
    while (at < source.length) {
      if (source.startsWith("$$", at)) {
        out += "$"
        at += 2
      } else if (source.startsWith("${", at) && depth < 8) {
        at += 2
        out += reference(depth, live)
      } else if (depth > 0 && source[at] === "}") {
        return out
      } else {
        out += source[at]
        at++
      }
    }
    return out
  }

  const reference = (depth: number, live: boolean): string => {
    const [, name = "", operator = ""] = /^([A-Za-z_][A-Za-z0-9_]*)?(:-|:\?)?/.exec(source.slice(at))!
    at += name.length + operator.length
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    const isMissing = operator === "" ? value === undefined : value === undefined || value === ""
    if (live && name !== "") variables.push(name)
    const text = operator === "" ? "" : read(depth + 1, live && isMissing)
    const say = (problem: string): string => {
      if (live) problems.push(problem)
      return ""
    }
    if (source[at] !== "}" || name === "") {
      at = source.length
      return say(
        "has a `${` that is no reference; write ${NAME}, ${NAME:-default} or ${NAME:?message}, or $${ for a plain ${"
      )
    }
    at++
    if (!isMissing) return value!
    switch (operator) {
      case ":-":
        return text
      case ":?":
        return say(`needs the environment variable ${name}: ${text === "" ? "it is not set" : text}`)
      default:
        return say(
          `needs the environment variable ${name}, which is not set; set it, or give a default: \${${name}:-default}`
        )
    }
  }

  const isLone = /^\$\{(?:[^{}$]|\$\{[^{}]*\})*\}$/.test(source)
  return { text: read(0, true), variables, isLone, problems }
}

/**
 * Puts variables into every text of a tree. Keys stay as they are.
 *
 * **Details** A text with a problem becomes empty, with its variables noted, so that the rest can still be checked.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const interpolateTree = (
  root: Node,
  environment: Environment
): { readonly node: Node; readonly problems: ReadonlyArray<TreeProblem> } => {
  const problems: Array<TreeProblem> = []
  const visit = (node: Node, path: ReadonlyArray<PropertyKey>): Node => {
    switch (node._tag) {
      case "Scalar":
        return typeof node.value === "string" && node.value.includes("$") ? scalar(node, node.value, path) : node
      case "List":
        return { ...node, items: node.items.map((item, i) => visit(item, [...path, i])) }
      case "Table": {
        const entries = Array.from(
          node.entries,
          ([key, entry]) => [key, { ...entry, value: visit(entry.value, [...path, key]) }] as const
        )
        return { ...node, entries: new Map(entries) }
      }
    }
  }
  const scalar = (node: Scalar, source: string, path: ReadonlyArray<PropertyKey>): Scalar => {
    const { isLone, problems: messages, text, variables } = interpolate(source, environment)
    for (const message of messages) problems.push(treeProblem(node.position, renderPath(path), message))
    return { ...node, value: text, variables, isLone }
  }
  return { node: visit(root, []), problems }
}
