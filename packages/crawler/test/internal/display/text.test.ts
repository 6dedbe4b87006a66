import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import stringWidth from "string-width"
import { fit, linesOf, neutralise, rowsOf, widthOf } from "../../../src/internal/display/text.ts"
import { Screen } from "./screen.ts"

const hostile = [
  "\u001B[2J",
  "\u001B]0;title\u0007",
  "\u009B1A",
  "\r",
  "\n",
  "\u2028",
  "\u0085",
  "\b\b\b",
  "\u202E",
  "\u007F",
  "\uD800"
] as const
const harmless = ["word", "日本", "👩‍👩‍👧", "🇩🇪", "e\u0301", "ก\u0E33", "\u001B[1;31m", "\u001B[0m", " ", "\t"] as const
const Text = Schema.Array(Schema.Union([Schema.Literals([...hostile, ...harmless]), Schema.String])).check(
  Schema.isMaxLength(12)
)
const Width = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
const runs = { arbitrary: { runs: 500 } }

describe("neutralise", () => {
  it.prop("law: no text leaves its line or moves the cursor", { pieces: Text }, ({ pieces }) => {
    for (const colors of [true, false]) {
      const line = neutralise(pieces.join(""), colors)
      const screen = new Screen(100_000, 2)
      screen.write(line)
      assert.deepStrictEqual(screen.unknown, [])
      assert.deepStrictEqual(screen.cursorAt(), { row: 0, column: widthOf(line) })
      assert.notMatch(line, /\p{Bidi_Control}|\t/u)
      assert.isTrue(line.isWellFormed())
      if (!colors) assert.notInclude(line, "\u001B")
    }
  }, runs)

  it("makes control characters visible, and lines one", () => {
    assert.strictEqual(neutralise(" a\u001B[2Jb\r\nc\td\u0007\u007F\u009B ", true), "a␛[2Jb c d␇␡\uFFFD")
  })

  it("keeps styles where there are colours", () => {
    assert.strictEqual(neutralise("\u001B[31mred\u001B[0m", true), "\u001B[31mred\u001B[0m")
    assert.strictEqual(neutralise("\u001B[31mred\u001B[0m", false), "red")
  })

  it("looks at no more of a text than fits a screen", () => {
    assert.isAtMost(neutralise("x".repeat(1_000_000), true).length, 2000)
    assert.isTrue(neutralise("👍".repeat(1_000_000).slice(1), true).isWellFormed())
  })
})

describe("linesOf", () => {
  it.prop("law: each line stays on its line", { pieces: Text }, ({ pieces }) => {
    const lines = linesOf(pieces.join(""))
    const screen = new Screen(100_000, lines.length + 1)
    screen.write(lines.map((line) => `${line}\r\n`).join(""))
    assert.deepStrictEqual(screen.unknown, [])
    assert.deepStrictEqual(screen.cursorAt(), { row: lines.length, column: 0 })
  }, runs)

  it("keeps tabs, empty lines and indentation, and closes styles", () => {
    assert.deepStrictEqual(linesOf("a\n\n  b\tc\r\n"), ["a", "", "  b\tc"])
    assert.deepStrictEqual(linesOf("\u001B[31mred"), ["\u001B[31mred\u001B[0m"])
  })
})

describe("fit", () => {
  it.prop("law: a line is never wider, and whole if it fits", { pieces: Text, width: Width }, ({ pieces, width }) => {
    const line = neutralise(pieces.join(""), true)
    const fitted = fit(line, width)
    assert.isAtMost(stringWidth(fitted), width)
    assert.strictEqual(fit(fitted, width), fitted)
    const screen = new Screen(100_000, 2)
    screen.write(fitted)
    assert.isAtMost(screen.cursorAt().column, width)
    if (stringWidth(line) <= width) assert.isTrue(fitted.startsWith(line))
    else if (width > 0) assert.include(fitted, "…")
  }, runs)

  it("cuts by what is seen", () => {
    assert.strictEqual(fit("12345", 5), "12345")
    assert.strictEqual(fit("123456", 5), "1234…")
    assert.strictEqual(fit("日本語", 5), "日本…")
    assert.strictEqual(fit("a日本語", 5), "a日…")
    assert.strictEqual(fit("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…")
    assert.strictEqual(fit("e\u0301e\u0301e\u0301", 2), "e\u0301…")
    assert.strictEqual(fit("\u001B[31mredder\u001B[39m", 4), "\u001B[31mred…\u001B[0m")
    assert.strictEqual(fit("anything", 0), "")
  })
})

describe("rowsOf", () => {
  it.prop(
    "law: a line takes as many rows as a terminal wraps it on",
    { pieces: Text, width: Width },
    ({ pieces, width }) => {
      const line = neutralise(pieces.join(""), true)
      const columns = width + 4
      const screen = new Screen(columns, 10_000)
      screen.write(line)
      assert.strictEqual(rowsOf(line, columns), screen.cursorAt().row + 1)
    },
    runs
  )
})
