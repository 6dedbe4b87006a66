// What there is to say about a rendering, in words.
import type { Rendering } from "./render.ts"

const share = (part: number, whole: number): string => `${(100 * part / whole).toFixed(0)} %`

export const statistics = (
  { calls, pixels, seconds, secondsInWorkers, workers }: Rendering,
  kind: string
): string =>
  [
    `Computed ${pixels} pixels in ${seconds.toFixed(2)} seconds (${
      (pixels / seconds / 1e6).toFixed(1)
    } million a second).`,
    `Run stats, with ${workers} ${kind} running ${calls} calls:`,
    `  in workers  ${secondsInWorkers.toFixed(2)} s (${share(secondsInWorkers, workers * seconds)} of their time)`,
    `  overhead    ${(1000 * (workers * seconds - secondsInWorkers) / calls).toFixed(3)} ms a call`
  ].join("\n")

export const comparison = (one: Rendering, all: Rendering): string =>
  `1 worker: ${one.seconds.toFixed(2)} s, ${all.workers} workers: ${all.seconds.toFixed(2)} s, ${
    (one.seconds / all.seconds).toFixed(2)
  } times as fast`

/** Row by row, every other one: a character is twice as high as it is wide. */
export const characters = (rows: ReadonlyArray<Uint8Array>): string =>
  rows.filter((_, i) => i % 2 === 0).map((pixels) =>
    Array.from({ length: pixels.length / 3 }, (_, i) => {
      const brightness = (pixels[3 * i]! + pixels[3 * i + 1]! + pixels[3 * i + 2]!) / 765
      return "@%#*+=-:. "[Math.round(9 * brightness)]!
    }).join("").trimEnd()
  ).join("\n")
