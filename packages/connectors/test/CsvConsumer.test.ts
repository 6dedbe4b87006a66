import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Effect, FileSystem } from "effect"
import { CsvConsumer } from "effect-conveyor-connectors"
import { suite } from "./ConsumerSuite.ts"
import {
  acquire,
  delivery,
  fillableDisk,
  namesIn,
  provideTo,
  readText,
  services,
  session,
  temporaryDirectory,
  writeText
} from "./fixtures.ts"

const records = (text: string): ReadonlyArray<any> => parse(text, { columns: true })

/** Whatever was set aside, then the file itself: the order in which rows were written. */
const allRecords = (directory: string) =>
  Effect.gen(function*() {
    const texts = yield* Effect.forEach(yield* namesIn(directory), (name) => readText(`${directory}/${name}`))
    return texts.flatMap(records)
  })

suite(
  "CsvConsumer",
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const { disk, layer } = yield* fillableDisk
    return {
      consumer: provideTo(CsvConsumer.make({ path: `${directory}/data.csv` }), layer),
      arrived: Effect.map(
        allRecords(directory),
        (all) => all.filter((record) => (record.n ?? "") !== "").map((record) => Number(record.n))
      ),
      breakTarget: Effect.sync(() => {
        disk.full = true
      }),
      repairTarget: Effect.sync(() => {
        disk.full = false
      }),
      repeated: "twice" as const
    }
  }),
  Effect.provide(services)
)

describe("CsvConsumer", () => {
  it.effect("writes the header once, also across sessions", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.csv`
      yield* session(CsvConsumer.make({ path }), (deliver) => deliver(delivery({ a: 1, b: { c: "x" } }, 0)))
      yield* session(CsvConsumer.make({ path }), (deliver) => deliver(delivery({ b: { c: "y" }, a: 2 }, 1)))
      assert.strictEqual(
        yield* readText(path),
        "dueAt,a,b.c\n2026-11-21T12:00:00.000Z,1,x\n2026-11-21T12:00:01.000Z,2,y\n"
      )
    }).pipe(Effect.provide(services)))

  it.effect("tells null, a missing cell and an empty text apart, and quotes what has to be", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.csv`
      yield* session(CsvConsumer.make({ path, delimiter: ";" }), (deliver) =>
        deliver(
          delivery({ a: null, b: "", c: true, d: 12n ** 20n, e: "x;\"y\"\nz", f: [1, { g: 2 }] }, 0),
          delivery({ f: 1.5 }, 1)
        ))
      assert.strictEqual(
        yield* readText(path),
        "dueAt;a;b;c;d;e;f\n" +
          "2026-11-21T12:00:00.000Z;;\"\";true;3833759992447475122176;\"x;\"\"y\"\"\nz\";\"[1,{\"\"g\"\":2}]\"\n" +
          "2026-11-21T12:00:01.000Z;;;;;;1.5\n"
      )
    }).pipe(Effect.provide(services)))

  it.effect("begins a wider file when a new column comes, and sets the narrow one aside", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.csv`
      yield* session(CsvConsumer.make({ path }), (deliver) =>
        Effect.andThen(deliver(delivery({ a: 1, b: 2 }, 0)), deliver(delivery({ c: 4, a: 3 }, 1))))
      const [aside] = yield* namesIn(directory)
      assert.strictEqual(aside, "data-2026-11-21T120000000Z.csv")
      assert.strictEqual(yield* readText(`${directory}/${aside}`), "dueAt,a,b\n2026-11-21T12:00:00.000Z,1,2\n")
      assert.strictEqual(yield* readText(path), "dueAt,a,b,c\n2026-11-21T12:00:01.000Z,3,,4\n")
    }).pipe(Effect.provide(services)))

  it.effect("never writes under the header of another kind of file", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.csv`
      yield* writeText(path, "time;a\n1;2\n")
      yield* session(CsvConsumer.make({ path }), (deliver) => deliver(delivery({ a: 1 }, 0)))
      assert.strictEqual((yield* namesIn(directory)).length, 2)
      assert.strictEqual(records(yield* readText(path))[0].a, "1")
    }).pipe(Effect.provide(services)))

  it.effect("goes on with the header when the file is set aside or made again", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.csv`
      const fs = yield* FileSystem.FileSystem
      const deliver = yield* acquire(CsvConsumer.make({ path, rotate: { size: "50 B" } }))
      yield* deliver(delivery({ a: 1, b: 2 }, 0), delivery({ a: 1, b: 2 }, 1))
      yield* deliver(delivery({ b: 3 }, 2))
      assert.strictEqual(yield* readText(path), "dueAt,a,b\n2026-11-21T12:00:02.000Z,,3\n")
      yield* fs.remove(path)
      yield* deliver(delivery({ b: 4 }, 3))
      assert.strictEqual(yield* readText(path), "dueAt,a,b\n2026-11-21T12:00:03.000Z,,4\n")
    }).pipe(Effect.provide(services)))

  it.effect("keeps the columns of both when the disk is full just as a wider file begins", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.csv`
      const { disk, layer } = yield* fillableDisk
      const deliver = yield* Effect.provide(acquire(CsvConsumer.make({ path })), layer)
      yield* deliver(delivery({ a: 1 }, 0))
      disk.full = true
      yield* Effect.flip(deliver(delivery({ b: 2 }, 1)))
      disk.full = false
      yield* deliver(delivery({ b: 2 }, 1))
      assert.strictEqual(yield* readText(path), "dueAt,a,b\n2026-11-21T12:00:01.000Z,,2\n")
    }).pipe(Effect.provide(services)))

  it.effect.each([
    { what: "a line", rest: "2026-11-21T12:00:01.000Z,2" },
    { what: "quotes", rest: "2026-11-21T12:00:01.000Z,\"first line\nsecond line\n" },
    { what: "the header", rest: "" }
  ])("removes the record that a crash cut off within $what", ({ rest, what }) =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.csv`
      const good = what === "the header" ? "" : "dueAt,a\n2026-11-21T12:00:00.000Z,\"x\ny\"\n"
      yield* writeText(path, what === "the header" ? "dueA" : good + rest)
      yield* session(CsvConsumer.make({ path }), (deliver) => deliver(delivery({ a: 3 }, 3)))
      const header = what === "the header" ? "dueAt,a\n" : ""
      assert.strictEqual(yield* readText(path), `${good}${header}2026-11-21T12:00:03.000Z,3\n`)
    }).pipe(Effect.provide(services)))

  it.effect("reads its header behind a byte order mark", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.csv`
      yield* writeText(path, "\uFEFFdueAt,a\n")
      yield* session(CsvConsumer.make({ path }), (deliver) => deliver(delivery({ a: 1 }, 0)))
      assert.deepStrictEqual(yield* namesIn(directory), ["data.csv"])
    }).pipe(Effect.provide(services)))

  it.effect("serialises deliveries that come at the same time", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const deliver = yield* acquire(CsvConsumer.make({ path: `${directory}/data.csv` }))
      const many = Array.from({ length: 20 }, (_, n) => deliver(delivery({ n, [`c${n % 4}`]: 1 }, n)))
      yield* Effect.all(many, { concurrency: "unbounded" })
      const numbers = (yield* allRecords(directory)).map((record) => Number(record.n))
      assert.deepStrictEqual(numbers.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, n) => n))
    }).pipe(Effect.provide(services)))
})
