import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { FileProducer } from "effect-conveyor-connectors"
import { services, temporaryDirectory, tickAt } from "./fixtures.ts"

const setup = (options: Omit<FileProducer.Options, "path">, before?: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* temporaryDirectory
    const path = `${directory}/app.log`
    if (before !== undefined) yield* fs.writeFileString(path, before)
    const producer = FileProducer.make({ path, ...options })
    const produce = yield* producer.acquire
    return {
      fs,
      path,
      directory,
      producer,
      tick: produce(tickAt(0)),
      append: (text: string) => fs.writeFileString(path, text, { flag: "a" })
    }
  })

describe("FileProducer", () => {
  it.effect("gives what was appended since the last tick, and then nothing", () =>
    Effect.gen(function*() {
      const { append, tick } = yield* setup({}, "old\n")
      assert.deepStrictEqual(yield* tick, [])
      yield* append("a\nb\r\n\n")
      assert.deepStrictEqual(yield* tick, ["a", "b", ""])
      assert.deepStrictEqual(yield* tick, [])
    }).pipe(Effect.provide(services)))

  it.effect("begins at the start if told to", () =>
    Effect.gen(function*() {
      const { tick } = yield* setup({ from: "start" }, "old\n")
      assert.deepStrictEqual(yield* tick, ["old"])
    }).pipe(Effect.provide(services)))

  it.effect("keeps a line until it has its end, also one that was begun before", () =>
    Effect.gen(function*() {
      const { append, tick } = yield* setup({}, "old\nbeg")
      yield* append("un")
      assert.deepStrictEqual(yield* tick, [])
      yield* append(" ü")
      assert.deepStrictEqual(yield* tick, [])
      yield* append("!\nnext")
      assert.deepStrictEqual(yield* tick, ["begun ü!"])
    }).pipe(Effect.provide(services)))

  it.effect("reads no more than its limit at one tick", () =>
    Effect.gen(function*() {
      const { tick } = yield* setup({ from: "start", maxBytes: 10 }, "1234\n567890\nab\n")
      assert.deepStrictEqual(yield* tick, ["1234"])
      assert.deepStrictEqual(yield* tick, ["567890", "ab"])
    }).pipe(Effect.provide(services)))

  it.effect("fails once for a line longer than its limit and passes it over", () =>
    Effect.gen(function*() {
      const { append, tick } = yield* setup({ from: "start", maxBytes: 5 }, "123456789012345678")
      const error = yield* Effect.flip(tick)
      assert.include(error.message, "it is longer than 5 bytes")
      assert.deepStrictEqual(yield* tick, [])
      assert.deepStrictEqual(yield* tick, [])
      assert.deepStrictEqual(yield* tick, [])
      yield* append("9\nab\n")
      assert.deepStrictEqual([yield* tick, yield* tick, yield* tick], [[], ["ab"], []])
    }).pipe(Effect.provide(services)))

  it.effect("reads a file that was cut short from its start", () =>
    Effect.gen(function*() {
      const { fs, path, tick } = yield* setup({}, "a long line\n")
      yield* fs.writeFileString(path, "new\n")
      assert.deepStrictEqual(yield* tick, ["new"])
    }).pipe(Effect.provide(services)))

  it.effect("reads a file that was moved away to its end, unfinished line too, and then the new one", () =>
    Effect.gen(function*() {
      const { append, directory, fs, path, tick } = yield* setup({}, "")
      yield* append("a\n")
      yield* fs.rename(path, `${directory}/app.log.1`)
      yield* fs.writeFileString(`${directory}/app.log.1`, "b\nlast", { flag: "a" })
      yield* fs.writeFileString(path, "c\n")
      assert.deepStrictEqual(yield* tick, ["a", "b", "last"])
      assert.deepStrictEqual(yield* tick, ["c"])
    }).pipe(Effect.provide(services)))

  it.effect("reads a moved file over several ticks if it has to", () =>
    Effect.gen(function*() {
      const { directory, fs, path, tick } = yield* setup({ from: "start", maxBytes: 4 }, "1\n2\n3\n4\n5\n")
      yield* fs.rename(path, `${directory}/app.log.1`)
      yield* fs.writeFileString(path, "6\n")
      const all = [yield* tick, yield* tick, yield* tick, yield* tick].flat()
      assert.deepStrictEqual(all, ["1", "2", "3", "4", "5", "6"])
    }).pipe(Effect.provide(services)))

  it.effect("fails while there is no file and reads the whole of it when it appears", () =>
    Effect.gen(function*() {
      const { append, fs, path, tick } = yield* setup({})
      const error = yield* Effect.flip(tick)
      assert.strictEqual(error.message, `cannot read ${path}: it does not exist`)
      yield* append("a\n")
      assert.deepStrictEqual(yield* tick, ["a"])
      yield* fs.remove(path)
      yield* Effect.flip(tick)
      yield* append("b\nlonger than before\n")
      assert.deepStrictEqual(yield* tick, ["b", "longer than before"])
    }).pipe(Effect.provide(services)))

  it.effect("goes on where it stood when it is built anew", () =>
    Effect.gen(function*() {
      const { append, producer, tick } = yield* setup({}, "old\n")
      yield* append("a\n")
      assert.deepStrictEqual(yield* tick, ["a"])
      yield* append("b\n")
      const again = yield* producer.acquire
      assert.deepStrictEqual(yield* again(tickAt(1)), ["b"])
    }).pipe(Effect.provide(services)))

  it.effect("reads lines of JSON, and loses none around a bad one", () =>
    Effect.gen(function*() {
      const { path, tick } = yield* setup({ from: "start", format: "json" }, "{\"a\":1}\n\n2\nbad\n3\n")
      assert.deepStrictEqual(yield* tick, [{ a: 1 }, 2])
      const error = yield* Effect.flip(tick)
      assert.strictEqual(error.message, `cannot read a record of ${path}, it is not JSON: bad`)
      assert.deepStrictEqual(yield* tick, [3])
    }).pipe(Effect.provide(services)))

  it.effect("reads CSV below its header, line ends within quotes too", () =>
    Effect.gen(function*() {
      const { append, tick } = yield* setup({ from: "start", format: "csv" }, "\uFEFFa,b\n1,\"x\ny\"\n2,\"un")
      assert.deepStrictEqual(yield* tick, [{ a: 1, b: "x\ny" }])
      yield* append("\n")
      assert.deepStrictEqual(yield* tick, [])
      yield* append("finished\"\n")
      assert.deepStrictEqual(yield* tick, [{ a: 2, b: "un\nfinished" }])
    }).pipe(Effect.provide(services)))

  it.effect("knows the header of a CSV file that it enters at the end", () =>
    Effect.gen(function*() {
      const { append, fs, path, tick } = yield* setup({ format: "csv" }, "a,b\n1,2\n")
      yield* append("3,4\n")
      assert.deepStrictEqual(yield* tick, [{ a: 3, b: 4 }])
      yield* fs.writeFileString(path, "c\n5\n")
      assert.deepStrictEqual(yield* tick, [{ c: 5 }])
    }).pipe(Effect.provide(services)))

  it.effect("loses no CSV record around a bad one", () =>
    Effect.gen(function*() {
      const { tick } = yield* setup({ from: "start", format: "csv" }, "a,b\n1,2\n1,2,3\n4,5\n")
      assert.deepStrictEqual(yield* tick, [{ a: 1, b: 2 }])
      assert.strictEqual((yield* Effect.flip(tick))._tag, "RecordError")
      assert.deepStrictEqual(yield* tick, [{ a: 4, b: 5 }])
    }).pipe(Effect.provide(services)))

  it.effect("fails for a directory", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const produce = yield* FileProducer.make({ path: directory }).acquire.pipe(Effect.flip)
      assert.include(produce.message, directory)
    }).pipe(Effect.provide(services)))
})
