// What value has what colour.
import { greatest } from "./Row.ts"

const size = 6000

const byte = (share: number): number => Math.round(255 * Math.min(1, Math.max(0, share)))

/** From black over red and orange to white, and a touch of blue where it is still dark. */
const colours = Uint8Array.from({ length: 3 * size }, (_, i) => {
  const at = Math.floor(i / 3) / (size - 1)
  const red = at * 8 / 3
  const green = (at - 3 / 8) * 8 / 3
  const blue = (at - 6 / 8) * 4 + 0.3 * Math.max(0, Math.sin(Math.PI * at * 8 / 3)) ** 2
  return byte([red, green, blue][i % 3]!)
})

/**
 * The colours of values, three bytes for each. The set is black, what escapes at once is white, and the greater the steepness, the more
 * values are seen in the middle.
 */
export const paint = (values: Uint32Array, iterations: number, steepness: number): Uint8Array<ArrayBuffer> => {
  const pixels = new Uint8Array(3 * values.length)
  const most = greatest(iterations)
  for (let i = 0; i < values.length; i++) {
    const inverted = 1 - 2 * values[i]! / most
    const steep = Math.sign(inverted) * Math.abs(inverted) ** steepness
    const colour = 3 * Math.round((steep + 1) / 2 * (size - 1))
    pixels[3 * i] = colours[colour]!
    pixels[3 * i + 1] = colours[colour + 1]!
    pixels[3 * i + 2] = colours[colour + 2]!
  }
  return pixels
}
