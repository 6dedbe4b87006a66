import { assert, describe, it } from "@effect/vitest"
import { Interpolation } from "conveyor"
import { Schema } from "effect"

const environment = { A: "one", EMPTY: "", NESTED: "${A}", DOLLAR: "$$" }
const text = (source: string) => {
  const { problems, text } = Interpolation.interpolate(source, environment)
  assert.deepStrictEqual(problems, [])
  return text
}
const problems = (source: string) => Interpolation.interpolate(source, environment).problems

describe("Interpolation", () => {
  describe("interpolate", () => {
    it("puts in variables wherever they stand", () => {
      assert.strictEqual(text("<${A}> and ${A}"), "<one> and one")
    })

    it("falls back where a variable is unset or empty, as the shell does", () => {
      assert.strictEqual(text("${A:-two}${B:-two}${EMPTY:-three}"), "onetwothree")
      assert.strictEqual(text("${B:-}"), "")
      assert.strictEqual(text("${EMPTY}"), "")
    })

    it("takes a fallback that refers to variables, and braces in it", () => {
      assert.strictEqual(text("${B:-${C:-${A}}}!"), "one!")
    })

    it("looks at the variables of a fallback only when it is needed", () => {
      assert.strictEqual(text("${A:-${MISSING}}"), "one")
      assert.lengthOf(problems("${B:-${MISSING}}"), 1)
    })

    it("names a variable that is not set, and what to do", () => {
      assert.deepStrictEqual(problems("${B}"), [
        "needs the environment variable B, which is not set; set it, or give a default: ${B:-default}"
      ])
    })

    it("stops with the message given for an unset or an empty variable", () => {
      assert.deepStrictEqual(problems("${B:?the broker's address}"), [
        "needs the environment variable B: the broker's address"
      ])
      assert.lengthOf(problems("${EMPTY:?}"), 1)
      assert.strictEqual(text("${A:?no}"), "one")
    })

    it("writes a dollar sign for two, and leaves one that begins nothing", () => {
      assert.strictEqual(text("$${A} costs 5$, $A"), "${A} costs 5$, $A")
    })

    it("never reads again what a variable holds", () => {
      assert.strictEqual(text("${NESTED}${DOLLAR}"), "${A}$$")
    })

    it("refuses what is no reference", () => {
      for (const source of ["${", "${}", "${1}", "${A", "${A:+x}", "${A-x}", "${ A }", "${A:-x"]) {
        assert.lengthOf(problems(source), 1, source)
      }
    })

    it("does not find what every object has", () => {
      assert.lengthOf(problems("${constructor}"), 1)
    })

    it("tells a text that is one reference from others", () => {
      const isLone = (source: string) => Interpolation.interpolate(source, environment).isLone
      assert.deepStrictEqual(
        ["${A}", "${B:-5}", "${B:-${A}}", "${A}${A}", " ${A}", "5", "$${A}"].map(isLone),
        [true, true, true, false, false, false, false]
      )
    })

    it.prop("leaves a text without dollar signs as it is", [Schema.String], ([source]) => {
      const plain = source.replaceAll("$", "")
      assert.strictEqual(text(plain), plain)
    })

    it.prop("gives back any text whose dollar signs are doubled", [Schema.String], ([source]) => {
      assert.strictEqual(text(source.replaceAll("$", "$$$$")), source)
    })

    it.prop("puts in any value as it is", [Schema.String], ([value]) => {
      assert.strictEqual(Interpolation.interpolate("a${V}b", { V: value }).text, `a${value}b`)
    })

    it.prop(
      "ends on any text",
      [Schema.Array(Schema.Literals(["$", "{", "}", "A", ":-", ":?", "$$", "${", " "]))],
      ([parts]) => {
        assert.isString(Interpolation.interpolate(parts.join(""), environment).text)
      }
    )
  })
})
