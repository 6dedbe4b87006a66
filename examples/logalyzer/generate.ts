// Writes access logs that are made up from a seed, every other of them compressed, with attackers among the visitors.
//
// Run: node --conditions=conveyor-source examples/logalyzer/generate.ts /tmp/logs --logs 4 --lines 500000
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"
import { createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { parseArgs } from "node:util"
import { createGzip } from "node:zlib"
import * as Plan from "./plan.ts"

function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = ""
  for (const line of lines) {
    piece += `${line}\n`
    if (piece.length > 65_536) {
      yield piece
      piece = ""
    }
  }
  yield piece
}

/** Writes access-0.log, access-1.log.gz and so on, and tells what is in them. */
export const generate = (
  directory: string,
  { lineCount, logs, seed }: { readonly seed: number; readonly logs: number; readonly lineCount: number }
): Effect.Effect<ReadonlyArray<Plan.Plan & { readonly path: string }>> =>
  Effect.forEach(Array.from({ length: logs }, (_, i) => i), (number) =>
    Effect.gen(function*() {
      const plan = yield* Plan.make({ seed, number, lineCount })
      const path = `${directory}/access-${number}.log${number % 2 === 1 ? ".gz" : ""}`
      const lines = Readable.from(inPieces(plan.lines()))
      const file = createWriteStream(path)
      yield* Effect.promise((signal) =>
        number % 2 === 1 ? pipeline(lines, createGzip(), file, { signal }) : pipeline(lines, file, { signal })
      )
      return { ...plan, path }
    }))

if (import.meta.main) {
  const { positionals: [directory], values } = parseArgs({
    allowPositionals: true,
    options: {
      logs: { type: "string", default: "4" },
      lines: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" }
    }
  })
  const [logs, lineCount, seed] = [values.logs, values.lines, values.seed].map(Number) as [number, number, number]
  const program = directory === undefined
    // Without a directory, a look at what would be written.
    ? Effect.flatMap(
      Plan.make({ seed, number: 0, lineCount }),
      (plan) => Stream.runForEach(Stream.take(Stream.fromIterable(plan.lines()), 3), (line) => Console.log(line))
    )
    : Effect.flatMap(
      generate(directory, { seed, logs, lineCount }),
      Effect.forEach(({ attackers, path }) =>
        Console.log(`${path}: ${attackers.map(({ address }) => address).join(" ")}`)
      )
    )
  NodeRuntime.runMain(program)
}
