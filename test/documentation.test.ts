import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { files, packages, publicModules, read, root } from "./support/repository.ts"

const documentedLikeThis = [
  /@stability (?:stable|unstable)\n/,
  /@category [a-z][a-z ]*\n/,
  /@since \d+\.\d+\.\d+\n/
]

const declared =
  /^export (?:declare )?(?:abstract )?(?<kind>const|function|class|interface|type|namespace) (?<name>\w+)/gm

// export { a, b as c }, without a `from`: what other modules export is documented there.
const listed = /^export \{(?<list>(?:\/\*\*[\s\S]*?\*\/|[^}])*)\}(?! from)/gm

const specifier = /(?<comment>\/\*\*[\s\S]*?\*\/\s*)?(?<name>\w+(?: as \w+)?)\s*(?:,|$)/g

const comment = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/

/** What is wrong with the documentation of the exports of one module; an overload is documented on its first line. */
const undocumented = (path: string): ReadonlyArray<string> => {
  const source = read(path)
  const seen = new Set<string>()
  const declarations = [...source.matchAll(declared)].flatMap(({ groups, index }) => {
    const name = `${groups!["kind"]} ${groups!["name"]}`
    if (groups!["kind"] === "function" && seen.has(name)) return []
    seen.add(name)
    return [{ name, text: comment.exec(source.slice(0, index))?.[0] ?? "" }]
  })
  const lists = [...source.matchAll(listed)].flatMap(({ groups }) =>
    [...groups!["list"]!.trimEnd().matchAll(specifier)].map(({ groups }) => ({
      name: groups!["name"]!,
      text: groups!["comment"] ?? ""
    }))
  )
  return [...declarations, ...lists].flatMap(({ name, text }) =>
    documentedLikeThis.filter((tag) => !tag.test(text)).map((tag) => `${path}: ${name} needs ${tag.source}`)
  )
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
