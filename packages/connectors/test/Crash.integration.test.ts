import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Effect } from "effect"
import { NodeSqlite } from "effect-conveyor-connectors"
import * as Reactivity from "effect/reactivity/Reactivity"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { namesIn, readText, services, temporaryDirectory } from "./fixtures.ts"

const writer = fileURLToPath(new URL("crash/writer.ts", import.meta.url))

/** Runs the writer until it has acknowledged some numbers, kills it at once, and gives the last that it acknowledged. */
const runAndKill = (kind: string, path: string, from: number, acknowledgements: number) =>
  Effect.callback<number>((resume) => {
    const child = spawn(process.execPath, ["--conditions=conveyor-source", writer, kind, path, String(from)], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    child.stdout.on("data", (chunk) => {
      output += String(chunk)
      if (output.split("\n").length > acknowledgements) child.kill("SIGKILL")
    })
    child.on("close", () => resume(Effect.succeed(Number(output.trimEnd().split("\n").at(-1)))))
  })

const textsIn = (directory: string) =>
  Effect.flatMap(namesIn(directory), (names) => Effect.forEach(names, (name) => readText(`${directory}/${name}`)))

const numbersIn: {
  readonly [kind: string]: (directory: string) => Effect.Effect<ReadonlyArray<number>, unknown, any>
} = {
  csv: (directory) =>
    Effect.map(
      textsIn(directory),
      (texts) => texts.flatMap((text) => parse(text, { columns: true }).map((record: any) => Number(record.n)))
    ),
  ndjson: (directory) =>
    Effect.map(
      textsIn(directory),
      (texts) => texts.flatMap((text) => text.split("\n").slice(0, -1).map((line) => JSON.parse(line).n as number))
    ),
  sqlite: (directory) =>
    Effect.scoped(Effect.flatMap(
      NodeSqlite.make({ filename: `${directory}/data.x` }),
      (sql) => sql.unsafe<{ n: number }>("SELECT n FROM t ORDER BY rowid")
    )).pipe(Effect.provide(Reactivity.layer), Effect.map((rows) => rows.map((row) => row.n)))
}

describe("a process killed while it delivers", () => {
  for (const kind of ["csv", "ndjson", "sqlite"]) {
    it.live(`has written with ${kind} all it acknowledged, in whole batches and in order, and goes on`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        let from = 1
        for (const acknowledgements of [1, 50, 200, 400]) {
          const last = yield* runAndKill(kind, `${directory}/data.x`, from, acknowledgements)
          assert.isAtLeast(last, from + 2)
          const numbers = yield* numbersIn[kind]!(directory)
          // At most one batch was written whose acknowledgement nobody heard.
          from = numbers.length + 1
          assert.isTrue(numbers.length >= last, `${numbers.length} written, ${last} acknowledged`)
          assert.deepStrictEqual(numbers, Array.from({ length: numbers.length }, (_, n) => n + 1))
          assert.strictEqual(numbers.length % 3, 0)
        }
      }).pipe(Effect.scoped, Effect.provide(services)))
  }
})

describe("node:sqlite", () => {
  it.live("is loaded without a warning", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const script = `
        import { Effect, Scope } from "effect"
        import { NodeSqlite } from "effect-conveyor-connectors"
        import * as Layer from "effect/Layer"
        process.emitWarning("of my own")
        Effect.runPromise(Effect.scoped(Layer.build(NodeSqlite.layer({ filename: ":memory:" }))))`
      const stderr = yield* Effect.callback<string>((resume) => {
        const child = spawn(
          process.execPath,
          ["--conditions=conveyor-source", "--input-type=module", "-e", script],
          { cwd: import.meta.dirname, stdio: ["ignore", "ignore", "pipe"] }
        )
        let text = ""
        child.stderr.on("data", (chunk) => {
          text += String(chunk)
        })
        child.on("close", () => resume(Effect.succeed(text)))
      })
      assert.include(stderr, "of my own")
      assert.notInclude(stderr, "SQLite", directory)
    }).pipe(Effect.scoped, Effect.provide(services)))
})
