import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { files, packages, publicModules, read, root } from "./support/repository.ts"

const documentedLikeThis = [
  /@stability (?:stable|unstable)\n/,
  /@category [a-z][a-z ]*\n/,
  /@since \d+\.\d+\.\d+\n/
]

/** What is wrong with the documentation of the exports of one module; an overload is documented on its first line. */
const undocumented = (path: string): ReadonlyArray<string> => {
  const source = read(path)
  const seen = new Set<string>()
  return [
    ...source.matchAll(
      /^export (?:declare )?(?:abstract )?(?<kind>const|function|class|interface|type|namespace) (?<name>\w+)/gm
    )
  ].flatMap(({ groups, index }) => {
    const declaration = `${groups!["kind"]} ${groups!["name"]}`
    if (groups!["kind"] === "function" && seen.has(declaration)) return []
    seen.add(declaration)
    const comment = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n$/.exec(source.slice(0, index))?.[0] ?? ""
    return documentedLikeThis.filter((tag) => !tag.test(comment)).map((tag) =>
      `${path}: ${declaration} needs ${tag.source}`
    )
  })
}

/** The whole of a file without its expected output, or the lines between `// #region name` and `// #endregion`. */
const region = (path: string, name: string | undefined): string | undefined => {
  if (!existsSync(`${root}${path}`)) return undefined
  const source = read(path)
  if (name === undefined) return source.replace(/\n*^\/\/ Output\b[\s\S]*$/m, "").trim()
  const found = new RegExp(`^( *)// #region ${name}\\n([\\s\\S]*?)^ *// #endregion`, "m").exec(source)
  return found?.[2]!.replaceAll(new RegExp(`^${found[1]}`, "gm"), "").trim()
}

describe("documentation", () => {
  it("describes every public export", () => {
    assert.deepStrictEqual(packages.flatMap(({ folder }) => publicModules(folder)).flatMap(undocumented), [])
  })

  it("opens every public module with what it is", () => {
    const modules = packages.flatMap(({ folder }) => publicModules(folder))
    assert.deepStrictEqual(modules.filter((path) => !/^(?:#!.*\n)?\/\*\*\n/.test(read(path))), [])
  })

  // <!-- examples/hello.ts --> or <!-- packages/conveyor/src/Tick.ts#name --> stands above each TypeScript block.
  it("shows only code that is in a file which is compiled", () => {
    const wrong = files("**/*.md").filter((path) => !path.startsWith("docs/api/")).flatMap((path) =>
      [
        ...read(path).matchAll(
          /(?:<!-- (?<file>[^ #]+)(?:#(?<region>\S+))? -->\n+)?^```(?:ts|typescript)\b.*\n(?<code>[\s\S]*?)^```/gm
        )
      ]
        .filter(({ groups }) =>
          groups!["file"] === undefined || region(groups!["file"], groups!["region"]) !== groups!["code"]!.trim()
        )
        .map(({ groups }) => `${path}: ${groups!["file"] ?? "no file named"}: ${groups!["code"]!.slice(0, 60)}…`)
    )
    assert.deepStrictEqual(wrong, [])
  })
})
