import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { decode } from "fast-png"
import { createHash } from "node:crypto"
import { Picture } from "../examples/mandelbrot/Picture.ts"
import { rowValues } from "../examples/mandelbrot/Row.ts"
import { awaitChildren, isAlive, run, start } from "./support/exampleProcess.ts"

const main = "examples/mandelbrot/main.ts"
const small = ["-N", "500", "120", "-0.630", "0", "1.4", "1.2"]

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

// Of the PNG file, for the same picture is the same file: nothing in it is random.
const drawn = "7ecea32ae82d9e8f2c0d897a85cbebed6692df51ec0b7ae165d27a0aef7f6253"

const sum = (picture: Picture, sampling: "three" | "five"): number => {
  let sum = 0
  for (const row of picture.rows()) for (const value of rowValues(row, sampling)) sum += value
  return sum
}

describe("mandelbrot", () => {
  it("computes mcmandelbrot's overview to the last bit, and differs where that took three samples", () => {
    const overview = new Picture({ width: 2000, cr: -0.63, ci: 0, crPM: 1.4, ciPM: 1.2, iterations: 2000 })
    assert.strictEqual(sum(overview, "three"), 7_782_771_710)
    assert.strictEqual(sum(overview, "five"), 7_843_125_443)
  })

  for (const kind of ["threads", "processes", "fibers"]) {
    it.live(`draws the same picture to the last byte, on ${kind}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* run(main, ["--kind", kind, "--workers", "2", ...small])
        assert.strictEqual(code, 0, stderr)
        const { height, width } = decode(stdout)
        assert.deepStrictEqual([width, height], [120, 102])
        assert.strictEqual(hash(stdout), drawn)
        // Nothing else, and no progress, where nobody watches.
        assert.match(
          stderr,
          new RegExp(`^Computed 12240 pixels in [\\d.]+ seconds \\([\\d.]+ million a second\\).
Run stats, with 2 ${kind} running 102 calls:
  in workers  [\\d.]+ s \\(\\d+ % of their time\\)
  overhead    [\\d.]+ ms a call\n$`)
        )
      }))
  }

  it.live("writes to a file, and compares one worker with all", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/small.png`
      const { code, stderr, stdout } = yield* run(main, ["-o", file, "--compare", "--workers", "2", ...small])
      assert.strictEqual(code, 0, stderr)
      assert.lengthOf(stdout, 0)
      assert.strictEqual(hash(yield* fs.readFile(file)), drawn)
      assert.match(stderr, /^1 worker: [\d.]+ s, 2 workers: [\d.]+ s, [\d.]+ times as fast$/m)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live.each<readonly [string, ReadonlyArray<string>, string]>([
    [
      "fewer than four arguments are given",
      ["100", "-0.630", "0"],
      "mandelbrot [flags] <Nx> <cr> <ci> <crPM> [<ciPM>]"
    ],
    ["the width is not above 0", ["0", "-0.630", "0", "1.4"], "expected a number above 0"],
    ["points would be too near each other", ["100", "-0.630", "0", "1e-17"], "too near each other"],
    ["the file cannot be written", ["-o", "/nowhere/to/be.png", "10", "0", "0", "1"], "/nowhere/to/be.png"]
  ])("ends with code 1 and says why, if %s", ([, args, why]) =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run(main, args)
      assert.strictEqual(code, 1)
      assert.lengthOf(stdout, 0)
      assert.include(stderr, why)
    }))

  it.live("stops at once at Ctrl-C, and leaves no process", () =>
    Effect.gen(function*() {
      // A row of this takes a minute.
      const endless = ["-N", "1000000000", "20000", "-0.7455", "0.113", "1e-5"]
      const { ended, kill, pid } = yield* start(main, ["--kind", "processes", "--workers", "2", ...endless])
      const children = yield* awaitChildren(pid, 2)
      yield* Effect.sleep("1 second")
      const begin = performance.now()
      yield* kill("SIGINT")
      const { code, stdout } = yield* ended
      assert.strictEqual(code, 130)
      assert.lengthOf(stdout, 0)
      assert.deepStrictEqual(children.filter(isAlive), [])
      assert.isBelow(performance.now() - begin, 10_000)
    }))
})
