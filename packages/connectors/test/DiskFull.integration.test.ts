import { assert, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Effect, FileSystem } from "effect"
import { Consumer } from "effect-conveyor"
import { CsvConsumer, NdjsonConsumer, NodeSqlite, SqliteConsumer } from "effect-conveyor-connectors"
import * as Reactivity from "effect/reactivity/Reactivity"
import { execFileSync } from "node:child_process"
import { requires } from "../../../test/support/requires.ts"
import { acquire, delivery, readText, services, temporaryDirectory } from "./fixtures.ts"

/** A file system of its own, in memory; needs the right to mount. */
const mounted = (options: string) =>
  Effect.acquireRelease(
    Effect.tap(temporaryDirectory, (path) =>
      Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]))),
    (path) =>
      Effect.sync(() => execFileSync("umount", ["-l", path]))
  )

const numbersIn = {
  csv: (path: string) =>
    Effect.map(readText(path), (text) => parse(text, { columns: true }).map((record: any) => Number(record.n))),
  ndjson: (path: string) =>
    Effect.map(readText(path), (text) => text.split("\n").slice(0, -1).map((line) => JSON.parse(line).n as number)),
  sqlite: (path: string) =>
    Effect.scoped(
      Effect.flatMap(NodeSqlite.make({ filename: path }), (sql) => sql.unsafe<{ n: number }>("SELECT n FROM t"))
    )
      .pipe(Effect.provide(Reactivity.layer), Effect.map((rows) => rows.map((row) => row.n)))
}

type AnyConsumer = Consumer.Consumer<
  unknown,
  { readonly _tag: string; readonly message: string },
  FileSystem.FileSystem
>

const consumers: { readonly [kind: string]: (path: string) => AnyConsumer } = {
  csv: (path: string) => CsvConsumer.make({ path }),
  ndjson: (path: string) => NdjsonConsumer.make({ path }),
  sqlite: (path: string) => SqliteConsumer.make({ path, table: "t" })
}

const kinds = ["csv", "ndjson", "sqlite"] as const

requires("mount")("a full disk", () => {
  for (const kind of kinds) {
    it.live(`fails ${kind} for now, leaves whole records, and goes on when there is room`, () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* mounted("size=256k")
        const ballast = `${directory}/ballast`
        const path = `${directory}/data`
        const deliver = yield* acquire(consumers[kind]!(path))
        yield* deliver(delivery({ n: 0, text: "" }, 0))
        yield* fs.writeFile(ballast, new Uint8Array(100 * 1024))
        let delivered = 0
        const failure = yield* Effect.flip(Effect.forever(Effect.gen(function*() {
          const n = delivered + 1
          yield* deliver(delivery({ n, text: "x".repeat(3000) }, n))
          delivered = n
        })))
        assert.notStrictEqual(failure._tag, "Rejected")
        assert.include(failure.message, "the disk is full")
        assert.isAbove(delivered, 3)
        yield* fs.remove(ballast)
        yield* deliver(delivery({ n: delivered + 1, text: "x".repeat(3000) }, delivered + 1))
        const expected = Array.from({ length: delivered + 2 }, (_, n) => n)
        assert.deepStrictEqual(yield* numbersIn[kind](path), expected)
      }).pipe(Effect.scoped, Effect.provide(services)))

    it.live(`rejects ${kind} on a read-only file system before it starts`, () =>
      Effect.gen(function*() {
        const directory = yield* mounted("ro")
        const failure = yield* Effect.flip(acquire(consumers[kind]!(`${directory}/data`)))
        assert.instanceOf(failure, Consumer.Rejected)
        assert.match(failure.message, /read-only|it is a directory or may not be opened/)
      }).pipe(Effect.scoped, Effect.provide(services)))
  }
})
