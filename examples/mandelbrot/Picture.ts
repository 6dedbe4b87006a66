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
    return Math.max(1, Math.trunc(this.width * (this.ciPM / this.crPM)))
  }

  /** Whether its points are far enough apart to be different numbers. */
  get isResolvable(): boolean {
    return 2 * Math.min(this.crPM, this.ciPM) > 5e-16
  }

  /** Counted from the top. */
  row(index: number): Row {
    const { ci, ciPM, cr, crPM, height, iterations, width } = this
    const step = height > 1 ? 2 * ciPM / (height - 1) : 0
    return new Row({ left: cr - crPM, right: cr + crPM, im: ci + ciPM - index * step, width, iterations })
  }

  /** All of them, as they are asked for. */
  *rows(): Generator<Row> {
    for (let index = 0; index < this.height; index++) yield this.row(index)
  }
}
