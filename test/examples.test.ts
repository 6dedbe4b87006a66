import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { files, read, root } from "./support/repository.ts"

// An example ends in what it prints on stdout: `// Output:` and the lines, exactly; or, where they differ from run to run,
// `// Output (pattern):` and a regular expression for each line, which must match all of it. An example is run with
// `--once`, so that one that would go on for ever can end after its first round.
const matchesLines = (actual: string, expected: string): boolean =>
  new RegExp(`^${expected.split("\n").map((line) => `(?:${line})`).join("\n")}$`).test(actual)

const outputBlock = /^\/\/ Output(?<pattern> \(pattern\))?:\n(?<lines>(?:\/\/.*\n?)*)$(?![\s\S])/m

const run = promisify(execFile)

// A folder with a main.ts is one example, of which the other files are parts.
const mains = files("examples/**/main.ts").map((path) => path.replace(/main\.ts$/, ""))
const isPart = (path: string): boolean => !path.endsWith("/main.ts") && mains.some((folder) => path.startsWith(folder))

describe.concurrent("examples", () => {
  for (const path of files("examples/**/*.ts").filter((path) => !isPart(path))) {
    it(`${path} prints what it says`, { timeout: 60_000 }, async () => {
      const block = outputBlock.exec(read(path))?.groups
      assert(block !== undefined, "an example ends in a `// Output:` block")
      const expected = block["lines"]!.trimEnd().replaceAll(/^\/\/ ?/gm, "").trimEnd()
      const { stdout } = await run(process.execPath, ["--conditions=conveyor-source", path, "--once"], { cwd: root })
      const actual = stdout.replaceAll(/[ \t]+$/gm, "").trimEnd()
      if (block["pattern"] === undefined) assert.strictEqual(actual, expected)
      else assert(matchesLines(actual, expected), `${actual}\n\ndoes not match\n\n${expected}`)
    })
  }
})
