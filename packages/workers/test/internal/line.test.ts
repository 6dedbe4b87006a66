import { assert, describe, it } from "@effect/vitest"
import { Line } from "../../src/internal/line.ts"

describe("Line", () => {
  it("gives what came first, however long it is", () => {
    const line = new Line<number>()
    let pushed = 0
    let shifted = 0
    for (const [pushes, shifts] of [[3, 2], [5000, 3000], [1, 1500], [3000, 3501], [1, 1]] as const) {
      for (let i = 0; i < pushes; i++) line.push(pushed++)
      for (let i = 0; i < shifts; i++) {
        assert.strictEqual(line.first, shifted++)
        line.shift()
      }
    }
    assert.strictEqual(pushed - shifted, 1)
    assert.strictEqual(line.first, shifted)
    line.shift()
    assert.isUndefined(line.first)
  })
})
