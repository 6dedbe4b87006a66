import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { escapeTime } from "../examples/mandelbrot/escapeTime.ts"
import { paint } from "../examples/mandelbrot/palette.ts"
import { Picture } from "../examples/mandelbrot/Picture.ts"
import { greatest, Row, rowValues } from "../examples/mandelbrot/Row.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// Ten points across the edge of the set, of which it is known what mcmandelbrot says.
const re = -0.5332179372197309
const span = 0.0022400000000000002
const row = new Row({ left: re - span, right: re + span, im: 0.535867264573991, width: 10, iterations: 1000 })

describe("the escape time", () => {
  it("of ten points is that of mcmandelbrot", () => {
    const times = Array.from(
      { length: 10 },
      (_, i) => escapeTime(row.left + i * (row.right - row.left) / 9, row.im, 999)
    )
    assert.deepStrictEqual(times, [270, 75, 83, 125, 367, 999, 999, 999, 999, 999])
  })

  it.prop(
    "law: is what iterating without a short cut comes to",
    { east: int(-21_000, 6000), north: int(-12_000, 12_000) },
    ({ east, north }) => {
      const [re, im] = [east / 10_000, north / 10_000]
      let [zr, zi, step] = [re, im, 1]
      for (; step < 1000 && zr * zr + zi * zi <= 16; step++) [zr, zi] = [zr * zr - zi * zi + re, 2 * zr * zi + im]
      assert.strictEqual(escapeTime(re, im, 1000), step)
    },
    { arbitrary: { runs: 2000 } }
  )
})

describe("the values of a row", () => {
  it("are those of mcmandelbrot, where only three of the five samples are taken, as it did", () => {
    assert.deepStrictEqual([...rowValues(row, "three")], [756, 232, 273, 300, 4995, 4995, 4995, 4995, 4995, 4995])
  })

  it("are sums over the centre and four corners", () => {
    assert.deepStrictEqual([...rowValues(row)], [967, 384, 498, 596, 4995, 4995, 4995, 4995, 4995, 4995])
  })
})

describe("a picture", () => {
  const overview = { width: 2000, cr: -0.63, ci: 0, crPM: 1.4, ciPM: 1.2, iterations: 2000 }

  it("has as many rows as keep the proportions", () => {
    assert.strictEqual(new Picture(overview).height, 1714)
    assert.strictEqual([...new Picture(overview).rows()].length, 1714)
  })

  it("reaches from the top to the bottom, and from the left to the right", () => {
    const rows = [...new Picture({ ...overview, ci: 0.5, ciPM: 1.4, width: 3 }).rows()]
    assert.deepStrictEqual(rows.map(({ im }) => im), [1.9, 0.5, 0.5 - 1.4])
    for (const { left, right } of rows) assert.deepStrictEqual([left, right], [-0.63 - 1.4, -0.63 + 1.4])
  })

  it("may be a single row of a single point", () => {
    const [only, ...rest] = new Picture({ ...overview, width: 1, ciPM: 1.4 }).rows()
    assert.lengthOf(rest, 0)
    assert.lengthOf(rowValues(only!), 1)
  })
})

describe("the palette", () => {
  const colour = (value: number, steepness = 3) => [...paint(Uint32Array.of(value), 1000, steepness)]

  it("paints the set black and what escapes at once white", () => {
    assert.deepStrictEqual(colour(greatest(1000)), [0, 0, 0])
    assert.deepStrictEqual(colour(0), [255, 255, 255])
  })

  it("goes over red and orange", () => {
    const most = greatest(1000)
    assert.deepStrictEqual([0.9, 0.5, 0.1].map((share) => colour(share * most, 1)), [[68, 0, 0], [255, 85, 0], [
      255,
      255,
      222
    ]])
  })

  it("shows more values in the middle, the steeper it is", () => {
    const distance = (steepness: number) =>
      Math.abs(colour(greatest(1000) / 4, steepness)[1]! - colour(greatest(1000) / 2, steepness)[1]!)
    assert.isAbove(distance(1), distance(3))
    assert.isAbove(distance(3), distance(9))
  })
})
