import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { read, root } from "./support/repository.ts"

describe("guarantees", () => {
  it("name tests that exist", () => {
    const proofs = [...read("docs/guarantees.md").matchAll(/`([\w-]+\/test\/[\w./-]+)` › `([^|]+?)`(?=;| +\|)/g)]
    assert.isAbove(proofs.length, 20)
    const missing = proofs
      .map(([, file, name]) => ({ file: `packages/${file}`, name: name! }))
      .filter(({ file, name }) => !existsSync(`${root}${file}`) || !read(file).includes(name))
    assert.deepStrictEqual(missing, [])
  })

  it("leave no promise without a proof", () => {
    const rows = read("docs/guarantees.md").split("\n").filter((line) => /^\| (?!promise|---)/.test(line))
    assert.deepStrictEqual(rows.filter((row) => !row.includes(" › ")), [])
  })
})
