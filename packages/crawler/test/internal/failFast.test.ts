import { assert, describe, it } from "@effect/vitest"
import { FailFast } from "../../src/internal/failFast.ts"

describe("FailFast", () => {
  it("ends everything further in, and nothing further out", () => {
    const outer = new FailFast(undefined)
    const middle = new FailFast(outer)
    const inner = new FailFast(middle)
    middle.fail("cause")
    assert.deepStrictEqual([outer.isOver, middle.isOver, inner.isOver], [false, true, true])
    assert.deepStrictEqual([outer.failure, middle.failure, inner.failure], [undefined, { cause: "cause" }, undefined])
    assert.isTrue(new FailFast(inner).isOver)
  })

  it("keeps the first cause", () => {
    const failFast = new FailFast(undefined)
    failFast.fail("first")
    failFast.fail("second")
    assert.deepStrictEqual(failFast.failure, { cause: "first" })
  })

  it("lets go of those whose item has settled", () => {
    const outer = new FailFast(undefined)
    const settled = new FailFast(outer)
    const open = new FailFast(outer)
    settled.leave()
    outer.fail("cause")
    assert.deepStrictEqual([settled.isOver, open.isOver], [false, true])
  })
})
