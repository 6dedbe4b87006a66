import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { generate } from "../examples/logalyzer/generate.ts"
import * as Lines from "../examples/logalyzer/lines.ts"
import { awaitChildren, isAlive, run, start } from "./support/exampleProcess.ts"

const main = "examples/logalyzer/main.ts"

/** Logs, plain and compressed, and how many hits each address should have. */
const planted = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const logs = yield* generate(directory, { seed: 2, logs: 6, lineCount: 2000 })
  const hits = new Map<string, number>()
  for (const { address, requests } of logs.flatMap(({ attackers }) => attackers)) {
    hits.set(address, (hits.get(address) ?? 0) + requests.length)
  }
  return { directory, hits, logs, paths: logs.map(({ path }) => path) }
})

/** The addresses of a summary and their hits, in its order. */
const summary = (stdout: Buffer): ReadonlyArray<readonly [string, number]> =>
  stdout.toString().split("\n").slice(0, -2).map((line) => {
    const [hits, address] = line.trim().split(/ +/)
    return [address!, Number(hits)]
  })

describe("logalyzer", () => {
  it("holds no more of a line than a line may have, however long it is", () => {
    const lines = Lines.make()
    const piece = Buffer.alloc(2 ** 22, "x")
    // More than a string may hold.
    for (let i = 0; i < 130; i++) assert.lengthOf(lines.push(piece), 0)
    assert.deepStrictEqual(lines.end(), [Lines.tooLong])
  })

  it.live("finds exactly those that were planted, most hits first, and tells of each as it is found", () =>
    Effect.gen(function*() {
      const { hits, logs, paths } = yield* planted
      const { code, stderr, stdout } = yield* run(main, ["--workers", "2", ...paths])
      assert.strictEqual(code, 0, stderr)
      const found = summary(stdout)
      assert.deepStrictEqual(new Map(found), hits)
      assert.deepStrictEqual(found, found.toSorted(([, one], [, other]) => other - one))
      assert.strictEqual(stdout.toString().split("\n").at(-2), "12000 lines in 6 logs, 12 of them broken")

      const told = stderr.trimEnd().split("\n")
      const addresses = told.flatMap((line) => / (203\.\S+|2001:\S+) /.exec(line)?.[1] ?? [])
      assert.sameMembers(addresses, [...hits.keys()])
      for (const { broken, path } of logs) {
        for (const line of broken) assert.include(told, `${path}:${line}: no line of an access log`)
      }
      assert.lengthOf(told, hits.size + 12)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("tells every worker whom to ignore, also the second, which starts later", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { directory, hits, paths } = yield* planted
      const known = [...hits.keys()].slice(1)
      yield* fs.writeFileString(`${directory}/known.txt`, `${known.join("\n")}\n`)
      const { code, stderr, stdout } = yield* run(main, [
        "--workers",
        "2",
        "--ignore",
        `${directory}/known.txt`,
        ...paths
      ])
      assert.strictEqual(code, 0, stderr)
      const [left] = hits
      assert.deepStrictEqual(summary(stdout), [left!])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("names a log that it could not read to its end, and reads the others", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { directory, logs: [plain, compressed] } = yield* planted
      const whole = yield* fs.readFile(compressed!.path)
      const cut = `${directory}/cut.log.gz`
      yield* fs.writeFile(cut, whole.subarray(0, whole.length / 2))
      const { code, stderr, stdout } = yield* run(main, [cut, plain!.path])
      assert.strictEqual(code, 1)
      assert.include(stderr, `${cut}: unexpected end of file`)
      assert.include(stderr, `not read, or not to the end: ${cut}`)
      for (const { address } of plain!.attackers) assert.include(stdout.toString(), ` ${address} `)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("stops at once at Ctrl-C, and leaves no process", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      // Holes, which take no room, and minutes to read.
      const paths = [`${directory}/one.log`, `${directory}/other.log`]
      for (const path of paths) {
        yield* fs.writeFileString(path, "")
        yield* fs.truncate(path, 100_000_000_000)
      }
      const { ended, kill, pid } = yield* start(main, ["--workers", "2", ...paths])
      const children = yield* awaitChildren(pid, 2)
      yield* Effect.sleep("1 second")
      const begin = performance.now()
      yield* kill("SIGINT")
      const { code } = yield* ended
      assert.strictEqual(code, 130)
      assert.deepStrictEqual(children.filter(isAlive), [])
      assert.isBelow(performance.now() - begin, 10_000)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("without a log ends with code 1 and says how it is used", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run(main, [])
      assert.strictEqual(code, 1)
      assert.include(`${stdout.toString()}${stderr}`, "logalyzer [flags] <log...>")
    }))
})
