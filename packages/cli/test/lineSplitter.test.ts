import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LineSplitter } from "../src/internal/lineSplitter.ts"

/** What comes out of bytes that arrive in pieces. */
const split = (pieces: ReadonlyArray<Uint8Array>, limit: number) => {
  const splitter = new LineSplitter(limit)
  const lines: Array<string> = []
  for (const piece of pieces) {
    const result = splitter.push(piece)
    lines.push(...result.lines)
    if (result.fault !== undefined) return { lines, fault: result.fault }
  }
  const last = splitter.end()
  lines.push(...last.lines)
  return { lines, fault: last.fault }
}

const bytes = (text: string) => new TextEncoder().encode(text)

const cutAt = (whole: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const cuts = [0, ...places.map((place) => Math.abs(place) % (whole.length + 1)).sort((a, b) => a - b), whole.length]
  return cuts.slice(1).map((to, i) => whole.subarray(cuts[i], to))
}

/** Line by line, as one would write it down. */
const model = (text: string, limit: number) => {
  const all = text.split("\n")
  if (all.at(-1) === "") all.pop()
  const long = all.findIndex((line) => bytes(line).length > limit)
  return long === -1 ? { lines: all, fault: undefined } : { lines: all.slice(0, long), fault: "tooLong" as const }
}

describe("LineSplitter", () => {
  it.prop(
    "gives the lines of a text however it is cut, up to the first that is too long",
    {
      text: Schema.Array(Schema.Literals(["a", "bc", "\n", "ü", "\u{1f600}", "\r\n", " "])),
      places: Schema.Array(Schema.Int),
      limit: Schema.Literals([2, 4, 9, 1000])
    },
    ({ limit, places, text }) => {
      const whole = text.join("").toWellFormed()
      const { fault, lines } = split(cutAt(bytes(whole), places), limit)
      const expected = model(whole, limit)
      // Where it ends in the middle of a long line, the lines before it in the same piece are not lost.
      assert.deepStrictEqual({ lines, fault }, expected)
    }
  )

  it("says which line is no text, after those before it", () => {
    const wrong = new Uint8Array([...bytes("a\nb\n"), 0xff, 0x0a, ...bytes("c\n")])
    assert.deepStrictEqual(split([wrong], 100), { lines: ["a", "b"], fault: "notText" })
    assert.deepStrictEqual(split([bytes("a\n"), new Uint8Array([0xe2, 0x82])], 100), { lines: ["a"], fault: "notText" })
  })

  it("keeps a character that arrives in two pieces", () => {
    const euro = bytes("€\n")
    assert.deepStrictEqual(split([euro.subarray(0, 1), euro.subarray(1)], 100), { lines: ["€"], fault: undefined })
  })

  it("refuses a line before it has come whole", () => {
    const splitter = new LineSplitter(10)
    assert.isUndefined(splitter.push(bytes("1234567890")).fault)
    assert.strictEqual(splitter.push(bytes("1")).fault, "tooLong")
  })
})
