import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { resumeCommand } from "../../src/internal/crawl/resumeCommand.ts"

const path = "/usr/bin:/opt/bin"

const typed = (
  argv: ReadonlyArray<string>,
  env: { readonly [name: string]: string } = {},
  execArgv: ReadonlyArray<string> = []
) => resumeCommand({ argv, execArgv, env: { PATH: path, ...env } })

const crawl = ["crawl", "https://example.org/", "--state", "crawl.db"]

describe("resumeCommand", () => {
  it("names the program as it was started", () => {
    const args = "crawl https://example.org/ --state crawl.db --resume"
    assert.strictEqual(typed(["/usr/bin/node", "/opt/bin/conveyor", ...crawl]), `conveyor ${args}`)
    assert.strictEqual(typed(["/usr/bin/node", "/x/.bin/conveyor", ...crawl]), `/x/.bin/conveyor ${args}`)
    assert.strictEqual(typed(["/usr/bin/node", "/x/dist/bin.js", ...crawl]), `node /x/dist/bin.js ${args}`)
    assert.strictEqual(
      typed(["/y/bin/node", "/x/src/bin.ts", ...crawl], {}, ["--conditions=a"]),
      `/y/bin/node --conditions=a /x/src/bin.ts ${args}`
    )
    assert.strictEqual(
      typed(["/usr/bin/node", "/x/.bin/conveyor", ...crawl], { npm_command: "exec" }),
      `npx conveyor ${args}`
    )
  })

  it("resumes once, before what ends the flags", () => {
    const program = ["/usr/bin/node", "/opt/bin/conveyor"]
    for (const given of ["--resume", "--no-resume", "--resume=true"]) {
      assert.strictEqual(typed([...program, "crawl", given, "a.org"]), "conveyor crawl a.org --resume")
    }
    assert.strictEqual(typed([...program, "crawl", "--", "a.org"]), "conveyor crawl --resume -- a.org")
  })

  it("is read by a shell as it was typed", () => {
    for (const word of ["two words", "it's", "$HOME", "a;b", "*", "`x`", "", "\\", "!", "~", "a\nb", "#a", "é"]) {
      const command = typed(["/usr/bin/node", "/opt/bin/conveyor", "crawl", word])
      const read = execFileSync("sh", ["-c", `conveyor() { printf '%s\\0' "$@"; }; ${command}`], { encoding: "utf8" })
      assert.deepStrictEqual(read.split("\0"), ["crawl", word, "--resume", ""], word)
    }
  })

  it("shows no password", () => {
    const command = typed(["/usr/bin/node", "/opt/bin/conveyor", "crawl", "--state", "postgres://me:hunter22@db/crawl"])
    assert.strictEqual(command, "conveyor crawl --state 'postgres://me:<redacted>@db/crawl' --resume")
  })
})
