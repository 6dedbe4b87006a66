// A window on the complex plane, as its rows.
import { Schema } from "effect"
import { Row } from "./Row.ts"

/** The points at most `crPM` and `ciPM` from a centre: `width` of them in each row, and as many rows as keep the proportions. */
export class Picture extends Schema.Class<Picture>("Picture")({
  width: Schema.Int.check(Schema.isGreaterThan(0)),
  cr: Schema.Finite,
  ci: Schema.Finite,
  crPM: Schema.Finite.check(Schema.isGreaterThan(0)),
  ciPM: Schema.Finite.check(Schema.isGreaterThan(0)),
  iterations: Schema.Int.check(Schema.isGreaterThan(1))
}) {
  get height(): number {
    return Math.trunc(this.width * (this.ciPM / this.crPM))
  }

  /** Row by row, from the top. */
  *rows(): Generator<Row> {
    const { ci, ciPM, cr, crPM, height, iterations, width } = this
    const step = height > 1 ? 2 * ciPM / (height - 1) : 0
    for (let i = 0; i < height; i++) {
      yield new Row({ left: cr - crPM, right: cr + crPM, im: ci + ciPM - i * step, width, iterations })
    }
  }
}

// Output:
