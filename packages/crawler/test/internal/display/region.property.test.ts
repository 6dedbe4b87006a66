import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Region } from "../../../src/internal/display/region.ts"
import { fit, linesOf, rowsOf } from "../../../src/internal/display/text.ts"
import { Screen } from "./screen.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// What is as wide as it has characters, what is wider, what is less wide, what is styled, and what would move the cursor.
const Piece = Schema.Literals([
  "word",
  " ",
  "/",
  "日本",
  "👩‍👩‍👧",
  "e\u0301",
  "\u001B[31mred",
  "\u001B[0m",
  "\u001B[2J",
  "\u0007",
  "12345678901234567890"
])
const Text = Schema.Array(Piece).check(Schema.isMaxLength(8))
const Size = { columns: int(10, 60), rows: int(3, 20) }
const Step = Schema.Union([
  Schema.TaggedStruct("Frame", { lines: Schema.Array(Text).check(Schema.isMaxLength(25)) }),
  Schema.TaggedStruct("Log", { texts: Schema.Array(Text).check(Schema.isMaxLength(5)) }),
  Schema.TaggedStruct("Change", { line: int(0, 10), text: Text }),
  Schema.TaggedStruct("Resize", { ...Size })
])
const Steps = Schema.Array(Step).check(Schema.isMaxLength(30))

/** A region on a screen, and what should be seen of it. */
class Drawn {
  readonly region = new Region()
  readonly screen: Screen
  readonly log: Array<string> = []
  printed = 0
  content: ReadonlyArray<string> = []
  shown: ReadonlyArray<string> = []

  constructor(columns: number, rows: number) {
    this.screen = new Screen(columns, rows)
  }

  /** Whether what is shown would still fit, wrapped anew. */
  fits({ columns, rows }: { readonly columns: number; readonly rows: number }): boolean {
    return this.shown.reduce((sum, line) => sum + rowsOf(line, columns), 0) < rows
  }

  take(step: typeof Step.Type): void {
    switch (step._tag) {
      case "Frame":
        this.content = step.lines.map((pieces) => linesOf(pieces.join(""))[0]!)
        return this.draw([])
      case "Change":
        this.content = this.content.map((line, index) => index === step.line ? linesOf(step.text.join(""))[0]! : line)
        return this.draw([])
      case "Log":
        return this.draw(step.texts.map((pieces) => `<${this.printed++}> ${linesOf(pieces.join(""))[0]}`))
      case "Resize":
        this.screen.resize(step.columns, step.rows)
        return this.draw([])
    }
  }

  draw(above: ReadonlyArray<string>): void {
    const { columns, rows } = this.screen
    this.shown = this.content.slice(0, rows - 1).map((line) => fit(line, columns))
    this.screen.write(this.region.draw(above, this.shown, { columns, rows }))
    this.log.push(...above.map(seen))
  }
}

/** A line as it is seen. */
const seen = (line: string): string => {
  const screen = new Screen(10_000, 1)
  screen.write(line)
  return screen.visible()[0]!
}

const filled = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)

const frameIsBelow = ({ screen, shown }: Drawn): void => {
  const { column, row } = screen.cursorAt()
  assert.strictEqual(column, 0)
  assert.isAtLeast(row, shown.length)
  const visible = screen.visible()
  assert.deepStrictEqual(visible.slice(row - shown.length, row), shown.map(seen))
  assert.deepStrictEqual(filled(visible.slice(row)), [], "something is below")
  assert.isAtMost(visible.length, screen.rows)
  assert.deepStrictEqual(screen.unknown, [])
}

describe("Region", () => {
  it.prop(
    "law: the terminal shows what was printed and then the last frame, and nothing else, whatever its sizes",
    { ...Size, steps: Steps },
    ({ columns, rows, steps }) => {
      const drawn = new Drawn(columns, rows)
      for (const step of steps) {
        if (step._tag === "Resize" && !drawn.fits(step)) continue
        drawn.take(step)
        frameIsBelow(drawn)
        assert.deepStrictEqual(filled(drawn.screen.transcript()), filled([...drawn.log, ...drawn.shown.map(seen)]))
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it.prop(
    "law: a terminal too small for what it showed still shows the last frame, and loses no line of the log",
    { ...Size, steps: Steps },
    ({ columns, rows, steps }) => {
      const drawn = new Drawn(columns, rows)
      for (const step of steps) {
        drawn.take(step)
        frameIsBelow(drawn)
        // Among remains of frames that had left the screen, and once in a thousand after one, on its line.
        const transcript = drawn.screen.transcript().join("\n")
        assert.isAtLeast(drawn.log.reduce((from, line) => from < 0 ? from : transcript.indexOf(line, from), 0), 0)
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it("brings back and erases what a resize had moved off the screen", () => {
    const drawn = new Drawn(20, 10)
    drawn.draw(["<0> printed"])
    drawn.take({ _tag: "Frame", lines: Array.from({ length: 8 }, () => ["12345678901234567890"]) })
    for (const [columns, rows] of [[20, 4], [20, 10], [12, 4], [20, 10], [60, 20]] as const) {
      drawn.take({ _tag: "Resize", columns, rows })
      frameIsBelow(drawn)
    }
    assert.deepStrictEqual(filled(drawn.screen.transcript()), [...drawn.log, ...drawn.shown])
  })

  it("leaves what it can no longer reach, and what was printed since", () => {
    const drawn = new Drawn(20, 10)
    drawn.draw(["<0> printed before"])
    drawn.take({ _tag: "Frame", lines: Array.from({ length: 8 }, () => ["12345678901234567890"]) })
    drawn.take({ _tag: "Resize", columns: 20, rows: 4 })
    for (let i = 1; i < 4; i++) drawn.draw([`<${i}> printed since`])
    drawn.take({ _tag: "Resize", columns: 20, rows: 20 })
    frameIsBelow(drawn)
    assert.deepStrictEqual(drawn.screen.transcript().filter((line) => line.startsWith("<")), drawn.log)
  })

  it("does not take the end of a line that a resize cut for its own", () => {
    const drawn = new Drawn(20, 10)
    drawn.draw(["<0> printed"])
    drawn.take({ _tag: "Frame", lines: Array.from({ length: 6 }, () => ["12345678901234567890"]) })
    drawn.take({ _tag: "Resize", columns: 12, rows: 8 })
    drawn.take({ _tag: "Resize", columns: 60, rows: 20 })
    frameIsBelow(drawn)
    assert.strictEqual(drawn.screen.transcript()[0], "<0> printed")
  })

  it("cuts a line that is wider on the terminal than it was taken for, and wraps what is printed", () => {
    const screen = new Screen(5, 9)
    const region = new Region()
    for (const text of ["1234567", "abcdefg"]) screen.write(region.draw([], [text, "below"], { columns: 5, rows: 9 }))
    screen.write(region.draw(["printed"], ["1234567", "below"], { columns: 5, rows: 9 }))
    assert.deepStrictEqual(filled(screen.visible()), ["print", "ed", "12347", "below"])
  })

  it("has each frame shown at once", () => {
    const region = new Region()
    const size = { columns: 9, rows: 9 }
    for (const text of [region.draw([], ["a"], size), region.draw(["b"], ["a"], size), region.draw([], ["c"], size)]) {
      assert.isTrue(text.startsWith("\u001B[?2026h") && text.endsWith("\u001B[?2026l"))
    }
  })
})
