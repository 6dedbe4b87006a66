import { assert, describe, expect, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { basename } from "node:path"
import { packages, publicModules, read, root } from "./support/repository.ts"

const strings = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/

const withoutComments = (declarations: string): string =>
  declarations
    .replaceAll(
      new RegExp(String.raw`(?<kept>${strings.source})|[ \t]*\/\*[\s\S]*?\*\/\n?|[ \t]*\/\/.*`, "g"),
      (_match, kept: string | undefined) => kept ?? ""
    )
    .replaceAll(/^import .*\n|^export \{\};\n/gm, "")
    .trim()

// After a change that is meant, `npm run api` writes the reports anew; their difference is the change that users see.
describe("public API", () => {
  it("is built", { timeout: 120_000 }, () => {
    assert.strictEqual(execFileSync("tsc", ["-b"], { cwd: root, encoding: "utf8" }), "")
  })

  for (const { folder, manifest } of packages) {
    it(`of ${manifest.name} is as recorded`, () => {
      const report = publicModules(folder).map((path) => {
        const declarations = read(path.replace("/src/", "/dist/").replace(/\.ts$/, ".d.ts"))
        return `## ${path.slice(`${folder}src/`.length, -".ts".length)}\n\n\`\`\`ts\n${
          withoutComments(declarations)
        }\n\`\`\`\n`
      })
      return expect([`# ${manifest.name}\n`, ...report].join("\n")).toMatchFileSnapshot(
        `${root}docs/api/${basename(folder)}.api.md`
      )
    })
  }
})
