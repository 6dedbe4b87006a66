import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { Consumer } from "effect-conveyor"
import { NdjsonConsumer } from "effect-conveyor-connectors"
import { suite } from "./ConsumerSuite.ts"
import {
  acquire,
  day,
  delivery,
  fillableDisk,
  namesIn,
  provideTo,
  readText,
  services,
  session,
  start,
  temporaryDirectory,
  writeText
} from "./fixtures.ts"

const records = (text: string): ReadonlyArray<any> =>
  text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))

suite(
  "NdjsonConsumer",
  Effect.gen(function*() {
    const path = `${yield* temporaryDirectory}/data.ndjson`
    const { disk, layer } = yield* fillableDisk
    return {
      consumer: provideTo(NdjsonConsumer.make({ path }), layer),
      arrived: Effect.map(readText(path), (text) => records(text).map((record) => record.n)),
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

describe("NdjsonConsumer", () => {
  it.effect("writes an object for each record, beginning with dueAt", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/a/b/data.ndjson`
      yield* session(NdjsonConsumer.make({ path }), (deliver) =>
        deliver(
          delivery({ a: { b: [1, { c: 2 }] } }, 0),
          delivery(["x", 7], 1),
          delivery({ dueAt: "2026-11-21T12:00:02.000Z", x: 1 }, 2),
          delivery({ x: 1, dueAt: "noon" }, 3)
        ))
      assert.strictEqual(
        yield* readText(path),
        [
          `{"dueAt":"2026-11-21T12:00:00.000Z","a":{"b":[1,{"c":2}]}}`,
          `{"dueAt":"2026-11-21T12:00:01.000Z","value":"x"}`,
          `{"dueAt":"2026-11-21T12:00:01.000Z","value":7}`,
          `{"dueAt":"2026-11-21T12:00:02.000Z","x":1}`,
          `{"dueAt":"2026-11-21T12:00:03.000Z","dueAt_2":"noon","x":1}`,
          ""
        ].join("\n")
      )
    }).pipe(Effect.provide(services)))

  it.effect("removes the record that a crash cut off", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.ndjson`
      yield* writeText(path, `{"n":1}\n{"n":2}\n{"n":`)
      yield* session(NdjsonConsumer.make({ path }), (deliver) => deliver(delivery({ n: 3 }, 3)))
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [1, 2, 3])
    }).pipe(Effect.provide(services)))

  it.effect("removes a file's only record if it has no end", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.ndjson`
      yield* writeText(path, "x".repeat(200_000))
      yield* session(NdjsonConsumer.make({ path }), (deliver) => deliver(delivery({ n: 1 }, 1)))
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [1])
    }).pipe(Effect.provide(services)))

  it.effect("cuts a half-written batch off later if it cannot be cut off at once", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.ndjson`
      const { disk, layer } = yield* fillableDisk
      const deliver = yield* Effect.provide(acquire(NdjsonConsumer.make({ path })), layer)
      yield* deliver(delivery({ n: 1 }, 1))
      disk.full = true
      disk.truncatable = false
      const failure = yield* Effect.flip(deliver(delivery({ n: 2 }, 2)))
      const torn = yield* readText(path)
      disk.full = false
      const stillTorn = yield* Effect.flip(deliver(delivery({ n: 2 }, 2)))
      disk.truncatable = true
      yield* deliver(delivery({ n: 2 }, 2))
      assert.strictEqual(failure.message, `cannot append to ${path}: the disk is full`)
      assert.isFalse(torn.endsWith("\n"))
      assert.strictEqual(stillTorn._tag, "FileError")
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [1, 2])
    }).pipe(Effect.provide(services)))

  it.effect("makes the file again when it was removed, replaced, cut or emptied", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.ndjson`
      const deliver = yield* acquire(NdjsonConsumer.make({ path }))
      const numbers = Effect.map(readText(path), (text) => records(text).map((record) => record.n))
      yield* deliver(delivery({ n: 1 }, 1))
      yield* fs.remove(path)
      yield* deliver(delivery({ n: 2 }, 2))
      assert.deepStrictEqual(yield* numbers, [2])
      yield* fs.rename(path, `${directory}/old`)
      const large = "x".repeat(1000)
      yield* writeText(path, `{"n":10,"large":"${large}"}\n`)
      yield* deliver(delivery({ n: 3 }, 3))
      assert.deepStrictEqual(yield* numbers, [10, 3])
      yield* fs.truncate(path, 1030)
      yield* deliver(delivery({ n: 11 }, 3))
      assert.deepStrictEqual(yield* numbers, [10, 11])
      yield* fs.truncate(path, 0)
      yield* deliver(delivery({ n: 4 }, 4))
      assert.deepStrictEqual(yield* numbers, [4])
      yield* fs.remove(directory, { recursive: true })
      yield* deliver(delivery({ n: 5 }, 5))
      assert.deepStrictEqual(yield* numbers, [5])
    }).pipe(Effect.provide(services)))

  it.effect("keeps what another program appends", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/data.ndjson`
      const { disk, layer } = yield* fillableDisk
      const fs = yield* FileSystem.FileSystem
      const deliver = yield* Effect.provide(acquire(NdjsonConsumer.make({ path })), layer)
      yield* deliver(delivery({ n: 1 }, 1))
      yield* fs.writeFileString(path, `{"n":10}\n`, { flag: "a" })
      disk.full = true
      yield* Effect.flip(deliver(delivery({ n: 2 }, 2)))
      disk.full = false
      yield* deliver(delivery({ n: 2 }, 2))
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [1, 10, 2])
    }).pipe(Effect.provide(services)))

  it.effect("sets the file aside when it has its size, under names that sort by time", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.ndjson`
      const deliver = yield* acquire(NdjsonConsumer.make({ path, rotate: { size: "80 B" } }))
      for (const n of [0, 1, 2, 3, 4]) yield* deliver(delivery({ n }, n))
      assert.deepStrictEqual(yield* namesIn(directory), [
        "data-2026-11-21T120001000Z.ndjson",
        "data-2026-11-21T120003000Z.ndjson",
        "data.ndjson"
      ])
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [4])
    }).pipe(Effect.provide(services)))

  it.effect("sets the file aside at the first tick of a new day", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.ndjson`
      const deliver = yield* acquire(NdjsonConsumer.make({ path, rotate: { every: "day" } }))
      const lastOfDay = Math.floor(start / day) * day + day - 1
      yield* deliver(delivery({ n: 1 }, 1))
      yield* deliver(delivery({ n: 2 }, 2, lastOfDay))
      yield* deliver(delivery({ n: 3 }, 3, lastOfDay + 1))
      assert.deepStrictEqual(yield* namesIn(directory), ["data-2026-11-21T235959999Z.ndjson", "data.ndjson"])
      assert.deepStrictEqual(records(yield* readText(path)).map((record) => record.n), [3])
    }).pipe(Effect.provide(services)))

  it.effect("never sets a file aside over another", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = `${directory}/data.ndjson`
      const deliver = yield* acquire(NdjsonConsumer.make({ path, rotate: { size: "1 B" } }))
      for (const n of [1, 2, 3]) yield* deliver(delivery({ n }, n, start))
      assert.deepStrictEqual(yield* namesIn(directory), [
        "data-2026-11-21T120000000Z.ndjson",
        "data-2026-11-21T120000000Z_2.ndjson",
        "data.ndjson"
      ])
    }).pipe(Effect.provide(services)))

  it.effect.each([
    { what: "a directory", path: (directory: string) => directory, says: "it is a directory; name a file" },
    {
      what: "below a file",
      path: (directory: string) => `${directory}/file/data.ndjson`,
      says: "a part of its path is a file, not a directory"
    },
    { what: "a device", path: () => "/dev/null", says: "it is a CharacterDevice, not a regular file" }
  ])("rejects a path that is $what before it starts", ({ path, says }) =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeText(`${directory}/file`, "")
      const failure = yield* Effect.flip(acquire(NdjsonConsumer.make({ path: path(directory) })))
      assert.instanceOf(failure, Consumer.Rejected)
      assert.include(failure.message, `cannot open ${path(directory)}`)
      assert.include(failure.message, says)
    }).pipe(Effect.provide(services)))
})
