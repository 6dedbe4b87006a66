// The values of the points of one row.
import { Schema } from "effect"
import { escapeTime } from "./escapeTime.ts"

/** `width` points in the complex plane, evenly from `left` to `right`, both included, all at the height `im`. */
export class Row extends Schema.Class<Row>("Row")({
  left: Schema.Finite,
  right: Schema.Finite,
  im: Schema.Finite,
  width: Schema.Int,
  iterations: Schema.Int
}) {}

/** The value of a point that is in the set: no other is as great. */
export const greatest = (iterations: number): number => 5 * (iterations - 1)

/**
 * Where else than at its centre a point is sampled, in quarters of the distance between two points.
 *
 * mcmandelbrot meant `five`, but did not reset its inner loop, and took `three`, none of them right of the centre.
 */
const samplings = {
  five: { right: [-1, -1, 1, 1], up: [-1, 1, -1, 1] },
  three: { right: [-1, -1], up: [-1, 1] }
} as const

/**
 * The escape times of every point and its samples, summed, so that edges are smooth. As soon as one of them turns out to be in the
 * set, so is the point.
 */
export const rowValues = (
  { im, iterations, left, right, width }: Row,
  sampling: keyof typeof samplings = "five"
): Uint32Array => {
  const limit = iterations - 1
  const around = samplings[sampling]
  const step = width > 1 ? (right - left) / (width - 1) : 0
  const quarter = 0.25 * (right - left) / width
  const values = new Uint32Array(width)
  for (let column = 0; column < width; column++) {
    const re = left + column * step
    let time = escapeTime(re, im, limit)
    let sum = time
    for (let i = 0; time < limit && i < around.up.length; i++) {
      time = escapeTime(re + around.right[i]! * quarter, im + around.up[i]! * quarter, limit)
      sum += time
    }
    values[column] = time < limit ? sum : greatest(iterations)
  }
  return values
}
