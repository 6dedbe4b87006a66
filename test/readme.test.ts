import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { files, manifest, read, root } from "./support/repository.ts"

const documents = files("**/*.md")

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "")

const anchorsOf = (path: string): ReadonlyArray<string> =>
  [...read(path).replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-")
  )

const leadsSomewhere = (from: string, link: string): boolean => {
  const [path, anchor] = link.split("#")
  const target = path === "" ? from : join(dirname(from), path!)
  return existsSync(`${root}${target}`) &&
    (anchor === undefined || !target.endsWith(".md") || anchorsOf(target).includes(anchor))
}

/** The commands in the shell blocks and the inline code of a document. */
const commandsOf = (path: string): ReadonlyArray<string> => {
  const text = read(path)
  return [
    ...[...text.matchAll(/^```(?:sh|bash|console|shell)\n([\s\S]*?)^```/gm)].flatMap(([, block]) => block!.split("\n")),
    ...[...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)
  ].flatMap((line) => line.split("&&")).map((command) => command.replace(/^\s*\$?\s*/, "").replace(/^npx /, ""))
}

const matching = (
  pattern: RegExp
): ReadonlyArray<{ readonly path: string; readonly command: string; readonly word: string }> =>
  documents.flatMap((path) =>
    commandsOf(path).flatMap((command) => {
      const word = pattern.exec(command)?.[1]
      return word === undefined ? [] : [{ path, command, word }]
    })
  )

const conveyor = (...args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, ["--conditions=conveyor-source", "packages/cli/src/bin.ts", ...args], {
    cwd: root,
    encoding: "utf8"
  })

describe("documents", () => {
  it("link to what exists", () => {
    const links = documents.flatMap((path) =>
      [...withoutCode(read(path)).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, link]) => ({ path, link: link! }))
    )
    assert.deepStrictEqual(links.filter(({ link, path }) => !leadsSomewhere(path, link)), [])
  })

  it("name scripts that exist", () => {
    const scripts = manifest("").scripts!
    const named = matching(/^npm (?:run (?:-s |--silent )?)?((?<=run .*)[\w:-]+|test|start)\b/)
    assert.deepStrictEqual(named.filter(({ word }) => !(word in scripts)), [])
  })

  it("name commands of conveyor that exist, and options that those have", { timeout: 60_000 }, () => {
    const help = new Map<string, string>()
    const helpOf = (...command: ReadonlyArray<string>): string => {
      const key = command.join(" ")
      if (!help.has(key)) help.set(key, conveyor(...command, "--help"))
      return help.get(key)!
    }
    const named = matching(/^conveyor ([a-z][\w-]*)/)
    assert.deepStrictEqual(named.filter(({ word }) => !new RegExp(`^ +${word}\\b`, "m").test(helpOf())), [])
    const unknown = named.filter(({ command, word }) =>
      [...command.matchAll(/ (--?[a-z][\w-]*)/g)].some(([, option]) =>
        !new RegExp(`[ ,]${option}\\b`).test(helpOf(word))
      )
    )
    assert.deepStrictEqual(unknown, [])
  })
})
